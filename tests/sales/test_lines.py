from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sales.checks import assert_exact
from tests.sales.orders import item, mapped, order, totals, weighed
from vtex_erp.errors import ParkError


def tag(name, value):
    return {"name": name, "value": value, "rawValue": value / 100}


def test_weight_goods_keep_the_price_per_kilo_and_the_exact_total():
    sales_order = mapped(order([weighed()]))
    line = sales_order.lines[0]
    assert (line.quantity, line.unit_of_measure, line.unit_price) == (Decimal("0.9"), "kg", Decimal("1.99"))
    assert (line.discount, line.total) == (0, Decimal("1.79"))
    assert '"quantity":"0.9"' in sales_order.to_json()
    assert_exact(sales_order, value=679)


def test_rounding_of_weight_goods_is_no_discount():
    # 1.99 * 0.9 = 1.791; VTEX may round its packs one by one to 3 * 0.60
    definition = {"total": 180, "sellingPrices": [{"value": 60, "quantity": 3}]}
    document = order(
        [weighed(priceDefinition=definition)],
        value=680,
        totals=totals(("Items", 180), ("Discounts", 0), ("Shipping", 500)),
    )
    sales_order = mapped(document)
    line = sales_order.lines[0]
    assert (line.discount, line.total) == (0, Decimal("1.80"))
    assert line.unit_price == Decimal("2.00")
    assert_exact(sales_order, value=680)


def test_the_discount_on_weight_goods_is_what_the_tags_take_off():
    # 1.99 * 0.9 rounds to 1.79, VTEX counted 1.80 and took off 0.20
    document = order(
        [weighed(priceDefinition={"total": 160}, priceTags=[tag("DISCOUNT@MARKETPLACE", -20)])],
        value=660,
        totals=totals(("Items", 180), ("Discounts", -20), ("Shipping", 500)),
    )
    sales_order = mapped(document)
    assert (sales_order.totals.items, sales_order.totals.discounts) == (Decimal("1.80"), Decimal("0.20"))
    assert_exact(sales_order, value=660)


@pytest.mark.parametrize(
    ("name", "taken_off"),
    [("discount@shipping-1#2", 0), ("DISCOUNT@SHIPPINGMARKETPLACE", 0), ("DISCOUNT@MARKETPLACE", 250)],
)
def test_only_tags_that_are_not_about_shipping_are_discounts(name, taken_off):
    line = item(price=1000, quantity=2)
    line |= {"priceTags": [tag(name, -250)], "priceDefinition": None, "sellingPrice": None}
    goods = 2000 - taken_off
    document = order([item()]) | {
        "items": [line],
        "value": goods,
        "totals": totals(("Items", 2000), ("Discounts", -taken_off)),
    }
    assert mapped(document).totals.discounts == Decimal(taken_off) / 100


def test_split_selling_prices_make_one_line():
    definition = {"sellingPrices": [{"value": 333, "quantity": 2}, {"value": 334, "quantity": 1}]}
    document = order([item(price=400, quantity=3, off=200)])
    document["items"][0]["priceDefinition"] = definition
    line = mapped(document).lines[0]
    assert (line.unit_price, line.discount, line.total) == (
        Decimal("4.00"),
        Decimal("2.00"),
        Decimal("10.00"),
    )


def test_price_definitions_is_read_like_price_definition():
    document = order([item(price=400, quantity=3, off=200)])
    document["items"][0]["priceDefinitions"] = document["items"][0].pop("priceDefinition")
    document["items"][0]["priceTags"] = None
    assert mapped(document).lines[0].total == Decimal("10.00")


def test_a_line_without_definition_is_read_from_price_and_tags():
    document = order([item(price=400, quantity=3, off=200), item(1)])
    document["items"][0]["priceDefinition"] = None
    assert mapped(document).lines[0].total == Decimal("10.00")


@pytest.mark.parametrize("tags", [True, False])
def test_chain_orders_whose_definition_follows_price(tags):
    document = order([item(price=1000, quantity=2, off=300)], origin="Chain")
    document["items"][0]["priceDefinition"] = {"total": 2000}
    if not tags:
        document["items"][0]["priceTags"] = []
    sales_order = mapped(document)
    assert sales_order.lines[0].total == Decimal("17.00")
    assert sales_order.lines[0].discount == Decimal("3.00")
    assert sales_order.source.origin == "Chain"
    assert_exact(sales_order, value=2200)


def test_a_gift_costs_nothing():
    sales_order = mapped(order([item(), item(1, price=100, off=100, isGift=True)]))
    gift = sales_order.lines[1]
    assert gift.is_gift
    assert (gift.unit_price, gift.discount, gift.total) == (Decimal("1.00"), Decimal("1.00"), 0)
    assert_exact(sales_order, value=1500)


def test_a_surcharge_raises_the_unit_price():
    document = order([item(price=1000, quantity=3, off=-100)])
    line = mapped(document).lines[0]
    assert line.discount == 0
    assert line.total == Decimal("31.00")
    assert line.unit_price == Decimal("10.333")
    assert_exact(mapped(document), value=3600)


def test_a_kit_lists_its_components_and_books_only_itself():
    component = item(7, price=489, quantity=5)
    sales_order = mapped(order([item(price=5868, quantity=2, components=[component])]))
    (part,) = sales_order.lines[0].components
    assert (part.sku, part.quantity, part.unit_of_measure) == ("507", 10, "un")
    assert not {"unit_price", "total"} & set(part.model_dump())
    assert_exact(sales_order, value=12236)


def test_the_same_sku_on_two_lines_and_an_option_of_another_line():
    child = item(2, parentItemIndex=0)
    sales_order = mapped(order([item(0), item(1, id="500"), child]))
    assert [line.line_id for line in sales_order.lines] == ["UID0000", "UID0001", "UID0002"]
    assert [line.sku for line in sales_order.lines] == ["500", "500", "502"]
    assert [line.parent_line_id for line in sales_order.lines] == [None, None, "UID0000"]


@pytest.mark.parametrize("unique_ids", [(None, None), ("", " "), ("A", "A")])
def test_lines_without_a_unique_id_are_known_by_index(unique_ids):
    items = [item(index, uniqueId=unique) for index, unique in enumerate(unique_ids)]
    ids = [line.line_id for line in mapped(order(items)).lines]
    assert len(set(ids)) == 2
    assert ids[1] == "item-1"


def test_an_article_without_sku_is_parked():
    with pytest.raises(ParkError, match=r"items\.0\.id") as caught:
        mapped(order([item(id=None)]))
    assert caught.value.cause == "order-malformed"


def test_an_amount_on_quantity_zero_is_parked():
    empty = item(quantity=0)
    empty["priceDefinition"] = {"total": 700}
    document = order([empty]) | {"value": 700, "totals": totals(("Items", 700))}
    with pytest.raises(ParkError, match="quantity 0") as caught:
        mapped(document)
    assert caught.value.cause == "totals-mismatch"
