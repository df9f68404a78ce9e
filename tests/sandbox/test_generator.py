from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from sandbox.orders import KINDS, POISON_KINDS, generate, plan

BROKEN_MONEY = POISON_KINDS - {"masked"}
SOUND = sorted(KINDS.keys() - BROKEN_MONEY)


def documents(kind: str, count: int = 8) -> list[dict[str, Any]]:
    return [each.document for each in generate(count, seed=5, kinds=[kind])]


def totals(document: dict[str, Any], *names: str) -> int:
    return sum(total["value"] for total in document["totals"] if total["id"] in names)


def price_definition(item: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = item.get("priceDefinition") or item["priceDefinitions"]
    return found


def tags(item: dict[str, Any], word: str) -> int:
    return sum(tag["value"] for tag in item["priceTags"] if word in tag["name"].lower())


@pytest.mark.parametrize("kind", SOUND)
def test_the_money_adds_up(kind: str):
    for document in documents(kind):
        items = document["items"]
        shipping = document["shippingData"]["logisticsInfo"]
        services = sum(each["price"] * each["quantity"] for item in items for each in item["bundleItems"])
        assert document["value"] == sum(total["value"] for total in document["totals"])
        assert totals(document, "Shipping") == sum(each["price"] for each in shipping)
        assert totals(document, "Tax") == sum(tags(item, "tax@") for item in items)
        assert totals(document, "Discounts") == sum(
            tags(item, "") - tags(item, "shipping") - tags(item, "tax@") for item in items
        )
        if kind != "chain":
            definitions = [price_definition(item) for item in items]
            net = sum(each["total"] for each in definitions)
            assert totals(document, "Items", "Discounts") == net + services
            for definition in definitions:
                assert definition["total"] == sum(
                    each["value"] * each["quantity"] for each in definition["sellingPrices"]
                )


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_is_json_and_the_same_again(kind: str):
    again = json.loads(json.dumps(documents(kind, 4)))
    assert again == documents(kind, 4)
    assert len({each["orderId"] for each in again}) == 4
    assert {each["hostname"] for each in again} == {"sandboxstore"}


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_plan_knows_the_head_of_its_document(kind: str):
    for planned in plan(3, 9, kinds=[kind], account="mystore"):
        document = planned.document()
        assert document["orderId"] == planned.order_id
        assert document["orderGroup"] == planned.group
        assert document["sequence"] == planned.sequence
        assert document["status"] == planned.status
        assert document["hostname"] == "mystore"
        assert (document["authorizedDate"] is None) == (planned.authorized_at is None)


def test_the_seed_decides():
    assert generate(20, seed=1) == generate(20, seed=1)
    assert {each.document["orderId"] for each in generate(20, seed=1)}.isdisjoint(
        each.document["orderId"] for each in generate(20, seed=2)
    )


def test_the_default_mix_is_mostly_plain_and_discounted():
    counts = Counter(each.kind for each in plan(4000, 1))
    assert sum(counts[kind] for kind in ("plain", "shipping-discount", "promotion", "several-lines")) > 3000
    assert not POISON_KINDS & counts.keys()


def test_kinds_are_taken_in_turn():
    assert [each.kind for each in generate(4, seed=1, kinds=["gift", "kit"])] == ["gift", "kit", "gift", "kit"]
    assert generate(0, seed=1) == []


def test_vtexs_own_rounding_example():
    item = documents("weight")[0]["items"][0]
    assert (item["price"], item["unitMultiplier"], item["quantity"]) == (199, 0.3, 3)
    assert item["priceDefinition"]["sellingPrices"] == [{"value": 60, "quantity": 2}, {"value": 59, "quantity": 1}]
    assert item["sellingPrice"] * 3 == 177
    assert item["priceDefinition"]["total"] == 179


def test_siblings_share_the_payment_of_the_whole_purchase():
    first, second = documents("split-group", 2)
    assert first["orderGroup"] == second["orderGroup"]
    assert first["paymentData"] == second["paymentData"]
    [payment] = first["paymentData"]["transactions"][0]["payments"]
    assert payment["value"] == first["value"] + second["value"]
    assert first["clientProfileData"]["document"] == second["clientProfileData"]["document"]
    assert first["clientProfileData"]["email"] != second["clientProfileData"]["email"]
    assert first["itemMetadata"] == second["itemMetadata"]


def test_payments_cover_the_value_unless_the_kind_says_otherwise():
    for kind in sorted(KINDS.keys() - BROKEN_MONEY - {"split-group", "interest", "changed", "zero-value", "no-items"}):
        for document in documents(kind, 3):
            payments = document["paymentData"]["transactions"][0]["payments"]
            assert sum(payment["value"] for payment in payments) == document["value"], kind


def test_a_kits_components_make_up_its_price():
    for document in documents("kit"):
        [item] = document["items"]
        for name in ("price", "sellingPrice"):
            assert sum(each[name] * each["quantity"] for each in item["components"]) == item[name]


def has(kind: str) -> list[Any]:
    """What a kind is there for, one value for each document; every one must be true."""
    return [_TRAITS[kind](document) for document in documents(kind)]


_TRAITS: dict[str, Any] = {
    "shipping-discount": lambda each: tags(each["items"][0], "shipping") < 0 == totals(each, "Discounts"),
    "promotion-split": lambda each: len(each["items"][0]["priceDefinition"]["sellingPrices"]) == 2,
    "gift": lambda each: (each["items"][1]["isGift"], each["items"][1]["sellingPrice"]) == (True, 0),
    "same-sku": lambda each: each["items"][0]["id"] == each["items"][1]["id"],
    "assembly": lambda each: each["items"][1]["parentItemIndex"] == 0,
    "tax": lambda each: each["items"][1]["tax"] * 3 != tags(each["items"][1], "tax@") == 644,
    "zero-value": lambda each: each["value"] == 0 and not each["paymentData"]["transactions"][0]["payments"],
    "huge": lambda each: len(each["items"]) == 500,
    "no-items": lambda each: each["items"] == [],
    "gift-card": lambda each: each["paymentData"]["giftCards"][0]["inUse"],
    "loyalty-wallet": lambda each: each["paymentData"]["giftCards"][0]["id"] == each["clientProfileData"]["document"],
    "two-payments": lambda each: len(each["paymentData"]["transactions"][0]["payments"]) == 2,
    "interest": lambda each: each["paymentData"]["transactions"][0]["payments"][0]["value"] > each["value"],
    "marketplace": lambda each: each["orderGroup"] is each["sellerOrderId"] is each["orderFormId"] is None,
    "franchise": lambda each: each["marketplaceServicesEndpoint"] is None and each["items"][0]["seller"] != "1",
    "chain": lambda each: each["items"][0]["priceDefinition"]["total"] > totals(each, "Items", "Discounts"),
    "repeated-total": lambda each: [total["id"] for total in each["totals"]].count("CustomTax") == 2,
    "surcharge": lambda each: totals(each, "MarketplaceSurcharge") > 0,
    "changed": lambda each: totals(each, "Change") == -each["changesAttachment"]["changesData"][0]["discountValue"] < 0,
    "pesos": lambda each: each["storePreferencesData"]["currencyCode"] == "COP",
    "no-decimals": lambda each: each["value"] % 100 == 0,
    "subscription": lambda each: isinstance(
        each["subscriptionData"]["Subscriptions"][0]["PriceAtSubscriptionDate"], float
    ),
    "custom-data": lambda each: each["openTextField"] == {"value": None},
    "corporate": lambda each: each["clientProfileData"]["isCorporate"],
    "alias-readable": lambda each: each["clientProfileData"]["email"].endswith("b.ct.vtex.com.br"),
    "alias-hashed": lambda each: each["clientProfileData"]["email"].endswith("@ct.vtex.com.br"),
    "blank-names": lambda each: not each["clientProfileData"]["firstName"].strip(),
    "no-document": lambda each: not each["clientProfileData"]["document"],
    "pickup": lambda each: each["shippingData"]["logisticsInfo"][0]["pickupStoreInfo"]["isPickupStore"],
    "bare-logistics": lambda each: each["shippingData"]["logisticsInfo"][0]["deliveryIds"] == [],
    "many-deliveries": lambda each: len(each["shippingData"]["selectedAddresses"]) == 2,
    "reserialised": lambda each: "priceDefinition" not in each["items"][0],
    "package": lambda each: each["packageAttachment"]["packages"][0]["invoiceValue"] == 0,
    "incomplete": lambda each: each["status"] is None and each["isCompleted"] is False,
    "masked": lambda each: "*" in each["clientProfileData"]["firstName"],
    "totals-mismatch": lambda each: each["value"] != sum(total["value"] for total in each["totals"]),
    "malformed-items-missing": lambda each: "items" not in each,
    "malformed-items-type": lambda each: isinstance(each["items"], str),
    "malformed-value": lambda each: isinstance(each["value"], str),
}


@pytest.mark.parametrize("kind", sorted(_TRAITS))
def test_every_kind_has_what_it_is_there_for(kind: str):
    assert all(has(kind))


def test_some_deliveries_are_out_of_order():
    orders = [
        [each["itemIndex"] for each in document["shippingData"]["logisticsInfo"]]
        for document in documents("many-deliveries", 20)
    ]
    assert any(order != sorted(order) for order in orders)


def test_dates_come_in_all_forms():
    dates = [document["creationDate"] for document in documents("date-forms", 60)]
    assert {len(date.split(".")[1].rstrip("Z").split("-")[0]) for date in dates if "." in date} == {3, 6, 7}
    assert any("." not in date for date in dates)
    assert {date[-1] for date in dates} == {"Z", "0"}
