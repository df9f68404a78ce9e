"""Wrong keys, hosts and feeds, and odd but valid input: a clear error, or none, and no storm of requests."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.world import erp_client, vtex_client
from vtex_erp.errors import (
    ConfigurationError,
    CredentialsError,
    FeedNotConfiguredError,
    HandleRefusedError,
    RetryableError,
)
from vtex_erp.ledger import events, tables
from vtex_erp.vtex.schemas import FeedEvent

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from tests.pipeline.world import World

ORDERS = 3

FEED = "Feed v3 and Hook Admin"
ALL = (FEED, "View order", "Change order workflow status")


def _vtex_requests(world: World) -> int:
    return len([row for row in world.sandbox.audit() if not row["family"].startswith("erp")])


def test_a_wrong_key(world: World, sandbox: Sandbox) -> None:
    sandbox.generate(ORDERS, seed=1, kinds=["plain"])
    sandbox.clear_audit()
    world.loop.vtex = vtex_client(sandbox, world.time, token="not-the-token")
    error = world.run()["pull_feed"]
    assert isinstance(error, CredentialsError)
    assert "vtex_default" in error.message
    assert "Check App key and App token" in error.message
    assert "not-the-token" not in error.message
    assert _vtex_requests(world) == 1


@pytest.mark.parametrize("answer", ["403", "html"])
@pytest.mark.parametrize(
    ("missing", "task", "family"),
    [
        (FEED, "pull_feed", "feed-config"),
        ("View order", "fetch_orders", "get-order"),
        ("Change order workflow status", "start_handling", "start-handling"),
    ],
)
def test_a_missing_permission(
    world: World, sandbox: Sandbox, missing: str, task: str, family: str, answer: str
) -> None:
    placed = sandbox.generate(ORDERS, seed=1, kinds=["plain"])
    sandbox.switches(missing_permission=answer)
    sandbox.key(sandbox.app_key, sandbox.app_token, resources=[name for name in ALL if name != missing])
    error = world.run()[task]
    assert isinstance(error, CredentialsError)
    assert "vtex_default" in error.message
    assert missing in error.message
    assert world.requests(family) <= ORDERS
    sandbox.key(sandbox.app_key, sandbox.app_token)
    assert world.later() == {}
    assert world.later() == {}
    world.assert_each_once(placed)


def test_a_key_without_a_permission_costs_one_wave_of_requests(world: World, sandbox: Sandbox) -> None:
    wave = 2 * world.loop.vtex.settings.concurrency
    sandbox.generate(wave + 10, seed=1, kinds=["plain"])
    sandbox.key(sandbox.app_key, sandbox.app_token, resources=[FEED])
    assert isinstance(world.run()["fetch_orders"], CredentialsError)
    assert world.requests("get-order") <= wave


def test_a_feed_that_is_not_configured(world: World, sandbox: Sandbox) -> None:
    sandbox.delete_feed()
    sandbox.clear_audit()
    for missing in ("404", "200_empty"):
        sandbox.switches(config_missing=missing)
        error = world.run()["pull_feed"]
        assert isinstance(error, FeedNotConfiguredError)
        assert "vtex_default" in error.message
        assert "Configure" in error.message
    assert _vtex_requests(world) == 2


def test_a_feed_that_vanishes_while_it_is_read(world: World, sandbox: Sandbox) -> None:
    sandbox.add_fault("feed-get", status=404)
    assert isinstance(world.run()["pull_feed"], FeedNotConfiguredError)
    assert world.requests("feed-get") == 1


def test_a_vtex_that_cannot_be_reached(world: World, sandbox: Sandbox) -> None:
    world.loop.vtex = vtex_client(sandbox, world.time, host="http://127.0.0.1:9")
    error = world.run()["pull_feed"]
    assert isinstance(error, RetryableError)
    assert error.cause == "unreachable"
    assert "vtex_default" in error.message
    assert "http://127.0.0.1:9" in error.message


def test_an_erp_that_cannot_be_reached(world: World, sandbox: Sandbox) -> None:
    """Nothing was sent: the orders are not in doubt, and go on when the ERP is back."""
    placed = sandbox.generate(ORDERS, seed=1, kinds=["plain"])
    reachable = world.loop.erp
    world.loop.erp = erp_client(sandbox, world.time, host="http://127.0.0.1:9")
    error = world.run()["submit_orders"]
    assert isinstance(error, RetryableError)
    assert "3 x unreachable (BRL " in error.message
    assert "erp_default" in error.message
    assert world.stages() == {"mapped": ORDERS}
    assert sandbox.feed_counters()["committed"] == 0
    world.loop.erp = reachable
    assert world.later() == {}
    assert world.later() == {}
    world.assert_each_once(placed)
    assert world.requests("erp-get") == 0


def test_an_erp_that_does_not_accept_us(world: World, sandbox: Sandbox) -> None:
    wave = 2 * world.loop.erp.concurrency
    placed = sandbox.generate(wave + 10, seed=1, kinds=["plain"])
    sandbox.switches(erp_token="secret")
    error = world.run()["submit_orders"]
    assert isinstance(error, CredentialsError)
    assert "erp_default" in error.message
    assert world.requests("erp-put") <= wave
    assert world.stages() == {"mapped": len(placed)}


def test_a_key_of_another_account(world: World, sandbox: Sandbox) -> None:
    """The orders of one store must never get the external ids of another."""
    sandbox.generate(ORDERS, seed=1, kinds=["plain"])
    world.loop.vtex = vtex_client(sandbox, world.time, account="otherstore")
    world.loop.account = "otherstore"
    error = world.run()["pull_feed"]
    assert isinstance(error, ConfigurationError)
    assert error.cause == "wrong-account"
    for part in ("vtex_default", "'otherstore'", f"'{sandbox.account}'"):
        assert part in error.message
    assert world.stages() == {}
    assert world.creations() == {}
    assert world.requests("feed-get") == 1


def test_the_case_of_the_account_makes_no_difference(world: World, sandbox: Sandbox) -> None:
    sandbox.generate(1, seed=1, kinds=["plain"])
    world.loop.account = sandbox.account.upper()
    assert world.run() == {}


HANDLES = [
    "",
    "AQEBbare",
    "a.b.c",
    "a.bm8ganNvbg.c",
    f"a.{base64.urlsafe_b64encode(b'[1]').decode().rstrip('=')}.c",
    f"a.{base64.urlsafe_b64encode(json.dumps({'Account': 7}).encode()).decode()}.c",
    "é.é.é",
]


def test_handles_that_say_nothing_are_taken_as_they_are(world: World, sandbox: Sandbox) -> None:
    items = [
        {"eventId": f"E{number}", "handle": handle, "orderId": f"x-{number}", "state": "handling"}
        for number, handle in enumerate(HANDLES)
    ]
    sandbox.add_fault("feed-get", status=200, body=json.dumps(items), times=1)
    world.run()
    with world.ledger.read() as connection:
        assert len(connection.execute(tables.events.select()).all()) == len(HANDLES)


def test_handles_of_another_key_do_not_keep_ours_in_the_feed(world: World, sandbox: Sandbox) -> None:
    """The key was changed: what the old one pulled can never be committed with the new one."""
    sandbox.key("vtexappkey-new", "token", resources=None)
    sandbox.generate(ORDERS, seed=1, kinds=["plain"], status="handling", events=["handling"])
    world.loop.pull(world.task("pull_feed", run_id="old key").run)
    old, sandbox.app_key, sandbox.app_token = (sandbox.app_key, sandbox.app_token), "vtexappkey-new", "token"
    try:
        sandbox.configure_feed(visibility_timeout=120, statuses=["handling"])
        world.loop.vtex = vtex_client(sandbox, world.time)
        sandbox.generate(ORDERS, seed=2, kinds=["plain"], status="handling", events=["handling"])
        assert world.run() == {}
        assert sandbox.feed_counters() == {"visible": 0, "in_flight": 0, "total": 0, "committed": 3, "expired": 0}
        assert world.requests("feed-commit", status=403) == 0
    finally:
        sandbox.app_key, sandbox.app_token = old


ODD_IDS = [
    "SCP-88/é 1%2F",
    "a b",
    "ünï-ço∂é-01",
    "v50001store-01",
    "x" * 100 + "-01",
    "../../etc",
    "q?a=b&c#d",
    "1+1;2",
]


def test_odd_order_ids_flow_through(world: World, sandbox: Sandbox) -> None:
    [template] = sandbox.generate(1, seed=1, kinds=["plain"], events=[])
    document = json.loads(world.loop.vtex.get_order(template.order_id))
    placed = sandbox.place([{**document, "orderId": order_id, "status": "ready-for-handling"} for order_id in ODD_IDS])
    assert world.run() == {}
    assert world.later() == {}
    world.assert_each_once(placed)


ODD_ITEMS = [
    {"orderId": "x" * 500, "state": "handling"},
    {"orderId": "a\0b", "state": "s" * 500, "domain": "d" * 500, "handle": "h" * 5000},
    {"orderId": "a-01", "state": "s\0", "domain": "d\0", "handle": "h\0", "eventId": "e" * 500},
    {"orderId": "a-01", "state": "\ud83d", "currentChange": "soon"},
    {"orderId": ".", "state": "unknow"},
]


def test_items_that_the_database_would_refuse_stop_no_other(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(ORDERS, seed=1, kinds=["plain"])
    sandbox.add_fault("feed-get", status=200, body=json.dumps(ODD_ITEMS), times=1)
    for _ in range(3):
        world.later()
    assert world.creations() == {world.external_id(order): 1 for order in placed}
    assert sandbox.feed_counters()["total"] == 0


ODD_FIELDS: list[dict[str, Any]] = [
    {"status": "s" * 500},
    {"status": "nul\0"},
    {"storePreferencesData": {"currencyCode": "Brazilian real, the new one"}},
    {"value": 2**63 - 1},
    {"value": 10**40},
]


def test_orders_that_the_database_would_refuse_stop_no_other(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(ORDERS, seed=1, kinds=["plain"])
    for odd, field in zip(sandbox.generate(len(ODD_FIELDS), seed=2, kinds=["plain"]), ODD_FIELDS, strict=True):
        document = {**json.loads(world.loop.vtex.get_order(odd.order_id)), **field}
        sandbox.add_fault("get-order", status=200, order_id=odd.order_id, body=json.dumps(document))
    world.run()
    assert {world.entry(order.order_id).stage for order in placed} == {"handling"}
    assert {world.external_id(order) for order in placed} <= set(world.creations())
    assert set(world.stages()) <= {"handling", "ignored", "parked"}


def test_erp_ids_that_the_database_would_refuse(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(3, seed=1, kinds=["plain"])
    for order, erp_id in zip(placed, ["i" * 500, "a\0b", 10**30], strict=True):
        body = json.dumps({"id": erp_id})
        sandbox.add_fault("erp-put", status=200, effect="done", body=body, order_id=world.external_id(order))
    assert world.run() == {}
    assert world.later() == {}
    world.assert_each_once(placed)


def test_a_refusal_that_the_database_would_refuse(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(ORDERS, seed=1, kinds=["plain"])
    bad = world.external_id(placed[0])
    sandbox.add_fault("erp-put", status=422, order_id=bad, body=json.dumps({"error": "no\0\ud83d" + "n" * 5000}))
    world.run()
    assert world.stages() == {"handling": ORDERS - 1, "parked": 1}


@pytest.mark.parametrize(
    ("family", "task"),
    [("feed-config", "pull_feed"), ("feed-get", "pull_feed"), ("get-order", "fetch_orders")],
)
def test_web_pages_in_place_of_answers(world: World, sandbox: Sandbox, family: str, task: str) -> None:
    placed = sandbox.generate(ORDERS, seed=1, kinds=["plain"])
    sandbox.add_fault(family, "html", status=200)
    error = world.run()[task]
    assert isinstance(error, CredentialsError)
    assert "vtex_default" in error.message
    assert "an HTML page" in error.message
    assert "<" not in error.message
    assert world.requests(family) <= ORDERS
    sandbox.clear_faults()
    for _ in range(3):
        world.later()
    world.assert_each_once(placed)


def test_a_commit_that_is_answered_with_a_web_page(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(ORDERS, seed=1, kinds=["plain"])
    sandbox.add_fault("feed-commit", "html", status=200)
    assert isinstance(world.run()["commit_events"], CredentialsError)
    assert world.requests("feed-commit") == 1
    sandbox.clear_faults()
    for _ in range(2):
        assert world.later() == {}
    world.assert_each_once(placed)


def test_a_server_error_is_tried_three_times_a_task(world: World, sandbox: Sandbox) -> None:
    sandbox.generate(ORDERS, seed=1, kinds=["plain"])
    sandbox.add_fault("get-order", status=500)
    assert isinstance(world.run()["fetch_orders"], RetryableError)
    assert world.requests("get-order") == 3 * ORDERS


def test_a_refused_handle_alone_is_no_error_of_the_run(world: World, sandbox: Sandbox) -> None:
    event = FeedEvent(event_id="E", handle="garbage", state="handling", order_id="x-01")
    with pytest.raises(HandleRefusedError):
        world.loop.vtex.commit_feed_items(["garbage"])
    events.record(world.ledger, sandbox.account, [event])
    assert world.run() == {}
