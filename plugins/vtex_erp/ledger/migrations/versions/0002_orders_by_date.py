"""Orders by date: what was listed, what was found, and what does not agree."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vtex_erp.ledger.tables import Id, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "vtex_found_order",
        sa.Column("run", Id, nullable=False),
        sa.Column("order_id", sa.String(length=128), nullable=False),
        sa.Column("listed_status", sa.String(length=64), nullable=True),
        sa.Column("listed_at", UtcDateTime(), nullable=True),
        sa.Column("listed_cents", sa.BigInteger(), nullable=True),
        sa.Column("received", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["vtex_run.id"], name=op.f("fk_vtex_found_order_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "order_id", name=op.f("pk_vtex_found_order")),
    )
    op.create_table(
        "vtex_window",
        sa.Column("id", Id, nullable=False),
        sa.Column("run", Id, nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("seen", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("proven", sa.Boolean(), nullable=False),
        sa.Column("read_at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["vtex_run.id"], name=op.f("fk_vtex_window_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vtex_window")),
    )
    op.create_index(op.f("ix_vtex_window_run"), "vtex_window", ["run"], unique=False)
    op.create_table(
        "vtex_finding",
        sa.Column("run", Id, nullable=False),
        sa.Column("order_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("vtex_status", sa.String(length=64), nullable=True),
        sa.Column("vtex_cents", sa.BigInteger(), nullable=True),
        sa.Column("erp_cents", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.String(length=8), nullable=True),
        sa.Column("mended", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["vtex_run.id"], name=op.f("fk_vtex_finding_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "order_id", name=op.f("pk_vtex_finding")),
    )
