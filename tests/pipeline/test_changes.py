"""Orders that are cancelled, asked to be cancelled, replaced or invoiced, before and after they are in the ERP."""

from __future__ import annotations

from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from vtex_erp.ledger import entries, notices
from vtex_erp.ledger.stages import Stage
from vtex_erp.pipeline.submit_orders import submit_orders
from vtex_erp.stores.actions import Actions
from vtex_erp.stores.notices import NoticeKind

if TYPE_CHECKING:
    from sandbox.client import PlacedOrder, Sandbox
    from tests.pipeline.world import World

EVERY_STATUS: list[str] = []


@pytest.fixture
def order(world: World, sandbox: Sandbox) -> PlacedOrder:
    """An order that is ready for handling, in a store whose feed tells every status."""
    sandbox.configure_feed(visibility_timeout=120, statuses=EVERY_STATUS)
    sandbox.switches(async_delay_s=0)
    return sandbox.generate(1, seed=1, kinds=["plain"])[0]


def in_erp(world: World, order: PlacedOrder) -> tuple[int, bool, int]:
    """How many sales orders the ERP made of the order, whether it is cancelled there, and how often that was asked."""
    held = world.sandbox.erp_orders().get(world.external_id(order))
    return (held["creations"], held["cancelled"], held["cancel_calls"]) if held else (0, False, 0)


def soon(world: World) -> None:
    """Two runs, so that what one leaves to the next is done; the feed is empty then."""
    for _ in range(2):
        world.later()
    assert world.sandbox.feed_counters()["total"] == 0


def test_cancelled_before_it_was_read(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    sandbox.move(order.order_id, "canceled")
    assert world.run() == {}
    soon(world)
    assert in_erp(world, order) == (0, False, 0)
    assert world.entry(order.order_id).stage == "cancelled"


def test_cancelled_between_the_read_and_the_submit(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    world.begin()
    world.loop.batch(world.task("").run, 0, until="map_orders")
    sandbox.move(order.order_id, "canceled")
    world.loop.batch(world.task("").run, 0)
    soon(world)
    assert in_erp(world, order) == (1, True, 1)
    assert world.handling_effects() == {order.order_id: 0}
    assert world.entry(order.order_id).stage == "cancelled"


def test_cancelled_between_the_submit_and_the_start_of_handling(
    world: World, sandbox: Sandbox, order: PlacedOrder
) -> None:
    world.begin()
    world.loop.batch(world.task("").run, 0, until="submit_orders")
    sandbox.move(order.order_id, "canceled")
    world.loop.batch(world.task("").run, 0)
    soon(world)
    assert in_erp(world, order) == (1, True, 1)
    assert world.handling_effects() == {order.order_id: 0}


def test_cancelled_in_doubt(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    """The ERP has made the order and its answer was lost; VTEX cancels before anybody could look."""
    sandbox.add_fault("erp-put", "drop", effect="done")
    sandbox.add_fault("erp-get", status=503)
    world.run()
    assert world.entry(order.order_id).stage == "submitting"
    sandbox.move(order.order_id, "canceled")
    sandbox.clear_faults()
    soon(world)
    assert in_erp(world, order) == (1, True, 1)
    assert world.entry(order.order_id).stage == "cancelled"


def test_cancelled_in_the_erp_while_in_doubt(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    """The ERP has made the order and its answer was lost; a person cancels it there before anybody could look."""
    for route in ("erp-put", "erp-get"):
        sandbox.add_fault(route, "drop", effect="done")
    world.run()
    sandbox.clear_faults()
    world.loop.erp.cancel(world.external_id(order), reason="by hand")
    world.later()
    entry = world.entry(order.order_id)
    assert (entry.stage, entry.cause) == ("parked", "cancelled-in-erp")
    task = world.task("submit_orders")
    assert entries.reopen(world.ledger, task, to=Stage.MAPPED) == 1
    submit_orders(world.ledger, task, world.loop.erp)
    assert world.entry(order.order_id).stage == "parked"  # asked again, and not sent again
    assert world.requests("erp-put") == 1
    assert world.handling_effects() == {order.order_id: 0}


def test_cancelled_after_handling_has_started(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    assert world.run() == {}
    sandbox.move(order.order_id, "canceled")
    assert world.later() == {}
    soon(world)
    assert in_erp(world, order) == (1, True, 1)
    assert sandbox.erp_orders()[world.external_id(order)]["cancel_reason"] == "VTEX: canceled"
    assert world.entry(order.order_id).stage == "cancelled"
    assert world.handling_effects() == {order.order_id: 1}


def test_a_cancellation_of_what_the_erp_does_not_find_any_more_is_not_silent(
    world: World, sandbox: Sandbox, order: PlacedOrder
) -> None:
    world.run()
    sandbox.forget(world.external_id(order))
    sandbox.move(order.order_id, "canceled")
    world.later()
    entry = world.entry(order.order_id)
    assert (entry.stage, entry.cause) == ("parked", "not-found-in-erp")
    assert entry.erp_id in entry.message


def test_cancelled_after_delivery_waits_for_a_person_and_is_said_once(
    world: World, sandbox: Sandbox, order: PlacedOrder
) -> None:
    world.run()
    sandbox.ship(world.external_id(order))
    sandbox.move(order.order_id, "canceled")
    errors = world.later()
    assert "1 x cancelled-too-late" in errors["submit_orders"].message
    assert world.later() == {}
    entry = world.entry(order.order_id)
    assert (entry.stage, entry.cause) == ("parked", "cancelled-too-late")
    assert sandbox.feed_counters()["total"] == 0


def told(world: World) -> list[NoticeKind]:
    """The kinds of notices that the warehouse was not told of before."""
    every = tuple(NoticeKind)
    return [each.kind for each in notices.claim(world.ledger, world.sandbox.account, "main/warehouse", every)]


def test_a_cancellation_that_comes_too_late_is_told_once_however_it_flips(
    world: World, sandbox: Sandbox, order: PlacedOrder
) -> None:
    world.run()
    sandbox.ship(world.external_id(order))
    for status in ("canceled", "cancel", "canceled"):
        sandbox.move(order.order_id, status)
        soon(world)
    assert world.entry(order.order_id).cause == "cancelled-too-late"
    assert told(world) == [NoticeKind.CANCELLED_TOO_LATE]


def test_a_request_is_told_once_and_another_one_after_it_was_denied_too(
    world: World, sandbox: Sandbox, order: PlacedOrder
) -> None:
    """VTEX tells of one request by several statuses."""
    world.run()
    sandbox.switches(deny_returns_to="handling")  # of which no event tells us anything
    for _ in range(2):
        sandbox.move(order.order_id, "request-cancel")
        soon(world)
        request = sandbox.ask_cancellation(order.order_id, by_marketplace=True)
        soon(world)
        assert told(world) == [NoticeKind.CANCELLATION_REQUESTED]
        assert world.entry(order.order_id).cause == "cancellation-requested"
        sandbox.deny_cancellation(order.order_id, request)
        soon(world)


def test_a_cancellation_while_the_erp_is_down_waits_for_it(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    world.run()
    sandbox.add_fault("erp-cancel", status=503)
    sandbox.move(order.order_id, "canceled")
    world.later()
    assert world.entry(order.order_id).stage == "cancelling"
    assert sandbox.feed_counters()["total"] > 0
    sandbox.clear_faults()
    soon(world)
    assert world.entry(order.order_id).stage == "cancelled"
    assert in_erp(world, order)[:2] == (1, True)


@pytest.mark.parametrize("when", ["before the ERP", "in the ERP"])
@pytest.mark.parametrize("by_marketplace", [False, True])
def test_a_request_is_held_and_a_denied_one_goes_on(
    world: World, sandbox: Sandbox, order: PlacedOrder, when: str, by_marketplace: bool
) -> None:
    if when == "in the ERP":
        world.run()
    request = sandbox.ask_cancellation(order.order_id, by_marketplace=by_marketplace)
    world.later()
    entry = world.entry(order.order_id)
    assert (entry.stage, entry.cause) == ("parked", "cancellation-requested")
    was_in_erp = in_erp(world, order)
    sandbox.switches(deny_returns_to="ready-for-handling")
    sandbox.deny_cancellation(order.order_id, request)
    soon(world)
    assert in_erp(world, order) == (1, False, 0)
    assert was_in_erp[0] == (1 if when == "in the ERP" else 0)
    assert world.entry(order.order_id).stage == "handling"
    assert sandbox.summary()["orders"][order.order_id]["status"] == "handling"


def test_a_denied_request_that_goes_back_to_handling(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    world.run()
    request = sandbox.ask_cancellation(order.order_id)
    world.later()
    sandbox.switches(deny_returns_to="handling")
    sandbox.deny_cancellation(order.order_id, request)
    soon(world)
    assert world.entry(order.order_id).stage == "handling"
    assert in_erp(world, order)[:2] == (1, False)


def test_news_while_a_cancellation_waits_for_the_erp(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    world.loop.actions = Actions({"cancellation-requested": "cancel"})
    world.run()
    sandbox.add_fault("erp-cancel", status=503)
    request = sandbox.ask_cancellation(order.order_id)
    world.later()
    assert world.entry(order.order_id).stage == "cancelling"
    sandbox.switches(deny_returns_to="handling")
    sandbox.deny_cancellation(order.order_id, request)
    sandbox.clear_faults()
    soon(world)
    assert in_erp(world, order)[:2] == (1, False)
    assert world.entry(order.order_id).stage == "handling"


def test_a_request_that_is_accepted_cancels_in_the_erp(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    world.run()
    sandbox.ask_cancellation(order.order_id)
    world.later()
    world.loop.vtex.cancel(order.order_id, reason="accepted")
    soon(world)
    assert in_erp(world, order) == (1, True, 1)
    assert world.entry(order.order_id).stage == "cancelled"


def test_canceled_that_flips_is_cancelled_once(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    world.run()
    for status in ("canceled", "cancel", "canceled"):
        sandbox.move(order.order_id, status)
        world.later()
    soon(world)
    assert in_erp(world, order) == (1, True, 1)
    assert world.entry(order.order_id).stage == "cancelled"


def test_a_replaced_order_is_cancelled_and_the_new_one_comes_in(
    world: World, sandbox: Sandbox, order: PlacedOrder
) -> None:
    world.run()
    new = sandbox.replace(order.order_id)
    soon(world)
    assert in_erp(world, order) == (1, True, 1)
    assert in_erp(world, new) == (1, False, 0)
    assert world.entry(order.order_id).vtex_status == "replaced"
    assert world.handling_effects() == {order.order_id: 1, new.order_id: 1}


@pytest.mark.parametrize("first", ["the old one's end", "the new one"])
def test_the_new_order_is_linked_to_the_one_that_it_replaces(
    world: World, sandbox: Sandbox, order: PlacedOrder, first: str
) -> None:
    """VTEX names no link; the shopper and the moment are the same."""
    sandbox.switches(shuffle=False)
    sandbox.generate(5, seed=9, kinds=["plain"])
    world.run()
    sandbox.hold_events()
    new = sandbox.replace(order.order_id)
    news, end = 0, 1
    if first == "the old one's end":
        sandbox.move(new.order_id, "window-to-cancel")  # the new one is not paid yet
    sandbox.release_events([news, end] if first == "the new one" else [end, news, 2])
    world.later(60)
    if first == "the old one's end":
        sandbox.move(new.order_id, "ready-for-handling")
    soon(world)
    assert world.entry(order.order_id).replaced_by == new.order_id
    assert in_erp(world, new) == (1, False, 0)
    [told] = notices.claim(world.ledger, sandbox.account, "main/warehouse", tuple(NoticeKind))
    assert told.kind is NoticeKind.REPLACED
    assert f"by order {new.order_id}, as it seems" in told.text


def test_an_invoiced_order_is_closed(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    world.run()
    sandbox.move(order.order_id, "invoiced")
    assert world.later() == {}
    soon(world)
    assert world.entry(order.order_id).stage == "closed"
    assert in_erp(world, order) == (1, False, 0)


def test_an_invoiced_order_that_never_came_in_concerns_nobody(world: World, sandbox: Sandbox) -> None:
    sandbox.configure_feed(visibility_timeout=120, statuses=EVERY_STATUS)
    sandbox.generate(3, seed=1, kinds=["plain"], status="invoiced")
    assert world.run() == {}
    assert world.stages() == {}
    assert world.requests("get-order") == 0
    soon(world)


def test_an_order_in_both_workflows_is_one(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    sandbox.switches(both_domains=True)
    [other] = sandbox.generate(1, seed=2, kinds=["plain"])
    assert world.run() == {}
    sandbox.move(other.order_id, "canceled")
    soon(world)
    assert in_erp(world, other) == (1, True, 1)
    assert in_erp(world, order) == (1, False, 0)


def test_every_order_of_four_events_ends_the_same(world: World, sandbox: Sandbox) -> None:
    """One event a run: the order of the events does not matter, for the order's present state decides."""
    sandbox.switches(async_delay_s=0, shuffle=False)
    steps = ["ready-for-handling", "handling", "cancellation-requested", "canceled"]
    placed = []
    for number, arrival in enumerate(permutations(range(len(steps)))):
        sandbox.configure_feed(visibility_timeout=30, statuses=EVERY_STATUS)
        sandbox.hold_events()
        [order] = sandbox.generate(1, seed=number, kinds=["plain"])
        placed.append(order)
        world.later(60)
        for status in steps[1:]:
            sandbox.move(order.order_id, status)
            sandbox.advance(5)
        sandbox.release_events(arrival)
        world.later(60)
    soon(world)
    assert {world.entry(order.order_id).stage for order in placed} == {"cancelled"}
    assert {in_erp(world, order) for order in placed} == {(0, False, 0)}


def test_events_that_say_nothing(world: World, sandbox: Sandbox) -> None:
    """Those of a FromOrders filter: state `unknow`, in the year 1."""
    sandbox.switches(async_delay_s=0)
    expression = {"type": "FromOrders", "expression": 'salesChannel != ""', "disableSingleFire": True}
    sandbox.configure_feed(visibility_timeout=120, feed_filter=expression)
    first, second = sandbox.generate(2, seed=1, kinds=["plain"])
    assert world.run() == {}
    assert in_erp(world, first) == in_erp(world, second) == (1, False, 0)
    sandbox.move(second.order_id, "canceled")
    soon(world)
    assert in_erp(world, first) == (1, False, 0)
    assert in_erp(world, second) == (1, True, 1)


def test_news_while_handling_is_started_are_not_forgotten(
    world: World, sandbox: Sandbox, order: PlacedOrder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cancelled after the start, and the event is in the ledger before the start is written down."""
    start = world.loop.vtex.start_handling

    def start_and_hear(order_id: str) -> None:
        start(order_id)
        sandbox.move(order_id, "canceled")
        other = world.task("pull_feed", run_id="another run").run
        world.loop.pull(other)
        world.loop.deduplicate(other)

    monkeypatch.setattr(world.loop.vtex, "start_handling", start_and_hear)
    world.run()
    monkeypatch.undo()
    assert world.entry(order.order_id).stage == "changed"
    soon(world)
    assert in_erp(world, order) == (1, True, 1)


def hold_everything(order: object, erp_id: str | None) -> str:
    return "hold"


def test_a_store_decides_otherwise(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    world.loop.actions = Actions({"canceled": "note", "ready-for-handling": f"{__name__}:hold_everything"})
    world.run()
    assert world.entry(order.order_id).cause == "held:ready-for-handling"
    world.loop.actions = Actions({"canceled": "note"})
    sandbox.move(order.order_id, "window-to-cancel")
    sandbox.move(order.order_id, "ready-for-handling")
    soon(world)
    sandbox.move(order.order_id, "canceled")
    soon(world)
    assert in_erp(world, order) == (1, False, 0)


def test_a_person_clears_the_step_after_the_goods_came_back(world: World, sandbox: Sandbox, order: PlacedOrder) -> None:
    from vtex_erp.ledger import entries

    world.run()
    sandbox.ship(world.external_id(order))
    sandbox.move(order.order_id, "canceled")
    world.later()
    sandbox.ship(world.external_id(order), too_late=False)
    task = world.task("submit_orders")
    assert entries.reopen(world.ledger, task, to=Stage.MAPPED) == 1
    submit_orders(world.ledger, task, world.loop.erp).raise_failures()
    assert world.entry(order.order_id).stage == "cancelled"
    assert in_erp(world, order)[:2] == (1, True)
