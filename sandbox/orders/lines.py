"""Order lines and their money. All amounts are integer cents, rounded half up as VTEX does."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING, Any

from sandbox.orders.people import guid

if TYPE_CHECKING:
    import random

NOUNS = ("Camiseta", "Caneca", "Tênis", "Mochila", "Boné", "Luminária", "Cadeira", "Garrafa")


@dataclass
class Line:
    """One line of an order. `discount` (0 or less), `tax` and `shipping` are for the whole line.

    `shipping` is what the shopper pays; `shipping_discount` came off before, and stands in a price tag
    that is no part of the item's discount.
    """

    sku: str
    name: str
    price: int
    quantity: int = 1
    multiplier: Decimal = Decimal("1.0")
    unit: str = "un"
    discount: int = 0
    discount_tag: str = "DISCOUNT@MARKETPLACE"
    shipping: int = 0
    shipping_discount: int = 0
    tax: int = 0
    gift: bool = False
    seller: str = "1"
    sla: str = "Expressa"
    dock: str = "1"
    channel: str = "delivery"
    address_number: int = 0
    components: list[dict[str, Any]] = field(default_factory=list)
    bundle: list[dict[str, Any]] = field(default_factory=list)
    edits: dict[str, Any] = field(default_factory=dict)

    @property
    def gross(self) -> int:
        """Price times quantity times unit multiplier."""
        exact = Decimal(self.price) * self.quantity * self.multiplier
        return int(exact.quantize(Decimal(1), ROUND_HALF_UP))

    @property
    def net(self) -> int:
        """Gross less the discount; what priceDefinition.total says."""
        return self.gross + self.discount

    @property
    def services(self) -> int:
        """Price of the services on the line, such as gift wrapping."""
        return sum(each["price"] * each["quantity"] for each in self.bundle)


def make_line(rng: random.Random, *, price: int | None = None, quantity: int | None = None) -> Line:
    """Invent a line."""
    sku = rng.randrange(100, 20_000)
    amount = rng.randrange(990, 60_000, 10) if price is None else price
    name = f"{NOUNS[sku % len(NOUNS)]} Modelo {sku}"
    return Line(str(sku), name, amount, rng.choice((1, 1, 1, 2, 3)) if quantity is None else quantity)


def selling_prices(total: int, quantity: int) -> list[dict[str, int]]:
    """Spread a line's total over its units so that it adds up: 179 for 3 is 60 twice and 59 once."""
    unit, left = divmod(total, quantity)
    split = [{"value": unit + 1, "quantity": left}] if left else []
    return [*split, {"value": unit, "quantity": quantity - left}]


def item(line: Line, rng: random.Random, *, lock_id: str | None) -> dict[str, Any]:
    """Render the line as one of the document's items."""
    prices = selling_prices(line.net, line.quantity)
    unit_price = prices[-1]["value"]
    number = int(line.sku) if line.sku.isdigit() else 0
    document: dict[str, Any] = {
        "uniqueId": f"{rng.getrandbits(128):032X}",
        "id": line.sku,
        "productId": str(number // 10 + 1),
        "ean": f"789{number:010d}" if number % 2 else None,
        "lockId": lock_id,
        "itemAttachment": {"content": {}, "name": None},
        "attachments": [],
        "quantity": line.quantity,
        "seller": line.seller,
        "name": line.name,
        "refId": f"REF-{line.sku}",
        "price": line.price,
        "listPrice": line.price,
        "manualPrice": None,
        "manualPriceAppliedBy": None,
        "priceTags": price_tags(line, rng),
        "imageUrl": f"https://sandboxstore.example/arquivos/ids/{line.sku}.jpg",
        "detailUrl": f"/{line.sku}/p",
        "components": line.components,
        "bundleItems": line.bundle,
        "params": [],
        "offerings": [],
        "attachmentOfferings": [],
        "sellerSku": line.sku,
        "priceValidUntil": None,
        "commission": 0,
        "tax": (2 * line.tax + line.quantity) // (2 * line.quantity),
        "preSaleDate": None,
        "additionalInfo": additional_info(number),
        "measurementUnit": line.unit,
        "unitMultiplier": float(line.multiplier),
        "sellingPrice": unit_price,
        "isGift": line.gift,
        "shippingPrice": None,
        "rewardValue": 0,
        "freightCommission": 0,
        "priceDefinition": {
            "sellingPrices": prices,
            "calculatedSellingPrice": unit_price,
            "total": line.net,
            "reason": None,
        },
        "taxCode": f"{number % 10**8:08d}",
        "parentItemIndex": None,
        "parentAssemblyBinding": None,
        "callCenterOperator": None,
        "serialNumbers": None,
        "assemblies": [],
        "costPrice": line.price // 2,
    }
    document.update(line.edits)
    return document


def price_tags(line: Line, rng: random.Random) -> list[dict[str, Any]]:
    """Render the line's price tags: its discount, its shipping's discount, its tax."""
    tags = []
    if line.discount:
        tags.append(_tag(line.discount_tag, line.discount))
    if line.shipping_discount:
        promotion = guid(rng)
        name = f"discount@shipping-{promotion}#{guid(rng)}"
        tags.append(_tag(name, -line.shipping_discount, identifier=promotion))
    if line.tax:
        tax = guid(rng)
        tags.append(_tag(f"tax@price-{tax}#{guid(rng)}", line.tax, identifier=tax))
    return tags


def _tag(name: str, value: int, *, identifier: str | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "value": value,
        "isPercentual": False,
        "identifier": identifier,
        "rawValue": value / 100,
        "rate": None,
        "jurisCode": None,
        "jurisType": None,
        "jurisName": None,
    }


def additional_info(number: int) -> dict[str, Any]:
    """Render the catalogue's part of an item."""
    return {
        "brandName": "Marca Modelo",
        "brandId": "2000001",
        "categoriesIds": "/1/4/",
        "categories": [{"id": 4, "name": "Amostras"}, {"id": 1, "name": "Exemplos"}],
        "productClusterId": "141,142,143",
        "commercialConditionId": "1",
        "dimension": {
            "cubicweight": 1.9,
            "height": 10.0,
            "length": 20.0,
            "weight": float(100 + number % 900),
            "width": 15.0,
        },
        "offeringInfo": None,
        "offeringType": None,
        "offeringTypeId": None,
    }
