"""What was found about an account's feed, the times without one, and what was compared."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, insert, select, update

from vtex_erp.ledger import feed_history, notices, plans
from vtex_erp.ledger.events import FEED
from vtex_erp.ledger.notices import Notice
from vtex_erp.ledger.tables import feed_comparisons, feed_findings, feed_gaps, insert_new, runs
from vtex_erp.stores.notices import NoticeKind
from vtex_erp.vtex.dates import iso_utc

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from vtex_erp.ledger.entries import Run
    from vtex_erp.ledger.ledger import Ledger

BEFORE_THE_GAP = timedelta(days=1)
"""An order is authorized before it becomes ready for handling: half an hour by VTEX's default, a day to be sure."""

_COMPACT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True)
class FeedFinding:
    """Something that is wrong with the feed, in words, with what to do. Another `state` of it is told again."""

    kind: NoticeKind
    text: str
    state: str = ""


@dataclass(frozen=True)
class Gap:
    """A time without a feed: from the last moment that it is known to have been there; no end while there is none."""

    starts_at: datetime
    ends_at: datetime | None = None

    @property
    def authorized_from(self) -> datetime:
        """Orders that became ready in the gap were authorized after this."""
        return self.starts_at - BEFORE_THE_GAP

    @property
    def run_id(self) -> str:
        """The run by date that brings its orders in: the same however often it is asked for."""
        end = f"{self.ends_at:{_COMPACT}}" if self.ends_at else ""
        return f"feed_gap__{self.starts_at:{_COMPACT}}__{end}"


def note(ledger: Ledger, account: str, found: Sequence[FeedFinding], looked_for: Collection[NoticeKind]) -> None:
    """Keep what was found, and write a notice for each new occurrence. What was looked for and not found is over."""
    now = ledger.clock()
    kinds = {each.kind.value for each in found} | {kind.value for kind in looked_for}
    with ledger.write() as connection:
        standing = _standing(connection, account, kinds, now)
        for each in found:
            row = standing[each.kind.value]
            if row.ended_at is not None or row.state != each.state:
                _set(connection, account, [each.kind.value], state=each.state, since=now, ended_at=None)
                key = f"{each.kind.value}:{iso_utc(now)}"
                notices.add(connection, account, [Notice(each.kind, account, each.text, key)], now)
        gone = kinds - {each.kind.value for each in found}
        _set(connection, account, [kind for kind in gone if standing[kind].ended_at is None], ended_at=now)


def mended(ledger: Ledger, account: str, kinds: Collection[NoticeKind]) -> None:
    """What may have been wrong is right from now on."""
    now = ledger.clock()
    with ledger.write() as connection:
        values = [kind.value for kind in kinds]
        _standing(connection, account, values, now)
        _set(connection, account, values, ended_at=now)


def right_since(ledger: Ledger, account: str) -> datetime | None:
    """Since when the feed is there and as wanted, as far as anybody has looked; None while it is not."""
    kinds = [NoticeKind.FEED_MISSING.value, NoticeKind.FEED_DIFFERS.value]
    query = select(feed_findings.c.ended_at).where(feed_findings.c.account == account, feed_findings.c.kind.in_(kinds))
    with ledger.read() as connection:
        ends = list(connection.execute(query).scalars())
    return max(ends) if len(ends) == len(kinds) and None not in ends else None


def _standing(connection: Connection, account: str, kinds: Collection[str], now: datetime) -> dict[str, Any]:
    """Lock the rows of the kinds. Where nobody has looked before, there is none: nothing is wrong from now on."""
    first = {"account": account, "state": "", "since": now, "ended_at": now}
    insert_new(connection, feed_findings, [{**first, "kind": kind} for kind in sorted(kinds)])
    query = (
        select(feed_findings)
        .where(feed_findings.c.account == account, feed_findings.c.kind.in_(kinds))
        .order_by(feed_findings.c.kind)
        .with_for_update()
    )
    return {row.kind: row for row in connection.execute(query)}


def _set(connection: Connection, account: str, kinds: Sequence[str], **values: Any) -> None:
    which = and_(feed_findings.c.account == account, feed_findings.c.kind.in_(kinds))
    connection.execute(update(feed_findings).where(which).values(values))


def open_gap(ledger: Ledger, account: str, source: str = FEED) -> None:
    """There is no feed (or hook): the time without one begins where the ledger last heard of it, if it ever did."""
    heard = feed_history.last_heard(ledger, account, source)
    with ledger.write() as connection:
        known = connection.execute(select(feed_gaps.c.id).where(_is_open(account)).with_for_update()).first()
        if heard and known is None:
            connection.execute(insert(feed_gaps).values(account=account, starts_at=heard))


def end_gaps(ledger: Ledger, account: str) -> None:
    """There is a feed."""
    with ledger.write() as connection:
        connection.execute(update(feed_gaps).where(_is_open(account)).values(ends_at=ledger.clock()))


def gaps(ledger: Ledger, account: str) -> list[Gap]:
    """The times without a feed whose orders no run by date is bringing in yet, oldest first.

    The run's id tells, for its DAG has another one when a second store is added.
    """
    query = select(feed_gaps).where(feed_gaps.c.account == account).order_by(feed_gaps.c.id)
    with ledger.read() as connection:
        known = [Gap(row.starts_at, row.ends_at) for row in connection.execute(query)]
        begun = select(runs.c.run_id).where(runs.c.account == account, runs.c.run_id.in_([gap.run_id for gap in known]))
        done = set(connection.execute(begun).scalars())
    return [gap for gap in known if gap.run_id not in done]


def _is_open(account: str) -> Any:
    return and_(feed_gaps.c.account == account, feed_gaps.c.ends_at.is_(None))


def keep_comparison(ledger: Ledger, run: Run, document: str) -> None:
    """Keep what the run has compared, as JSON, instead of what an earlier try has."""
    run_key = plans.register(ledger, run)
    with ledger.write() as connection:
        connection.execute(delete(feed_comparisons).where(feed_comparisons.c.run == run_key))
        connection.execute(insert(feed_comparisons).values(run=run_key, document=document))


def kept_comparison(ledger: Ledger, run: Run) -> str | None:
    """What the run has compared; None when that is nothing."""
    query = (
        select(feed_comparisons.c.document)
        .join(runs, runs.c.id == feed_comparisons.c.run)
        .where(runs.c.dag_id == run.dag_id, runs.c.run_id == run.run_id)
    )
    with ledger.read() as connection:
        return connection.execute(query).scalar()
