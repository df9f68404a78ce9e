"""What the ledger knows about a run's orders."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, or_, select

from vtex_erp.errors import ErpDownError
from vtex_erp.ledger.entries import Run
from vtex_erp.ledger.stages import OPEN, SETTLED, Stage
from vtex_erp.ledger.tables import batch_orders, events, handles, order_entries, run_events, runs

if TYPE_CHECKING:
    from datetime import datetime

    from vtex_erp.ledger.ledger import Ledger

SHORTEST_RETENTION_SECONDS = 345_600
"""Four days, the least that a feed can be configured to keep events (Orders API, Feed configuration)."""


@dataclass(frozen=True)
class OrderState:
    """Where an order stands, and what stopped it."""

    order_id: str
    stage: Stage
    cause: str | None
    message: str | None
    value_cents: int | None
    currency: str | None
    erp_id: str | None


def run_of(ledger: Ledger, dag_id: str, run_id: str) -> Run | None:
    """The run, None where the ledger does not know it."""
    query = select(runs.c.account).where(runs.c.dag_id == dag_id, runs.c.run_id == run_id)
    with ledger.read() as connection:
        account = connection.execute(query).scalar()
    return Run(dag_id, run_id, account) if account else None


def orders_of(ledger: Ledger, run: Run) -> list[OrderState]:
    """The orders of the run's batches as they stand now, oldest first."""
    query = (
        select(
            order_entries.c.order_id,
            order_entries.c.stage,
            order_entries.c.cause,
            order_entries.c.message,
            order_entries.c.value_cents,
            order_entries.c.currency,
            order_entries.c.erp_id,
        )
        .join(batch_orders, batch_orders.c.entry_id == order_entries.c.id)
        .join(runs, runs.c.id == batch_orders.c.run)
        .where(runs.c.dag_id == run.dag_id, runs.c.run_id == run.run_id)
        .order_by(order_entries.c.id)
    )
    with ledger.read() as connection:
        return [OrderState(row[0], Stage(row[1]), *row[2:]) for row in connection.execute(query)]


def newest_orders(ledger: Ledger, account: str, *, limit: int) -> list[str]:
    """The ids of the account's orders that came in last, newest first."""
    query = select(order_entries.c.order_id).where(order_entries.c.account == account)
    with ledger.read() as connection:
        return list(connection.execute(query.order_by(order_entries.c.id.desc()).limit(limit)).scalars())


@dataclass(frozen=True)
class Waiting:
    """An account's orders that wait for an ERP that is down.

    `oldest` is the first change that VTEX told of one of them; at `deadline` the feed would have dropped that event.
    """

    orders: int
    oldest: datetime | None
    deadline: datetime | None


def waiting_for_erp(ledger: Ledger, account: str) -> Waiting:
    """Count the account's orders that wait for the ERP, and tell how long VTEX would have kept the oldest event."""
    waiting = and_(
        order_entries.c.account == account,
        order_entries.c.cause == ErpDownError.default_cause,
        order_entries.c.stage.in_([stage.value for stage in OPEN]),
    )
    first = func.min(func.coalesce(events.c.changed_at, events.c.first_seen_at), type_=events.c.changed_at.type)
    told = select(first).where(
        events.c.account == account,
        events.c.needs_order,
        events.c.order_id.in_(select(order_entries.c.order_id).where(waiting)),
    )
    retention = (
        select(runs.c.feed_retention_seconds)
        .where(runs.c.account == account, runs.c.feed_retention_seconds.is_not(None))
        .order_by(runs.c.id.desc())
        .limit(1)
    )
    with ledger.read() as connection:
        orders = connection.execute(select(func.count()).where(waiting)).scalar_one()
        oldest = connection.execute(told).scalar()
        kept = connection.execute(retention).scalar() or SHORTEST_RETENTION_SECONDS
    return Waiting(orders, oldest, oldest + timedelta(seconds=kept) if oldest else None)


def uncommitted_events_of(ledger: Ledger, run: Run) -> int:
    """How many of the run's events could be committed, have a handle, and are not committed."""
    ours = select(runs.c.id).where(runs.c.dag_id == run.dag_id, runs.c.run_id == run.run_id).scalar_subquery()
    settled_orders = (
        select(events.c.id)
        .join(
            order_entries,
            and_(order_entries.c.account == events.c.account, order_entries.c.order_id == events.c.order_id),
        )
        .join(batch_orders, batch_orders.c.entry_id == order_entries.c.id)
        .where(
            batch_orders.c.run == ours,
            order_entries.c.stage.in_([stage.value for stage in SETTLED]),
        )
    )
    besides = select(run_events.c.event).where(run_events.c.run == ours)
    query = select(func.count(func.distinct(handles.c.event))).where(
        or_(handles.c.event.in_(settled_orders), handles.c.event.in_(besides))
    )
    with ledger.read() as connection:
        return int(connection.execute(query).scalar_one())
