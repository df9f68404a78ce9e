"""The kinds of orders: what each one has that a mapper may trip over."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.orders import broken, goods, logistics, sales

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.orders.document import Draft


@dataclass(frozen=True)
class Kind:
    """One kind. `weight` is its share of the default mix, `siblings` the orders that one purchase makes.

    `order_id` is a format; orders that are not `grouped` have no orderGroup. A `poison` order can only be
    parked: no mapper can make a right sales order of it.
    """

    shape: Callable[[Draft], None]
    weight: int = 0
    siblings: int = 1
    status: str | None = "ready-for-handling"
    order_id: str = "{number}-{position:02d}"
    grouped: bool = True
    poison: bool = False


KINDS: dict[str, Kind] = {
    # What most orders of real stores are
    "plain": Kind(goods.plain, weight=38),
    "several-lines": Kind(goods.several_lines, weight=14),
    "shipping-discount": Kind(goods.shipping_discount, weight=18),
    "promotion": Kind(goods.promotion, weight=14),
    "gift": Kind(goods.gift, weight=4),
    "two-payments": Kind(sales.two_payments, weight=2),
    "corporate": Kind(sales.corporate, weight=2),
    "pickup": Kind(logistics.pickup, weight=2),
    "kit": Kind(goods.kit, weight=2),
    "promotion-split": Kind(goods.promotion_split, weight=1),
    "split-group": Kind(goods.several_lines, weight=1, siblings=2),
    "marketplace": Kind(sales.marketplace, weight=1, order_id="MLC-{short}", grouped=False),
    # Goods and their money
    "weight": Kind(goods.weight),
    "same-sku": Kind(goods.same_sku),
    "gift-wrapping": Kind(goods.gift_wrapping),
    "assembly": Kind(goods.assembly),
    "tax": Kind(goods.tax),
    "zero-value": Kind(goods.zero_value),
    "huge": Kind(goods.huge),
    "no-items": Kind(goods.no_items),
    # The sale
    "gift-card": Kind(sales.gift_card),
    "loyalty-wallet": Kind(sales.loyalty_wallet),
    "interest": Kind(sales.interest),
    "franchise": Kind(sales.franchise),
    "chain": Kind(sales.chain, order_id="FRN-{number}-{position:02d}"),
    "repeated-total": Kind(sales.repeated_total),
    "surcharge": Kind(sales.surcharge),
    "changed": Kind(sales.changed),
    "pesos": Kind(sales.pesos),
    "no-decimals": Kind(sales.no_decimals),
    "subscription": Kind(sales.subscription),
    "custom-data": Kind(sales.custom_data),
    # Shoppers
    "alias-readable": Kind(sales.alias_readable),
    "alias-hashed": Kind(sales.alias_hashed),
    "blank-names": Kind(sales.blank_names),
    "no-document": Kind(sales.no_document),
    # Delivery
    "many-deliveries": Kind(logistics.many_deliveries),
    "bare-logistics": Kind(logistics.bare),
    # Odd forms of good orders
    "sequence-id": Kind(goods.plain, order_id="v{sequence}{account}-{position:02d}"),
    "odd-id": Kind(goods.plain, order_id="SCP-{number}/é {position}%2F", grouped=False),
    "date-forms": Kind(broken.date_forms),
    "reserialised": Kind(broken.reserialised),
    "package": Kind(broken.package),
    # Other statuses
    "payment-pending": Kind(goods.plain, status="payment-pending"),
    "canceled": Kind(broken.canceled, status="canceled"),
    "incomplete": Kind(goods.plain, status=None),
    # Beyond help
    "masked": Kind(broken.masked, poison=True),
    "totals-mismatch": Kind(broken.totals_mismatch, poison=True),
    "malformed-items-missing": Kind(broken.items_missing, poison=True),
    "malformed-items-type": Kind(broken.items_type, poison=True),
    "malformed-value": Kind(broken.value_type, poison=True),
}
POISON_KINDS = frozenset(name for name, kind in KINDS.items() if kind.poison)
