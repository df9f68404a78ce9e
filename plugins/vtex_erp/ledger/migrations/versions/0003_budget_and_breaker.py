"""The rate budget of an account, the breaker of an ERP, and how long the feed keeps events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vtex_erp.ledger.tables import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and the column."""
    op.create_table(
        "vtex_budget",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("spent", sa.String(), nullable=False),
        sa.Column("level", sa.Float(), nullable=False),
        sa.Column("filled_at", UtcDateTime(), nullable=False),
        sa.Column("pace", sa.Float(), nullable=False),
        sa.Column("paused_until", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("account", "name", name=op.f("pk_vtex_budget")),
    )
    op.create_table(
        "vtex_breaker",
        sa.Column("connection", sa.String(length=250), nullable=False),
        sa.Column("counted_from", UtcDateTime(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=True),
        sa.Column("probe_at", UtcDateTime(), nullable=True),
        sa.Column("trouble", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_vtex_breaker")),
    )
    op.add_column("vtex_run", sa.Column("feed_retention_seconds", sa.Integer(), nullable=True))
