"""The ERP is down for an hour: nothing is lost, the ERP is left in peace, and the backlog goes oldest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.outage import Story
from tests.pipeline.world import World
from vtex_erp.errors import RetryableError
from vtex_erp.ledger import breaker

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from vtex_erp.ledger.ledger import Ledger

ERP = "erp_default"


def erp_calls(world: World) -> int:
    return world.requests("erp-put") + world.requests("erp-get")


def outage(sandbox: Sandbox, **fault: Any) -> None:
    sandbox.add_fault("erp-put", **fault)
    sandbox.add_fault("erp-get", **fault)


@pytest.fixture
def world(ledger: Ledger, sandbox: Sandbox) -> World:
    sandbox.switches(erp_unique=False)
    return World.make(ledger, sandbox, concurrency=4)


def test_an_hour_without_the_erp(world: World) -> None:
    Story(world, orders=300, runs=20, backlog=100).tell()


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
