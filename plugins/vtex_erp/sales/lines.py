"""The lines of a sales order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.errors import ParkError
from vtex_erp.sales.model import Component, Line
from vtex_erp.sales.money import from_cents, plain, to_cents, unit_price_for
from vtex_erp.sales.pricing import Pricing, mismatch, tag_amount
from vtex_erp.sales.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal

    from vtex_erp.vtex.order import Item, VtexOrder

_PIECE = "un"


def map_lines(order: VtexOrder, pricing: Pricing) -> tuple[Line, ...]:
    """Map the items, in VTEX's order.

    A line is known by the item's uniqueId (a SKU may be on several lines), or by its index without one.
    Raises ParkError for an item without a SKU id, and for an amount on a line of quantity 0.
    """
    ids = _line_ids(order.items)
    return tuple(_line(order, index, pricing, ids) for index in range(len(order.items)))


def _line_ids(items: Sequence[Item]) -> list[str]:
    ids: list[str] = []
    for index, item in enumerate(items):
        unique = clean(item.unique_id)
        ids.append(unique if unique and unique not in ids else f"item-{index}")
    return ids


def _line(order: VtexOrder, index: int, pricing: Pricing, ids: Sequence[str]) -> Line:
    item = order.items[index]
    gross, unit_price = _gross(order, index, pricing.nets[index])
    return Line(
        line_id=ids[index],
        sku=_sku(order, index),
        ref_id=clean(item.ref_id),
        ean=clean(item.ean),
        description=clean(item.name),
        quantity=_quantity(item),
        unit_of_measure=clean(item.measurement_unit) or _PIECE,
        unit_price=unit_price,
        discount=from_cents(gross - pricing.nets[index]),
        tax=from_cents(pricing.taxes[index]),
        total=from_cents(pricing.nets[index]),
        seller_id=clean(item.seller),
        is_gift=item.is_gift,
        parent_line_id=_parent(item, ids),
        components=tuple(_component(part, item) for part in item.components),
    )


def _sku(order: VtexOrder, index: int) -> str:
    sku = clean(order.items[index].id)
    if sku is None:
        raise ParkError(
            f"VTEX order {order.order_id}: items.{index}.id is empty, so the article is unknown. "
            "Look at the order in the VTEX admin and enter it in the ERP by hand.",
            cause="order-malformed",
        )
    return sku


def _quantity(item: Item) -> Decimal:
    return plain(item.quantity * item.unit_multiplier)


def _parent(item: Item, ids: Sequence[str]) -> str | None:
    parent = item.parent_item_index
    return ids[parent] if parent is not None and 0 <= parent < len(ids) else None


def _gross(order: VtexOrder, index: int, net: int) -> tuple[int, Decimal]:
    """Split a net amount in cents into gross and discount; give the gross and the unit price behind it.

    The gross is price * quantity. What the price tags take off decides it where rounding leaves a choice
    (weight goods). A line that costs more than its price (a surcharge) gets a higher unit price instead of a
    negative discount.
    """
    item = order.items[index]
    quantity, price = _quantity(item), from_cents(item.price or 0)
    listed = price * quantity
    off_by_tags = net + max(0, -tag_amount(item))
    explained_by_tags = abs(listed - from_cents(off_by_tags)) < from_cents(1)
    gross = off_by_tags if explained_by_tags else max(to_cents(listed), net)
    if to_cents(listed) == gross:
        return gross, price
    if quantity == 0:
        raise mismatch(order, f"line {index} has quantity 0 and the amount {from_cents(net)}")
    return gross, unit_price_for(gross, quantity)


def _component(part: Item, kit: Item) -> Component:
    """VTEX counts a component per one kit."""
    return Component(
        sku=clean(part.id),
        ref_id=clean(part.ref_id),
        ean=clean(part.ean),
        description=clean(part.name),
        quantity=plain(_quantity(part) * kit.quantity),
        unit_of_measure=clean(part.measurement_unit) or _PIECE,
    )
