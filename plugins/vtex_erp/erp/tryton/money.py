"""Exact amounts in an ERP that multiplies a rounded unit price by a quantity."""

from __future__ import annotations

from decimal import ROUND_FLOOR, Decimal

_PLACES = Decimal("0.0001")
"""A unit price has four places in Tryton, unless its configuration says more."""
_CENT = Decimal("0.01")
_LESS_THAN_HALF = Decimal("0.005")

Part = tuple[Decimal, Decimal]
"""A quantity and a unit price."""


def parts(total: Decimal, quantity: Decimal) -> list[Part]:
    """Split a line's total into quantities and unit prices whose products make it, to the cent.

    One part where a unit price of four places is exact, which is so below a hundred units. Else a whole number of
    units is split as VTEX's sellingPrices are, with one cent between two prices, and of another quantity one unit
    takes the rest.
    """
    if quantity == 0:
        return [(quantity, total)]
    price = (total / quantity).quantize(_PLACES)
    if abs(price * quantity - total) < _LESS_THAN_HALF:
        return [(quantity, price)]
    if quantity == quantity.to_integral_value():
        return _in_cents(total, int(quantity))
    rest = quantity - 1
    amount = (price * rest).quantize(_CENT)
    return [(rest, price), (Decimal(1), total - amount)]


def _in_cents(total: Decimal, quantity: int) -> list[Part]:
    low = (total / quantity).quantize(_CENT, rounding=ROUND_FLOOR)
    dearer = int((total - low * quantity) / _CENT)
    return [(Decimal(quantity - dearer), low), (Decimal(dearer), low + _CENT)]
