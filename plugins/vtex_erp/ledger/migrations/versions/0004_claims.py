"""Claims: who creates what an ERP has no unique key for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vtex_erp.ledger.tables import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "vtex_claim",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("holder", sa.String(length=32), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_vtex_claim")),
    )
    op.create_index(op.f("ix_vtex_claim_until"), "vtex_claim", ["until"])
