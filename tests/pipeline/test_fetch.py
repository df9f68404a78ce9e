"""What the order's present status means for the fetch."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.loop import STATUSES
from vtex_erp.errors import RetryableError
from vtex_erp.ledger import documents, entries, events
from vtex_erp.ledger.retention import purge
from vtex_erp.ledger.stages import Stage
from vtex_erp.pipeline.fetch_orders import fetch_orders
from vtex_erp.vtex.schemas import FeedEvent

if TYPE_CHECKING:
    from datetime import datetime

    from sandbox.client import Sandbox
    from tests.pipeline.world import World
    from vtex_erp.pipeline.report import StepReport

DECISIONS = {
    "ready-for-handling": "fetched",
    "Ready-For-Handling ": "fetched",
    "handling": "ignored",
    "start-handling": "ignored",
    "invoiced": "ignored",
    "cancellation-requested": "parked",
    "a-status-of-tomorrow": "ignored",
    "canceled": "cancelled",
    "cancel": "cancelled",
    "replaced": "cancelled",
    "": "parked",
}


def _fetch(world: World) -> StepReport:
    return fetch_orders(world.ledger, world.task("fetch_orders"), world.loop.vtex)


def test_the_present_status_decides(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(len(DECISIONS), seed=1, kinds=["plain"])
    expected = {}
    for order, (status, stage) in zip(placed, DECISIONS.items(), strict=True):
        sandbox.move_at_next_get(order.order_id, status)
        expected[order.order_id] = stage
    world.begin()
    report = _fetch(world)
    assert {order_id: world.entry(order_id).stage for order_id in expected} == expected
    assert report.counts() == {"fetched": 2, "ignored": 4, "cancelled": 3, "failed": 2}
    kept = documents.load(world.ledger, [world.entry(order_id).id for order_id in expected], documents.ORDER)
    assert len(kept) == 2
    # events of orders that need nothing, or a person, are committed
    world.loop.batch(world.task("").run, 0)
    assert sandbox.feed_counters()["committed"] == len(DECISIONS)
    assert len(world.creations()) == 2


@pytest.mark.parametrize("status", [None, "detail.state.null"])
def test_an_order_without_a_status_is_parked_until_news_of_it_come(
    world: World, sandbox: Sandbox, status: str | None
) -> None:
    [order] = sandbox.generate(1, seed=1, kinds=["plain"])
    sandbox.move_at_next_get(order.order_id, status)
    error = world.run()["fetch_orders"]
    assert "1 x order-incomplete" in error.message
    assert world.stages() == {"parked": 1}
    sandbox.move(order.order_id, "ready-for-handling")
    assert world.later() == {}
    assert world.later() == {}
    world.assert_each_once([order])


def test_what_fetch_keeps_of_the_order(world: World, sandbox: Sandbox) -> None:
    [order] = sandbox.generate(1, seed=1, kinds=["plain"])
    world.begin()
    _fetch(world)
    entry = world.entry(order.order_id)
    assert entry.vtex_status == "ready-for-handling"
    assert entry.value_cents == sandbox.summary()["orders"][order.order_id]["value"]
    assert entry.currency == "BRL"
    text = documents.load(world.ledger, [entry.id], documents.ORDER)[entry.id]
    assert json.loads(text)["orderId"] == order.order_id


def test_a_read_that_is_older_than_its_event_is_done_again(world: World, sandbox: Sandbox) -> None:
    [order] = sandbox.generate(1, seed=1, kinds=["plain"], status="window-to-cancel", events=[])
    sandbox.emit(order.order_id, "ready-for-handling")
    error = world.run()["fetch_orders"]
    assert isinstance(error, RetryableError)
    assert "1 x stale-read" in error.message
    assert world.stages() == {"received": 1}
    sandbox.move(order.order_id, "ready-for-handling")
    world.later()
    world.later()
    world.assert_each_once([order])


def tell_without_date(world: World, order_id: str, state: str, **more: datetime) -> None:
    """The hook tells of a change, in a form that does not say when it was."""
    events.record(
        world.ledger, world.sandbox.account, [FeedEvent(order_id=order_id, state=state, **more)], source=events.HOOK
    )


def test_a_cancellation_without_a_date_that_the_read_side_does_not_show_yet(world: World, sandbox: Sandbox) -> None:
    sandbox.switches(async_delay_s=0)
    [order] = sandbox.generate(1, seed=1, kinds=["plain"])
    world.run()
    tell_without_date(world, order.order_id, "canceled")
    assert "1 x stale-read" in world.run()["fetch_orders"].message
    assert world.entry(order.order_id).stage == "changed"
    sandbox.configure_feed(statuses=["invoiced"])  # nothing else tells of it
    sandbox.move(order.order_id, "canceled")
    assert world.later(120) == {}
    assert world.entry(order.order_id).stage == "cancelled"


def test_a_new_order_without_a_date_that_the_read_side_does_not_show_yet(world: World, sandbox: Sandbox) -> None:
    [order] = sandbox.generate(1, seed=1, kinds=["plain"], status="window-to-cancel", events=[])
    tell_without_date(world, order.order_id, "ready-for-handling")
    assert "1 x stale-read" in world.run()["fetch_orders"].message
    sandbox.configure_feed(statuses=["invoiced"])
    sandbox.move(order.order_id, "ready-for-handling")
    assert world.later(120) == {}
    world.assert_each_once([order])


def test_a_change_of_which_only_the_document_tells_and_that_is_not_shown_yet(world: World, sandbox: Sandbox) -> None:
    """As under FromOrders."""
    sandbox.switches(async_delay_s=0)
    [order] = sandbox.generate(1, seed=1, kinds=["plain"])
    world.run()
    tell_without_date(world, order.order_id, "unknow", last_change=world.time.now() + timedelta(minutes=1))
    assert "1 x stale-read" in world.run()["fetch_orders"].message
    assert world.entry(order.order_id).stage == "changed"


@pytest.mark.parametrize("state", ["handling", "ready-for-handling", "unknow"])
def test_what_is_told_without_a_date_and_seen_is_no_trouble(world: World, sandbox: Sandbox, state: str) -> None:
    sandbox.switches(async_delay_s=0)
    [order] = sandbox.generate(1, seed=1, kinds=["plain"])
    world.run()
    tell_without_date(world, order.order_id, state, last_change=world.time.now() - timedelta(minutes=10))
    assert world.run() == {}
    assert world.entry(order.order_id).stage == "handling"


def test_the_read_side_is_not_waited_for_for_ever(world: World, sandbox: Sandbox) -> None:
    [order] = sandbox.generate(1, seed=1, kinds=["plain"], status="window-to-cancel", events=[])
    tell_without_date(world, order.order_id, "ready-for-handling")
    world.run()
    assert world.later() == {}
    assert world.entry(order.order_id).stage == "ignored"


def test_an_earlier_status_that_is_as_new_as_the_event_needs_nothing(world: World, sandbox: Sandbox) -> None:
    [order] = sandbox.generate(1, seed=1, kinds=["plain"], events=[])
    sandbox.configure_feed(visibility_timeout=120, statuses=[*STATUSES, "window-to-cancel"])
    sandbox.emit(order.order_id, "ready-for-handling")
    sandbox.move(order.order_id, "window-to-cancel")
    assert world.run() == {}
    assert world.stages() == {"ignored": 1}
    sandbox.move(order.order_id, "ready-for-handling")
    assert world.later() == {}
    assert world.later() == {}
    world.assert_each_once([order])


def test_an_order_that_the_read_side_shows_late(world: World, sandbox: Sandbox) -> None:
    sandbox.switches(visibility_lag_s=100)
    [order] = sandbox.generate(1, seed=1, kinds=["plain"])
    assert "1 x order-not-found" in world.run()["fetch_orders"].message
    assert world.stages() == {"received": 1}
    assert world.requests("get-order") == 1
    assert world.later() == {}
    assert world.later() == {}
    world.assert_each_once([order])


def test_an_order_that_is_never_found_is_parked(world: World, sandbox: Sandbox) -> None:
    sandbox.emit("not-ours-01", "ready-for-handling")
    for _ in range(5):
        assert isinstance(world.later()["fetch_orders"], RetryableError)
        assert world.stages() == {"received": 1}
    world.later()
    assert world.stages() == {"parked": 1}
    entry = world.entry("not-ours-01")
    assert entry.cause == "order-not-found"
    assert "6 times" in entry.message
    reads = world.requests("get-order")
    assert world.later() == {}
    assert sandbox.feed_counters()["total"] == 0
    assert world.requests("get-order") == reads == 6


def test_an_order_that_was_cancelled_before_it_was_read_never_meets_the_erp(world: World, sandbox: Sandbox) -> None:
    [order] = sandbox.generate(1, seed=1, kinds=["plain"])
    sandbox.move(order.order_id, "canceled")
    assert world.run() == {}
    assert world.stages() == {"cancelled": 1}
    assert world.creations() == {}
    assert world.requests("erp-cancel") == 0
    assert sandbox.feed_counters()["total"] == 0


def test_one_order_that_cannot_be_read_stops_no_other(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(4, seed=1, kinds=["plain"])
    sandbox.add_fault("get-order", status=500, order_id=placed[0].order_id)
    sandbox.add_fault("get-order", status=400, order_id=placed[1].order_id)
    sandbox.add_fault("get-order", "truncated", order_id=placed[2].order_id)
    world.run()
    assert [world.entry(order.order_id).stage for order in placed] == ["received", "parked", "received", "handling"]


def test_an_expired_document_is_read_again(world: World, sandbox: Sandbox) -> None:
    """An order waited so long that its documents are gone."""
    placed = sandbox.generate(2, seed=1, kinds=["plain"])
    world.begin()
    _fetch(world)
    world.time.sleep(31 * 86_400)
    assert purge(world.ledger).documents == 2
    world.loop.batch(world.task("").run, 0)
    assert "2 x document-expired" in world.loop.errors["map_orders"].message
    sandbox.configure_feed(visibility_timeout=120, statuses=STATUSES)
    world.later()
    assert world.creations() == {world.external_id(order): 1 for order in placed}


def test_the_way_back_of_a_rerun(world: World, sandbox: Sandbox) -> None:
    """Clearing fetch_orders takes back what was fetched and mapped, and nothing that may be in the ERP."""
    placed = sandbox.generate(5, seed=1, kinds=["plain"])
    world.begin()
    _fetch(world)
    for order, stage in zip(placed, ["fetched", "mapped", "submitting", "submitted", "handling"], strict=True):
        world.set_entry(order.order_id, stage=stage)
    assert entries.reopen(world.ledger, world.task("fetch_orders"), to=Stage.RECEIVED) == 2
    assert [world.entry(order.order_id).stage for order in placed] == [
        *("received", "received", "submitting", "submitted", "handling"),
    ]
