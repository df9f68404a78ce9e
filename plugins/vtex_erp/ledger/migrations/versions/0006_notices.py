"""What somebody is told of, once; and which orders replace which."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vtex_erp.ledger.tables import Id, UtcDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables and columns."""
    op.add_column("vtex_order_entry", sa.Column("placed_at", UtcDateTime(), nullable=True))
    op.add_column("vtex_order_entry", sa.Column("shopper", sa.String(length=64), nullable=True))
    op.add_column("vtex_order_entry", sa.Column("replaced_by", sa.String(length=128), nullable=True))
    op.create_index("ix_vtex_order_entry_shopper", "vtex_order_entry", ["account", "shopper"])
    op.create_table(
        "vtex_notice",
        sa.Column("id", Id, nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("about", sa.String(length=128), nullable=False),
        sa.Column("entry_id", Id, nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"], ["vtex_order_entry.id"], name=op.f("fk_vtex_notice_entry_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vtex_notice")),
        sa.UniqueConstraint("account", "key", name=op.f("uq_vtex_notice_account_key")),
    )
    op.create_index(op.f("ix_vtex_notice_at"), "vtex_notice", ["at"])
    op.create_index(op.f("ix_vtex_notice_entry_id"), "vtex_notice", ["entry_id"])
    op.create_table(
        "vtex_notice_delivery",
        sa.Column("notice", Id, nullable=False),
        sa.Column("target", sa.String(length=96), nullable=False),
        sa.Column("claimed_at", UtcDateTime(), nullable=False),
        sa.Column("sent_at", UtcDateTime(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcDateTime(), nullable=True),
        sa.Column("trouble", sa.String(length=255), nullable=True),
        sa.ForeignKeyConstraint(
            ["notice"], ["vtex_notice.id"], name=op.f("fk_vtex_notice_delivery_notice"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("notice", "target", name=op.f("pk_vtex_notice_delivery")),
    )
