"""The ERP is down for an hour: nothing is lost, the ERP is left in peace, and the backlog goes oldest first."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.world import World
from vtex_erp.errors import ErpDownError, RetryableError
from vtex_erp.ledger import breaker
from vtex_erp.ledger.plans import BatchSizes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.client import PlacedOrder, Sandbox
    from vtex_erp.errors import VtexErpError
    from vtex_erp.ledger.ledger import Ledger

RETENTION = 345_600
ERP = "erp_default"


def erp_calls(world: World) -> int:
    return world.requests("erp-put") + world.requests("erp-get")


def outage(sandbox: Sandbox, **fault: Any) -> None:
    sandbox.add_fault("erp-put", **fault)
    sandbox.add_fault("erp-get", **fault)


def put_order(world: World) -> list[str]:
    """The order ids that the ERP took, in the order of their arrival there."""
    return [request["order_id"].partition(":")[2] for request in world.sandbox.audit(family="erp-put", status=201)]


@pytest.fixture
def world(ledger: Ledger, sandbox: Sandbox) -> World:
    sandbox.switches(erp_unique=False)
    world = World.make(ledger, sandbox, concurrency=4)
    world.loop.sizes = BatchSizes(at_once=2, smallest=10, backlog=100)
    return world


def minutes(
    world: World, count: int, orders_a_run: int, *, apart: int
) -> Iterator[tuple[list[PlacedOrder], dict[str, VtexErpError]]]:
    for number in range(count):
        placed = world.sandbox.generate(orders_a_run, seed=100 + number, kinds=["plain"])
        yield placed, world.run()
        world.time.sleep(apart * 60)


@pytest.mark.parametrize("fault", [{"status": 503}, {"action": "drop", "effect": "none"}], ids=["503", "no answer"])
def test_an_hour_without_the_erp(world: World, sandbox: Sandbox, fault: dict[str, Any]) -> None:
    outage(sandbox, **fault)
    began = world.time.now()
    placed: list[PlacedOrder] = []
    for new, errors in minutes(world, 20, 15, apart=3):
        placed += new
        assert isinstance(errors["submit_orders"], ErpDownError), errors
        assert not isinstance(errors["submit_orders"], RetryableError)
        assert errors["outcome"].cause == "erp-down"
        assert f"{len(placed)} orders wait" in errors["outcome"].message
    assert erp_calls(world) <= 20 + 2 * 20  # what it took to see that it is down, and the probes
    assert world.requests("get-order") <= 300 + 2 * 20
    assert world.creations() == {}
    assert sandbox.feed_counters()["total"] == 300
    deadline = began + timedelta(seconds=RETENTION)
    message = errors["outcome"].message
    told = datetime.strptime(message.partition("more, until ")[2][:16], "%Y-%m-%d %H:%M").replace(tzinfo=timezone.utc)
    assert abs(told - deadline) < timedelta(minutes=2), message
    assert "for 3 days 23 hours more" in message

    sandbox.clear_faults()
    late: dict[int, list[PlacedOrder]] = {}
    for number in range(5):
        late[number] = sandbox.generate(3, seed=500 + number, kinds=["plain"])
        errors = world.run()
        assert not errors, errors
        sent = set(put_order(world))
        assert {order.order_id for order in late[number]} <= sent  # new ones do not wait for the backlog
        world.time.sleep(180)
    assert len(set(put_order(world))) == 315
    backlog = [order_id for order_id in put_order(world) if order_id in {order.order_id for order in placed}]
    arrived = {order.order_id: number for number, order in enumerate(placed)}
    behind = [arrived[order_id] for order_id in backlog]
    # Oldest first, but for the run that found the ERP back, whose own new orders come along with the oldest ones.
    assert max(abs(place - number) for place, number in enumerate(behind)) < 40
    for _ in range(2):
        assert world.later(130) == {}
    world.assert_each_once([*placed, *(order for each in late.values() for order in each)])


def test_probes_are_one_order_a_minute(world: World, sandbox: Sandbox) -> None:
    outage(sandbox, status=503)
    sandbox.generate(40, seed=1, kinds=["plain"])
    world.run()
    before, listened = erp_calls(world), world.requests("get-order")
    for _ in range(4):
        world.time.sleep(10)
        world.run()
    assert erp_calls(world) == before
    assert world.requests("get-order") == listened
    for number in range(1, 6):
        world.time.sleep(61)
        assert world.run()["outcome"].cause == "erp-down"
        assert erp_calls(world) == before + number


def test_refusals_and_429_do_not_open_the_breaker(world: World, sandbox: Sandbox) -> None:
    sandbox.refuse(status=422, message="no")
    sandbox.generate(20, seed=1, kinds=["plain"])
    assert world.run()["submit_orders"].cause == "orders-parked"
    assert breaker.look(world.ledger, ERP).opened_at is None
    sandbox.accept_all()
    sandbox.add_fault("erp-put", status=429, headers={"Retry-After": "400"})
    sandbox.generate(20, seed=2, kinds=["plain"])
    assert isinstance(world.run()["submit_orders"], RetryableError)
    assert breaker.look(world.ledger, ERP).opened_at is None


def test_a_few_failures_among_many_do_not_open_it(world: World, sandbox: Sandbox) -> None:
    sandbox.add_fault("erp-put", status=503, probability=0.15)
    sandbox.generate(60, seed=1, kinds=["plain"])
    world.run()
    assert breaker.look(world.ledger, ERP).opened_at is None


def test_an_order_cancelled_during_the_outage_is_not_sent(world: World, sandbox: Sandbox) -> None:
    outage(sandbox, status=503)
    placed = sandbox.generate(20, seed=1, kinds=["plain"])
    world.run()
    stages = {order.order_id: world.entry(order.order_id).stage for order in placed}
    gone = next(order_id for order_id, stage in stages.items() if stage == "mapped")
    sandbox.move(gone, "canceled")
    sandbox.clear_faults()
    for _ in range(4):
        world.time.sleep(130)
        world.run()
    assert world.external_id(gone) not in world.creations()
    assert set(world.creations().values()) == {1}
    assert len(world.creations()) == 19
    assert world.entry(gone).stage == "cancelled"
