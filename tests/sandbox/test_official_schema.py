"""The simulator's answers against VTEX's published schema, where the schema is at hand and right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from sandbox.orders import KINDS, POISON_KINDS, generate
from tests.sandbox.calls import ORDERS, READY, call, get_order, one_order, order_path, read, start_handling

if TYPE_CHECKING:
    from sandbox.client import Sandbox

SCHEMA = Path(__file__).resolve().parents[3] / "shared" / "vtex" / "openapi" / "orders-subset.json"
pytestmark = pytest.mark.skipif(not SCHEMA.is_file(), reason="the official schema is not part of the repository")

# Deliberate: real orders have these nulls (183 of them were measured), though the schema has none.
REALLY_NULL = {
    "clientPreferencesData type",
    "clientProfileData.document type",
    "itemMetadata.Items.[].Ean type",
    "items.[].costPrice type",
    "items.[].lockId type",
    "items.[].refId type",
    "marketplaceServicesEndpoint type",
    "openTextField.value type",
    "orderFormId type",
    "orderGroup type",
    "packageAttachment.packages.[].volumes type",
    "paymentData.giftCards.[].redemptionCode type",
    "paymentData.transactions.[].merchantName type",
    "paymentData.transactions.[].payments.[].group enum",
    "paymentData.transactions.[].payments.[].group type",
    "paymentData.transactions.[].payments.[].id type",
    "paymentData.transactions.[].payments.[].tid type",
    "paymentData.transactions.[].transactionId type",
    "sellerOrderId type",
    "shippingData.address.complement type",
    "shippingData.address.number type",
    "shippingData.logisticsInfo.[].deliveryChannels type",
    "shippingData.logisticsInfo.[].shippingEstimateDate type",
    "shippingData.logisticsInfo.[].shipsTo type",
    "shippingData.logisticsInfo.[].slas type",
    "shippingData.logisticsInfo.[].slas.[].pickupPointId type",
    "shippingData.selectedAddresses.[].complement type",
    "shippingData.selectedAddresses.[].number type",
    "status type",
}
# Deliberate: real orders have objects here, or a number with decimals, or an id that is a text.
REALLY_OTHERWISE = {
    "authorizationPolicyData type",
    "items.[].assemblies.[] type",
    "items.[].attachments.[] type",
    "items.[].bundleItems.[].id type",
    "items.[].components.[] type",
    "items.[].priceTags.[] type",
    "items.[].unitMultiplier type",
    "shippingData.logisticsInfo.[].deliveryWindow type",
    "shippingData.logisticsInfo.[].pickupStoreInfo.address type",
}
# Deliberate: the schema knows four totals; order changes, tax services and marketplaces add others.
MORE_TOTALS = {"totals.[].id enum"}


def response_schema(path: str, method: str, status: str = "200") -> dict[str, Any]:
    document = json.loads(SCHEMA.read_text(encoding="utf-8"))
    content = document["paths"][path][method]["responses"][status]["content"]
    return {**plain_schema(next(iter(content.values()))["schema"]), "components": plain_schema(document["components"])}


def plain_schema(node: Any) -> Any:
    """OpenAPI 3.0 to JSON Schema: `nullable` becomes a type."""
    if isinstance(node, list):
        return [plain_schema(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {name: plain_schema(value) for name, value in node.items() if name not in ("nullable", "example")}
    if node.get("nullable") is True and isinstance(node.get("type"), str):
        made["type"] = [node["type"], "null"]
    return made


def deviations(answer: Any, schema: dict[str, Any]) -> set[str]:
    """Where the answer is not what the schema says, as `field.path keyword`."""
    errors = jsonschema.Draft202012Validator(schema).iter_errors(answer)
    return {
        ".".join("[]" if isinstance(step, int) else str(step) for step in error.path) + " " + str(error.validator)
        for error in errors
    }


def test_generated_orders_deviate_only_where_real_orders_do():
    schema = response_schema("/api/oms/pvt/orders/{orderId}", "get")
    kinds = sorted(KINDS.keys() - POISON_KINDS - {"huge"} | {"masked"})
    found = [deviations(each.document, schema) for kind in kinds for each in generate(4, seed=2, kinds=[kind])]
    assert set().union(*found) == REALLY_NULL | REALLY_OTHERWISE | MORE_TOTALS


@pytest.fixture
def quick(sandbox: Sandbox) -> Sandbox:
    sandbox.switches(async_delay_s=0)
    sandbox.configure_feed(statuses=[READY])
    return sandbox


def test_feed_answers(quick: Sandbox):
    one_order(quick)
    assert deviations(read(quick), response_schema("/api/orders/feed", "get")) == set()
    config = call(quick, "GET", "/api/orders/feed/config").json()
    assert deviations(config, response_schema("/api/orders/feed/config", "get")) == set()


def test_order_answers_after_every_action(quick: Sandbox):
    schema = response_schema("/api/oms/pvt/orders/{orderId}", "get")
    order_id = one_order(quick)
    usual = deviations(get_order(quick, order_id), schema)
    start_handling(quick, order_id)
    assert deviations(get_order(quick, order_id), schema) == usual
    reason = {"reason": "no stock"}
    answer = call(quick, "POST", order_path(order_id, "/cancel"), json=reason).json()
    assert deviations(answer, response_schema("/api/oms/pvt/orders/{orderId}/cancel", "post")) == set()
    assert deviations(get_order(quick, order_id), schema) == usual


def test_errors_of_start_handling(quick: Sandbox):
    path = "/api/oms/pvt/orders/{orderId}/start-handling"
    order_id = one_order(quick, status="handling")
    assert deviations(start_handling(quick, order_id).json(), response_schema(path, "post", "409")) == set()
    refused = call(quick, "POST", order_path(order_id, "/start-handling"), headers={})
    assert deviations(refused.json(), response_schema(path, "post", "401")) == set()


def test_list_answers(quick: Sandbox):
    quick.generate(60, kinds=sorted(KINDS.keys() - POISON_KINDS))
    answer = call(quick, "GET", ORDERS, params={"per_page": 100}).json()
    assert len(answer["list"]) > 40
    assert deviations(answer, response_schema("/api/oms/pvt/orders", "get")) == set()
