"""The other shape of an order, for accounts with data protection, and their endpoints."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.orders import KINDS, POISON_KINDS
from sandbox.vtex.masking import mask
from tests.sandbox.calls import ORDERS, READY, call, effects, get_order, one_order, order_path

if TYPE_CHECKING:
    from sandbox.client import Sandbox

DOCUMENT = "/api/orders/pvt/document"
SEARCH = "/api/orders/extendsearch/orders"
EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "vtex" / "examples"
needs_examples = pytest.mark.skipif(not EXAMPLES.is_dir(), reason="VTEX's examples are not part of the repository")


def example(name: str) -> Any:
    return json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))


def document_of(sandbox: Sandbox, order_id: str, **query: str) -> dict[str, Any]:
    answer = call(sandbox, "GET", f"{DOCUMENT}/{order_id}", params=query)
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json()
    return document


def dates(part: Any) -> set[str]:
    if isinstance(part, dict):
        return set().union(*map(dates, part.values()))
    if isinstance(part, list):
        return set().union(*map(dates, part))
    return {part} if isinstance(part, str) and re.match(r"\d{4}-\d\d-\d\dT", part) else set()


@needs_examples
def test_the_document_has_the_fields_of_vtex_s_example(sandbox: Sandbox):
    wanted = example("order-04-pii-document")
    document = document_of(sandbox, one_order(sandbox), reason="test")
    assert document.keys() == wanted.keys() | {"marketplace"}
    (instance,), (theirs,) = document["workflowData"]["instances"], wanted["workflowData"]["instances"]
    assert instance.keys() == theirs.keys()
    assert instance["timeLine"][0].keys() == theirs["timeLine"][0].keys()
    item, their_item = document["items"][0], wanted["items"][0]
    assert their_item.keys() - item.keys() == set()
    assert item.keys() - their_item.keys() == set()


def test_it_is_the_same_order_in_another_form(sandbox: Sandbox):
    order_id = one_order(sandbox)
    plain, document = get_order(sandbox, order_id), document_of(sandbox, order_id, reason="test")
    assert "statusDescription" not in document
    assert (document["id"], document["state"], document["status"]) == (order_id, READY, READY)
    same = {"value", "totals", "sequence", "orderGroup", "shippingData", "storePreferencesData", "salesChannel"}
    shipping = {**plain["shippingData"]}
    shipping.pop("id")
    assert {name: document[name] for name in same - {"shippingData"}} == {
        name: plain[name] for name in same - {"shippingData"}
    }
    assert document["shippingData"]["address"] == shipping["address"]
    assert document["itemMetadata"]["items"][0]["skuName"] == plain["itemMetadata"]["Items"][0]["SkuName"]


@pytest.mark.parametrize("kind", sorted(KINDS.keys() - {"huge"}))
def test_every_kind_has_a_document_and_its_dates_end_with_z(sandbox: Sandbox, kind: str):
    (order,) = sandbox.generate(1, kinds=[kind])
    answer = call(sandbox, "GET", order_path(order.order_id).replace(ORDERS, DOCUMENT), params={"reason": "test"})
    assert answer.status_code == 200
    assert all(date.endswith("Z") for date in dates(answer.json()))
    masked = call(sandbox, "GET", order_path(order.order_id).replace(ORDERS, DOCUMENT)).json()
    assert masked["piiHidden"] is True


def test_local_wall_time_carries_the_z_of_utc(sandbox: Sandbox):
    document = document_of(sandbox, one_order(sandbox, created_from="2026-03-01T12:00:00Z"), reason="test")
    assert document["creationDate"][11:13] == f"{(int(document['timeZoneCreationDate'][11:13]) + 3) % 24:02d}"
    assert document["timeZoneCreationDate"].endswith("Z")


def test_the_workflow_tells_the_way_of_the_order(sandbox: Sandbox):
    order_id = one_order(sandbox)
    sandbox.move(order_id, "cancel")
    sandbox.move(order_id, "canceled")
    (instance,) = document_of(sandbox, order_id)["workflowData"]["instances"]
    assert [step["stepName"] for step in instance["timeLine"]] == [READY, "cancel", "canceled"]
    assert [step["stepName"] for step in instance["logicTimeLine"]][1:] == ["canceling", "canceled"]
    assert instance["currentStepName"] == "canceled"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("john.doe@example.com", "j***.d**@e******.c**"),
        ("12345678911", "1**********"),
        ("John", "J***"),
        ("Doe", "D**"),
        ("D'Ávila 7", "*'Á**** *"),
        ("", ""),
    ],
)
def test_masks_are_those_of_vtex_s_guide(text: str, masked: str):
    assert mask(text) == masked


def test_data_is_masked_unless_a_reason_is_given_which_the_audit_keeps(sandbox: Sandbox):
    (order,) = sandbox.generate(1, kinds=["corporate"])
    masked, clear = document_of(sandbox, order.order_id), document_of(sandbox, order.order_id, reason="fulfilment")
    assert (masked["piiHidden"], clear["piiHidden"]) == (True, False)
    personal = ("email", "firstName", "lastName", "document", "phone", "corporateName", "corporateDocument")
    for name in personal:
        value = clear["clientProfileData"][name]
        assert "*" not in value
        assert "*" in masked["clientProfileData"][name]
        assert value not in json.dumps(masked, ensure_ascii=False)
    assert masked["shippingData"]["address"]["street"] != clear["shippingData"]["address"]["street"]
    assert masked["value"] == clear["value"]
    entries = [entry["reason"] for entry in sandbox.audit(family="get-order")]
    assert entries == [None, "fulfilment"]


def test_a_pickup_point_is_nobody_s_data(sandbox: Sandbox):
    (order,) = sandbox.generate(1, kinds=["pickup"])
    masked, clear = document_of(sandbox, order.order_id), document_of(sandbox, order.order_id, reason="test")
    where = [each["shippingData"]["logisticsInfo"][0]["pickupStoreInfo"] for each in (masked, clear)]
    assert where[0] == where[1]
    assert where[0]["address"]


def test_clear_data_may_need_a_right_of_its_own(sandbox: Sandbox):
    sandbox.switches(clear_data_needs_profile_right=True)
    order_id = one_order(sandbox)
    for resources, hidden in (("View order",), True), (("View order", "Get Item"), False):
        sandbox.key(sandbox.app_key, sandbox.app_token, resources=resources)
        assert document_of(sandbox, order_id, reason="test")["piiHidden"] is hidden


def test_an_account_with_data_protection_answers_only_there(sandbox: Sandbox):
    sandbox.switches(data_protection=True, async_delay_s=0, index_lag_s=0)
    sandbox.configure_feed(statuses=[READY])
    order_id = one_order(sandbox)
    for method, path in (
        ("GET", order_path(order_id)),
        ("GET", ORDERS),
        ("POST", order_path(order_id, "/start-handling")),
        ("POST", order_path(order_id, "/cancel")),
    ):
        assert call(sandbox, method, path).status_code == 403
    assert document_of(sandbox, order_id)["id"] == order_id
    assert [item["orderId"] for item in call(sandbox, "GET", "/api/orders/feed").json()] == [order_id]
    assert call(sandbox, "POST", f"{DOCUMENT}/{order_id}/actions/start-handling").status_code == 204
    assert effects(sandbox, order_id) == ("handling", 1, 0)
    refused = call(sandbox, "POST", f"{DOCUMENT}/{order_id}/actions/start-handling")
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "OMS003")
    cancelled = call(sandbox, "POST", f"{DOCUMENT}/{order_id}/cancel", json={"reason": "no stock"})
    assert (cancelled.status_code, cancelled.json()["orderId"]) == (200, order_id)
    assert effects(sandbox, order_id) == ("cancellation-requested", 1, 1)
    assert call(sandbox, "POST", SEARCH, json={"page": 1}).json()["list"][0]["orderId"] == order_id


@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        ("GET", f"{DOCUMENT}/x", "View order"),
        ("POST", SEARCH, "List Orders"),
        ("POST", f"{DOCUMENT}/x/actions/start-handling", "Change order workflow status"),
        ("POST", f"{DOCUMENT}/x/cancel", "Cancel order"),
    ],
)
def test_each_call_needs_its_resource(sandbox: Sandbox, method: str, path: str, resource: str):
    body = {"json": {}} if method == "POST" else {}
    sandbox.key(sandbox.app_key, sandbox.app_token, resources=[])
    assert call(sandbox, method, path, **body).status_code == 403
    sandbox.key(sandbox.app_key, sandbox.app_token, resources=[resource])
    assert call(sandbox, method, path, **body).status_code in (200, 404)


def search(sandbox: Sandbox, **query: Any) -> dict[str, Any]:
    answer = call(sandbox, "POST", SEARCH, json=query)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@needs_examples
def test_rows_have_no_field_that_vtex_s_example_has_not(sandbox: Sandbox):
    sandbox.switches(index_lag_s=0)
    one_order(sandbox)
    found, wanted = search(sandbox), example("list-orders-pii-response")
    assert found.keys() == wanted.keys()
    assert found["list"][0].keys() <= wanted["list"][0].keys()
    assert found["paging"].keys() == wanted["paging"].keys()


def test_the_list_takes_its_query_as_json_and_masks_its_rows(sandbox: Sandbox):
    sandbox.switches(index_lag_s=0)
    sandbox.set_clock("2026-03-01T12:00:00Z")
    sandbox.generate(5, kinds=["plain"], created_from="2026-02-01T00:00:00Z", created_to="2026-02-05T00:00:00Z")
    sandbox.generate(2, seed=2, kinds=["incomplete"])
    window = "creationDate:[2026-02-01T00:00:00.000Z TO 2026-02-28T00:00:00.000Z]"
    page = search(sandbox, f_creationDate=window, page=1, per_page=3, orderBy="creationDate,asc", f_status=READY)
    assert (page["paging"]["total"], len(page["list"])) == (5, 3)
    assert [row["creationDate"] for row in page["list"]] == sorted(row["creationDate"] for row in page["list"])
    for row in page["list"]:
        assert "*" in row["clientName"] + row["clientEmail"]
        assert row["creationDate"].endswith("Z")
    assert search(sandbox, incompleteOrders=True)["paging"]["total"] == 7
    assert search(sandbox, incompleteOrders=False)["paging"]["total"] == 5


@pytest.mark.parametrize("body", [[], {"page": 31}, {"page": "x"}, {"f_creationDate": "yesterday"}])
def test_queries_that_are_refused(sandbox: Sandbox, body: Any):
    assert call(sandbox, "POST", SEARCH, json=body).status_code == 400


def test_poison_stays_poison(sandbox: Sandbox):
    placed = sandbox.generate(len(POISON_KINDS), kinds=sorted(POISON_KINDS))
    documents = {each.kind: document_of(sandbox, each.order_id, reason="test") for each in placed}
    assert "items" not in documents["malformed-items-missing"]
    assert documents["malformed-items-type"]["items"] == "see attachment"
