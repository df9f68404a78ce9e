from __future__ import annotations

import pytest
import requests

from sandbox.client import Sandbox, SandboxError
from sandbox.process import running
from sandbox.vtex.__main__ import main
from sandbox.vtex.switches import Switches
from tests.sandbox.calls import FEED, READY, call, get_order, one_order, start_handling


def test_an_unknown_switch_is_refused_by_name_and_nothing_changes(sandbox: Sandbox):
    with pytest.raises(SandboxError, match="colour"):
        sandbox.switches(shuffle=False, colour="red")
    with pytest.raises(SandboxError, match="duplicate_p"):
        sandbox.switches(duplicate_p=2)
    assert sandbox.switches() == Switches().model_dump()


def test_every_switch_is_explained():
    assert [name for name, field in Switches.model_fields.items() if not field.description] == []


def test_reset_forgets_everything(sandbox: Sandbox):
    sandbox.configure_feed(statuses=[READY])
    sandbox.switches(shuffle=False)
    sandbox.advance(1000)
    sandbox.add_fault("erp-put")
    sandbox.key("another", "token")
    one_order(sandbox)
    requests.put(f"{sandbox.erp_url}/sales-orders/a", json={}, timeout=10)
    sandbox.reset()
    summary = sandbox.summary()
    assert (summary["orders"], summary["feeds"], summary["erp"]["orders"]) == ({}, {}, 0)
    assert (sandbox.faults(), sandbox.audit(), sandbox.switches()) == ([], [], Switches().model_dump())
    assert call(sandbox, "GET", FEED).status_code == 404


def test_the_summary_tells_of_orders_and_feeds(sandbox: Sandbox):
    sandbox.switches(async_delay_s=0)
    sandbox.configure_feed(statuses=[READY])
    order_id = one_order(sandbox)
    value = get_order(sandbox, order_id)["value"]
    start_handling(sandbox, order_id)
    summary = sandbox.summary()
    assert summary["orders"] == {
        order_id: {
            "status": "handling",
            "kind": "plain",
            "value": value,
            "start_handling_effects": 1,
            "cancel_effects": 0,
            "gets": 1,
        }
    }
    assert summary["feeds"][sandbox.app_key]["visible"] == 1
    assert sandbox.summary(orders=False)["orders"] == {}


def test_the_audit_is_filtered_and_knows_no_admin_call(sandbox: Sandbox):
    order_id = one_order(sandbox)
    get_order(sandbox, order_id)
    call(sandbox, "GET", FEED)
    [entry] = sandbox.audit(family="get-order", order_id=order_id, status=200)
    assert (entry["method"], entry["key"], entry["effect"]) == ("GET", sandbox.app_key, False)
    assert {each["family"] for each in sandbox.audit()} == {"get-order", "feed-get"}
    assert sandbox.audit(status=500) == []
    sandbox.clear_audit()
    assert sandbox.audit() == []


@pytest.mark.parametrize("kinds", [["plain", "typo"], ["no such kind"]])
def test_unknown_kinds_are_refused(sandbox: Sandbox, kinds: list[str]):
    with pytest.raises(SandboxError, match="unknown kinds"):
        sandbox.generate(1, kinds=kinds)


def test_orders_are_placed_silently_and_with_a_story(sandbox: Sandbox):
    sandbox.configure_feed()
    sandbox.generate(2, events=())
    assert sandbox.feed_counters()["total"] == 0
    sandbox.place([{"orderId": "1-01", "status": READY}], events=["payment-approved", READY], kinds=["mine"])
    assert sandbox.feed_counters()["total"] == 2
    assert sandbox.summary()["orders"]["1-01"]["kind"] == "mine"


def test_a_document_without_an_order_id_is_refused(sandbox: Sandbox):
    with pytest.raises(SandboxError, match="orderId"):
        sandbox.place([{"status": READY}])


def test_what_is_moved_must_exist(sandbox: Sandbox):
    with pytest.raises(SandboxError, match="no order unknown"):
        sandbox.move("unknown", READY)


def test_unknown_resources_are_refused(sandbox: Sandbox):
    with pytest.raises(SandboxError, match="unknown resources"):
        sandbox.key("a", "b", resources=["Everything"])


def test_a_sandbox_of_ones_own_ends_with_its_block():
    with running(account="other") as own:
        assert own.account == "other"
        assert requests.get(f"{own.base_url}/nowhere", timeout=10).status_code == 404
    with pytest.raises(requests.ConnectionError):
        requests.get(own.base_url, timeout=10)


def test_the_command_explains_itself(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "--account" in capsys.readouterr().out
