"""Orders that change after they came in: when an order was last read, and when it was cancelled in the ERP."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from vtex_erp.ledger.tables import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns."""
    op.add_column("vtex_order_entry", sa.Column("read_change_at", UtcDateTime(), nullable=True))
    op.add_column("vtex_order_entry", sa.Column("cancelled_in_erp_at", UtcDateTime(), nullable=True))
