"""The loop's effects at VTEX and in the ERP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.loop import STATUSES, Loop, clients
from vtex_erp.errors import ParkError, RetryableError
from vtex_erp.ledger import events
from vtex_erp.ledger.entries import Run, TaskTry
from vtex_erp.pipeline.outcome import outcome
from vtex_erp.pipeline.pull_feed import PullBounds, pull_feed
from vtex_erp.vtex.schemas import FeedEvent

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from tests.pipeline.world import World
    from vtex_erp.ledger.ledger import Ledger


@pytest.fixture
def loop(ledger: Ledger, sandbox: Sandbox) -> Loop:
    """A loop on an empty ledger, with a feed of two minutes' visibility; its pauses move VTEX's clock instead."""
    sandbox.configure_feed(visibility_timeout=120, statuses=STATUSES)
    vtex, erp = clients(sandbox, sandbox.advance)
    return Loop(ledger, vtex, erp, sandbox.account, sleep=sandbox.advance)


def test_orders_go_from_the_feed_into_the_erp_once(loop: Loop, sandbox: Sandbox) -> None:
    placed = sandbox.generate(12, seed=1, kinds=["plain"])
    assert loop.run() == {}
    held = sandbox.erp_orders()
    assert {f"{sandbox.account}:{order.order_id}" for order in placed} == set(held)
    assert {order["creations"] for order in held.values()} == {1}
    summary = sandbox.summary()
    assert {order["start_handling_effects"] for order in summary["orders"].values()} == {1}
    # The events of the orders' new status, handling, are for the next run; VTEX takes seconds to make them.
    sandbox.advance(60)
    assert loop.run("next") == {}
    assert sandbox.feed_counters()["total"] == 0


def test_two_stores_of_one_account_are_refused(world: World, sandbox: Sandbox) -> None:
    run = Run("vtex_orders__other", "minute", sandbox.account)
    assert pull_feed(world.ledger, TaskTry(run, "pull_feed"), world.loop.vtex, bounds=PullBounds()) == 0
    sandbox.generate(1, seed=1, kinds=["plain"])
    error = world.run()["pull_feed"]
    assert error.cause == "account-shared"
    assert "vtex_orders__other" in error.message
    assert sandbox.feed_counters()["visible"] == 1
    world.time.sleep(600)  # the other one was only renamed
    assert world.run() == {}


@pytest.mark.parametrize("told", [None, 0, 7, 90, 5000])
def test_a_feed_whose_number_of_events_is_wrong_is_read_dry(
    world: World, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, told: int | None
) -> None:
    told_right = world.loop.vtex.feed_configuration()
    told_wrong = told_right.model_copy(update={"quantity": told})
    monkeypatch.setattr(world.loop.vtex, "feed_configuration", lambda: told_wrong)
    sandbox.generate(90, seed=1, kinds=["plain"])
    world.begin()
    assert sandbox.feed_counters()["visible"] == 0
    assert world.stages() == {"received": 90}


def test_a_feed_that_tells_its_number_of_events_is_read_with_no_more_than_three_reads_besides(
    world: World, sandbox: Sandbox
) -> None:
    world.begin()
    assert world.requests("feed-get") == 3
    sandbox.generate(90, seed=1, kinds=["plain"])
    events_waiting = sandbox.feed_counters()["visible"]
    world.begin()
    assert world.requests("feed-get") == 3 + -(-events_waiting // 10) + 3


def test_what_the_hook_has_brought_is_worked_on_though_the_feed_cannot_be_read(world: World, sandbox: Sandbox) -> None:
    """As the DAG of a store with a hook does: deduplicate goes on whatever became of pull_feed."""
    (order,) = sandbox.generate(1, seed=1, kinds=["plain"], events=())
    told = FeedEvent(order_id=order.order_id, state="ready-for-handling", current_change=world.time.now())
    events.record(world.ledger, sandbox.account, [told], source="hook")
    run = Run("vtex_orders", "minute", sandbox.account)
    sandbox.add_fault("feed-get", status=500)
    with pytest.raises(RetryableError):
        world.loop.pull(run)
    for batch in range(len(world.loop.deduplicate(run).batches)):
        world.loop.batch(run, batch)
    assert world.creations() == {world.external_id(order): 1}
    with pytest.raises(ParkError, match="The feed could not be read"):
        outcome(world.ledger, TaskTry(run, "outcome"), after_pull=True)
