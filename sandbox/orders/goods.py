"""Kinds that differ in what is sold and what it costs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sandbox.orders.lines import Line, make_line

if TYPE_CHECKING:
    from sandbox.orders.document import Draft


def plain(draft: Draft) -> None:
    """One line, with or without shipping."""
    line = make_line(draft.rng)
    line.shipping = draft.rng.choice((0, 990, 1871))
    draft.lines.append(line)


def several_lines(draft: Draft) -> None:
    """Two to six lines that share the shipping."""
    for _ in range(draft.rng.randint(2, 6)):
        line = make_line(draft.rng)
        line.shipping = draft.rng.choice((312, 313, 450))
        draft.lines.append(line)


def shipping_discount(draft: Draft) -> None:
    """Shipping is reduced; the price tag that says so is no part of the item's discount."""
    for _ in range(draft.rng.randint(1, 3)):
        line = make_line(draft.rng)
        line.shipping, line.shipping_discount = draft.rng.choice(((0, 3242), (500, 1490), (0, 48)))
        draft.lines.append(line)


def promotion(draft: Draft) -> None:
    """A discount that is the same for each unit of the line."""
    for _ in range(draft.rng.randint(1, 3)):
        line = make_line(draft.rng)
        line.discount = -line.price // 10 * line.quantity
        line.shipping, line.shipping_discount = draft.rng.choice(((990, 0), (0, 990)))
        draft.lines.append(line)
    draft.edits.append(_promotion_data)


def _promotion_data(document: dict[str, Any]) -> None:
    document["ratesAndBenefitsData"]["rateAndBenefitsIdentifiers"].append(
        {
            "description": "Dez por cento\tem tudo\n",
            "featured": True,
            "id": "b345d679-0000-4000-8000-000000000010",
            "name": "Dez por cento",
            "matchedParameters": {"paymentMethodId@Marketing": "4"},
            "additionalInfo": None,
        }
    )


def promotion_split(draft: Draft) -> None:
    """A discount that does not divide by the quantity: sellingPrices has two entries that add up."""
    line = make_line(draft.rng, quantity=3)
    line.discount = -100 - (line.gross - 101) % 3
    draft.lines.append(line)


def gift(draft: Draft) -> None:
    """A line that costs, and a gift whose price its price tag takes away."""
    plain(draft)
    present = make_line(draft.rng, price=100, quantity=1)
    present.discount, present.gift = -100, True
    draft.lines.append(present)


def kit(draft: Draft) -> None:
    """A kit with its components; their quantity is that in one kit, their prices make up the kit's."""
    prices = (draft.rng.randrange(500, 3000), draft.rng.randrange(500, 3000))
    line = make_line(draft.rng, price=prices[0] + 2 * prices[1], quantity=draft.rng.choice((1, 2)))
    off = prices[0] // 5 if draft.rng.random() < 0.5 else 0
    line.discount = -off * line.quantity
    line.components = [
        _component(f"{line.sku}1", prices[0], quantity=1, discount=off),
        _component(f"{line.sku}2", prices[1], quantity=2, discount=0),
    ]
    draft.lines.append(line)


def _component(sku: str, price: int, *, quantity: int, discount: int) -> dict[str, Any]:
    return {
        "uniqueId": f"C{sku:0>31}",
        "id": sku,
        "productId": None,
        "ean": None,
        "lockId": None,
        "quantity": quantity,
        "seller": None,
        "name": f"Componente {sku}",
        "refId": f"REF-{sku}",
        "price": price,
        "listPrice": None,
        "sellingPrice": price - discount,
        "priceTags": [],
        "measurementUnit": "un",
        "unitMultiplier": 1.0,
        "isGift": False,
        "tax": 0,
        "components": [],
        "bundleItems": [],
    }


def weight(draft: Draft) -> None:
    """Goods by weight; the first line is VTEX's own example (199 times 0.3 times 3 is 179)."""
    draft.lines.append(Line("1001669", "Queijo Modelo", 199, 3, Decimal("0.3"), "kg"))
    for _ in range(draft.rng.randint(0, 2)):
        line = make_line(draft.rng, quantity=draft.rng.randint(1, 7))
        line.multiplier, line.unit = Decimal(draft.rng.choice(("0.1", "0.35", "2.5"))), "kg"
        line.discount = -draft.rng.randrange(0, line.gross // 3)
        draft.lines.append(line)


def same_sku(draft: Draft) -> None:
    """The same SKU on two lines, once at its price and once reduced."""
    line = make_line(draft.rng, quantity=1)
    reduced = Line(line.sku, line.name, line.price, 1, discount=-line.price // 2)
    draft.lines += [line, reduced]


def gift_wrapping(draft: Draft) -> None:
    """Gift wrapping as a service on the line, priced or free; its price is in the Items total."""
    plain(draft)
    draft.lines[0].bundle = [
        {
            "id": "5",
            "productId": None,
            "name": "Embalagem para presente",
            "price": draft.rng.choice((0, 500)),
            "sellingPrice": 0,
            "quantity": 1,
            "type": "GiftWrapping",
            "priceTags": [],
            "isGift": False,
            "tax": 0,
            "components": [],
            "bundleItems": [],
        }
    ]
    draft.lines[0].bundle[0]["sellingPrice"] = draft.lines[0].bundle[0]["price"]


def assembly(draft: Draft) -> None:
    """A dish with extras, each an item of its own that points to its parent; one extra is also sold alone."""
    pizza, cheese = make_line(draft.rng, price=4500, quantity=1), make_line(draft.rng, price=300, quantity=2)
    pizza.edits["assemblies"] = [{"id": "extras", "inputValues": {"note": "sem cebola"}, "parentAssemblyBinding": None}]
    cheese.edits |= {"parentItemIndex": 0, "parentAssemblyBinding": "extras"}
    draft.lines += [pizza, cheese, Line(cheese.sku, cheese.name, 300)]


def tax(draft: Draft) -> None:
    """Tax on top of the price; on the line of three the units' tax does not add up to the line's."""
    for quantity, line_tax in ((1, 165), (3, 644)):
        line = make_line(draft.rng, price=599, quantity=quantity)
        line.tax = line_tax
        draft.lines.append(line)


def zero_value(draft: Draft) -> None:
    """Everything is free, so there is no payment."""
    line = make_line(draft.rng, quantity=1)
    line.discount = -line.price
    draft.lines.append(line)
    draft.edits.append(_no_payment)


def _no_payment(document: dict[str, Any]) -> None:
    transaction = document["paymentData"]["transactions"][0]
    transaction["transactionId"] = "NO-PAYMENT"
    transaction["payments"] = []


def huge(draft: Draft) -> None:
    """Five hundred lines with long collections of ids: a document of about a megabyte."""
    clusters = ",".join(str(number) for number in range(1000, 1250))
    for _ in range(500):
        line = make_line(draft.rng)
        line.shipping = 17
        draft.lines.append(line)
    draft.edits.append(lambda document: _add_clusters(document, clusters))


def _add_clusters(document: dict[str, Any], clusters: str) -> None:
    for item in document["items"]:
        item["additionalInfo"]["productClusterId"] = clusters


def no_items(draft: Draft) -> None:
    """An order without items, as VTEX makes for a paused seller (known issue 1350336)."""
    draft.edits.append(_no_payment)
