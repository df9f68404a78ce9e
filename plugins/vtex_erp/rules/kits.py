"""Kits as their components: each component becomes a line, with an exact share of the kit's money."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from vtex_erp.sales.money import exact, from_cents, to_cents, unit_price_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vtex_erp.sales.model import Component, Line, SalesOrder
    from vtex_erp.vtex.order import Item, VtexOrder


def in_components(sales_order: SalesOrder, order: VtexOrder) -> SalesOrder:
    """Put the components of each kit in its place; `order` is what the sales order was made of, line by line.

    A kit's net, discount and tax are shared by what the components cost in VTEX; where it gives no prices (or none
    that fit: KI 989371), by their quantities. What was about the kit is about its first component then.
    """
    with exact():
        parts = {
            line.line_id: _lines(line, item) if _is_kit(line) else (line,)
            for line, item in zip(sales_order.lines, order.items, strict=True)
        }
    heads = {name: lines[0].line_id for name, lines in parts.items()}
    lines = tuple(
        line.model_copy(update={"parent_line_id": heads.get(line.parent_line_id or "", line.parent_line_id)})
        for found in parts.values()
        for line in found
    )
    deliveries = tuple(
        delivery.model_copy(
            update={"line_ids": tuple(line.line_id for name in delivery.line_ids for line in parts.get(name, ()))}
        )
        for delivery in sales_order.deliveries
    )
    charges = tuple(
        charge.model_copy(update={"line_id": heads.get(charge.line_id or "", charge.line_id)})
        for charge in sales_order.charges
    )
    return sales_order.model_copy(update={"lines": lines, "deliveries": deliveries, "charges": charges})


def _is_kit(line: Line) -> bool:
    return bool(line.components) and all(part.sku and part.quantity for part in line.components)


def _lines(kit: Line, item: Item) -> tuple[Line, ...]:
    weights = _weights(kit, item)
    shares = zip(*(_shares(amount, weights) for amount in (kit.total, kit.discount, kit.tax)), strict=True)
    return tuple(
        _line(kit, part, index, *amounts)
        for index, (part, amounts) in enumerate(zip(kit.components, shares, strict=True))
    )


def _weights(kit: Line, item: Item) -> list[Decimal]:
    prices = [Decimal(part.price or 0) for part in item.components]
    if len(prices) == len(kit.components) and any(prices) and min(prices) >= 0:
        return [price * part.quantity for price, part in zip(prices, kit.components, strict=True)]
    return [part.quantity for part in kit.components]


def _shares(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Share an amount to the cent; the cents that are left go to the heaviest, one each."""
    whole, cents = sum(weights), to_cents(amount)
    shares = [int(cents * weight / whole) for weight in weights]
    left = cents - sum(shares)
    step = 1 if left > 0 else -1
    for index in sorted(range(len(weights)), key=lambda index: -weights[index])[: abs(left)]:
        shares[index] += step
    return [from_cents(share) for share in shares]


def _line(kit: Line, part: Component, index: int, total: Decimal, discount: Decimal, tax: Decimal) -> Line:
    return kit.model_copy(
        update={
            "line_id": f"{kit.line_id}/{index + 1}",
            "sku": part.sku,
            "ref_id": part.ref_id,
            "ean": part.ean,
            "description": part.description,
            "quantity": part.quantity,
            "unit_of_measure": part.unit_of_measure,
            "unit_price": unit_price_for(to_cents(total + discount), part.quantity),
            "discount": discount,
            "tax": tax,
            "total": total,
            "components": (),
        }
    )
