"""What must hold for every sales order that comes out of the mapping."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vtex_erp.sales.model import SalesOrder

CENT = Decimal("0.01")


def assert_exact(sales_order: SalesOrder, *, value: int) -> None:
    """Assert the equations that model.py promises; `value` is the VTEX order's, in cents."""
    with localcontext() as context:
        context.prec = 120
        totals = sales_order.totals
        assert totals.total == Decimal(value) / 100
        parts = totals.items - totals.discounts + totals.shipping + totals.tax + totals.other
        assert parts == totals.total
        lines = sum((line.total + line.tax for line in sales_order.lines), Decimal(0))
        charges = sum((charge.amount for charge in sales_order.charges), Decimal(0))
        assert lines + totals.shipping + charges == totals.total
        for line in sales_order.lines:
            gross = (line.unit_price * line.quantity).quantize(CENT, ROUND_HALF_UP)
            assert gross - line.discount == line.total
            assert line.discount >= 0
        _assert_shares_add_up(sales_order)


def _assert_shares_add_up(sales_order: SalesOrder) -> None:
    shares = [delivery.shipping for delivery in sales_order.deliveries]
    assert not shares or None not in shares or set(shares) == {None}
    if shares and None not in shares:
        assert sum(share for share in shares if share is not None) == sales_order.totals.shipping
