"""What the ledger knows of how an account's feed was read, and of what it told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, case, exists, func, select

from vtex_erp.ledger.events import FEED
from vtex_erp.ledger.plans import FOUND_BY_DATE
from vtex_erp.ledger.tables import UtcDateTime, events, found_orders, history, order_entries, runs

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vtex_erp.ledger.ledger import Ledger

_TOLD_BY = timedelta(minutes=15)
_LOOK_BACK = timedelta(weeks=8)


@dataclass(frozen=True)
class Pull:
    """One run's reading of the feed; `unseen` is what a feed that was read dry held for somebody else."""

    at: datetime
    events: int
    unseen: int | None


def pulls(ledger: Ledger, account: str, *, latest: int) -> list[Pull]:
    """The latest readings of the feed, newest first."""
    query = (
        select(runs.c.pulled_at, runs.c.events_pulled, runs.c.feed_unseen)
        .where(runs.c.account == account, runs.c.pulled_at.is_not(None))
        .order_by(runs.c.id.desc())
        .limit(latest)
    )
    with ledger.read() as connection:
        return [Pull(*row) for row in connection.execute(query)]


def pull_moments(ledger: Ledger, account: str, since: datetime) -> list[datetime]:
    """When the feed was read since then, oldest first."""
    query = (
        select(runs.c.pulled_at).where(runs.c.account == account, runs.c.pulled_at >= since).order_by(runs.c.pulled_at)
    )
    with ledger.read() as connection:
        return list(connection.execute(query).scalars())


def last_heard(ledger: Ledger, account: str, source: str = FEED) -> datetime | None:
    """When the feed (or the hook) was there for the last time: it could be read, or it gave an event."""
    told = (
        select(events.c.first_seen_at)
        .where(events.c.account == account, events.c.source == source)
        .order_by(events.c.first_seen_at.desc())
        .limit(1)
    )
    with ledger.read() as connection:
        moments = list(connection.execute(told).scalars())
    if source == FEED:
        moments += [pull.at for pull in pulls(ledger, account, latest=1)]
    return max(moments, default=None)


def commit_seconds(ledger: Ledger, account: str, since: datetime, *, share: float, fewest: int) -> float | None:
    """The time within which that share of the events was committed after reading; None for too few events.

    It counts for all events of a run how long the run took for its slowest commit.
    """
    query = (
        select(runs.c.commit_seconds, runs.c.events_pulled)
        .where(runs.c.account == account, runs.c.pulled_at >= since, runs.c.commit_seconds.is_not(None))
        .order_by(runs.c.commit_seconds)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    total = sum(row.events_pulled for row in rows)
    counted = 0
    for row in rows:
        counted += row.events_pulled
        if total >= fewest and counted >= total * share:
            return float(row.commit_seconds)
    return None


def _moment() -> Any:
    """When an event happened; FromOrders does not say."""
    return func.coalesce(events.c.changed_at, events.c.first_seen_at, type_=UtcDateTime())


def first_and_last_event(ledger: Ledger, account: str) -> tuple[datetime, datetime] | None:
    """When the ledger's events begin, and when the latest one happened; None without any of the last weeks."""
    mine = events.c.account == account
    lately = and_(mine, events.c.first_seen_at >= ledger.clock() - _LOOK_BACK)
    with ledger.read() as connection:
        first = connection.execute(select(func.min(events.c.first_seen_at)).where(mine)).scalar()
        last = connection.execute(select(func.max(_moment())).where(lately)).scalar()
    return (first, last) if first and last else None


def orders_told_of(ledger: Ledger, account: str, times: Sequence[tuple[datetime, datetime]]) -> list[int]:
    """Of how many orders events told in each of the times."""
    if not times:
        return []
    counts = [
        func.count(func.distinct(case((and_(_moment() > start, _moment() <= end), events.c.order_id))))
        for start, end in times
    ]
    # What happened then cannot have been seen before.
    seen = events.c.first_seen_at > min(start for start, _ in times)
    with ledger.read() as connection:
        return list(connection.execute(select(*counts).where(events.c.account == account, seen)).one())


def untold_orders(ledger: Ledger, account: str, *, since: datetime, right_since: datetime) -> list[str]:
    """Orders in the ERP that were found by date since then, although a feed that was right should have told of them.

    Such an order changed when the feed was right, and then the feed was read dry, a quarter of an hour later or more,
    before the order was found: and no event had told of it.
    """
    entry, when = order_entries.c, history.c.at
    told = exists().where(
        events.c.account == account, events.c.order_id == entry.order_id, events.c.first_seen_at <= when
    )
    dry = runs.alias()
    last_dry = (
        select(func.max(dry.c.pulled_at))
        .where(dry.c.account == account, dry.c.feed_unseen.is_not(None), dry.c.pulled_at <= when)
        .scalar_subquery()
    )
    query = (
        select(entry.order_id, entry.read_change_at, last_dry)
        .distinct()
        .select_from(runs)
        .join(found_orders, found_orders.c.run == runs.c.id)
        .join(order_entries, and_(entry.account == account, entry.order_id == found_orders.c.order_id))
        .join(history, and_(history.c.entry_id == entry.id, history.c.run_id == runs.c.run_id))
        .where(
            runs.c.account == account,
            runs.c.started_at >= since,
            history.c.dag_id == runs.c.dag_id,
            history.c.note == FOUND_BY_DATE,
            entry.erp_id.is_not(None),
            entry.read_change_at >= right_since,
            ~told,
        )
        .order_by(entry.order_id)
    )
    with ledger.read() as connection:
        rows = connection.execute(query).all()
    return [row[0] for row in rows if row[2] is not None and row[2] >= row[1] + _TOLD_BY]
