"""A sales order as a sale of Tryton, before anything is looked up there. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from vtex_erp.erp.tryton.comment import comment
from vtex_erp.erp.tryton.money import parts
from vtex_erp.sales.money import exact

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vtex_erp.erp.tryton.settings import TrytonSettings
    from vtex_erp.sales.model import Delivery, Line, SalesOrder

_ONE = Decimal(1)


@dataclass(frozen=True)
class SaleLine:
    """A line of a sale. `products` are the codes that the product may be found by, the best first.

    `amount` is what Tryton must make of the line, without `tax`, which is what it must compute by the tax `tax_name`.
    """

    products: tuple[str, ...]
    quantity: Decimal
    unit_price: Decimal
    unit: str
    amount: Decimal
    description: str | None
    note: str | None = None
    sku: str | None = None
    own_product: str | None = None
    """For an amount that is no article: the connection's field with the product that stands in."""
    tax_name: str | None = None


@dataclass(frozen=True)
class Sale:
    """A sale. `warehouse` is a code, None for the web shop's own; `placed_at` becomes a date in the company's zone."""

    web_shop: str
    web_id: str
    reference: str
    currency: str
    placed_at: datetime
    warehouse: str | None
    comment: str
    lines: tuple[SaleLine, ...]
    total: Decimal


def sale_of(order: SalesOrder, settings: TrytonSettings) -> Sale:
    """Translate a sales order. Its amounts are VTEX's, and Tryton's total must be the order's."""
    with exact():
        lines = tuple(_lines(order, settings))
    return Sale(
        web_shop=settings.shop_for(order.source.sales_channel),
        web_id=order.external_id,
        reference=order.source.order_id,
        currency=order.currency,
        placed_at=order.placed_at,
        warehouse=_warehouse(order),
        comment=comment(order),
        lines=lines,
        total=order.totals.total,
    )


def _lines(order: SalesOrder, settings: TrytonSettings) -> Iterator[SaleLine]:
    for line in order.lines:
        yield from _article(line, settings)
    yield from _shipping(order)
    taxes = sum((line.tax for line in order.lines if not line.tax_code), Decimal(0))
    if taxes:
        yield _amount("tax_product", taxes, "Tax")
    for charge in order.charges:
        if charge.amount:
            yield _amount("charge_product", charge.amount, charge.name or charge.id, charge.id)


def _article(line: Line, settings: TrytonSettings) -> Iterator[SaleLine]:
    words = {"ref_id": line.ref_id, "sku": line.sku, "ean": line.ean}
    codes = tuple(dict.fromkeys(code for name in settings.product_codes if (code := words[name])))
    for quantity, unit_price in parts(line.total, line.quantity):
        yield SaleLine(
            products=codes,
            quantity=quantity,
            unit_price=unit_price,
            unit=line.unit_of_measure,
            amount=(quantity * unit_price).quantize(Decimal("0.01")),
            description=line.description,
            note=_note(line),
            sku=line.sku,
            tax_name=line.tax_code if line.tax else None,
        )


def _note(line: Line) -> str | None:
    """Say what the net price hides: a discount is part of the unit price, so that revenue is booked once, net."""
    words = []
    if line.discount:
        words.append(f"{line.unit_price:f} each, less a discount of {line.discount:.2f}")
    if line.is_gift:
        words.append("gift")
    return "; ".join(words) or None


def _shipping(order: SalesOrder) -> Iterator[SaleLine]:
    shares = [delivery.shipping for delivery in order.deliveries]
    if any(share is None for share in shares) or sum(filter(None, shares)) != order.totals.shipping:
        if order.totals.shipping:
            yield _amount("shipping_product", order.totals.shipping, "Shipping")
        return
    for delivery in order.deliveries:
        if delivery.shipping:
            yield _amount("shipping_product", delivery.shipping, _way(delivery))


def _way(delivery: Delivery) -> str:
    how = ", ".join(filter(None, (delivery.sla, delivery.carrier, delivery.pickup_point_name)))
    return f"Shipping: {how}" if how else "Shipping"


def _amount(own_product: str, amount: Decimal, description: str, *codes: str) -> SaleLine:
    return SaleLine(
        products=codes,
        quantity=_ONE,
        unit_price=amount,
        unit="un",
        amount=amount,
        description=description,
        own_product=own_product,
    )


def _warehouse(order: SalesOrder) -> str | None:
    """The one warehouse that all goods leave from; a sale of Tryton has one."""
    found = {dock.warehouse_id for delivery in order.deliveries for dock in delivery.docks if dock.warehouse_id}
    return found.pop() if len(found) == 1 else None
