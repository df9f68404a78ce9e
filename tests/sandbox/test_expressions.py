from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.calls import READY, call, get_order, one_order, order_path, read, start_handling

if TYPE_CHECKING:
    from sandbox.client import Sandbox

JSONATA = "/api/orders/expressions/jsonata"


def by_expression(expression: str, *, disable_single_fire: bool = True) -> dict[str, Any]:
    return {"type": "FromOrders", "expression": expression, "disableSingleFire": disable_single_fire}


# The expressions of VTEX's own guide
GUIDE = [
    ("isAllDelivered = true", False),
    ("$count(changesAttachment.changesData.itemsAdded) > 0", False),
    ("$count(items[name ~> /.*modelo.*/i and price>=1000]) > 0", True),
    ('(status = "ready-for-handling" and salesChannel="1")', True),
    ('(salesChannel.Id != "3" and sellers.id ="sellerId")', False),
    ("$count(packageAttachment.packages.restitutions.Refund.value) > 0", False),
    ('status = "invoiced" and (packageAttachment.packages[$[$contains($string(courier), "Carrier Name")]])', False),
]


@pytest.mark.parametrize(
    ("expression", "result"),
    [*GUIDE, ("value > 100", True), ("status", True), ("nothing", False), ("items.nothing", False), ("[]", False)],
)
def test_expressions_are_evaluated_on_the_document_in_the_call(sandbox: Sandbox, expression: str, result: bool):
    document = get_order(sandbox, one_order(sandbox))
    answer = call(sandbox, "POST", JSONATA, json={"Expression": expression, "Document": json.dumps(document)})
    assert (answer.status_code, answer.json()) == (200, result)


@pytest.mark.parametrize(
    "body",
    [
        {"Expression": "status = ", "Document": "{}"},
        {"Expression": "1 + value", "Document": '{"value": "a"}'},
        {"Expression": "true", "Document": "{"},
        {"Expression": "true", "Document": {}},
        {"expression": "true", "document": "{}"},
        {},
        [],
    ],
)
def test_what_is_no_expression_or_no_document_is_refused(sandbox: Sandbox, body: Any):
    assert call(sandbox, "POST", JSONATA, json=body).status_code == 400


def test_a_feed_from_orders_takes_what_its_expression_takes(sandbox: Sandbox):
    sandbox.configure_feed(feed_filter=by_expression('status = "handling"'))
    order_id = one_order(sandbox)
    sandbox.move(order_id, "handling")
    sandbox.move(order_id, "invoiced")
    [item] = read(sandbox)
    assert (item["domain"], item["state"], item["lastState"]) == ("OrdersDocumentUpdated", "unknow", None)
    assert item["currentChange"] == "0001-01-01T00:00:00"
    assert not item["lastChange"].endswith("Z")


def test_any_change_of_the_document_counts_and_only_there(sandbox: Sandbox):
    sandbox.key("another", "token")
    theirs = {"X-VTEX-API-AppKey": "another", "X-VTEX-API-AppToken": "token"}
    call(sandbox, "POST", "/api/orders/feed/config", json={"filter": {"type": "FromWorkflow"}}, headers=theirs)
    sandbox.configure_feed(feed_filter=by_expression('openTextField.value = "fragile"'))
    order_id = one_order(sandbox)
    sandbox.change(order_id, openTextField={"value": "fragile"})
    sandbox.change(order_id, openTextField={"value": "sturdy"})
    sandbox.change(order_id, openTextField={"value": "fragile"})
    assert [item["orderId"] for item in read(sandbox)] == [order_id, order_id]
    assert [item["state"] for item in call(sandbox, "GET", "/api/orders/feed", headers=theirs).json()] == [READY]


def test_the_document_of_the_filter_is_the_other_shape(sandbox: Sandbox):
    sandbox.configure_feed(feed_filter=by_expression("workflowData.instances[0].currentStepName = state"))
    order_id = one_order(sandbox)
    assert [item["orderId"] for item in read(sandbox)] == [order_id]


@pytest.mark.parametrize(("disabled", "count"), [(False, 1), (True, 3)])
def test_single_fire_tells_of_an_order_once(sandbox: Sandbox, disabled: bool, count: int):
    feed_filter = by_expression(f'status = "{READY}"', disable_single_fire=disabled)
    sandbox.configure_feed(feed_filter=feed_filter)
    order_id = one_order(sandbox)
    sandbox.move(order_id, "cancellation-requested")
    sandbox.move(order_id, READY)
    sandbox.configure_feed(feed_filter=feed_filter, visibility_timeout=60)
    sandbox.move(order_id, READY)
    assert len(read(sandbox)) == count
    another = {**feed_filter, "expression": "true"}
    sandbox.configure_feed(feed_filter=another)
    sandbox.move(order_id, READY)
    assert len(read(sandbox)) == 1


def test_the_states_may_be_told_all_the_same(sandbox: Sandbox):
    sandbox.switches(from_orders_item="full")
    sandbox.configure_feed(feed_filter=by_expression("true"))
    sandbox.move(one_order(sandbox), "invoiced")
    assert sorted(item["state"] for item in read(sandbox)) == ["invoiced", READY]


def test_known_issue_832400_skips_versions(sandbox: Sandbox):
    sandbox.switches(from_orders_skip_p=1)
    sandbox.configure_feed(feed_filter=by_expression("true"))
    one_order(sandbox)
    assert read(sandbox) == []


@pytest.mark.parametrize(("kind", "count"), [("plain", 0), ("franchise", 1)])
def test_known_issue_640925_hides_own_payments(sandbox: Sandbox, kind: str, count: int):
    sandbox.configure_feed(feed_filter=by_expression('status = "payment-approved"'))
    order_id = sandbox.generate(1, kinds=[kind], events=[])[0].order_id
    sandbox.switches(from_orders_misses_own_payments=True)
    sandbox.move(order_id, "payment-approved")
    assert len(read(sandbox)) == count
    sandbox.switches(from_orders_misses_own_payments=False)
    sandbox.move(order_id, "payment-approved")
    assert len(read(sandbox)) == 1


@pytest.mark.parametrize("expression", ["status = ", "1 + items", None])
def test_an_expression_that_is_none_is_taken_and_never_matches(sandbox: Sandbox, expression: Any):
    sandbox.configure_feed(feed_filter=by_expression(expression))
    one_order(sandbox)
    assert read(sandbox) == []


def test_actions_of_the_seller_change_the_document(sandbox: Sandbox):
    sandbox.switches(async_delay_s=60)
    sandbox.configure_feed(feed_filter=by_expression('cancelReason = "no stock"'))
    order_id = one_order(sandbox)
    start_handling(sandbox, order_id)
    assert read(sandbox) == []
    call(sandbox, "POST", order_path(order_id, "/cancel"), json={"reason": "no stock"})
    assert len(read(sandbox)) == 1
