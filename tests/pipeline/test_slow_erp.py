"""The ERP takes longer than VTEX's visibility timeout: the events come back, the orders are not sent again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.world import VISIBILITY
from vtex_erp.pipeline.commit_events import commit_events
from vtex_erp.pipeline.fetch_orders import fetch_orders
from vtex_erp.pipeline.map_orders import map_orders
from vtex_erp.pipeline.outcome import outcome
from vtex_erp.pipeline.start_handling import start_handling
from vtex_erp.pipeline.submit_orders import submit_orders

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from tests.pipeline.world import World


def _work_slowly(world: World) -> tuple[int, int]:
    """Run a batch whose ERP answers after the handles' death; how many commits VTEX took, and refused."""
    world.begin()
    fetch_orders(world.ledger, world.task("fetch_orders"), world.loop.vtex).raise_failures()
    map_orders(world.ledger, world.task("map_orders")).raise_failures()
    submit_orders(world.ledger, world.task("submit_orders"), world.loop.erp).raise_failures()
    world.time.sleep(VISIBILITY + 1)
    report = commit_events(world.ledger, world.task("commit_events"), world.loop.vtex)
    report.raise_failures()
    start_handling(
        world.ledger, world.task("start_handling"), world.loop.vtex, world.loop.erp, sleep=world.time.sleep
    ).raise_failures()
    outcome(world.ledger, world.task("outcome", batch=None))
    return report.committed, report.refused


@pytest.mark.parametrize("spoils", [False, True])
@pytest.mark.parametrize("expired_handle", ["ok_noop", "400", "404"])
def test_events_whose_handles_died_are_committed_when_they_come_back(
    world: World, sandbox: Sandbox, expired_handle: str, spoils: bool
) -> None:
    sandbox.switches(expired_handle=expired_handle, bad_handle_spoils_commit=spoils)
    placed = sandbox.generate(12, seed=1, kinds=["plain"])
    committed, refused = _work_slowly(world)
    assert (committed, refused) == ((12, 0) if expired_handle == "ok_noop" else (0, 12))
    assert world.sandbox.feed_counters()["total"] >= 12
    gets = world.requests("get-order")
    for _ in range(2):
        assert world.later(1) == {}
        world.time.sleep(VISIBILITY)
    world.assert_each_once(placed)
    assert world.requests("erp-put") == 12
    assert world.requests("get-order") == gets


@pytest.mark.parametrize("expired_handle", ["400", "404"])
def test_one_dead_handle_does_not_keep_its_neighbours_in_the_feed(
    world: World, sandbox: Sandbox, expired_handle: str
) -> None:
    sandbox.switches(expired_handle=expired_handle, bad_handle_spoils_commit=True)
    news: dict[str, Any] = {"kinds": ["plain"], "status": "handling", "events": ["handling"]}
    sandbox.generate(1, seed=1, **news)
    world.loop.pull(world.task("pull_feed", run_id="dead").run)
    world.time.sleep(VISIBILITY + 1)
    assert len(world.loop.vtex.retrieve_feed_items()) == 1  # delivered to somebody else: our handle is dead
    sandbox.generate(8, seed=2, **news)
    assert world.run() == {}
    assert sandbox.feed_counters()["committed"] == 8
    assert world.requests("feed-commit", status=int(expired_handle)) == 2  # the nine together, and the dead one
    assert world.later() == {}
    assert sandbox.feed_counters()["total"] == 0
    assert world.creations() == {}


def test_event_ids_that_change_with_each_delivery(world: World, sandbox: Sandbox) -> None:
    sandbox.switches(stable_event_id=False, expired_handle="400")
    placed = sandbox.generate(5, seed=1, kinds=["plain"])
    _work_slowly(world)
    for _ in range(2):
        assert world.later() == {}
    world.assert_each_once(placed)
    assert world.requests("erp-put") == 5
