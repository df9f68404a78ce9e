"""Cancellations of both sides, replaced orders, and events in any order."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from sandbox.client import SandboxError
from tests.sandbox.calls import READY, call, get_order, one_order, order_path, read

if TYPE_CHECKING:
    from sandbox.client import Sandbox

ASKED = "cancellation-requested"
WAITING = "waiting-for-seller-decision"


@pytest.fixture
def quick(sandbox: Sandbox) -> Sandbox:
    """A sandbox whose orders move at once, with a feed of every status that keeps its order."""
    sandbox.switches(async_delay_s=0, shuffle=False)
    sandbox.configure_feed()
    return sandbox


def told(sandbox: Sandbox) -> list[tuple[str, str | None, str]]:
    return [(item["domain"], item["lastState"], item["state"]) for item in read(sandbox)]


def states(sandbox: Sandbox) -> list[str]:
    return [state for _, _, state in told(sandbox)]


@pytest.mark.parametrize("before", [READY, "handling"])
def test_a_denied_wish_brings_the_order_back_and_tells_it_again(quick: Sandbox, before: str):
    order_id = one_order(quick, status=before)
    request_id = quick.ask_cancellation(order_id)
    assert get_order(quick, order_id)["status"] == ASKED
    quick.deny_cancellation(order_id, request_id, reason="shipped")
    document = get_order(quick, order_id)
    assert document["status"] == before
    [request] = document["cancellationRequests"]
    assert (request["id"], request["deniedBySeller"], request["deniedBySellerReason"]) == (request_id, True, "shipped")
    assert told(quick) == [
        ("Fulfillment", "window-to-cancel", before),
        ("Fulfillment", before, ASKED),
        ("Fulfillment", ASKED, before),
    ]


def test_the_marketplace_waits_for_the_seller_s_decision(quick: Sandbox):
    order_id = one_order(quick)
    request_id = quick.ask_cancellation(order_id, by_marketplace=True)
    assert get_order(quick, order_id)["status"] == WAITING
    quick.deny_cancellation(order_id, request_id)
    assert get_order(quick, order_id)["status"] == "payment-approved"
    assert told(quick)[1:3] == [("Marketplace", READY, "request-cancel"), ("Marketplace", "request-cancel", WAITING)]


def test_an_accepted_wish_cancels_the_order(quick: Sandbox):
    order_id = one_order(quick)
    quick.ask_cancellation(order_id)
    assert call(quick, "POST", order_path(order_id, "/cancel"), json={"reason": "sorry"}).status_code == 200
    document = get_order(quick, order_id)
    assert (document["status"], document["cancellationData"]["Reason"]) == ("canceled", "sorry")
    assert states(quick) == [READY, ASKED, "cancel", "canceled"]


def test_known_issue_1242813_canceled_twice(quick: Sandbox):
    quick.switches(cancel_flips=True)
    order_id = one_order(quick, status="payment-approved")
    call(quick, "POST", order_path(order_id, "/cancel"), json={"reason": "sorry"})
    assert get_order(quick, order_id)["status"] == "canceled"
    assert states(quick) == ["payment-approved", "cancel", "canceled", "cancel", "canceled"]


def test_one_change_in_both_workflows(quick: Sandbox):
    quick.switches(both_domains=True)
    quick.move(one_order(quick), "canceled")
    items = read(quick)
    assert sorted((item["domain"], item["state"]) for item in items) == [
        ("Fulfillment", "canceled"),
        ("Fulfillment", READY),
        ("Marketplace", "canceled"),
        ("Marketplace", READY),
    ]
    assert len({item["currentChange"] for item in items if item["state"] == "canceled"}) == 1
    assert len({item["eventId"] for item in items}) == 4


@pytest.mark.parametrize("end", ["replaced", "canceled"])
@pytest.mark.parametrize("reuse", [False, True])
def test_a_replaced_order_ends_and_another_one_begins(quick: Sandbox, end: str, reuse: bool):
    quick.switches(replaced_status=end)
    old_id = one_order(quick)
    placed = quick.replace(old_id, reuse_payment=reuse)
    old, new = get_order(quick, old_id), get_order(quick, placed.order_id)
    assert placed.order_id != old_id
    assert (old["status"], new["status"]) == (end, READY)
    assert new["value"] == old["value"]
    assert new["clientProfileData"]["userProfileId"] == old["clientProfileData"]["userProfileId"]
    assert new["orderGroup"] != old["orderGroup"]
    assert (transaction(new) == transaction(old)) == reuse
    assert old_id not in str(new)
    assert [(item["orderId"], item["state"]) for item in read(quick)] == [
        (old_id, READY),
        (placed.order_id, READY),
        (old_id, end),
    ]


def transaction(document: dict[str, dict[str, list[dict[str, str]]]]) -> str:
    return document["paymentData"]["transactions"][0]["transactionId"]


def test_events_come_in_every_order_that_is_asked_for(quick: Sandbox):
    steps = [READY, "start-handling", "handling", "canceled"]
    for order in permutations(range(4)):
        quick.hold_events()
        order_id = quick.generate(1, seed=sum(10**place * number for place, number in enumerate(order)))[0].order_id
        for status in steps[1:]:
            quick.move(order_id, status)
        assert read(quick) == []
        assert quick.release_events(order) == 4
        mine = [item for item in read(quick) if item["orderId"] == order_id]
        assert [item["state"] for item in mine] == [steps[number] for number in order]
        dates = [item["currentChange"] for item in mine]
        assert sorted(dates) == [dates[order.index(number)] for number in range(4)]


def test_without_an_order_they_come_as_they_happened_and_then_nothing_is_held(quick: Sandbox):
    quick.hold_events()
    order_id = one_order(quick)
    quick.hold_events()
    quick.move(order_id, "handling")
    assert quick.release_events() == 2
    quick.move(order_id, "invoiced")
    assert states(quick) == [READY, "handling", "invoiced"]
    assert quick.release_events() == 0


@pytest.mark.parametrize("order", [[0], [0, 0], [0, 2], [0, 1, 2]])
def test_an_order_that_forgets_an_event_is_refused(quick: Sandbox, order: list[int]):
    quick.hold_events()
    quick.move(one_order(quick), "handling")
    with pytest.raises(SandboxError, match="2 changes are held back"):
        quick.release_events(order)
    assert quick.release_events([1, 0]) == 2
    assert states(quick) == ["handling", READY]
