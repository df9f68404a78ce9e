"""The ledger."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vtex_erp.ledger.tables import Id, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "vtex_event",
        sa.Column("id", Id, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=128), nullable=False),
        sa.Column("domain", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("change", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=16), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=True),
        sa.Column("needs_order", sa.Boolean(), nullable=False),
        sa.Column("deliveries", sa.Integer(), nullable=False),
        sa.Column("first_seen_at", UtcDateTime(), nullable=False),
        sa.Column("last_seen_at", UtcDateTime(), nullable=False),
        sa.Column("deduplicated_at", UtcDateTime(), nullable=True),
        sa.Column("committed_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vtex_event")),
        sa.UniqueConstraint(
            "account",
            "order_id",
            "domain",
            "state",
            "change",
            name=op.f("uq_vtex_event_account_order_id_domain_state_change"),
        ),
    )
    op.create_index(
        op.f("ix_vtex_event_account_deduplicated_at"), "vtex_event", ["account", "deduplicated_at"], unique=False
    )
    op.create_table(
        "vtex_order_entry",
        sa.Column("id", Id, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("order_id", sa.String(length=128), nullable=False),
        sa.Column("stage", sa.String(length=16), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.Column("order_changed_at", UtcDateTime(), nullable=True),
        sa.Column("news", sa.Integer(), nullable=False),
        sa.Column("vtex_status", sa.String(length=64), nullable=True),
        sa.Column("value_cents", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=8), nullable=True),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("erp_id", sa.String(length=255), nullable=True),
        sa.Column("submitting_at", UtcDateTime(), nullable=True),
        sa.Column("handling_requested_at", UtcDateTime(), nullable=True),
        sa.Column("parked_from", sa.String(length=16), nullable=True),
        sa.Column("cause", sa.String(length=128), nullable=True),
        sa.Column("message", sa.String(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("lease_owner", sa.String(length=512), nullable=True),
        sa.Column("lease_until", UtcDateTime(), nullable=True),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vtex_order_entry")),
        sa.UniqueConstraint("account", "order_id", name=op.f("uq_vtex_order_entry_account_order_id")),
    )
    op.create_index(
        op.f("ix_vtex_order_entry_account_stage_next_attempt_at"),
        "vtex_order_entry",
        ["account", "stage", "next_attempt_at"],
        unique=False,
    )
    op.create_table(
        "vtex_run",
        sa.Column("id", Id, nullable=False),
        sa.Column("dag_id", sa.String(length=250), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("started_at", UtcDateTime(), nullable=False),
        sa.Column("pulled_at", UtcDateTime(), nullable=True),
        sa.Column("events_pulled", sa.Integer(), nullable=True),
        sa.Column("planned_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vtex_run")),
        sa.UniqueConstraint("dag_id", "run_id", name=op.f("uq_vtex_run_dag_id_run_id")),
    )
    op.create_table(
        "vtex_batch_order",
        sa.Column("run", Id, nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["vtex_order_entry.id"], name=op.f("fk_vtex_batch_order_entry_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run"], ["vtex_run.id"], name=op.f("fk_vtex_batch_order_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "entry_id", name=op.f("pk_vtex_batch_order")),
    )
    op.create_index(op.f("ix_vtex_batch_order_entry_id"), "vtex_batch_order", ["entry_id"], unique=False)
    op.create_table(
        "vtex_document",
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["vtex_order_entry.id"], name=op.f("fk_vtex_document_entry_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("entry_id", "kind", name=op.f("pk_vtex_document")),
    )
    op.create_index(op.f("ix_vtex_document_expires_at"), "vtex_document", ["expires_at"], unique=False)
    op.create_table(
        "vtex_handle",
        sa.Column("id", Id, nullable=False),
        sa.Column("event", Id, nullable=False),
        sa.Column("queue_item", sa.String(length=128), nullable=True),
        sa.Column("handle", sa.String(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["event"], ["vtex_event.id"], name=op.f("fk_vtex_handle_event"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vtex_handle")),
    )
    op.create_index(op.f("ix_vtex_handle_event"), "vtex_handle", ["event"], unique=False)
    op.create_table(
        "vtex_history",
        sa.Column("id", Id, nullable=False),
        sa.Column("entry_id", Id, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("from_stage", sa.String(length=16), nullable=True),
        sa.Column("to_stage", sa.String(length=16), nullable=False),
        sa.Column("dag_id", sa.String(length=250), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("task_id", sa.String(length=250), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.Column("try_number", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=True),
        sa.Column("note", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["vtex_order_entry.id"], name=op.f("fk_vtex_history_entry_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vtex_history")),
    )
    op.create_index(op.f("ix_vtex_history_entry_id"), "vtex_history", ["entry_id"], unique=False)
    op.create_table(
        "vtex_run_event",
        sa.Column("run", Id, nullable=False),
        sa.Column("event", Id, nullable=False),
        sa.ForeignKeyConstraint(["event"], ["vtex_event.id"], name=op.f("fk_vtex_run_event_event"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run"], ["vtex_run.id"], name=op.f("fk_vtex_run_event_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "event", name=op.f("pk_vtex_run_event")),
    )
    op.create_index(op.f("ix_vtex_run_event_event"), "vtex_run_event", ["event"], unique=False)
