from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.calls import READY, call, effects, get_order, one_order, order_path, read, start_handling

if TYPE_CHECKING:
    from sandbox.client import Sandbox


@pytest.fixture
def quick(sandbox: Sandbox) -> Sandbox:
    """A sandbox whose orders move at once, with a feed of every status."""
    sandbox.switches(async_delay_s=0)
    sandbox.configure_feed()
    return sandbox


def test_an_order_is_found_by_its_id_and_by_its_sequence(sandbox: Sandbox):
    order_id = one_order(sandbox)
    document = get_order(sandbox, order_id)
    assert document["orderId"] == order_id
    assert get_order(sandbox, f"seq{document['sequence']}") == document
    assert call(sandbox, "GET", order_path("unknown-01")).status_code == 404


def test_odd_ids_survive_the_path(sandbox: Sandbox):
    order_id = sandbox.generate(1, kinds=["odd-id"])[0].order_id
    assert {"/", " ", "%", "é"} <= set(order_id)
    assert get_order(sandbox, order_id)["orderId"] == order_id
    sandbox.move(order_id, "handling")
    assert get_order(sandbox, order_id)["status"] == "handling"
    assert sandbox.audit(family="get-order")[0]["order_id"] == order_id


def test_a_placed_document_comes_back_as_it_was(sandbox: Sandbox):
    document = {"orderId": "1-01", "status": READY, "value": 10, "odd": [1.0, None, "é"], "items": "broken"}
    sandbox.place([document])
    assert get_order(sandbox, "1-01") == document


def test_siblings_are_found_by_their_group(sandbox: Sandbox):
    placed = sandbox.generate(2, kinds=["split-group"])
    group = get_order(sandbox, placed[0].order_id)["orderGroup"]
    found = call(sandbox, "GET", f"/api/oms/pvt/orders/order-group/{group}").json()
    assert [each["orderId"] for each in found] == [each.order_id for each in placed]


def test_an_order_may_be_invisible_at_first(sandbox: Sandbox):
    sandbox.switches(visibility_lag_s=60)
    order_id = one_order(sandbox)
    assert call(sandbox, "GET", order_path(order_id)).status_code == 404
    sandbox.advance(60)
    assert get_order(sandbox, order_id)["orderId"] == order_id


def test_an_order_is_gone_after_two_years(sandbox: Sandbox):
    order_id = one_order(sandbox)
    sandbox.advance(2 * 365 * 86_400)
    assert call(sandbox, "GET", order_path(order_id)).status_code == 404


def test_the_schemas_spelling_of_price_definition(sandbox: Sandbox):
    order_id = one_order(sandbox)
    sandbox.switches(price_definition_name="priceDefinitions")
    assert "priceDefinitions" in get_order(sandbox, order_id)["items"][0]


def test_start_handling_moves_the_order_once_and_tells_the_feed(quick: Sandbox):
    order_id = one_order(quick)
    assert start_handling(quick, order_id).status_code == 204
    assert effects(quick, order_id) == ("handling", 1, 0)
    states = sorted((item["lastState"], item["state"]) for item in read(quick))
    assert states == [
        (READY, "start-handling"),
        ("start-handling", "handling"),
        ("window-to-cancel", READY),
    ]
    refused = start_handling(quick, order_id)
    assert refused.status_code == 409
    assert refused.json() == {
        "error": {
            "code": "OMS003",
            "message": "Order status should be ready-for-handling to perform this action",
            "exception": None,
        }
    }
    assert effects(quick, order_id) == ("handling", 1, 0)


def test_the_wrong_status_as_it_was_seen_in_the_field(quick: Sandbox):
    quick.switches(oms003_status=400, oms003_exception_field=False)
    refused = start_handling(quick, one_order(quick, status="handling"))
    assert (refused.status_code, refused.json()["error"].keys()) == (400, {"code", "message"})


def test_the_order_moves_only_after_the_delay(sandbox: Sandbox):
    sandbox.switches(async_delay_s=60)
    order_id = one_order(sandbox)
    assert start_handling(sandbox, order_id).status_code == 204
    assert get_order(sandbox, order_id)["status"] == READY
    sandbox.advance(31)
    assert get_order(sandbox, order_id)["status"] == "start-handling"
    sandbox.advance(31)
    assert get_order(sandbox, order_id)["status"] == "handling"


@pytest.mark.parametrize(("mode", "status", "count"), [("oms003", 409, 1), ("accepted", 204, 2)])
def test_a_second_call_while_the_order_is_moving(sandbox: Sandbox, mode: str, status: int, count: int):
    sandbox.switches(async_delay_s=60, start_handling_while_moving=mode)
    order_id = one_order(sandbox)
    start_handling(sandbox, order_id)
    assert start_handling(sandbox, order_id).status_code == status
    sandbox.advance(61)
    assert effects(sandbox, order_id) == ("handling", count, 0)


def test_a_204_that_does_nothing(quick: Sandbox):
    quick.switches(noop_2xx=True)
    order_id = one_order(quick)
    assert start_handling(quick, order_id).status_code == 204
    assert effects(quick, order_id) == (READY, 0, 0)


def test_a_race_happens_just_before_the_answer_and_once(quick: Sandbox):
    order_id = one_order(quick)
    quick.move_at_next_get(order_id, "canceled")
    assert get_order(quick, order_id)["status"] == "canceled"
    quick.move(order_id, READY)
    assert get_order(quick, order_id)["status"] == READY


def cancel(sandbox: Sandbox, order_id: str) -> int:
    return call(sandbox, "POST", order_path(order_id, "/cancel"), json={"reason": "no stock"}).status_code


def test_cancel_only_asks_where_handling_has_begun(quick: Sandbox):
    order_id = one_order(quick)
    assert cancel(quick, order_id) == 200
    assert effects(quick, order_id) == ("cancellation-requested", 0, 1)
    assert cancel(quick, order_id) == 200
    assert effects(quick, order_id) == ("canceled", 0, 2)
    assert get_order(quick, order_id)["cancelReason"] == "no stock"


@pytest.mark.parametrize(
    ("switches", "status", "answer", "end"),
    [
        ({"cancel_mode": "immediate"}, READY, 200, "canceled"),
        ({}, "payment-approved", 200, "canceled"),
        ({}, "invoiced", 400, "invoiced"),
        ({"cancel_invoiced": True}, "invoiced", 200, "canceled"),
        ({}, "canceled", 200, "canceled"),
        ({"cancel_canceled": "400"}, "canceled", 400, "canceled"),
        ({}, "start-handling", 400, "start-handling"),
    ],
)
def test_what_cancel_does_in_other_statuses(
    quick: Sandbox, switches: dict[str, Any], status: str, answer: int, end: str
):
    quick.switches(**switches)
    order_id = one_order(quick, status=status)
    assert cancel(quick, order_id) == answer
    assert get_order(quick, order_id)["status"] == end


def test_an_incomplete_order_cannot_be_cancelled(quick: Sandbox):
    order_id = quick.generate(1, kinds=["incomplete"])[0].order_id
    assert cancel(quick, order_id) == 400


@pytest.mark.parametrize(
    ("mode", "end"), [("before", "handling"), ("ready-for-handling", READY), ("handling", "handling")]
)
def test_a_denied_request_puts_the_order_back(quick: Sandbox, mode: str, end: str):
    quick.switches(deny_returns_to=mode)
    order_id = one_order(quick, status="handling")
    quick.move(order_id, "cancellation-requested")
    [request] = get_order(quick, order_id)["cancellationRequests"]
    path = f"/api/orders/pvt/document/{order_id}/deny-cancellation-request"
    body = {"cancellationRequestId": request["id"], "denyReason": "shipped"}
    assert call(quick, "POST", path, json={**body, "cancellationRequestId": "another"}).status_code == 400
    assert call(quick, "POST", path, json={"cancellationRequestId": request["id"]}).status_code == 400
    assert call(quick, "POST", path, json=body).status_code == 200
    document = get_order(quick, order_id)
    assert document["status"] == end
    assert document["cancellationRequests"][0]["deniedBySellerReason"] == "shipped"
    assert call(quick, "POST", path, json=body).status_code == 400


def invoice(sandbox: Sandbox, order_id: str, number: str, value: Any) -> int:
    body = {"type": "Output", "issuanceDate": "2026-01-01", "invoiceNumber": number, "invoiceValue": value, "items": []}
    return call(sandbox, "POST", order_path(order_id, "/invoice"), json=body).status_code


def test_the_order_is_invoiced_when_its_invoices_cover_its_value(quick: Sandbox):
    order_id = one_order(quick, status="handling")
    value = get_order(quick, order_id)["value"]
    assert invoice(quick, order_id, "1", str(value - 1)) == 200
    assert get_order(quick, order_id)["status"] == "payment-approved"
    assert cancel(quick, order_id) == 400
    assert invoice(quick, order_id, "1", 1) == 200
    assert get_order(quick, order_id)["status"] == "payment-approved"
    assert invoice(quick, order_id, "2", 1) == 200
    document = get_order(quick, order_id)
    assert (document["status"], len(document["packageAttachment"]["packages"])) == ("invoiced", 2)


@pytest.mark.parametrize("number", ["1/2", "A 1", "#1", ""])
def test_invoice_numbers_are_letters_and_digits(quick: Sandbox, number: str):
    assert invoice(quick, one_order(quick, status="handling"), number, 1) == 400


def test_the_default_delay_passes_in_real_time(sandbox: Sandbox):
    order_id = one_order(sandbox)
    start_handling(sandbox, order_id)
    deadline = time.monotonic() + 5
    while get_order(sandbox, order_id)["status"] != "handling":
        assert time.monotonic() < deadline
