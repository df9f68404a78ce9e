"""Proves an order's amounts: which reading of its lines adds up to its totals, to the cent.

VTEX promises value == sum of `totals`, and Items + Discounts == sum of the lines' `priceDefinition.total`
(facts: Invariants). Known issues break the second one, so a line's net amount has three readings, and
the first that adds up is taken for the whole order:

1. `priceDefinition.total`, by the missing one's line from its price and price tags;
2. price * quantity * unitMultiplier + price tags: chain orders, whose priceDefinition follows `price`
   instead of `sellingPrice` (KI 663203);
3. sellingPrice * quantity: the same without price tags.

All amounts in here are integer cents.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from vtex_erp.errors import ParkError
from vtex_erp.sales.money import from_cents, to_cents
from vtex_erp.vtex.order import Item, PriceTag, VtexOrder

_KNOWN = ("items", "discounts", "shipping", "tax")
_MOST_NAMED_TOTALS = 20

Reading = Callable[[Item], "int | None"]


@dataclass(frozen=True)
class Extra:
    """A charge in cents; `item` is the index of the item it belongs to."""

    id: str
    name: str | None
    amount: int
    item: int | None = None


@dataclass(frozen=True)
class Pricing:
    """The proven amounts: each item's net and tax, the shipping, and what else makes up the value."""

    nets: tuple[int, ...]
    taxes: tuple[int, ...]
    shipping: int
    extras: tuple[Extra, ...]


@dataclass(frozen=True)
class _Goods:
    nets: tuple[int, ...]
    extras: tuple[Extra, ...] = ()


def prove(order: VtexOrder) -> Pricing:
    """Find the amounts whose sum is the order's value.

    Raises ParkError with cause `totals-mismatch` and the equation in numbers.
    """
    rounding = _value_rounding(order)
    goods = _prove_goods(order)
    taxes, tax_extras = _taxes(order)
    extras = (*goods.extras, *tax_extras, *_other_totals(order), *rounding)
    return Pricing(goods.nets, taxes, _sum_of(order, "shipping"), extras)


def mismatch(order: VtexOrder, equation: str) -> ParkError:
    """Make the error for amounts that do not add up."""
    return ParkError(
        f"VTEX order {order.order_id}: the amounts do not add up: {equation}. Compare with the order in the "
        "VTEX admin (changes, surcharges), then correct it there and retry, or enter it in the ERP by hand.",
        cause="totals-mismatch",
    )


def tag_amount(item: Item) -> int:
    """Add up an item's price tags, without those on its shipping and its taxes.

    Discounts on shipping are tags of items but are already netted in the shipping price, and are not part
    of totals Discounts.
    """
    return sum(_tag_cents(tag) for tag in item.price_tags if not (_is_shipping(tag) or _is_tax(tag)))


def _is_shipping(tag: PriceTag) -> bool:
    return "shipping" in (tag.name or "").lower()


def _is_tax(tag: PriceTag) -> bool:
    return (tag.name or "").lower().startswith("tax@")


def _tag_cents(tag: PriceTag) -> int:
    if tag.value is not None:
        return tag.value
    if tag.raw_value is None or tag.is_percentual:
        return 0
    return to_cents(tag.raw_value)


def _by_definition(item: Item) -> int | None:
    defined = _defined(item)
    return defined if defined is not None else _by_tags(item)


def _defined(item: Item) -> int | None:
    definition = item.definition
    if definition is None:
        return None
    if definition.total is None and definition.selling_prices:
        return sum(price.value * price.quantity for price in definition.selling_prices)
    return definition.total


def _by_tags(item: Item) -> int | None:
    if item.price is None:
        return None
    gross = from_cents(item.price) * item.quantity * item.unit_multiplier
    return to_cents(gross) + tag_amount(item)


def _by_selling_price(item: Item) -> int | None:
    return None if item.selling_price is None else item.selling_price * item.quantity


_READINGS: tuple[Reading, ...] = (_by_definition, _by_tags, _by_selling_price)


def _prove_goods(order: VtexOrder) -> _Goods:
    wanted = _sum_of(order, "items") + _sum_of(order, "discounts")
    candidates = [goods for reading in _READINGS for goods in _read_goods(order, reading)]
    for goods in candidates:
        if _total(goods) == wanted:
            return goods
    for goods in _read_goods(order, _by_definition):
        leftover = wanted - _total(goods)
        if leftover in _roundings(order):
            return _Goods(goods.nets, (*goods.extras, Extra("roundingError", None, leftover)))
    for goods in candidates:
        if _total(goods) == _sum_of(order, "items"):
            return _Goods(goods.nets, (*goods.extras, _total_as_extra(order, "discounts")))
    raise _goods_mismatch(order, wanted, candidates)


def _read_goods(order: VtexOrder, reading: Reading) -> Iterator[_Goods]:
    """Read the lines, with their services inside Items (own quantity, then the line's) or outside."""
    nets = [reading(item) for item in order.items]
    if any(net is None for net in nets):
        return
    known = tuple(net or 0 for net in nets)
    for per_line in (False, True):
        services = _services(order, reading, per_line=per_line)
        if services is not None:
            yield _Goods(known, services)
    yield _Goods(known)


def _services(order: VtexOrder, reading: Reading, *, per_line: bool) -> tuple[Extra, ...] | None:
    found = []
    for index, item in enumerate(order.items):
        for service in item.bundle_items:
            amount = reading(service)
            if amount is None:
                return None
            times = item.quantity if per_line else 1
            found.append(Extra(service.id or "service", service.name, amount * times, index))
    return tuple(found)


def _roundings(order: VtexOrder) -> set[int]:
    """List the leftovers that VTEX's rounding explains.

    VTEX's own `roundingError`, and a cent for each line that is sold by weight and has no price
    definition (KI 331188).
    """
    loose = sum(1 for item in order.items if item.unit_multiplier != 1 and _defined(item) is None)
    stated = abs(order.rounding_error or 0)
    return {stated, -stated, *range(-loose, loose + 1)} - {0}


def _taxes(order: VtexOrder) -> tuple[tuple[int, ...], tuple[Extra, ...]]:
    """Give each line its tax where the lines explain totals Tax; else the whole Tax stays one charge.

    A line's tax is in its `tax@` price tags, or in `tax`, which is per unit in the one official sample
    (facts: Other blocks) and per line elsewhere.
    """
    wanted = _sum_of(order, "tax")
    for taxes in _tax_readings(order.items):
        if sum(taxes) == wanted:
            return taxes, ()
    return (0,) * len(order.items), (_total_as_extra(order, "tax"),)


def _tax_readings(items: Sequence[Item]) -> Iterator[tuple[int, ...]]:
    yield tuple(sum(_tag_cents(tag) for tag in item.price_tags if _is_tax(tag)) for item in items)
    yield tuple((item.tax or 0) * item.quantity for item in items)
    yield tuple(item.tax or 0 for item in items)
    yield (0,) * len(items)


def _other_totals(order: VtexOrder) -> Iterator[Extra]:
    """Keep every entry of `totals` that VTEX does not document; their ids may repeat."""
    for total in order.totals:
        if _key(total.id) not in _KNOWN:
            yield Extra(total.id or "unknown", total.name, total.value)


def _value_rounding(order: VtexOrder) -> tuple[Extra, ...]:
    """Hold value == sum of totals; a difference of exactly `roundingError` becomes a charge."""
    difference = order.value - sum(total.value for total in order.totals)
    if difference == 0:
        return ()
    if abs(difference) == abs(order.rounding_error or 0):
        return (Extra("roundingError", None, difference),)
    raise mismatch(order, f"value {_money(order.value)} is not {_totals_sum(order)}")


def _goods_mismatch(order: VtexOrder, wanted: int, candidates: Sequence[_Goods]) -> ParkError:
    items, discounts = _sum_of(order, "items"), _sum_of(order, "discounts")
    right = f"Items {_money(items)} + Discounts {_money(discounts)} = {_money(wanted)}"
    if not candidates:
        return mismatch(order, f"lines without a price do not make {right}")
    goods = candidates[0]
    services = sum(extra.amount for extra in goods.extras)
    return mismatch(order, f"lines {_money(sum(goods.nets))} + services {_money(services)} is not {right}")


def _totals_sum(order: VtexOrder) -> str:
    named = [f"{_short(total.id)} {_money(total.value)}" for total in order.totals[:_MOST_NAMED_TOTALS]]
    more = [] if len(order.totals) <= _MOST_NAMED_TOTALS else ["…"]
    return f"{' + '.join(named + more) or 'no totals'} = {_money(sum(total.value for total in order.totals))}"


def _short(total_id: str | None) -> str:
    return "".join(character for character in (total_id or "unknown")[:30] if character.isalnum())


def _total_as_extra(order: VtexOrder, key: str) -> Extra:
    entries = [total for total in order.totals if _key(total.id) == key]
    return Extra(key.capitalize(), entries[0].name if entries else None, sum(total.value for total in entries))


def _sum_of(order: VtexOrder, key: str) -> int:
    return sum(total.value for total in order.totals if _key(total.id) == key)


def _key(total_id: str | None) -> str:
    return (total_id or "").strip().lower()


def _total(goods: _Goods) -> int:
    return sum(goods.nets) + sum(extra.amount for extra in goods.extras)


def _money(cents: int) -> str:
    return format(from_cents(cents), "f")
