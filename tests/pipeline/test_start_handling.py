"""Handling is started once, after the ERP took the order, whatever VTEX answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from vtex_erp.ledger import entries
from vtex_erp.ledger.stages import Stage
from vtex_erp.pipeline.fetch_orders import fetch_orders
from vtex_erp.pipeline.map_orders import map_orders
from vtex_erp.pipeline.start_handling import start_handling
from vtex_erp.pipeline.submit_orders import submit_orders

if TYPE_CHECKING:
    from sandbox.client import PlacedOrder, Sandbox
    from tests.pipeline.world import World
    from vtex_erp.pipeline.report import StepReport


def _submit(world: World, count: int = 1, **options: Any) -> list[PlacedOrder]:
    placed = world.sandbox.generate(count, seed=1, kinds=["plain"], **options)
    world.begin()
    fetch_orders(world.ledger, world.task("fetch_orders"), world.loop.vtex).raise_failures()
    map_orders(world.ledger, world.task("map_orders")).raise_failures()
    submit_orders(world.ledger, world.task("submit_orders"), world.loop.erp).raise_failures()
    return placed


def _start(world: World) -> StepReport:
    task = world.task("start_handling")
    return start_handling(world.ledger, task, world.loop.vtex, world.loop.erp, sleep=world.time.sleep)


@pytest.mark.parametrize("status", [409, 400])
@pytest.mark.parametrize(
    ("moved_to", "stage", "cause"),
    [
        ("handling", "handling", None),
        ("invoiced", "handling", None),
        ("canceled", "cancelled", None),
        ("cancellation-requested", "parked", "cancellation-requested"),
        ("payment-approved", "parked", "not-ready-for-handling:payment-approved"),
    ],
)
def test_the_wrong_status(
    world: World, sandbox: Sandbox, status: int, moved_to: str, stage: str, cause: str | None
) -> None:
    sandbox.switches(oms003_status=status, oms003_exception_field=status == 409)
    [order] = _submit(world)
    sandbox.move(order.order_id, moved_to)
    _start(world)
    entry = world.entry(order.order_id)
    assert (entry.stage, entry.cause) == (stage, cause)
    assert world.sandbox.erp_orders()[world.external_id(order)]["cancelled"] is (stage == "cancelled")
    assert world.requests("start-handling") == 1
    assert world.handling_effects() == {order.order_id: 0}


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "drop", "effect": "done"},
        {"status": 500, "effect": "done"},
        {"action": "html", "status": 502, "effect": "done"},
        {"status": 200, "effect": "done"},
    ],
)
@pytest.mark.parametrize("delay", [0.0, 4.0])
def test_an_answer_that_is_lost_after_the_effect(
    world: World, sandbox: Sandbox, fault: dict[str, Any], delay: float
) -> None:
    sandbox.switches(async_delay_s=delay, start_handling_while_moving="accepted")
    sandbox.add_fault("start-handling", **fault)
    [order] = _submit(world)
    _start(world).raise_failures()
    assert world.entry(order.order_id).stage == "handling"
    assert world.handling_effects() == {order.order_id: 1}
    assert world.requests("start-handling") == 1


@pytest.mark.parametrize("fault", [{"action": "drop"}, {"status": 503}])
def test_a_request_that_had_no_effect_is_made_again_later(
    world: World, sandbox: Sandbox, fault: dict[str, Any]
) -> None:
    [order] = _submit(world)
    sandbox.add_fault("start-handling", times=1, **fault)
    assert len(_start(world).failures) == 1
    assert world.entry(order.order_id).stage == "submitted"
    _start(world).raise_failures()
    assert world.handling_effects() == {order.order_id: 1}
    assert world.entry(order.order_id).stage == "handling"


def test_a_yes_that_moves_nothing_is_accepted(world: World, sandbox: Sandbox) -> None:
    sandbox.switches(noop_2xx=True)
    [order] = _submit(world)
    _start(world).raise_failures()
    assert world.entry(order.order_id).stage == "handling"
    assert world.requests("get-order") == 1


def test_a_move_that_takes_vtex_a_minute(world: World, sandbox: Sandbox) -> None:
    """Longer than the reads after a lost answer: the second request is refused, and the order read later."""
    sandbox.switches(async_delay_s=60)
    sandbox.add_fault("start-handling", "drop", effect="done", times=1)
    [order] = _submit(world)
    assert len(_start(world).failures) == 1
    world.later()
    assert world.entry(order.order_id).stage == "handling"
    assert world.handling_effects() == {order.order_id: 1}


def test_a_request_that_was_noted_is_not_made_before_a_look(world: World, sandbox: Sandbox) -> None:
    """The worker died after the request."""
    [order] = _submit(world)
    task = world.task("start_handling")
    ids = entries.in_batch(world.ledger, task, (Stage.SUBMITTED,))
    entries.claim(world.ledger, task, ids, (Stage.SUBMITTED,), values={"handling_requested_at": world.ledger.clock()})
    world.loop.vtex.start_handling(order.order_id)
    _start(world).raise_failures()
    assert world.requests("start-handling") == 1
    assert world.entry(order.order_id).stage == "handling"


def test_an_order_that_was_cancelled_after_the_submit_is_cancelled_in_the_erp(world: World, sandbox: Sandbox) -> None:
    [order] = _submit(world)
    sandbox.move(order.order_id, "canceled")
    assert _start(world).counts() == {"cancelled": 1, "failed": 0}
    held = sandbox.erp_orders()[world.external_id(order)]
    assert (held["cancelled"], held["cancel_calls"]) == (True, 1)
    assert held["cancel_reason"] == "VTEX: canceled"
    world.later()
    assert sandbox.feed_counters()["total"] == 0
    assert world.stages() == {"cancelled": 1}


@pytest.mark.parametrize("fault", [{"status": 500, "effect": "done"}, {"action": "drop"}, {"status": 429}])
def test_a_cancellation_that_fails_is_asked_for_again(world: World, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    [order] = _submit(world)
    sandbox.move(order.order_id, "canceled")
    sandbox.add_fault("erp-cancel", times=5, **fault)
    for _ in range(6):
        world.later()
    assert world.entry(order.order_id).stage == "cancelled"
    assert sandbox.erp_orders()[world.external_id(order)]["cancelled"] is True


def test_an_order_that_the_erp_cannot_cancel_any_more_is_parked(world: World, sandbox: Sandbox) -> None:
    [order] = _submit(world)
    sandbox.move(order.order_id, "canceled")
    sandbox.ship(world.external_id(order))
    world.loop.batch(world.task("").run, 0)
    assert world.loop.errors["start_handling"].message.count("1 x cancelled-too-late") == 1
    assert world.entry(order.order_id).stage == "parked"
    assert sandbox.feed_counters()["total"] == 0 or world.later() == {}
    assert sandbox.feed_counters()["total"] == 0


def test_a_denied_cancellation_goes_on_by_itself(world: World, sandbox: Sandbox) -> None:
    [order] = _submit(world)
    sandbox.move(order.order_id, "cancellation-requested")
    _start(world)
    assert world.entry(order.order_id).cause == "cancellation-requested"
    sandbox.move(order.order_id, "ready-for-handling")
    assert world.later() == {}
    world.later()
    world.assert_each_once([order])
    assert world.requests("erp-put") == 1


def test_a_denial_that_comes_while_the_order_is_read(world: World, sandbox: Sandbox) -> None:
    """The news of it are in the ledger before the order is parked; they must not be taken for old ones."""
    [order] = _submit(world)
    sandbox.move(order.order_id, "cancellation-requested")
    fetch = world.loop.vtex.get_order

    def slow_read(order_id: str) -> str:
        text = fetch(order_id)
        sandbox.move(order_id, "ready-for-handling")
        world.loop.pull(world.task("", run_id="other").run)
        from vtex_erp.pipeline.deduplicate import deduplicate

        deduplicate(world.ledger, world.task("deduplicate", run_id="other"), sizes=world.loop.sizes)
        return text

    world.loop.vtex.get_order = slow_read  # type: ignore[method-assign]
    _start(world)
    world.loop.vtex.get_order = fetch  # type: ignore[method-assign]
    for _ in range(3):
        world.later()
    world.assert_each_once([order])


def test_an_accepted_cancellation_after_a_request_is_cancelled_by_a_person(world: World, sandbox: Sandbox) -> None:
    [order] = _submit(world)
    sandbox.move(order.order_id, "cancellation-requested")
    _start(world)
    sandbox.move(order.order_id, "canceled")
    entries.reopen(world.ledger, world.task("start_handling"), to=Stage.SUBMITTED)
    _start(world).raise_failures()
    assert world.entry(order.order_id).stage == "cancelled"
    assert sandbox.erp_orders()[world.external_id(order)]["cancelled"] is True


def test_an_order_that_is_ready_again_after_it_was_cancelled_in_the_erp(world: World, sandbox: Sandbox) -> None:
    [order] = _submit(world)
    sandbox.move(order.order_id, "canceled")
    _start(world)
    sandbox.move(order.order_id, "ready-for-handling")
    for _ in range(3):
        world.later()
    entry = world.entry(order.order_id)
    assert (entry.stage, entry.cause) == ("parked", "ready-again-after-cancellation")
    assert world.creations() == {world.external_id(order): 1}
    assert world.handling_effects() == {order.order_id: 0}
    assert sandbox.feed_counters()["total"] == 0


def test_nothing_is_started_before_the_erp_has_the_order(world: World, sandbox: Sandbox) -> None:
    sandbox.generate(3, seed=1, kinds=["plain"])
    sandbox.add_fault("erp-put", status=500)
    sandbox.add_fault("erp-get", status=500)
    world.run()
    assert world.stages() == {"submitting": 3}
    assert world.requests("start-handling") == 0
    assert sandbox.feed_counters()["committed"] == 0
