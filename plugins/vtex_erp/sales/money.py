"""Exact money: VTEX's integer cents into Decimal, and the one way to round."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Context, Decimal, localcontext
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

_CENT = Decimal("0.01")
_PRECISION = 120
_MOST_PLACES = 60


def exact() -> AbstractContextManager[Context]:
    """Give a decimal context so wide that no product of an amount and a quantity is rounded by it."""
    return localcontext(Context(prec=_PRECISION))


def from_cents(cents: int) -> Decimal:
    """Turn 1234 cents into 12.34."""
    return Decimal(cents).scaleb(-2)


def to_cents(amount: Decimal) -> int:
    """Round an amount to whole cents, half a cent away from zero."""
    return int(amount.scaleb(2).to_integral_value(ROUND_HALF_UP))


def plain(number: Decimal) -> Decimal:
    """Drop trailing zeros: 3.0 becomes 3, never 3E0."""
    return number.quantize(Decimal(1)) if number == number.to_integral_value() else number.normalize()


def unit_price_for(gross: int, quantity: Decimal) -> Decimal:
    """Find the shortest price whose product with `quantity` rounds to `gross` cents."""
    for places in range(2, _MOST_PLACES):
        price = (from_cents(gross) / quantity).quantize(_CENT.scaleb(2 - places))
        if to_cents(price * quantity) == gross:
            return price
    raise ArithmeticError("no unit price of sixty places reproduces the amount")
