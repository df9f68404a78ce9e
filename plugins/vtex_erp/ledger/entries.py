"""Order entries: claim them, write what became of them, open them again.

A claim is a lease with a fencing number. Whoever claims an order raises its number; a write carries the number
of its claim and changes nothing when a later claim has raised it. So a worker that was paused past its lease and
wakes up again cannot undo what its successor did.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, bindparam, or_, select, update

from vtex_erp.errors import ErpDownError, ParkError, RetryableError, VtexErpError
from vtex_erp.ledger import documents, notices
from vtex_erp.ledger.stages import ENDS, OPEN, Stage
from vtex_erp.ledger.tables import batch_orders, history, order_entries, runs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.engine import Connection

    from vtex_erp.ledger.ledger import Ledger

HOLD = timedelta(hours=1)
"""How long an order that a run has taken on waits for that run before any other run may plan it."""

FIRST_DELAY = timedelta(minutes=1)
LONGEST_DELAY = timedelta(hours=1)


@dataclass(frozen=True)
class Run:
    """One DAG run, for one VTEX account."""

    dag_id: str
    run_id: str
    account: str


@dataclass(frozen=True)
class TaskTry:
    """Who is at work: one try of one task instance. `batch` is None outside the mapped task group."""

    run: Run
    task_id: str
    batch: int | None = None
    try_number: int = 1

    @property
    def owner(self) -> str:
        """The lease's owner, as long as its column at most."""
        return f"{self.of_batch}{self.task_id}/{self.try_number:04}"[:512]

    @property
    def of_batch(self) -> str:
        """How the owners begin whose leases this one may take over: those of the run's tasks on the batch."""
        return f"{self.run.dag_id}/{self.run.run_id}/{self.batch}/"


@dataclass(frozen=True)
class OrderEntry:
    """An order entry as it stood when it was claimed; `fence` is the number of the claim, made at `claimed_at`."""

    id: int
    account: str
    order_id: str
    stage: Stage
    fence: int
    attempts: int
    received_at: datetime
    order_changed_at: datetime | None
    news: int
    vtex_status: str | None
    value_cents: int | None
    currency: str | None
    digest: str | None
    erp_id: str | None
    submitting_at: datetime | None
    handling_requested_at: datetime | None
    cancelled_in_erp_at: datetime | None = None
    replaced_by: str | None = None
    claimed_at: datetime | None = None

    @property
    def external_id(self) -> str:
        """The order's key in the ERP: `account:orderId`."""
        return f"{self.account}:{self.order_id}"


@dataclass(frozen=True)
class Move:
    """What became of a claimed order: its next stage, columns to set, documents to keep, a note for the history.

    `occasion`: see ParkError.
    """

    entry: OrderEntry
    to: Stage
    values: Mapping[str, Any] = field(default_factory=dict)
    documents: Mapping[str, str] = field(default_factory=dict)
    note: str | None = None
    occasion: str = ""


def failed(entry: OrderEntry, error: VtexErpError, *, now: datetime, stage: Stage | None = None) -> Move:
    """The move for a failure: parked for good, or waiting in `stage` (by default where it was) with a growing delay."""
    trouble = {"cause": error.cause[:128], "message": error.message}
    stage = stage or entry.stage
    if isinstance(error, ParkError):
        values = {**error.learned, **trouble, "parked_from": stage.value}
        return Move(entry, Stage.PARKED, values, note=error.cause, occasion=error.occasion)
    if isinstance(error, ErpDownError):
        return Move(entry, stage, {**trouble, "attempts": entry.attempts, "next_attempt_at": now}, note=error.cause)
    attempts = entry.attempts + 1
    delay = min(FIRST_DELAY * 2 ** min(attempts - 1, 10), LONGEST_DELAY)
    if isinstance(error, RetryableError) and error.retry_after:
        delay = max(delay, timedelta(seconds=error.retry_after))
    values = {**trouble, "attempts": attempts, "next_attempt_at": now + delay}
    return Move(entry, stage, values, note=error.cause)


def wait_for_erp(ledger: Ledger, task: TaskTry, error: ErpDownError) -> int:
    """The batch's orders that are to go into the ERP, or out of it, wait in the stage that they are in.

    They are due at once; planning lets them pass when the ERP is back. The answer is their number.
    """
    now = ledger.clock()
    values = {
        "cause": error.cause,
        "message": error.message,
        "next_attempt_at": now,
        "lease_owner": None,
        "lease_until": None,
    }
    waiting = order_entries.c.stage.in_(_values((Stage.MAPPED, Stage.SUBMITTING, Stage.CANCELLING)))
    with ledger.write() as connection:
        held = _lock(connection, and_(_in_batch(task), waiting, _free(task, now)))
        connection.execute(update(order_entries).where(order_entries.c.id.in_(held)).values(values))
    return len(held)


def in_batch(ledger: Ledger, task: TaskTry, stages: Collection[Stage]) -> list[int]:
    """The ids of the batch's order entries that are in one of the stages, oldest first."""
    query = (
        select(order_entries.c.id)
        .where(_in_batch(task), order_entries.c.stage.in_(_values(stages)))
        .order_by(order_entries.c.id)
    )
    with ledger.read() as connection:
        return list(connection.execute(query).scalars())


def claim(
    ledger: Ledger,
    task: TaskTry,
    entry_ids: Sequence[int],
    stages: Collection[Stage],
    *,
    to: Stage | None = None,
    values: Mapping[str, Any] | None = None,
) -> list[OrderEntry]:
    """Lease those of the order entries that are in one of the stages and that nobody else holds.

    With `to`, entries change to that stage in the same transaction (the answer shows the stage before);
    `values` are columns to set on all of them.
    """
    now = ledger.clock()
    query = (
        select(order_entries)
        .where(
            order_entries.c.id.in_(entry_ids),
            order_entries.c.stage.in_(_values(stages)),
            _free(task, now),
        )
        .order_by(order_entries.c.id)
        .with_for_update(skip_locked=True)
    )
    with ledger.write() as connection:
        claimed = [replace(entry_from(row), claimed_at=now) for row in connection.execute(query)]
        changes = {
            "lease_owner": task.owner,
            "lease_until": now + ledger.lease,
            "fence": order_entries.c.fence + 1,
            **({"stage": to.value, "changed_at": now} if to else {}),
            **(values or {}),
        }
        ids = [entry.id for entry in claimed]
        connection.execute(update(order_entries).where(order_entries.c.id.in_(ids)).values(changes))
        if to:
            changed = [Move(entry, to) for entry in claimed if entry.stage is not to]
            remember(connection, task, changed, now)
    return claimed


def holds(ledger: Ledger, entry: OrderEntry) -> bool:
    """Whether the claim still stands: nobody has claimed the order since."""
    query = select(order_entries.c.fence).where(order_entries.c.id == entry.id)
    with ledger.read() as connection:
        return connection.execute(query).scalar() == entry.fence


def write(ledger: Ledger, task: TaskTry, moves: Sequence[Move]) -> list[OrderEntry]:
    """Write the moves and give the leases back, in one transaction.

    The answer are the entries that somebody else has claimed meanwhile, and those that were to end although an
    event has told of a change meanwhile: of those nothing was written, and they are worked on again. An order whose
    handling has started is `changed` then.
    """
    now = ledger.clock()
    with ledger.write() as connection:
        standing = _lock(connection, order_entries.c.id.in_([move.entry.id for move in moves]))
        heard = [_hear(move, standing.get(move.entry.id), now) for move in moves]
        valid = [move for move in heard if move is not None]
        _update(connection, {move.entry.id: _changes(move, now) for move in valid})
        kept = [(move.entry.id, kind, text) for move in valid for kind, text in move.documents.items()]
        documents.store(ledger, connection, kept)
        remember(connection, task, valid, now)
        told = [notice for notice in map(notices.notice_of, valid) if notice]
        notices.add(connection, task.run.account, told, now)
    written = {move.entry.id for move in valid}
    return [move.entry for move in moves if move.entry.id not in written]


def _lock(connection: Connection, which: ColumnElement[bool]) -> dict[int, Any]:
    query = (
        select(order_entries.c.id, order_entries.c.fence, order_entries.c.news)
        .where(which)
        .order_by(order_entries.c.id)  # whoever locks rows in another order than others may wait for them for ever
        .with_for_update()
    )
    return {row.id: row for row in connection.execute(query)}


def _hear(move: Move, standing: Any, now: datetime) -> Move | None:
    """The move, given what has happened since the claim; None when the order must be worked on again.

    An event would take an order back from its end; one that came meanwhile must, too.
    """
    if standing is None or standing.fence != move.entry.fence:
        return None
    if move.to not in ENDS or standing.news == move.entry.news:
        return move
    if move.to is Stage.HANDLING:  # what was done must not be forgotten
        return replace(move, to=Stage.CHANGED, values={**move.values, "next_attempt_at": now})
    return None


def _changes(move: Move, now: datetime) -> dict[str, Any]:
    return {
        "stage": move.to.value,
        "changed_at": now,
        "lease_owner": None,
        "lease_until": None,
        "cause": None,
        "message": None,
        "attempts": 0,
        "parked_from": None,
        **({} if move.to in OPEN else {"next_attempt_at": None}),
        **move.values,
    }


def _update(connection: Connection, changes: Mapping[int, Mapping[str, Any]]) -> None:
    """Update each entry, with one statement for all that change the same columns."""
    by_columns: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for entry_id, values in changes.items():
        by_columns.setdefault(tuple(sorted(values)), []).append({"entry": entry_id, **values})
    for rows in by_columns.values():
        connection.execute(update(order_entries).where(order_entries.c.id == bindparam("entry")), rows)


_STARTS_OVER: Mapping[Stage, Mapping[Stage, Stage]] = {
    Stage.RECEIVED: {
        **dict.fromkeys((Stage.RECEIVED, Stage.FETCHED, Stage.MAPPED), Stage.RECEIVED),
        **dict.fromkeys((Stage.CHANGED, Stage.CANCELLING), Stage.CHANGED),
    },
    Stage.FETCHED: dict.fromkeys((Stage.FETCHED, Stage.MAPPED), Stage.FETCHED),
    Stage.MAPPED: {Stage.MAPPED: Stage.MAPPED, Stage.SUBMITTING: Stage.SUBMITTING, Stage.CANCELLING: Stage.CANCELLING},
    Stage.SUBMITTED: {Stage.SUBMITTED: Stage.SUBMITTED},
}
"""By a step's first stage: where an order that stands in a stage, or was parked from it, starts over."""


def reopen(ledger: Ledger, task: TaskTry, *, to: Stage) -> int:
    """A person runs the step that begins with the stage `to` again: take the orders back that failed there, or later.

    Orders before the submit that already passed the step go through it again; orders that may be, or are, in the
    ERP are never sent again. The answer is their number.
    """
    back = _STARTS_OVER[to]
    now = ledger.clock()
    taken = 0
    with ledger.write() as connection:
        for target in dict.fromkeys(back.values()):
            query = select(order_entries).where(_in_batch(task), _starts_over(back, target), _free(task, now))
            rows = connection.execute(query.with_for_update(skip_locked=True)).all()
            take_back(connection, task, [entry_from(row) for row in rows], target, now=now, note="run again by hand")
            taken += len(rows)
    return taken


def _starts_over(back: Mapping[Stage, Stage], target: Stage) -> ColumnElement[bool]:
    stages = [stage for stage, start in back.items() if start is target]
    passed = [stage for stage in stages if stage is not target]
    return or_(
        order_entries.c.stage.in_(_values(passed)),
        and_(order_entries.c.stage == Stage.PARKED.value, order_entries.c.parked_from.in_(_values(stages))),
    )


def take_back(
    connection: Connection, task: TaskTry, taken: Sequence[OrderEntry], to: Stage, *, now: datetime, note: str
) -> None:
    """Set locked order entries to an earlier stage, fencing off whoever may still hold them.

    They wait for the task's own run; should it die, the next one takes them up when the hold is over.
    """
    values = {
        "stage": to.value,
        "changed_at": now,
        "next_attempt_at": now + HOLD,
        "parked_from": None,
        "cause": None,
        "message": None,
        "fence": order_entries.c.fence + 1,
    }
    ids = [entry.id for entry in taken]
    connection.execute(update(order_entries).where(order_entries.c.id.in_(ids)).values(values))
    remember(connection, task, [Move(entry, to, note=note) for entry in taken], now)


def release(ledger: Ledger, run: Run) -> int:
    """The run ends: whatever it holds or never came to may be planned by the next one. The number of such orders."""
    held = or_(
        order_entries.c.lease_owner.is_(None),
        order_entries.c.lease_owner.startswith(f"{run.dag_id}/{run.run_id}/", autoescape=True),
    )
    unfinished = and_(
        order_entries.c.id.in_(select(batch_orders.c.entry_id).where(batch_orders.c.run == _run_id(run))),
        order_entries.c.stage.in_(_values(OPEN)),
        held,
    )
    now = ledger.clock()
    with ledger.write() as connection:
        locked = _lock(connection, unfinished)
        these = order_entries.c.id.in_(locked)
        connection.execute(
            update(order_entries).where(these, order_entries.c.cause.is_(None)).values(next_attempt_at=now)
        )
        connection.execute(update(order_entries).where(these).values(lease_owner=None, lease_until=None))
    return len(locked)


def remember(connection: Connection, task: TaskTry, moves: Sequence[Move], now: datetime) -> None:
    """Add the moves to the history."""
    rows = [
        {
            "entry_id": move.entry.id,
            "at": now,
            "from_stage": move.entry.stage.value,
            "to_stage": move.to.value,
            "dag_id": task.run.dag_id,
            "run_id": task.run.run_id,
            "task_id": task.task_id,
            "batch": task.batch,
            "try_number": task.try_number,
            "digest": move.values.get("digest", move.entry.digest),
            "note": move.note,
        }
        for move in moves
    ]
    if rows:
        connection.execute(history.insert(), rows)


def _run_id(run: Run) -> Any:
    return select(runs.c.id).where(runs.c.dag_id == run.dag_id, runs.c.run_id == run.run_id).scalar_subquery()


def _in_batch(task: TaskTry) -> ColumnElement[bool]:
    batch = select(batch_orders.c.entry_id).where(
        batch_orders.c.run == _run_id(task.run), batch_orders.c.batch == task.batch
    )
    return order_entries.c.id.in_(batch)


def _free(task: TaskTry, now: datetime) -> ColumnElement[bool]:
    """Whether the task may have it: a dead try's, or an earlier step's, but not a later try's that works already.

    A task that a person has cleared or marked lives on for seconds beside its successor.
    """
    owner = order_entries.c.lease_owner
    of_task = owner.startswith(f"{task.of_batch}{task.task_id}/", autoescape=True)
    return or_(
        order_entries.c.lease_until.is_(None),
        order_entries.c.lease_until < now,
        and_(owner.startswith(task.of_batch, autoescape=True), ~and_(of_task, owner > task.owner)),
    )


def _values(stages: Iterable[Stage]) -> list[str]:
    return [stage.value for stage in stages]


def entry_from(row: Row[Any]) -> OrderEntry:
    """The order entry of a row that is being claimed: with the fencing number that the claim gives it."""
    return OrderEntry(
        id=row.id,
        account=row.account,
        order_id=row.order_id,
        stage=Stage(row.stage),
        fence=row.fence + 1,
        attempts=row.attempts,
        received_at=row.received_at,
        order_changed_at=row.order_changed_at,
        news=row.news,
        vtex_status=row.vtex_status,
        value_cents=row.value_cents,
        currency=row.currency,
        digest=row.digest,
        erp_id=row.erp_id,
        submitting_at=row.submitting_at,
        handling_requested_at=row.handling_requested_at,
        cancelled_in_erp_at=row.cancelled_in_erp_at,
        replaced_by=row.replaced_by,
    )
