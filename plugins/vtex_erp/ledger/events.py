"""Events and their handles: record what VTEX told us, find what is still to be committed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, or_, select, tuple_, update

from vtex_erp.ledger.handles import queue_item_of
from vtex_erp.ledger.stages import SETTLED
from vtex_erp.ledger.tables import (
    OrderId,
    Word,
    batch_orders,
    events,
    handles,
    order_entries,
    run_events,
    runs,
    upsert,
)
from vtex_erp.vtex.dates import parse_vtex_datetime

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Select
    from sqlalchemy.engine import Connection

    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.vtex.schemas import FeedEvent

_IDENTITY = (events.c.order_id, events.c.domain, events.c.state, events.c.change)

FEED, HOOK = "feed", "hook"


@dataclass(frozen=True)
class Delivery:
    """One delivery of an event that waits for its commit."""

    id: int
    event: int
    handle: str
    received_at: datetime


@dataclass(frozen=True)
class Undated:
    """What an event told that does not say when the change was: not before `after`, where it says that much."""

    state: str
    after: datetime | None


def record(ledger: Ledger, account: str, arrived: Sequence[FeedEvent], *, source: str = FEED) -> None:
    """Write events and handles down. An event that is known already only counts one delivery more.

    An event is its (account, order id, domain, state, change); VTEX may deliver it often, and may queue it
    twice under two event ids (facts: at least once, SQS standard queues).
    """
    if not arrived:
        return
    by_identity: dict[tuple[str, ...], list[FeedEvent]] = {}
    for event in arrived:
        by_identity.setdefault(_identity(event), []).append(event)
    with ledger.write() as connection:
        ids = _lock_known(connection, account, by_identity)
        _upsert(ledger, connection, account, by_identity, source)
        if any(event.handle for event in arrived):
            if len(ids) < len(by_identity):
                ids = _lock_known(connection, account, by_identity)
            _keep_handles(ledger, connection, by_identity, ids)


def _identity(event: FeedEvent) -> tuple[str, ...]:
    return (OrderId.cut(event.order_id), Word.cut(event.domain), Word.cut(event.state), Word.cut(event.change_key))


def _upsert(
    ledger: Ledger,
    connection: Connection,
    account: str,
    by_identity: dict[tuple[str, ...], list[FeedEvent]],
    source: str,
) -> None:
    now = ledger.clock()
    rows = [
        {
            "account": account,
            "order_id": order_id,
            "domain": domain,
            "state": state,
            "change": change,
            "source": source,
            "changed_at": deliveries[0].current_change,
            "needs_order": True,
            "deliveries": len(deliveries),
            "first_seen_at": now,
            "last_seen_at": now,
        }
        for (order_id, domain, state, change), deliveries in sorted(by_identity.items())
    ]
    statement = upsert(connection, events)
    statement = statement.on_conflict_do_update(
        index_elements=["account", "order_id", "domain", "state", "change"],
        set_={
            "deliveries": events.c.deliveries + statement.excluded.deliveries,
            "last_seen_at": statement.excluded.last_seen_at,
        },
    )
    connection.execute(statement, rows)


def _lock_known(
    connection: Connection, account: str, identities: dict[tuple[str, ...], list[FeedEvent]]
) -> dict[tuple[str, ...], int]:
    """Lock the events that the ledger has, in the one order in which everybody does; their ids."""
    query = select(events.c.id, *_IDENTITY).where(events.c.account == account, tuple_(*_IDENTITY).in_(list(identities)))
    rows = connection.execute(query.order_by(events.c.id).with_for_update())
    return {tuple(row[1:]): row[0] for row in rows}


def _keep_handles(
    ledger: Ledger,
    connection: Connection,
    by_identity: dict[tuple[str, ...], list[FeedEvent]],
    ids: dict[tuple[str, ...], int],
) -> None:
    # A later delivery of the same queue item makes its earlier handle worthless.
    latest = {
        (ids[identity], queue_item_of(delivery) or delivery.handle): delivery.handle
        for identity, deliveries in by_identity.items()
        for delivery in deliveries
        if delivery.handle
    }
    if not latest:
        return
    connection.execute(delete(handles).where(tuple_(handles.c.event, handles.c.queue_item).in_(list(latest))))
    now = ledger.clock()
    rows = [
        {"event": event, "queue_item": item, "handle": handle, "received_at": now}
        for (event, item), handle in latest.items()
    ]
    connection.execute(handles.insert(), rows)


def told_without_date(ledger: Ledger, account: str, order_id: str, *, since: datetime) -> list[Undated]:
    """What was first told of the order since then, by events that do not say when it was."""
    query = select(events.c.state, events.c.change).where(
        events.c.account == account,
        events.c.order_id == order_id,
        events.c.changed_at.is_(None),
        events.c.first_seen_at >= since,
    )
    with ledger.read() as connection:
        return [Undated(row.state, _moment(row.change)) for row in connection.execute(query)]


def _moment(change: str) -> datetime | None:
    try:
        return parse_vtex_datetime(change)
    except ValueError:  # an event's id
        return None


def to_commit_in_batch(ledger: Ledger, task: TaskTry) -> list[Delivery]:
    """The uncommitted deliveries of the batch's orders, as far as the orders are settled."""
    batch = (
        _deliveries().join(order_entries, _of_order()).join(batch_orders, batch_orders.c.entry_id == order_entries.c.id)
    )
    return _fetch(
        ledger,
        batch.join(runs, runs.c.id == batch_orders.c.run).where(
            _is_run(task), batch_orders.c.batch == task.batch, order_entries.c.stage.in_(_settled())
        ),
    )


def to_commit_besides(ledger: Ledger, task: TaskTry) -> list[Delivery]:
    """The uncommitted deliveries of the run's events that need no order work (now)."""
    besides = _deliveries().join(run_events, run_events.c.event == events.c.id)
    return _fetch(
        ledger,
        besides.join(runs, runs.c.id == run_events.c.run).where(_is_run(task)),
    )


def waiting_to_be_committed(connection: Connection, account: str, *, limit: int) -> list[int]:
    """The ids of events that have a handle and whose order needs nothing or is settled, oldest first."""
    query = (
        select(events.c.id)
        .select_from(events.outerjoin(order_entries, _of_order()))
        .where(
            events.c.account == account,
            events.c.deduplicated_at.is_not(None),
            events.c.id.in_(select(handles.c.event)),
            or_(events.c.needs_order.is_(False), order_entries.c.stage.in_(_settled())),
        )
        .order_by(events.c.id)
        .limit(limit)
    )
    return list(connection.execute(query).scalars())


def in_flight(ledger: Ledger, account: str, *, since: datetime) -> int:
    """How many deliveries since then are ours, and wait for their commit."""
    query = (
        select(func.count())
        .select_from(handles.join(events, events.c.id == handles.c.event))
        .where(events.c.account == account, handles.c.received_at >= since)
    )
    with ledger.read() as connection:
        return connection.execute(query).scalar_one()


def committed(ledger: Ledger, deliveries: Sequence[Delivery]) -> None:
    """VTEX took the commit: forget the handles."""
    ours = events.c.id.in_([delivery.event for delivery in deliveries])
    with ledger.write() as connection:
        # The hook may bring the same events at this moment.
        connection.execute(select(events.c.id).where(ours).order_by(events.c.id).with_for_update())
        _forget(connection, deliveries)
        connection.execute(update(events).where(ours).values(committed_at=ledger.clock()))


def refused(ledger: Ledger, deliveries: Sequence[Delivery]) -> None:
    """VTEX will not take these handles any more: forget them; a redelivery brings new ones."""
    with ledger.write() as connection:
        _forget(connection, deliveries)


def _forget(connection: Connection, deliveries: Sequence[Delivery]) -> None:
    connection.execute(delete(handles).where(handles.c.id.in_([delivery.id for delivery in deliveries])))


def _deliveries() -> Select[Any]:
    columns = (handles.c.id, handles.c.event, handles.c.handle, handles.c.received_at)
    return select(*columns).join(events, events.c.id == handles.c.event)


def _fetch(ledger: Ledger, query: Select[Any]) -> list[Delivery]:
    with ledger.read() as connection:
        return [Delivery(*row) for row in connection.execute(query.order_by(handles.c.id))]


def _of_order() -> Any:
    return and_(order_entries.c.account == events.c.account, order_entries.c.order_id == events.c.order_id)


def _is_run(task: TaskTry) -> Any:
    return and_(runs.c.dag_id == task.run.dag_id, runs.c.run_id == task.run.run_id)


def _settled() -> list[str]:
    return [stage.value for stage in SETTLED]
