"""What one run works on: which events it pulled, which orders and events its batches hold.

A plan is made once for a run and kept under the run's id. A rerun of `pull_feed` or `deduplicate` finds it here
and answers the same, so a cleared task never hands other orders to the task instances that are already there.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import repeat
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, exists, func, insert, or_, select, update

from vtex_erp.errors import ErpDownError
from vtex_erp.ledger import events as event_queries
from vtex_erp.ledger.entries import HOLD, Move, entry_from, remember, take_back
from vtex_erp.ledger.stages import ENDS, HELD_FOR_CANCELLATION, HELD_STATUS, OPEN, Stage
from vtex_erp.ledger.tables import batch_orders, events, found_orders, insert_new, order_entries, run_events, runs
from vtex_erp.stores.actions import Concern

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement, Row
    from sqlalchemy.engine import Connection

    from vtex_erp.ledger.entries import Run, TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.stores.actions import Actions

FOUND_BY_DATE = "found by date"
"""The note in the history of an order that no event has told of."""

_CHUNK = 500
_READ_AGAIN = (((Stage.FETCHED, Stage.MAPPED), Stage.RECEIVED), ((Stage.CANCELLING,), Stage.CHANGED))


@dataclass(frozen=True)
class BatchSizes:
    """How a run's work is cut: a small first batch, and as many others as work at once.

    The first batch holds the `smallest` number of orders worth a batch, the oldest ones: they are in the ERP while
    the others are still being read. `at_once` is how many batches the workers take at the same time; one of more than
    `largest` orders takes too long. `orders` and `events` bound what one run takes on; `backlog` those of its orders
    that an outage of the ERP has left waiting, so that new ones wait a minute at most.
    """

    at_once: int
    smallest: int = 25
    largest: int = 500
    orders: int = 5000
    backlog: int = 1000
    events: int = 20000


@dataclass(frozen=True)
class Plan:
    """The number of orders in each of a run's batches, and of events that need no order work."""

    batches: tuple[int, ...]
    events: int


def events_pulled(ledger: Ledger, run: Run) -> int | None:
    """How many events the run has pulled, None while it has not finished pulling. Registers the run."""
    with ledger.write() as connection:
        pulled: int | None = _run(connection, ledger, run).events_pulled
    return pulled


@dataclass(frozen=True)
class Pulled:
    """How many events a feed gave, and for how long it keeps them.

    `unseen`: what a feed that was read dry held besides, and that nobody had given to us; None for one that was not.
    """

    events: int
    retention_seconds: int | None = None
    unseen: int | None = None


def finish_pull(ledger: Ledger, run: Run, pulled: Pulled | None) -> None:
    """The run has pulled all that it will; None where there was no feed: then `pulled_at` stays empty."""
    values: dict[str, Any] = {"events_pulled": 0}
    if pulled:
        values = {
            "pulled_at": ledger.clock(),
            "events_pulled": pulled.events,
            "feed_retention_seconds": pulled.retention_seconds,
            "feed_unseen": pulled.unseen,
        }
    with ledger.write() as connection:
        row = _run(connection, ledger, run)
        connection.execute(update(runs).where(runs.c.id == row.id).values(values))


def note_commits(ledger: Ledger, run: Run, received: Sequence[datetime]) -> None:
    """VTEX was asked to commit deliveries that were received then: keep how long the run took for its slowest one."""
    if not received:
        return
    now = ledger.clock()
    with ledger.write() as connection:
        row = _run(connection, ledger, run)
        own = [moment for moment in received if moment >= row.started_at]
        if own and row.pulled_at:
            seconds = max((now - min(own)).total_seconds(), row.commit_seconds or 0)
            connection.execute(update(runs).where(runs.c.id == row.id).values(commit_seconds=seconds))


def receive_orders(ledger: Ledger, task: TaskTry, actions: Actions) -> int:
    """Give the order of every new event that concerns it an order entry, or take it back from its end.

    The number of orders that came in or came back.
    """
    received = 0
    while True:
        with ledger.write() as connection:
            rows = _new_events(connection, task.run.account)
            received += _receive(ledger, connection, task, rows, actions)
        if len(rows) < _CHUNK:
            return received


def make(ledger: Ledger, task: TaskTry, *, sizes: BatchSizes, backlog: int | None = None) -> Plan:
    """Plan the orders that are due, oldest first, and the events to be committed besides; once a run.

    `backlog` bounds the orders that wait for the ERP closer than `sizes` does.
    """
    bound = sizes.backlog if backlog is None else min(backlog, sizes.backlog)
    with ledger.write() as connection:
        run = _run(connection, ledger, task.run)
        if run.planned_at is None:
            _plan_orders(ledger, connection, task, run.id, sizes, _live(ledger, connection, task, sizes, bound))
            _plan_events(connection, task, run.id, sizes)
            connection.execute(update(runs).where(runs.c.id == run.id).values(planned_at=ledger.clock()))
        return _plan(connection, run.id)


def make_by_date(ledger: Ledger, task: TaskTry, *, sizes: BatchSizes) -> Plan:
    """Plan what the run has found and what is open and due, or new; once a run."""
    with ledger.write() as connection:
        run = _run(connection, ledger, task.run)
        if run.planned_at is None:
            found = select(found_orders.c.order_id).where(found_orders.c.run == run.id)
            new = ~exists().where(batch_orders.c.entry_id == order_entries.c.id)
            wanted = and_(order_entries.c.order_id.in_(found), or_(_is_due(ledger.clock()), new))
            rows = _take(ledger, connection, task, wanted, sizes.orders)
            _plan_orders(ledger, connection, task, run.id, sizes, rows)
            connection.execute(update(runs).where(runs.c.id == run.id).values(planned_at=ledger.clock()))
        return _plan(connection, run.id)


def make_empty(ledger: Ledger, task: TaskTry) -> None:
    """Plan nothing for the run, for good."""
    with ledger.write() as connection:
        run = _run(connection, ledger, task.run)
        if run.planned_at is None:
            connection.execute(update(runs).where(runs.c.id == run.id).values(planned_at=ledger.clock()))


def register(ledger: Ledger, run: Run) -> int:
    """Give the run's key in the ledger; it gets one when it has none."""
    with ledger.write() as connection:
        return int(_run(connection, ledger, run).id)


def followers(ledger: Ledger, account: str, since: datetime) -> set[str]:
    """The DAGs that have begun a run on what feed and hook tell of the account, since then."""
    one, of_several = runs.c.dag_id == "vtex_orders", runs.c.dag_id.startswith("vtex_orders__", autoescape=True)
    query = select(runs.c.dag_id).where(runs.c.account == account, runs.c.started_at >= since, or_(one, of_several))
    with ledger.read() as connection:
        return set(connection.execute(query.distinct()).scalars())


def first_run(ledger: Ledger, account: str) -> datetime | None:
    """When the first run on the account began that the ledger still knows."""
    with ledger.read() as connection:
        return connection.execute(select(func.min(runs.c.started_at)).where(runs.c.account == account)).scalar()


def planned(ledger: Ledger, run: Run) -> bool:
    """Whether the run got as far as having its batches planned."""
    with ledger.write() as connection:
        return _run(connection, ledger, run).planned_at is not None


def _run(connection: Connection, ledger: Ledger, run: Run) -> Row[Any]:
    query = select(runs).where(runs.c.dag_id == run.dag_id, runs.c.run_id == run.run_id)
    query = query.with_for_update()
    row = connection.execute(query).one_or_none()
    if row is None:
        new = {
            "dag_id": run.dag_id,
            "run_id": run.run_id,
            "account": run.account,
            "started_at": ledger.clock(),
        }
        insert_new(connection, runs, [new])
        row = connection.execute(query).one()
    return row


def _new_events(connection: Connection, account: str) -> Sequence[Row[Any]]:
    query = (
        select(events)
        .where(events.c.account == account, events.c.deduplicated_at.is_(None))
        .order_by(events.c.id)
        .limit(_CHUNK)
        .with_for_update(skip_locked=True)
    )
    return connection.execute(query).all()


def _receive(ledger: Ledger, connection: Connection, task: TaskTry, rows: Sequence[Row[Any]], actions: Actions) -> int:
    now = ledger.clock()
    concerns = {row.id: actions.about(row.state, row.domain) for row in rows}
    nothing = {row.order_id for row in rows if concerns[row.id] is Concern.NONE}
    held = _held(connection, task.run.account, nothing)
    told = [row for row in rows if concerns[row.id] is not Concern.NONE or row.order_id in held]
    known = known_entries(connection, task.run.account, list({row.order_id for row in told}))
    wanted = known.keys() | {row.order_id for row in told if concerns[row.id] is Concern.ANY_ORDER}
    needed = [row for row in told if row.order_id in wanted and not _was_read(row, known.get(row.order_id))]
    _deduplicated(connection, rows, needed, now)
    latest = _latest_changes(needed)
    ended = [entry for order_id, entry in known.items() if order_id in latest and entry.stage in _ENDS]
    at_work = [entry.id for order_id, entry in known.items() if order_id in latest and entry.stage in _AT_WORK]
    news = update(order_entries).where(order_entries.c.id.in_(at_work))
    connection.execute(news.values(news=order_entries.c.news + 1))
    for entry in ended:
        come_back(connection, task, entry, latest[entry.order_id], now)
    new = {order_id: change for order_id, change in latest.items() if order_id not in known}
    insert_entries(connection, task, new, now)
    return len(new) + len(ended)


def _held(connection: Connection, account: str, order_ids: Collection[str]) -> set[str]:
    """Those that wait for what becomes of them in VTEX, whatever that is."""
    if not order_ids:
        return set()
    query = select(order_entries.c.order_id).where(
        order_entries.c.account == account, order_entries.c.order_id.in_(order_ids), is_held()
    )
    return set(connection.execute(query).scalars())


def is_held() -> ColumnElement[bool]:
    """Whether an order is parked until VTEX tells of another status."""
    cause = order_entries.c.cause
    return and_(
        order_entries.c.stage == Stage.PARKED.value,
        or_(cause == HELD_FOR_CANCELLATION, cause.startswith(HELD_STATUS, autoescape=True)),
    )


def _was_read(event: Row[Any], entry: Row[Any] | None) -> bool:
    """Whether the order has been read since the change, and what came of it is in the ERP: nothing new."""
    if entry is None or entry.erp_id is None or event.changed_at is None or entry.read_change_at is None:
        return False
    return bool(event.changed_at <= entry.read_change_at)


def _deduplicated(connection: Connection, rows: Sequence[Row[Any]], needed: Sequence[Row[Any]], now: datetime) -> None:
    need = {row.id for row in needed}
    for needs_order in (True, False):
        ids = [row.id for row in rows if (row.id in need) is needs_order]
        connection.execute(
            update(events).where(events.c.id.in_(ids)).values(deduplicated_at=now, needs_order=needs_order)
        )


def _latest_changes(rows: Sequence[Row[Any]]) -> dict[str, datetime | None]:
    latest: dict[str, datetime | None] = {}
    for row in rows:
        changes = [change for change in (latest.get(row.order_id), row.changed_at) if change]
        latest[row.order_id] = max(changes, default=None)
    return latest


_NO_TROUBLE: dict[str, Any] = {"cause": None, "message": None, "parked_from": None, "attempts": 0}
_ENDS = [stage.value for stage in ENDS]
_AT_WORK = [stage.value for stage in OPEN]


def known_entries(connection: Connection, account: str, order_ids: Sequence[str]) -> dict[str, Row[Any]]:
    """Lock the orders' entries; the rows by order id."""
    query = (
        select(order_entries)
        .where(order_entries.c.account == account, order_entries.c.order_id.in_(order_ids))
        .order_by(order_entries.c.id)  # whoever locks rows in another order than others may wait for them for ever
        .with_for_update()
    )
    return {row.order_id: row for row in connection.execute(query)}


def come_back(
    connection: Connection,
    task: TaskTry,
    row: Row[Any],
    changed_at: datetime | None,
    now: datetime,
    *,
    note: str = "a new event",
) -> None:
    """An ended order is to be read again; its row is locked. One that is in the ERP stays known as such."""
    entry = entry_from(row)
    to = Stage.RECEIVED if row.erp_id is None else Stage.CHANGED
    values = {
        "stage": to.value,
        "changed_at": now,
        "order_changed_at": changed_at,
        "fence": entry.fence,
        "next_attempt_at": now,
        "handling_requested_at": None,
        **_NO_TROUBLE,
    }
    connection.execute(update(order_entries).where(order_entries.c.id == row.id).values(values))
    remember(connection, task, [Move(entry, to, note=note)], now)


def insert_entries(
    connection: Connection,
    task: TaskTry,
    changes: Mapping[str, datetime | None],
    now: datetime,
    *,
    found: bool = False,
) -> None:
    """Enter new orders, with the latest change of each that an event told of.

    Those that were found by date wait for the run that found them, however long its plan takes.
    """
    insert_new(
        connection,
        order_entries,
        [
            {
                "account": task.run.account,
                "order_id": order_id,
                "stage": Stage.RECEIVED.value,
                "received_at": now,
                "changed_at": now,
                "order_changed_at": changed_at,
                "news": 0,
                "attempts": 0,
                "next_attempt_at": now + HOLD if found else now,
                "fence": 0,
            }
            for order_id, changed_at in sorted(changes.items())
        ],
    )
    entered = known_entries(connection, task.run.account, list(changes)).values()
    note = FOUND_BY_DATE if found else "a new event"
    remember(connection, task, [Move(entry_from(row), Stage.RECEIVED, note=note) for row in entered], now)


def _plan_orders(
    ledger: Ledger,
    connection: Connection,
    task: TaskTry,
    run: int,
    sizes: BatchSizes,
    rows: Sequence[Row[Any]],
) -> None:
    now = ledger.clock()
    entries = sorted((entry_from(row) for row in rows), key=lambda entry: entry.id)
    if not entries:
        return
    ids = [entry.id for entry in entries]
    for start in range(0, len(entries), _CHUNK):
        chunk = entries[start : start + _CHUNK]
        _hold(connection, [entry.id for entry in chunk], now)
        # What was read before a pause may be stale: the order may have been cancelled since, or not be any more.
        for stages, to in _READ_AGAIN:
            stale = [entry for entry in chunk if entry.stage in stages]
            take_back(connection, task, stale, to, now=now, note="read again after a pause")
    connection.execute(
        insert(batch_orders),
        [
            {"run": run, "entry_id": entry, "batch": batch}
            for entry, batch in zip(ids, _batches(len(ids), sizes), strict=True)
        ],
    )


def _live(ledger: Ledger, connection: Connection, task: TaskTry, sizes: BatchSizes, backlog: int) -> list[Row[Any]]:
    """What is due: of the orders that wait since an outage of the ERP only so many, and all others."""
    due = _is_due(ledger.clock())
    waits = order_entries.c.cause == ErpDownError.default_cause
    rows = _take(ledger, connection, task, and_(due, waits), backlog)
    others = and_(due, or_(order_entries.c.cause.is_(None), ~waits))
    return [*rows, *_take(ledger, connection, task, others, sizes.orders - len(rows))]


def _is_due(now: datetime) -> ColumnElement[bool]:
    return order_entries.c.next_attempt_at <= now


def _take(
    ledger: Ledger, connection: Connection, task: TaskTry, which: ColumnElement[bool], limit: int
) -> list[Row[Any]]:
    """Lock the oldest orders that somebody has to work on and nobody holds."""
    query = (
        select(order_entries)
        .where(
            order_entries.c.account == task.run.account,
            order_entries.c.stage.in_([stage.value for stage in OPEN]),
            or_(order_entries.c.lease_until.is_(None), order_entries.c.lease_until < ledger.clock()),
            which,
        )
        .order_by(order_entries.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(connection.execute(query))


def _hold(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    connection.execute(
        update(order_entries)
        .where(order_entries.c.id.in_(ids))
        .values(next_attempt_at=now + HOLD, cause=None, message=None, lease_owner=None, lease_until=None)
    )


def _plan_events(connection: Connection, task: TaskTry, run: int, sizes: BatchSizes) -> None:
    ids = event_queries.waiting_to_be_committed(connection, task.run.account, limit=sizes.events)
    if ids:
        connection.execute(
            insert(run_events),
            [{"run": run, "event": event} for event in ids],
        )


def _batches(orders: int, sizes: BatchSizes) -> Iterator[int]:
    """The batch of each order, from the oldest order to the newest."""
    first = min(sizes.smallest, orders)
    yield from repeat(0, first)
    others = orders - first
    worth_it = -(-others // sizes.smallest)
    not_too_long = -(-others // sizes.largest)
    count = max(min(sizes.at_once, worth_it), not_too_long)
    yield from (1 + index % count for index in range(others))


def _plan(connection: Connection, run: int) -> Plan:
    batch = batch_orders.c.batch
    sizes = select(func.count()).where(batch_orders.c.run == run).group_by(batch).order_by(batch)
    events_besides = select(func.count()).select_from(run_events).where(run_events.c.run == run)
    return Plan(tuple(connection.execute(sizes).scalars()), connection.execute(events_besides).scalar_one())
