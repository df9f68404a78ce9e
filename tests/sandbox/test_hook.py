from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.calls import READY, call, one_order
from tests.sandbox.endpoint import Endpoint, endpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.client import Sandbox

CONFIG = "/api/orders/hook/config"
DAY = 86_400


@pytest.fixture
def here(sandbox: Sandbox) -> Iterator[Endpoint]:
    """An endpoint that the sandbox may call over http, and a feed without delay."""
    sandbox.switches(hook_https_only=False, async_delay_s=0)
    with endpoint() as listening:
        yield listening
        sandbox.reset()


def settled(sandbox: Sandbox, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The hook's counters as soon as they are as wanted."""
    deadline = time.monotonic() + 20
    while not wanted(counters := sandbox.hook_counters()):
        assert time.monotonic() < deadline, counters
    return counters


def test_without_a_configuration_the_hook_answers_404(sandbox: Sandbox):
    assert [call(sandbox, method, CONFIG).status_code for method in ("GET", "DELETE")] == [404, 404]
    sandbox.switches(config_missing="200_empty")
    assert call(sandbox, "GET", CONFIG).json() == {}


def test_the_address_is_pinged_and_the_configuration_told(sandbox: Sandbox, here: Endpoint):
    sandbox.configure_hook(here.url, headers={"X-Key": "secret"}, statuses=[READY])
    [(headers, body)] = here.calls
    assert (headers["x-key"], body) == ("secret", {"hookConfig": "ping"})
    assert call(sandbox, "GET", CONFIG).json() == {
        "filter": {"type": "FromWorkflow", "status": [READY]},
        "hook": {"url": here.url, "headers": {"X-Key": "secret"}},
    }
    assert call(sandbox, "DELETE", CONFIG).status_code == 200
    assert call(sandbox, "GET", CONFIG).status_code == 404


def test_the_ping_may_come_without_the_headers(sandbox: Sandbox, here: Endpoint):
    sandbox.switches(hook_ping_headers=False)
    sandbox.configure_hook(here.url, headers={"X-Key": "secret"})
    assert "x-key" not in here.calls[0][0]


def body_of(url: str, **chosen: Any) -> dict[str, Any]:
    return {"filter": {"type": "FromWorkflow", "status": [READY], **chosen}, "hook": {"url": url, "headers": {}}}


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (body_of("http://127.0.0.1:1/hook"), 400, "Only https scheme is accepted"),
        (body_of("https://127.0.0.1:1/hook"), 400, "Unable to check address"),
        (body_of("https://127.0.0.1:1/hook", expression="true"), 409, "cannot be combined"),
        (body_of("https://127.0.0.1:1/hook", status=[]), 400, "needs status"),
        ({"filter": {"type": "FromOrders", "expression": "true"}, "hook": {"url": "https://x"}}, 400, "disableSingle"),
        ({"filter": {}}, 400, "required"),
        ([], 400, "required"),
    ],
)
def test_configurations_that_are_refused(sandbox: Sandbox, body: Any, status: int, said: str):
    answer = call(sandbox, "POST", CONFIG, json=body)
    assert (answer.status_code, said in answer.text) == (status, True)
    assert call(sandbox, "GET", CONFIG).status_code == 404


def test_a_ping_that_is_not_answered_200_stores_nothing(sandbox: Sandbox, here: Endpoint):
    here.answers = [204]
    assert call(sandbox, "POST", CONFIG, json=body_of(here.url)).status_code == 400
    assert call(sandbox, "GET", CONFIG).status_code == 404


def test_hook_and_feed_are_told_of_the_same_change(sandbox: Sandbox, here: Endpoint):
    sandbox.configure_feed(statuses=[READY])
    sandbox.configure_hook(here.url, headers={"X-Key": "secret"})
    order_id = one_order(sandbox)
    [body] = here.wait_for(1)
    assert here.calls[1][0]["x-key"] == "secret"
    [item] = call(sandbox, "GET", "/api/orders/feed").json()
    assert body == {
        "Domain": "Fulfillment",
        "OrderId": order_id,
        "State": READY,
        "LastState": "window-to-cancel",
        "LastChange": item["lastChange"],
        "CurrentChange": item["currentChange"],
        "Origin": {"Account": sandbox.account, "Key": sandbox.app_key},
    }
    counters = settled(sandbox, lambda told: told["delivered"] == 1)
    assert counters == {
        "events": 1,
        "delivered": 1,
        "waiting": 0,
        "in_flight": 0,
        "dropped": 0,
        "tries": 1,
        "retries": 0,
        "answers": {"200": 1},
    }
    [delivery] = sandbox.hook_deliveries()
    assert (delivery["order_id"], delivery["state"], delivery["answer"]) == (order_id, READY, "200")


def test_the_three_forms_of_a_notification(sandbox: Sandbox, here: Endpoint):
    sandbox.switches(hook_body="guide")
    sandbox.configure_hook(here.url)
    one_order(sandbox)
    assert here.wait_for(1)[0].keys() == {"Domain", "OrderId", "State", "LastChange", "Origin"}
    by_channel = {"type": "FromOrders", "expression": 'salesChannel = "1"', "disableSingleFire": False}
    sandbox.configure_hook(here.url, hook_filter=by_channel)
    order_id = one_order(sandbox, seed=2)
    body = here.wait_for(2)[1]
    assert (body["OrderId"], body["Domain"], body["State"]) == (order_id, "OrdersDocumentUpdated", "unknow")
    assert (body["LastState"], body["CurrentChange"]) == (None, "0001-01-01T00:00:00")
    assert not body["LastChange"].endswith("Z")


def test_what_was_not_answered_200_comes_again_at_growing_intervals(sandbox: Sandbox, here: Endpoint):
    sandbox.switches(hook_retry_s=100, hook_retry_factor=2)
    sandbox.configure_hook(here.url)
    here.answers = [500, 204, 200]
    one_order(sandbox)
    for tries, wait in ((1, 100), (2, 200)):
        counters = settled(sandbox, lambda told, tries=tries: told["tries"] == tries)  # type: ignore[misc]
        assert (counters["waiting"], sandbox.hook_deliveries()[0]["wait"]) == (1, wait)
        sandbox.advance(wait + 1)
    first, *again = here.wait_for(3)
    assert again == [first, first]
    counters = settled(sandbox, lambda told: told["delivered"] == 1)
    assert (counters["retries"], counters["answers"]) == (2, {"500": 1, "204": 1, "200": 1})


def test_an_endpoint_that_is_gone_or_stuck_is_tried_again(sandbox: Sandbox, here: Endpoint):
    sandbox.switches(hook_retry_s=1000)
    sandbox.configure_hook(here.url)
    here.stuck.clear()
    one_order(sandbox)
    counters = settled(sandbox, lambda told: told["tries"] == 1)
    assert counters["answers"] == {"timeout": 1}
    here.stuck.set()
    assert 4.5 < sandbox.hook_deliveries()[0]["seconds"] < 8


@pytest.mark.parametrize(("switches", "tries"), [({"hook_retry_s": 0}, 100), ({"hook_retry_s": 3 * DAY}, 2)])
def test_a_notification_is_dropped_after_a_hundred_tries_or_four_days(
    sandbox: Sandbox, here: Endpoint, switches: dict[str, float], tries: int
):
    sandbox.switches(**switches, hook_retry_factor=1)
    sandbox.configure_hook(here.url)
    here.answers = [500]
    one_order(sandbox)
    if tries == 2:
        settled(sandbox, lambda told: told["tries"] == 1)
        sandbox.advance(3 * DAY)
    counters = settled(sandbox, lambda told: told["dropped"] == 1)
    assert (counters["tries"], counters["waiting"], counters["delivered"]) == (tries, 0, 0)


def test_a_hook_with_nothing_to_tell_for_three_days_is_removed(sandbox: Sandbox, here: Endpoint):
    sandbox.configure_hook(here.url)
    sandbox.advance(2 * DAY)
    one_order(sandbox)
    here.wait_for(1)
    sandbox.advance(3 * DAY - 60)
    assert call(sandbox, "GET", CONFIG).status_code == 200
    sandbox.advance(61)
    assert call(sandbox, "GET", CONFIG).status_code == 404


def test_many_notifications_arrive_once_each(sandbox: Sandbox, here: Endpoint):
    sandbox.configure_hook(here.url)
    placed = {each.order_id for each in sandbox.generate(1000, kinds=["plain"])}
    counters = settled(sandbox, lambda told: told["delivered"] == 1000)
    assert (counters["tries"], counters["dropped"]) == (1000, 0)
    assert sorted(body["OrderId"] for body in here.notifications) == sorted(placed)
    assert {each["order_id"] for each in sandbox.hook_deliveries()} == placed
