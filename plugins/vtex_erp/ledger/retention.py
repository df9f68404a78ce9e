"""How long the ledger keeps what, and the purge of what is older."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, select

from vtex_erp.ledger.claims import purge_claims
from vtex_erp.ledger.stages import DONE
from vtex_erp.ledger.tables import documents, events, feed_gaps, history, notices, order_entries, runs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy import ColumnElement, Table

    from vtex_erp.ledger.ledger import Ledger

_ROWS_AT_ONCE = 5000
_LONGEST_IN_THE_FEED = 14  # days; facts: MessageRetentionPeriodInSeconds is 4 to 14 days


@dataclass(frozen=True)
class Retention:
    """How long the ledger keeps what, in days.

    `document_days`: the encrypted orders and sales orders. `history_days`: the history of the orders, and the runs,
    events, notices and gaps of the feed behind it. `order_days`: order entries that are done. Orders that are not done
    are kept for ever.
    """

    document_days: int = 30
    history_days: int = 180
    order_days: int = 730

    @classmethod
    def from_extra(cls, extra: Mapping[str, Any]) -> Retention:
        """Read the settings of a connection's extra. Raises ValueError with the sentence for the user."""
        given = {each.name: extra[each.name] for each in fields(cls) if extra.get(each.name) is not None}
        for name, days in given.items():
            if isinstance(days, bool) or not isinstance(days, int) or days < 1:
                raise ValueError(f"{name} is {days!r}; it must be a whole number of days, 1 or more.")
        retention = cls(**given)
        if retention.history_days <= _LONGEST_IN_THE_FEED:
            raise ValueError(
                f"history_days is {retention.history_days}; it must be more than {_LONGEST_IN_THE_FEED}, as long "
                "as VTEX may deliver an event again."
            )
        if retention.order_days < retention.history_days:
            raise ValueError(
                f"order_days ({retention.order_days}) must not be less than history_days ({retention.history_days})."
            )
        return retention


@dataclass(frozen=True)
class Purged:
    """How many rows of each kind a purge has deleted."""

    documents: int = 0
    history: int = 0
    runs: int = 0
    events: int = 0
    notices: int = 0
    gaps: int = 0
    orders: int = 0


def purge(ledger: Ledger) -> Purged:
    """Delete what is older than the ledger's retention, in small transactions that nobody waits for.

    An event goes only after it was deduplicated, and an order entry only when it is done.
    """
    now = ledger.clock()
    old = now - timedelta(days=ledger.retention.history_days)
    done = and_(
        order_entries.c.stage.in_([stage.value for stage in DONE]),
        order_entries.c.changed_at < now - timedelta(days=ledger.retention.order_days),
    )
    purge_claims(ledger, now)
    return Purged(
        documents=purge_documents(ledger, now),
        # Before the runs: a gap whose run by date is not known is brought in.
        gaps=_delete(ledger, feed_gaps, feed_gaps.c.ends_at < old),
        history=_delete(ledger, history, history.c.at < old),
        runs=_delete(ledger, runs, runs.c.started_at < old),
        events=_delete(ledger, events, and_(events.c.deduplicated_at.is_not(None), events.c.last_seen_at < old)),
        notices=_delete(ledger, notices, notices.c.at < old),
        orders=_delete(ledger, order_entries, done),
    )


def purge_documents(ledger: Ledger, now: datetime) -> int:
    """Delete the documents whose time has come; the number of them."""
    with ledger.write() as connection:
        return connection.execute(delete(documents).where(documents.c.expires_at <= now)).rowcount


def _delete(ledger: Ledger, table: Table, old: ColumnElement[bool]) -> int:
    deleted = 0
    # The oldest rows have the lowest ids, so the search ends early.
    oldest = select(table.c.id).where(old).order_by(table.c.id).limit(_ROWS_AT_ONCE)
    while True:
        with ledger.write() as connection:
            ids = list(connection.execute(oldest).scalars())
            if ids:
                deleted += connection.execute(delete(table).where(table.c.id.in_(ids))).rowcount
        if len(ids) < _ROWS_AT_ONCE:
            return deleted
