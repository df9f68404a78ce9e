"""Orders that share the calls to the ERP: what one of them does to the call is done to no other order."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from vtex_erp.erp.protocol import CLAIMED, Absent, Cancellation, Found, Guarantee, Lookup
from vtex_erp.errors import ErpDownError, ParkError, RetryableError, UnclearError, VtexErpError
from vtex_erp.ledger import breaker
from vtex_erp.pipeline.erp_guard import DEFAULT_CONNECTION

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.client import PlacedOrder, Sandbox
    from tests.pipeline.world import World
    from vtex_erp.sales.model import SalesOrder


class ManyErp:
    """An ERP that takes ten orders in a call, all or none."""

    guarantee = Guarantee.UNIQUE
    settle_seconds = 0.0
    concurrency = 1
    at_once = 10

    def __init__(self) -> None:
        self.orders: dict[str, str] = {}
        self.calls: list[list[str]] = []
        self.trouble: Callable[[Sequence[SalesOrder]], Exception | None] = lambda _orders: None

    def lookup(self, external_id: str) -> Lookup:
        return Found(self.orders[external_id]) if external_id in self.orders else Absent()

    def ensure(self, sales_order: SalesOrder) -> str:
        raise AssertionError(f"{sales_order.external_id} came alone")

    def ensure_many(self, sales_orders: Sequence[SalesOrder]) -> list[str | VtexErpError]:
        self.calls.append([order.external_id for order in sales_orders])
        trouble = self.trouble(sales_orders)
        if isinstance(trouble, VtexErpError):
            return [trouble] * len(sales_orders)
        if trouble:
            raise trouble
        self.orders |= {order.external_id: f"S{len(self.orders)}" for order in sales_orders}
        return [self.orders[order.external_id] for order in sales_orders]

    def cancel(self, external_id: str, *, reason: str) -> Cancellation:
        raise AssertionError(external_id, reason)


@pytest.fixture
def erp(world: World) -> ManyErp:
    erp = ManyErp()
    world.loop.erp = erp
    return erp


def place(sandbox: Sandbox, count: int) -> list[PlacedOrder]:
    return sandbox.generate(count, seed=count, kinds=["plain"])


def test_ten_orders_go_in_one_call(world: World, sandbox: Sandbox, erp: ManyErp) -> None:
    place(sandbox, 23)
    assert world.run() == {}
    assert [len(call) for call in erp.calls] == [10, 10, 3]
    assert world.stages() == {"handling": 23}


def test_an_order_that_nobody_can_answer_for_holds_no_other(world: World, sandbox: Sandbox, erp: ManyErp) -> None:
    placed = place(sandbox, 10)
    poison = world.external_id(placed[4])
    erp.trouble = lambda orders: (
        UnclearError("500", status=500) if poison in [order.external_id for order in orders] else None
    )
    assert set(world.run()) == {"submit_orders", "outcome"}
    assert world.stages() == {"handling": 9, "submitting": 1}
    assert [len(call) for call in erp.calls] == [10, *[1] * 10]
    assert breaker.look(world.ledger, DEFAULT_CONNECTION).opened_at is None


def test_a_defect_that_one_order_meets_is_no_other_order_s(world: World, sandbox: Sandbox, erp: ManyErp) -> None:
    placed = place(sandbox, 10)
    poison = world.external_id(placed[4])
    erp.trouble = lambda orders: KeyError("x") if poison in [order.external_id for order in orders] else None
    assert set(world.run()) == {"submit_orders", "outcome"}
    assert world.stages() == {"handling": 9, "submitting": 1}
    assert world.entry(placed[4].order_id).cause == "defect:KeyError"


def test_what_one_answer_quotes_of_several_shoppers_is_hidden(world: World, sandbox: Sandbox, erp: ManyErp) -> None:
    placed = place(sandbox, 10)
    said: list[str] = []

    def refuse(orders: Sequence[SalesOrder]) -> ParkError:
        said.extend(str(order.customer.name) for order in orders)
        return ParkError(f"No: {'; '.join(said)}", cause="erp-refused:400")

    erp.trouble = refuse
    world.run()
    assert len(set(said)) > 5
    texts = " ".join(world.entry(order.order_id).message for order in placed)
    assert [name for name in said if name in texts] == []
    assert "No: ***" in texts


def test_an_order_whose_customer_is_claimed_waits_by_itself(world: World, sandbox: Sandbox, erp: ManyErp) -> None:
    (order,) = place(sandbox, 1)
    erp.trouble = lambda _orders: RetryableError("claimed", cause=CLAIMED, retry_after=590)
    error = world.run()["submit_orders"]
    assert isinstance(error, RetryableError)
    assert error.retry_after is None
    entry = world.entry(order.order_id)
    assert entry.next_attempt_at - world.time.now() > timedelta(seconds=500)


def test_what_is_in_the_erp_stays_known_when_it_goes_down_before_the_next(
    world: World, sandbox: Sandbox, erp: ManyErp
) -> None:
    (old,) = place(sandbox, 1)
    erp.trouble = lambda _orders: UnclearError("lost", cause="no-answer")
    world.run()
    assert world.entry(old.order_id).stage == "submitting"
    (new,) = sandbox.generate(1, seed=7, kinds=["plain"])

    def go_down(orders: Sequence[SalesOrder]) -> None:
        if world.external_id(old) in [order.external_id for order in orders]:
            raise ErpDownError("down")

    erp.trouble = go_down
    world.later()
    assert world.external_id(new) in erp.orders
    assert world.entry(new.order_id).erp_id == erp.orders[world.external_id(new)]
    assert world.entry(old.order_id).stage == "mapped"


def test_a_call_that_fails_for_ten_is_one_failure(world: World, sandbox: Sandbox, erp: ManyErp) -> None:
    place(sandbox, 20)
    erp.trouble = lambda orders: UnclearError("lost", cause="no-answer") if len(orders) > 1 else None
    assert world.run() == {}
    assert breaker.look(world.ledger, DEFAULT_CONNECTION).opened_at is None
    assert world.stages() == {"handling": 20}
