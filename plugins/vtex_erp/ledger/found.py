"""What a run by date has listed and found, and how it becomes order entries."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, exists, func, select, update

from vtex_erp.ledger import plans
from vtex_erp.ledger.entries import entry_from, take_back
from vtex_erp.ledger.stages import OPEN, Stage
from vtex_erp.ledger.tables import found_orders, insert_new, order_entries, windows
from vtex_erp.vtex.statuses import BEFORE_READY, READY_FOR_HANDLING, normalise_status
from vtex_erp.vtex.windows import Window

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.engine import Connection

    from vtex_erp.ledger.entries import Run, TaskTry
    from vtex_erp.ledger.ledger import Ledger

_CHUNK = 500


@dataclass(frozen=True)
class FoundOrder:
    """An order that was listed, with its status, date and value as the list had them; None when a person named it."""

    order_id: str
    status: str | None = None
    at: datetime | None = None
    cents: int | None = None


@dataclass(frozen=True)
class Reading:
    """A window as it was read at last: what VTEX said its total was, what was seen, and in how many calls."""

    window: Window
    total: int
    orders: tuple[FoundOrder, ...]
    calls: int
    proven: bool


@dataclass(frozen=True)
class Listed:
    """What a run has listed altogether. `unproven` are the windows of which something may be missing."""

    orders: int
    windows: int
    calls: int
    unproven: tuple[Window, ...]


def proven_windows(ledger: Ledger, run: Run) -> list[Window]:
    """What the run need not read again."""
    query = select(windows.c.starts_at, windows.c.ends_at).where(
        windows.c.run == plans.register(ledger, run), windows.c.proven
    )
    with ledger.read() as connection:
        return [Window(*row) for row in connection.execute(query)]


def record(ledger: Ledger, run: Run, reading: Reading) -> None:
    """Keep what was found in a window, instead of what earlier readings without proof said of its time."""
    run_key = plans.register(ledger, run)
    window = reading.window
    row = {
        "run": run_key,
        "starts_at": window.start,
        "ends_at": window.end,
        "total": reading.total,
        "seen": len(reading.orders),
        "calls": reading.calls,
        "proven": reading.proven,
        "read_at": ledger.clock(),
    }
    with ledger.write() as connection:
        within = and_(windows.c.starts_at >= window.start, windows.c.ends_at <= window.end)
        connection.execute(delete(windows).where(windows.c.run == run_key, within))
        connection.execute(windows.insert(), [row])
        _add(connection, run_key, reading.orders)


def add(ledger: Ledger, run: Run, orders: Sequence[FoundOrder]) -> None:
    """Keep orders that the run is to look at and that no window was read for."""
    run_key = plans.register(ledger, run)
    with ledger.write() as connection:
        _add(connection, run_key, orders)


def _add(connection: Connection, run_key: int, orders: Sequence[FoundOrder]) -> None:
    insert_new(
        connection,
        found_orders,
        [
            {
                "run": run_key,
                "order_id": order.order_id,
                "listed_status": order.status,
                "listed_at": order.at,
                "listed_cents": order.cents,
                "received": False,
            }
            for order in sorted(orders, key=lambda order: order.order_id)
        ],
    )


def add_held(ledger: Ledger, run: Run) -> None:
    """Keep the account's orders that wait for another status, as if a person had named them."""
    query = select(order_entries.c.order_id).where(order_entries.c.account == run.account, plans.is_held())
    with ledger.read() as connection:
        held = list(connection.execute(query).scalars())
    add(ledger, run, [FoundOrder(order_id) for order_id in held])


def not_yet_cancelled(ledger: Ledger, account: str, orders: Sequence[FoundOrder]) -> list[FoundOrder]:
    """Those of the orders of which the ledger does not know that they are cancelled."""
    cancelled: set[str] = set()
    with ledger.read() as connection:
        for start in range(0, len(orders), _CHUNK):
            ids = [order.order_id for order in orders[start : start + _CHUNK]]
            query = select(order_entries.c.order_id).where(
                order_entries.c.account == account,
                order_entries.c.order_id.in_(ids),
                order_entries.c.stage == Stage.CANCELLED.value,
            )
            cancelled.update(connection.execute(query).scalars())
    return [order for order in orders if order.order_id not in cancelled]


def listed(ledger: Ledger, run: Run) -> Listed:
    """Sum up what the run has listed."""
    run_key = plans.register(ledger, run)
    with ledger.read() as connection:
        rows = connection.execute(select(windows).where(windows.c.run == run_key).order_by(windows.c.starts_at)).all()
        orders = connection.execute(
            select(func.count()).select_from(found_orders).where(found_orders.c.run == run_key)
        ).scalar_one()
    return Listed(
        orders=orders,
        windows=len(rows),
        calls=sum(row.calls for row in rows),
        unproven=tuple(Window(row.starts_at, row.ends_at) for row in rows if not row.proven),
    )


def unknown(ledger: Ledger, run: Run) -> int:
    """How many of the orders that the run has found have no order entry."""
    known = exists().where(order_entries.c.account == run.account, order_entries.c.order_id == found_orders.c.order_id)
    query = select(func.count()).where(found_orders.c.run == plans.register(ledger, run), ~known)
    with ledger.read() as connection:
        return connection.execute(query).scalar_one()


def receive_found(ledger: Ledger, task: TaskTry, *, resubmit: bool) -> int:
    """Give found orders that the ledger does not know their entries, and open again what may have become ready.

    What is done stays done, unless `resubmit`: then an order that is in the ERP is in doubt again, so that the ERP is
    asked for it, and a parked one starts anew. A run that a person gave order ids to takes up whatever is not in
    the ERP. The answer is the number of orders that came in, or came back.
    """
    run_key = plans.register(ledger, task.run)
    came = 0
    while True:
        with ledger.write() as connection:
            rows = _not_received(connection, run_key)
            came += _receive(ledger, connection, task, rows, resubmit=resubmit)
            ids = [row.order_id for row in rows]
            connection.execute(
                update(found_orders)
                .where(found_orders.c.run == run_key, found_orders.c.order_id.in_(ids))
                .values(received=True)
            )
        if len(rows) < _CHUNK:
            return came


def _not_received(connection: Connection, run_key: int) -> Sequence[Row[Any]]:
    query = (
        select(found_orders)
        .where(found_orders.c.run == run_key, ~found_orders.c.received)
        .order_by(found_orders.c.order_id)
        .limit(_CHUNK)
        .with_for_update()
    )
    return connection.execute(query).all()


def _receive(ledger: Ledger, connection: Connection, task: TaskTry, rows: Sequence[Row[Any]], *, resubmit: bool) -> int:
    now = ledger.clock()
    listed_as = {row.order_id: row.listed_status for row in rows}
    by_hand = {row.order_id for row in rows if row.listed_at is None}
    known = plans.known_entries(connection, task.run.account, list(listed_as))
    new = [order_id for order_id in listed_as if order_id not in known]
    plans.insert_entries(connection, task, dict.fromkeys(new), now, found=True)
    back = [
        row
        for row in known.values()
        if _comes_back(row, listed_as[row.order_id], by_hand=row.order_id in by_hand, resubmit=resubmit)
    ]
    for row in back:
        plans.come_back(connection, task, row, row.order_changed_at, now, note=plans.FOUND_BY_DATE)
    again = [entry_from(row) for row in known.values() if resubmit and _is_in_the_erp(row)]
    take_back(connection, task, again, Stage.SUBMITTING, now=now, note="looked up again by hand")
    _make_due(connection, [entry.id for entry in again], now)
    _make_due(connection, [row.id for row in known.values() if row.order_id in by_hand and _waits(row)], now)
    return len(new) + len(back) + len(again)


def _comes_back(row: Row[Any], listed_status: str | None, *, by_hand: bool, resubmit: bool) -> bool:
    """Whether an ended order must be read again: the list may be stale, so it says what may be, not what is."""
    stage = Stage(row.stage)
    if stage is Stage.PARKED:
        return by_hand or resubmit
    if stage not in (Stage.IGNORED, Stage.CANCELLED) or row.erp_id is not None:
        return False
    was = normalise_status(row.vtex_status)
    was_before_ready = not was or was in BEFORE_READY
    return by_hand or was_before_ready or normalise_status(listed_status) == READY_FOR_HANDLING


def _make_due(connection: Connection, entry_ids: Sequence[int], now: datetime) -> None:
    connection.execute(update(order_entries).where(order_entries.c.id.in_(entry_ids)).values(next_attempt_at=now))


def _waits(row: Row[Any]) -> bool:
    """Whether the order's own delay is all that keeps it from being worked on."""
    return bool(row.stage in OPEN and row.lease_until is None and row.cause is not None)


def _is_in_the_erp(row: Row[Any]) -> bool:
    return bool(row.stage == Stage.HANDLING.value and row.erp_id is not None)
