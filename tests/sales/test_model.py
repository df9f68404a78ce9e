from __future__ import annotations

import json
import re

import jsonschema

from tests.sales.orders import item, mapped, order, weighed
from vtex_erp.sales.model import SalesOrder


def test_a_sales_order_is_valid_against_the_schema():
    sales_order = mapped(order([weighed(), item(1, off=30)]))
    jsonschema.validate(json.loads(sales_order.to_json()), SalesOrder.model_json_schema(mode="serialization"))


def test_json_is_canonical_and_comes_back():
    first, second = mapped(order([weighed()])), mapped(order([weighed()]))
    assert first.to_json() == second.to_json()
    assert SalesOrder.from_json(first.to_json()) == first
    assert SalesOrder.from_json(first.to_json()).digest == first.digest
    assert re.fullmatch("[0-9a-f]{64}", first.digest)
    assert mapped(order([item()])).digest != first.digest


def test_numbers_are_plain_decimal_strings():
    text = mapped(order([item(price=10**11, quantity=10**6)])).to_json()
    line = json.loads(text)["lines"][0]
    assert (line["quantity"], line["unit_price"]) == ("1000000", "1000000000.00")
    assert line["total"] == "1000000000000000.00"
    assert not re.search(r"\d[eE][+-]?\d", text.replace("store:1409990000001-01", ""))
