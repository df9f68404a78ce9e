"""Every route failing now and then, in every way: each order still gets through, once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.world import World

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from vtex_erp.ledger.ledger import Ledger

FAMILIES = ("feed-config", "feed-get", "feed-commit", "get-order", "start-handling", "erp-put", "erp-get")
ORDERS = 5
MOST_RUNS = 30
TIMEOUT = 0.25

FAULTS: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "500 after the effect": {"status": 500, "effect": "done"},
    "503": {"status": 503},
    "503 with Retry-After": {"status": 503, "headers": {"Retry-After": "7"}},
    "429": {"status": 429},
    "429 with Retry-After": {"status": 429, "headers": {"Retry-After": "7"}},
    "429 with a long Retry-After": {"status": 429, "headers": {"Retry-After": "1800"}, "probability": 0.1},
    "a web page in place of an error": {"action": "html", "status": 502},
    "a log-in page": {"action": "html", "status": 200},
    "a log-in page after the effect": {"action": "html", "status": 200, "effect": "done"},
    "a cut answer": {"action": "truncated"},
    "a cut connection": {"action": "drop"},
    "a lost answer": {"action": "drop", "effect": "done"},
    "an answer too late": {"action": "slow", "delay_s": TIMEOUT * 1.4},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_order_gets_through_once_whatever_fails(ledger: Ledger, sandbox: Sandbox, fault: str) -> None:
    timeout = TIMEOUT if FAULTS[fault].get("action") == "slow" else 10
    world = World.make(ledger, sandbox, timeout_seconds=timeout)
    sandbox.switches(erp_unique=False, duplicate_p=1, duplicate_new_id_p=1)
    for family in FAMILIES:
        sandbox.add_fault(family, **{"probability": 0.2, **FAULTS[fault]})
    placed = sandbox.generate(ORDERS, seed=1, kinds=["plain"])
    while world.runs < MOST_RUNS and not _all_quiet(world):
        world.later()
    assert sum(each["hits"] for each in sandbox.faults()) > 2
    sandbox.clear_faults()
    _settle_down(world)
    world.assert_each_once(placed)
    assert world.stages() == {"handling": ORDERS}


def _all_quiet(world: World) -> bool:
    return world.stages() == {"handling": ORDERS} and world.sandbox.feed_counters()["total"] == 0


def _settle_down(world: World) -> None:
    """Of two items with one event id, each delivery brings the handle of one."""
    for _ in range(3):
        assert world.later() == {}


def test_a_commit_that_takes_only_some_handles(world: World, sandbox: Sandbox) -> None:
    sandbox.switches(partial_commit_p=0.5, empty_read_p=0.2, partial_read_p=0.3)
    sandbox.add_fault("feed-commit", "status", effect="half", status=500, probability=0.3)
    placed = sandbox.generate(ORDERS, seed=2, kinds=["plain"])
    while world.runs < MOST_RUNS and not _all_quiet(world):
        world.later()
    sandbox.clear_faults()
    sandbox.switches(partial_commit_p=0, empty_read_p=0, partial_read_p=0)
    _settle_down(world)
    world.assert_each_once(placed)


@pytest.mark.parametrize("lookup", [{"status": 500}, {"action": "html"}, {"action": "drop"}, {"status": 429}])
def test_an_erp_that_cannot_tell_is_never_sent_the_order_again(
    world: World, sandbox: Sandbox, lookup: dict[str, Any]
) -> None:
    sandbox.add_fault("erp-put", "drop", effect="done")
    sandbox.add_fault("erp-get", **lookup)
    placed = sandbox.generate(3, seed=3, kinds=["plain"])
    for _ in range(3):
        world.later()
    assert world.stages() == {"submitting": 3}
    assert world.requests("erp-put") == 3
    assert sandbox.feed_counters()["committed"] == 0
    sandbox.clear_faults()
    _settle_down(world)
    world.assert_each_once(placed)


def test_the_erp_creates_the_order_after_we_gave_up(ledger: Ledger, sandbox: Sandbox) -> None:
    """An ERP with a unique key: what it made late and what is sent again are one sales order."""
    world = World.make(ledger, sandbox, timeout_seconds=TIMEOUT)
    sandbox.add_fault("erp-put", "drop", effect="late", delay_s=TIMEOUT * 1.4, times=3)
    placed = sandbox.generate(3, seed=3, kinds=["plain"])
    world.run()
    assert world.later() == {}
    assert world.later() == {}
    world.assert_each_once(placed)
