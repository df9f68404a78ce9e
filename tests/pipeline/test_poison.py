"""Orders that cannot go stop nobody else, are named in words, and are sent once for each time a person asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vtex_erp.errors import ParkError
from vtex_erp.ledger import entries
from vtex_erp.ledger.stages import Stage
from vtex_erp.pipeline.outcome import outcome
from vtex_erp.pipeline.submit_orders import submit_orders

if TYPE_CHECKING:
    from sandbox.client import PlacedOrder, Sandbox
    from tests.pipeline.world import World

SHOPPER = "Zacharias Quuxworthy"


def _place(sandbox: Sandbox) -> tuple[list[PlacedOrder], PlacedOrder, PlacedOrder, PlacedOrder]:
    """Nine good orders, one that the ERP will refuse, one malformed, one cancelled after its event."""
    good = sandbox.generate(10, seed=1, kinds=["plain"])
    refused = good.pop()
    malformed = sandbox.generate(1, seed=2, kinds=["malformed-items-type"])[0]
    cancelled = sandbox.generate(1, seed=3, kinds=["plain"])[0]
    sandbox.move_at_next_get(cancelled.order_id, "canceled")
    return good, refused, malformed, cancelled


def _refuse(world: World, order: PlacedOrder) -> None:
    message = f"partner {SHOPPER} is blocked: {{customer}}"
    world.sandbox.refuse(external_id=world.external_id(order), message=message)


def _submit_again(world: World) -> None:
    """As the operator does when a person clears submit_orders."""
    task = world.task("submit_orders")
    entries.reopen(world.ledger, task, to=Stage.MAPPED)
    submit_orders(world.ledger, task, world.loop.erp).raise_failures()


def test_three_orders_that_cannot_go_stop_nobody_else(world: World, sandbox: Sandbox) -> None:
    good, refused, malformed, cancelled = _place(sandbox)
    _refuse(world, refused)
    errors = world.run()
    assert world.creations() == {world.external_id(order): 1 for order in good}
    effects = world.handling_effects()
    assert {order.order_id for order in good} == {order_id for order_id, count in effects.items() if count}
    assert world.stages() == {"handling": 9, "parked": 2, "cancelled": 1}
    assert sandbox.feed_counters()["committed"] >= 12
    assert set(errors) == {"map_orders", "submit_orders", "outcome"}
    assert world.entry(cancelled.order_id).erp_id is None
    # what comes in later is the news that handling started; nothing is tried again by itself
    world.later()
    assert sandbox.feed_counters()["total"] == 0
    assert world.requests("erp-put", order_id=world.external_id(refused)) == 1
    assert world.entry(malformed.order_id).parked_from == "fetched"


def test_the_outcome_names_causes_counts_and_money(world: World, sandbox: Sandbox) -> None:
    _, refused, malformed, _ = _place(sandbox)
    _refuse(world, refused)
    message = world.run()["outcome"].message
    value = sandbox.summary()["orders"][refused.order_id]["value"]
    assert message.startswith("2 of 12 orders are not done.")
    assert f"1 x erp-refused:422 (BRL {value // 100}.{value % 100:02}): {refused.order_id}." in message
    assert "1 x order-malformed (" in message
    assert malformed.order_id in message


def test_a_refusal_that_quotes_the_shopper_is_redacted(world: World, sandbox: Sandbox) -> None:
    order = sandbox.generate(1, seed=5, kinds=["plain"], events=[])[0]
    profile = _profile(world, order.order_id)
    sandbox.refuse(message="{customer}")
    sandbox.emit(order.order_id, "ready-for-handling")
    errors = world.run()
    texts = [world.entry(order.order_id).message, *(error.message for error in errors.values())]
    texts += [str(error) for error in errors.values()]
    for text in texts:
        for value in (profile["firstName"], profile["lastName"], profile["document"], profile["phone"]):
            assert value.strip().lower() not in text.lower()
    assert "***" in world.entry(order.order_id).message


def _profile(world: World, order_id: str) -> dict[str, str]:
    import json

    profile: dict[str, str] = json.loads(world.loop.vtex.get_order(order_id))["clientProfileData"]
    return profile


def test_a_refused_order_is_sent_once_for_each_rerun(world: World, sandbox: Sandbox) -> None:
    good, refused, *_ = _place(sandbox)
    _refuse(world, refused)
    world.run()
    puts = world.requests("erp-put")
    for rerun in range(2, 5):
        with pytest.raises(ParkError, match="1 x erp-refused:422"):
            _submit_again(world)
        assert world.requests("erp-put", order_id=world.external_id(refused)) == rerun
    assert world.requests("erp-put") == puts + 3
    assert world.creations() == {world.external_id(order): 1 for order in good}


def test_a_rerun_brings_the_order_in_when_the_erp_takes_it(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(3, seed=1, kinds=["plain"])
    _refuse(world, placed[1])
    assert set(world.run()) == {"submit_orders", "outcome"}
    sandbox.accept_all()
    run = world.task("outcome").run
    entries.reopen(world.ledger, world.task("submit_orders"), to=Stage.MAPPED)
    world.loop.errors = {}
    world.loop.batch(run, 0)
    assert world.loop.errors == {}
    result = outcome(world.ledger, world.task("outcome", batch=None))
    assert result.counts() == {"handling": 3, "unfinished": 0, "uncommitted_events": 0}
    world.later()
    world.later()
    world.assert_each_once(placed)


def test_a_rerun_that_dies_leaves_the_order_to_the_next_run(world: World, sandbox: Sandbox) -> None:
    """A person cleared the task, its worker was killed at once, and nobody clears it again."""
    placed = sandbox.generate(2, seed=1, kinds=["plain"])
    _refuse(world, placed[0])
    world.run()
    sandbox.accept_all()
    entries.reopen(world.ledger, world.task("submit_orders"), to=Stage.MAPPED)
    assert world.later() == {}
    assert world.later() == {}
    world.assert_each_once(placed)


def test_a_cause_that_many_share_is_one_line(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(7, seed=1, kinds=["plain"])
    sandbox.refuse(message="no such warehouse", status=400)
    message = world.run()["outcome"].message
    assert "7 x erp-refused:400 (BRL " in message
    assert "and 2 more" in message
    assert "no such warehouse" in message
    assert world.creations() == {}
    assert world.stages() == {"parked": len(placed)}
