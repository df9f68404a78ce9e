"""The ledger's tables. `migrations/` creates them; a test holds the two together."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.dialects import postgresql, sqlite

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sqlalchemy.engine import Connection, Dialect

VERSION_TABLE = "vtex_ledger_version"

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts up by itself only in a column declared INTEGER PRIMARY KEY.
Id = BigInteger().with_variant(Integer, "sqlite")


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; databases without time zones (SQLite) keep it naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Write as UTC."""
        if value is None:
            return None
        value = value.astimezone(timezone.utc)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Read as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=timezone.utc) if value.tzinfo is None else value.astimezone(timezone.utc)


class RemoteText(TypeDecorator[str]):
    """Text from outside: cut to the column, without what a database refuses, so that it can stop no other row."""

    impl = String
    cache_ok = True

    def __init__(self, length: int | None = None) -> None:
        super().__init__(length)
        self.length = length

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        """Write what fits."""
        return None if value is None else self.cut(value)

    def cut(self, value: str) -> str:
        """The text as the column holds it."""
        sound = value if value.isascii() else value.encode(errors="replace").decode()
        return sound.replace("\0", "")[: self.length]


OrderId, Word = RemoteText(128), RemoteText(64)


events = Table(
    "vtex_event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("order_id", OrderId, nullable=False),
    Column("domain", Word, nullable=False),
    Column("state", Word, nullable=False),
    Column("change", Word, nullable=False),
    Column("source", String(16), nullable=False),
    Column("changed_at", UtcDateTime),
    Column("needs_order", Boolean, nullable=False),  # decided when it is deduplicated
    Column("deliveries", Integer, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("last_seen_at", UtcDateTime, nullable=False),
    Column("deduplicated_at", UtcDateTime),
    Column("committed_at", UtcDateTime),
    UniqueConstraint("account", "order_id", "domain", "state", "change"),
    Index(None, "account", "deduplicated_at"),
    Index(None, "account", "first_seen_at"),
)

# One row a delivery that VTEX still waits to see committed. Duplicates that VTEX queued under another event id
# are one event here, with a handle each.
handles = Table(
    "vtex_handle",
    metadata,
    Column("id", Id, primary_key=True),
    Column("event", Id, ForeignKey("vtex_event.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("queue_item", RemoteText(128)),
    Column("handle", RemoteText, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
)

order_entries = Table(
    "vtex_order_entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("order_id", OrderId, nullable=False),
    Column("stage", String(16), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("changed_at", UtcDateTime, nullable=False),
    Column("order_changed_at", UtcDateTime),  # the latest change that an event told us of
    Column("news", Integer, nullable=False),  # events that came in while the order was worked on
    Column("vtex_status", Word),
    Column("read_change_at", UtcDateTime),  # the order's own latest change, when it was last read
    Column("value_cents", BigInteger),
    Column("currency", RemoteText(8)),
    Column("digest", String(64)),  # of the sales order
    Column("erp_id", RemoteText(255)),
    Column("submitting_at", UtcDateTime),
    Column("handling_requested_at", UtcDateTime),
    Column("cancelled_in_erp_at", UtcDateTime),
    Column("placed_at", UtcDateTime),
    Column("shopper", String(64)),  # a keyed hash: only good for telling that two orders are of the same shopper
    Column("replaced_by", OrderId),  # the order that seems to replace this one
    Column("parked_from", String(16)),
    Column("cause", RemoteText(128)),
    Column("message", RemoteText),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime),  # from then on any run may plan the order
    Column("lease_owner", String(512)),
    Column("lease_until", UtcDateTime),
    Column("fence", Integer, nullable=False),
    UniqueConstraint("account", "order_id"),
    Index(None, "account", "stage", "next_attempt_at"),
    Index("ix_vtex_order_entry_shopper", "account", "shopper"),
)

documents = Table(
    "vtex_document",
    metadata,
    Column("entry_id", Id, ForeignKey("vtex_order_entry.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False, index=True),
)

history = Table(
    "vtex_history",
    metadata,
    Column("id", Id, primary_key=True),
    Column("entry_id", Id, ForeignKey("vtex_order_entry.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("at", UtcDateTime, nullable=False),
    Column("from_stage", String(16)),
    Column("to_stage", String(16), nullable=False),
    Column("dag_id", String(250), nullable=False),
    Column("run_id", String(250), nullable=False),
    Column("task_id", String(250), nullable=False),
    Column("batch", Integer),
    Column("try_number", Integer, nullable=False),
    Column("digest", String(64)),
    Column("note", RemoteText),
)

runs = Table(
    "vtex_run",
    metadata,
    Column("id", Id, primary_key=True),
    Column("dag_id", String(250), nullable=False),
    Column("run_id", String(250), nullable=False),
    Column("account", String(64), nullable=False),
    Column("started_at", UtcDateTime, nullable=False),
    Column("pulled_at", UtcDateTime),
    Column("events_pulled", Integer),
    Column("planned_at", UtcDateTime),
    Column("feed_retention_seconds", Integer),
    Column("feed_unseen", Integer),  # what a feed that was read dry held, and neither we nor the run got
    Column("commit_seconds", Float),  # the longest time from reading one of its events to asking for the commit
    UniqueConstraint("dag_id", "run_id"),
)

batch_orders = Table(
    "vtex_batch_order",
    metadata,
    Column("run", Id, ForeignKey("vtex_run.id", ondelete="CASCADE"), primary_key=True),
    Column("entry_id", Id, ForeignKey("vtex_order_entry.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("batch", Integer, nullable=False),
)

# Events that a run commits besides those of its orders.
run_events = Table(
    "vtex_run_event",
    metadata,
    Column("run", Id, ForeignKey("vtex_run.id", ondelete="CASCADE"), primary_key=True),
    Column("event", Id, ForeignKey("vtex_event.id", ondelete="CASCADE"), primary_key=True, index=True),
)

# What a run by date has listed. A window is proven when all that VTEX counted in it was seen.
windows = Table(
    "vtex_window",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run", Id, ForeignKey("vtex_run.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False),  # the last moment that belongs to it
    Column("total", Integer, nullable=False),  # what VTEX said
    Column("seen", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("proven", Boolean, nullable=False),
    Column("read_at", UtcDateTime, nullable=False),
)

found_orders = Table(
    "vtex_found_order",
    metadata,
    Column("run", Id, ForeignKey("vtex_run.id", ondelete="CASCADE"), primary_key=True),
    Column("order_id", OrderId, primary_key=True),
    Column("listed_status", Word),  # may be minutes to weeks old
    Column("listed_at", UtcDateTime),  # the date by which it was found
    Column("listed_cents", BigInteger),
    Column("received", Boolean, nullable=False),  # it has been looked at, and has an order entry where it needs one
)

# What VTEX, the ledger and the ERP do not agree on, as a run by date has seen it.
findings = Table(
    "vtex_finding",
    metadata,
    Column("run", Id, ForeignKey("vtex_run.id", ondelete="CASCADE"), primary_key=True),
    Column("order_id", OrderId, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("detail", RemoteText, nullable=False),
    Column("vtex_status", Word),
    Column("vtex_cents", BigInteger),
    Column("erp_cents", BigInteger),
    Column("currency", RemoteText(8)),
    Column("mended", Boolean, nullable=False),
)

# What somebody is to be told of, once: `key` names the thing, whoever finds it.
notices = Table(
    "vtex_notice",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False),
    Column("key", RemoteText(255), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("about", OrderId, nullable=False),  # an order's id, or the account
    Column("entry_id", Id, ForeignKey("vtex_order_entry.id", ondelete="CASCADE"), index=True),
    Column("text", RemoteText, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    UniqueConstraint("account", "key"),
)

# One row for each notice and each that is told of it. Claimed and neither sent nor due again: nobody knows whether it
# went out, and it is not sent again.
notice_deliveries = Table(
    "vtex_notice_delivery",
    metadata,
    Column("notice", Id, ForeignKey("vtex_notice.id", ondelete="CASCADE"), primary_key=True),
    Column("target", String(96), primary_key=True),
    Column("claimed_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcDateTime),
    Column("trouble", RemoteText(255)),
)

# What was found about an account's feed: the latest occurrence of each kind, still there while `ended_at` is null.
feed_findings = Table(
    "vtex_feed_finding",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("kind", String(40), primary_key=True),
    Column("state", String(64), nullable=False),  # another state is another occurrence
    Column("since", UtcDateTime, nullable=False),
    Column("ended_at", UtcDateTime),
)

# A time without a feed. Its orders come in by date, once it has an end.
feed_gaps = Table(
    "vtex_feed_gap",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", String(64), nullable=False, index=True),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime),
)

# What a run has compared: the wanted feed and hook with those at VTEX, as JSON, without secrets.
feed_comparisons = Table(
    "vtex_feed_comparison",
    metadata,
    Column("run", Id, ForeignKey("vtex_run.id", ondelete="CASCADE"), primary_key=True),
    Column("document", RemoteText, nullable=False),
)

# One row for an account and one for each family of calls with a limit of its own: what was leased in each second of
# the last minute ("second:count ..."), and what a 429 left behind; and one for the share of each priority that is not
# to starve: how many requests it may make, and when that was counted.
budgets = Table(
    "vtex_budget",
    metadata,
    Column("account", String(64), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("spent", String, nullable=False),
    Column("level", Float, nullable=False),
    Column("filled_at", UtcDateTime, nullable=False),
    Column("pace", Float, nullable=False),
    Column("paused_until", UtcDateTime),
)

# One row for an ERP connection that had trouble.
breakers = Table(
    "vtex_breaker",
    metadata,
    Column("connection", String(250), primary_key=True),
    Column("counted_from", UtcDateTime, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("opened_at", UtcDateTime),
    Column("probe_at", UtcDateTime),
    Column("trouble", RemoteText(128)),
)

# Who creates what an ERP has no unique key for. The key is a keyed hash: it may stand for a shopper's document.
claims = Table(
    "vtex_claim",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("holder", String(32), nullable=False),
    Column("until", UtcDateTime, nullable=False, index=True),
)


def upsert(connection: Connection, table: Table) -> Any:
    """An INSERT of the connection's dialect, which has `on_conflict_do_update` and `on_conflict_do_nothing`."""
    return (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(table)


def insert_new(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows that are not there yet; another worker may be inserting the same ones."""
    if rows:
        connection.execute(upsert(connection, table).on_conflict_do_nothing(), rows)
