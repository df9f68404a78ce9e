from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from tests.sales.orders import item, order
from vtex_erp.errors import ParkError
from vtex_erp.vtex.schemas import VtexOrder

ORDERS = Path(__file__).parents[3] / "shared" / "vtex" / "orders"


def read(**changed):
    return VtexOrder.from_json(json.dumps(order() | changed))


def test_what_real_documents_bring_is_accepted():
    vtex_order = read(
        sequence=100334839,
        marketplaceOrderId=None,
        value=1500.0,
        status="a-status-of-tomorrow",
        totals=[{"id": None, "value": "1500"}],
        packageAttachment={"packages": None, "sellers": [], "hostname": "nested wrongly"},
        itemMetadata={"Items": [{"Ean": None}]},
        clientProfileData=None,
        paymentData={"transactions": None, "giftCards": None},
        shippingData={"logisticsInfo": None, "address": {"number": 14, "geoCoordinates": []}},
    )
    assert (vtex_order.sequence, vtex_order.value, vtex_order.status) == (
        "100334839",
        1500,
        "a-status-of-tomorrow",
    )
    assert vtex_order.shipping_data is not None
    assert vtex_order.shipping_data.address is not None
    assert vtex_order.shipping_data.address.number == "14"
    assert vtex_order.payment_data is not None
    assert vtex_order.payment_data.transactions == ()
    assert vtex_order.totals[0].value == 1500


def test_an_order_without_the_key_items_is_broken_not_empty():
    document = order()
    del document["items"]
    with pytest.raises(ParkError, match=r"cannot be read: items\.") as caught:
        VtexOrder.from_json(json.dumps(document))
    assert caught.value.cause == "order-malformed"


def test_unknown_fields_are_kept_and_casing_is_free():
    upper = {key[0].upper() + key[1:]: value for key, value in order(novelty={"a": 1}).items()}
    vtex_order = VtexOrder.from_json(json.dumps(upper))
    assert vtex_order.order_id == "1409990000001-01"
    assert vtex_order.model_extra == {"Novelty": {"a": 1}}


def test_numbers_are_read_exactly_as_written():
    text = json.dumps(order())
    text = text.replace('"unitMultiplier": 1.0', '"unitMultiplier": 0.30000000000000001')
    assert VtexOrder.from_json(text).items[0].unit_multiplier == Decimal("0.30000000000000001")


@pytest.mark.parametrize("multiplier", [None, 1, 1.0])
def test_a_missing_multiplier_is_one(multiplier):
    assert read(items=[item(unitMultiplier=multiplier)]).items[0].unit_multiplier == 1


@pytest.mark.parametrize("definition", ["priceDefinition", "priceDefinitions"])
def test_the_price_definition_has_two_names(definition):
    line = item()
    line[definition] = line.pop("priceDefinition")
    found = read(items=[line]).items[0].definition
    assert found is not None
    assert found.total == 1000


@pytest.mark.parametrize(
    ("changed", "path"),
    [
        ({"value": 100.5}, "value"),
        ({"value": None}, "value"),
        ({"value": True}, "value"),
        ({"value": "15.00"}, "value"),
        ({"value": 2**63}, "value"),
        ({"items": [item() | {"price": "secret"}]}, "items.0.price"),
        ({"items": [item(), item() | {"quantity": 1.5}]}, "items.1.quantity"),
        ({"items": [item() | {"quantity": -1}]}, "items.0.quantity"),
        ({"items": [item() | {"quantity": None}]}, "items.0.quantity"),
        ({"items": [item(unitMultiplier=0)]}, "items.0.unitMultiplier"),
        ({"items": [item(unitMultiplier="0.3")]}, "items.0.unitMultiplier"),
        ({"items": [item(priceDefinition={"total": 1.25})]}, "items.0.priceDefinition.total"),
        ({"items": "secret"}, "items"),
        ({"creationDate": "secret"}, "creationDate"),
        ({"clientProfileData": ["secret"]}, "clientProfileData"),
        ({"clientProfileData": {"firstName": {"secret": 1}}}, "clientProfileData.firstName"),
    ],
)
def test_what_would_have_to_be_guessed_is_parked_by_path(changed, path):
    with pytest.raises(ParkError) as caught:
        read(**changed)
    message = str(caught.value)
    assert caught.value.cause == "order-malformed"
    assert f"cannot be read: {path}." in message
    assert "1409990000001-01" in message
    assert "secret" not in message
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "<html>",
        "[]",
        "null",
        '{"orderId": 1.5',
        '{"value": NaN}',
        "[" * 100_000,
        '{"value": 1e999999999}',
        b"\xff",
    ],
)
def test_what_is_no_order_is_parked(text):
    with pytest.raises(ParkError) as caught:
        VtexOrder.from_json(text)
    assert caught.value.cause == "order-malformed"


def test_text_that_was_cut_inside_an_emoji_can_be_sent_on():
    vtex_order = read(clientProfileData={"firstName": "Zoë \U0001f381 \ud83c"})
    assert vtex_order.client_profile_data is not None
    assert vtex_order.client_profile_data.first_name == "Zoë \U0001f381 \ufffd"


@pytest.mark.skipif(not ORDERS.is_dir(), reason="the real orders are not part of the repository")
def test_every_real_order_is_read():
    read_ids = {VtexOrder.from_json(path.read_bytes()).order_id for path in ORDERS.glob("*.json")}
    assert len(read_ids) == len(list(ORDERS.glob("*.json"))) > 0
