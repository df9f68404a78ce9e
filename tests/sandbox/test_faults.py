from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from sandbox.client import SandboxError
from tests.sandbox.calls import READY, call, commit, effects, get_order, one_order, order_path, read, start_handling

if TYPE_CHECKING:
    from sandbox.client import Sandbox


@pytest.fixture(autouse=True)
def _moves_at_once(sandbox: Sandbox) -> None:
    sandbox.switches(async_delay_s=0)


@pytest.mark.parametrize(("effect", "count"), [("none", 0), ("done", 1)])
@pytest.mark.parametrize(
    ("settings", "status"),
    [({"action": "status", "status": 502}, 502), ({"action": "html", "status": 200}, 200), ({"action": "drop"}, 0)],
)
def test_the_effect_is_one_thing_and_the_answer_another(
    sandbox: Sandbox, settings: dict[str, Any], status: int, effect: str, count: int
):
    order_id = one_order(sandbox)
    sandbox.add_fault("start-handling", times=1, effect=effect, **settings)
    if status:
        assert start_handling(sandbox, order_id).status_code == status
    else:
        with pytest.raises(requests.ConnectionError):
            start_handling(sandbox, order_id)
    assert effects(sandbox, order_id)[1] == count
    [entry] = sandbox.audit(family="start-handling")
    assert (entry["status"], entry["effect"]) == (status, bool(count))
    assert start_handling(sandbox, order_id).status_code == (409 if count else 204)


def test_a_web_page_in_place_of_json(sandbox: Sandbox):
    order_id = one_order(sandbox)
    sandbox.add_fault("get-order", "html", status=200, times=1)
    answer = call(sandbox, "GET", order_path(order_id))
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_truncated_json_is_the_real_answer_cut_in_half(sandbox: Sandbox):
    order_id = one_order(sandbox)
    whole = call(sandbox, "GET", order_path(order_id)).content
    sandbox.add_fault("get-order", "truncated", times=1)
    assert call(sandbox, "GET", order_path(order_id)).content == whole[: len(whole) // 2]


def test_a_late_effect_comes_after_the_caller_has_given_up(sandbox: Sandbox):
    order_id = one_order(sandbox)
    sandbox.add_fault("start-handling", "slow", effect="late", delay_s=0.3, times=1)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            sandbox.base_url + order_path(order_id, "/start-handling"), headers=sandbox.vtex_headers, timeout=0.1
        )
    assert effects(sandbox, order_id)[:2] == (READY, 0)
    deadline = time.monotonic() + 5
    while effects(sandbox, order_id)[1] == 0:
        assert time.monotonic() < deadline


def test_a_slow_call_holds_up_no_other(sandbox: Sandbox):
    order_id = one_order(sandbox)
    sandbox.add_fault("start-handling", "slow", delay_s=30, times=1)
    with pytest.raises(requests.ReadTimeout):
        requests.post(
            sandbox.base_url + order_path(order_id, "/start-handling"), headers=sandbox.vtex_headers, timeout=0.1
        )
    assert get_order(sandbox, order_id)["status"] == "handling"


def test_half_a_commit(sandbox: Sandbox):
    sandbox.configure_feed(statuses=[READY])
    sandbox.generate(4, kinds=["plain"])
    sandbox.add_fault("feed-commit", effect="half", status=500, times=1)
    assert commit(sandbox, *(item["handle"] for item in read(sandbox))).status_code == 500
    assert sandbox.feed_counters()["committed"] == 2


def test_a_fault_for_one_order_or_for_a_path(sandbox: Sandbox):
    first, second = (one_order(sandbox, seed=seed) for seed in (1, 2))
    sandbox.add_fault("get-order", order_id=first, status=503)
    assert call(sandbox, "GET", order_path(first)).status_code == 503
    assert call(sandbox, "GET", order_path(second)).status_code == 200
    sandbox.clear_faults()
    sandbox.add_fault(f"/orders/{second}$", status=504)
    assert call(sandbox, "GET", order_path(first)).status_code == 200
    assert call(sandbox, "GET", order_path(second)).status_code == 504
    assert start_handling(sandbox, second).status_code == 204


def test_headers_and_body_of_a_fault(sandbox: Sandbox):
    sandbox.add_fault("get-order", status=429, headers={"Retry-After": "7"}, body="slow down")
    answer = call(sandbox, "GET", order_path(one_order(sandbox)))
    assert (answer.status_code, answer.headers["Retry-After"], answer.text) == (429, "7", "slow down")


def test_chance_is_the_seeds(sandbox: Sandbox):
    def statuses(seed: int) -> list[int]:
        sandbox.reset(seed)
        order_id = one_order(sandbox)
        sandbox.add_fault("get-order", probability=0.5)
        return [call(sandbox, "GET", order_path(order_id)).status_code for _ in range(12)]

    assert statuses(1) == statuses(1)
    assert set(statuses(1)) == {200, 503}
    assert statuses(1) != statuses(2)


def test_faults_are_counted_and_lifted(sandbox: Sandbox):
    order_id = one_order(sandbox)
    sandbox.add_fault("get-order", times=2)
    statuses = [call(sandbox, "GET", order_path(order_id)).status_code for _ in range(3)]
    assert statuses == [503, 503, 200]
    assert [(fault["hits"], fault["remaining"]) for fault in sandbox.faults()] == [(2, 0)]
    sandbox.clear_faults()
    assert sandbox.faults() == []


@pytest.mark.parametrize(
    "fault", [{"route": "get-ordr"}, {"route": "/orders/("}, {"route": "get-order", "colour": "red"}]
)
def test_a_fault_that_could_never_strike_is_refused(sandbox: Sandbox, fault: dict[str, Any]):
    with pytest.raises(SandboxError, match=r"400|422"):
        sandbox.add_fault(**fault)
