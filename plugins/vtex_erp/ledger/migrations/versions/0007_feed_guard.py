"""The feed's configuration as code, and its guard."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vtex_erp.ledger.tables import Id, UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables, and add to the runs what the guard looks at."""
    op.add_column("vtex_run", sa.Column("feed_unseen", sa.Integer(), nullable=True))
    op.add_column("vtex_run", sa.Column("commit_seconds", sa.Float(), nullable=True))
    op.create_index(op.f("ix_vtex_event_account_first_seen_at"), "vtex_event", ["account", "first_seen_at"])
    op.create_table(
        "vtex_feed_finding",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("since", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("account", "kind", name=op.f("pk_vtex_feed_finding")),
    )
    op.create_table(
        "vtex_feed_gap",
        sa.Column("id", Id, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vtex_feed_gap")),
    )
    op.create_index(op.f("ix_vtex_feed_gap_account"), "vtex_feed_gap", ["account"])
    op.create_table(
        "vtex_feed_comparison",
        sa.Column("run", Id, nullable=False),
        sa.Column("document", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["vtex_run.id"], name=op.f("fk_vtex_feed_comparison_run"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_vtex_feed_comparison")),
    )
