from __future__ import annotations

from decimal import Decimal

import pytest

from tests.sales.checks import assert_exact
from tests.sales.orders import item, mapped, order, totals, weighed
from vtex_erp.errors import ParkError


def tax_tag(value):
    return {"name": "tax@price-1#2", "value": value, "rawValue": value / 100, "isPercentual": False}


def taxed(amount, **fields):
    return order(
        [item(price=599, quantity=3, **fields)],
        value=1797 + amount,
        totals=totals(("Items", 1797), ("Discounts", 0), ("Tax", amount)),
    )


@pytest.mark.parametrize(
    ("fields", "tax", "line_tax", "charges"),
    [
        ({"priceTags": [tax_tag(494), tax_tag(150)], "tax": 215}, 644, "6.44", []),
        ({"tax": 215}, 645, "6.45", []),
        ({"tax": 645}, 645, "6.45", []),
        ({"tax": 215}, 700, "0.00", [("Tax", "7.00")]),
        ({"tax": 215}, 0, "0.00", []),
    ],
    ids=["tags of the line", "per unit", "per line", "unexplained stays one charge", "not charged"],
)
def test_tax_goes_to_the_line_that_explains_it(fields, tax, line_tax, charges):
    sales_order = mapped(taxed(tax, **fields))
    assert sales_order.lines[0].tax == Decimal(line_tax)
    assert sales_order.lines[0].total == Decimal("17.97")
    assert [(charge.id, str(charge.amount)) for charge in sales_order.charges] == charges
    assert_exact(sales_order, value=1797 + tax)


def test_totals_that_repeat_or_are_unknown_become_charges():
    entries = totals(
        ("Items", 400),
        ("Items", 600),
        ("Shipping", 500),
        ("CustomTax", 30),
        ("CustomTax", 12),
        ("Change", -142),
    )
    sales_order = mapped(order(value=1400, totals=entries))
    assert [(charge.id, str(charge.amount)) for charge in sales_order.charges] == [
        ("CustomTax", "0.30"),
        ("CustomTax", "0.12"),
        ("Change", "-1.42"),
    ]
    assert sales_order.charges[2].name == "Total Change"
    assert sales_order.totals.other == Decimal("-1.00")
    assert_exact(sales_order, value=1400)


def wrapping(price, **fields):
    return item(9, price=price, name="Gift wrapping", priceDefinition=None, **fields)


@pytest.mark.parametrize(
    ("entries", "charges"),
    [
        ([("Items", 2300)], [("509", "3.00", "UID0000")]),
        ([("Items", 2600)], [("509", "6.00", "UID0000")]),
        ([("Items", 2000), ("Services", 300)], [("Services", "3.00", None)]),
        ([("Items", 2000)], []),
    ],
    ids=["once in Items", "for each unit in Items", "in a total of its own", "not charged"],
)
def test_a_service_is_charged_exactly_once(entries, charges):
    value = sum(amount for _, amount in entries)
    document = order([item(quantity=2, bundleItems=[wrapping(300)])], value=value, totals=totals(*entries))
    sales_order = mapped(document)
    assert [(c.id, str(c.amount), c.line_id) for c in sales_order.charges] == charges
    assert_exact(sales_order, value=value)


def test_a_discount_that_no_line_carries_is_a_charge_of_the_order():
    document = order(value=1300, totals=totals(("Items", 1000), ("Discounts", -200), ("Shipping", 500)))
    sales_order = mapped(document)
    assert [(charge.id, charge.amount) for charge in sales_order.charges] == [("Discounts", Decimal("-2.00"))]
    assert sales_order.totals.discounts == 0
    assert_exact(sales_order, value=1300)


@pytest.mark.parametrize("where", ["value", "lines"])
@pytest.mark.parametrize("error", [3, -3])
def test_vtex_own_rounding_error_becomes_a_charge(where, error):
    items = 1000 if where == "value" else 1003
    document = order(value=1503, roundingError=error, totals=totals(("Items", items), ("Shipping", 500)))
    sales_order = mapped(document)
    assert [(charge.id, charge.amount) for charge in sales_order.charges] == [("roundingError", Decimal("0.03"))]
    assert_exact(sales_order, value=1503)


@pytest.mark.parametrize(("items", "parked"), [(178, False), (180, False), (181, True)])
def test_a_cent_is_left_over_only_for_weight_goods_without_definition(items, parked):
    document = order([weighed()], value=items, totals=totals(("Items", items)))
    document["items"][0] |= {"priceDefinition": None, "sellingPrice": None}
    if parked:
        with pytest.raises(ParkError):
            mapped(document)
        return
    assert mapped(document).charges[0].id == "roundingError"
    assert_exact(mapped(document), value=items)


@pytest.mark.parametrize(
    ("changed", "equation"),
    [
        (
            {"value": 1499},
            "value 14.99 is not Items 10.00 + Discounts 0.00 + Shipping 5.00 + Tax 0.00 = 15.00",
        ),
        (
            {"value": 1501, "totals": totals(("Items", 1001), ("Shipping", 500))},
            "lines 10.00 + services 0.00 is not Items 10.01 + Discounts 0.00 = 10.01",
        ),
        ({"totals": None}, "value 15.00 is not no totals = 0.00"),
    ],
)
def test_what_cannot_be_proven_is_parked_with_its_equation(changed, equation):
    with pytest.raises(ParkError) as caught:
        mapped(order(**changed))
    assert caught.value.cause == "totals-mismatch"
    assert equation in str(caught.value)
    assert "1409990000001-01" in str(caught.value)


def test_a_line_without_any_price_is_parked():
    nameless = item(price=1000)
    document = order([nameless])
    nameless |= {"price": None, "sellingPrice": None, "priceDefinition": None}
    with pytest.raises(ParkError, match="lines without a price") as caught:
        mapped(document)
    assert caught.value.cause == "totals-mismatch"


def test_a_free_order():
    document = order([item(off=1000)], value=0, totals=totals(("Items", 1000), ("Discounts", -1000)))
    document["paymentData"] = {"transactions": [{"transactionId": "NO-PAYMENT", "payments": []}]}
    assert_exact(mapped(document), value=0)
