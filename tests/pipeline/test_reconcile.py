"""Reconciliation: what is wrong is found, once each and for what it is; what is right is not mentioned."""

from __future__ import annotations

from dataclasses import replace
from threading import Barrier
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.test_by_date import listing, place, run_day, task_of
from vtex_erp.erp.protocol import Guarantee
from vtex_erp.errors import ParkError
from vtex_erp.ledger import found, reconciliations
from vtex_erp.ledger.entries import Run, TaskTry
from vtex_erp.ledger.reconciliations import Finding, Kind
from vtex_erp.pipeline.deduplicate import plan_nothing
from vtex_erp.pipeline.outcome import outcome
from vtex_erp.pipeline.reconcile import raise_findings, reconcile
from vtex_erp.web.reconciliation import page

if TYPE_CHECKING:
    from sandbox.client import PlacedOrder
    from tests.pipeline.world import World
    from vtex_erp.erp.protocol import Cancellation, ErpClient, Lookup
    from vtex_erp.sales.model import SalesOrder


def findings(world: World, run_id: str = "audit", *, mend: bool = True) -> dict[str, Finding]:
    """List the day again when all has settled, and reconcile; the findings by order id."""
    world.time.sleep(601)
    listing(world, run_id)
    task = task_of(world, run_id, "reconcile")
    reconcile(world.ledger, task, world.loop.vtex, world.loop.erp, mend=mend)
    return {each.order_id: each for each in reconciliations.kept(world.ledger, task.run)}


def kinds(world: World, run_id: str = "audit") -> dict[str, Kind]:
    return {order_id: each.kind for order_id, each in findings(world, run_id).items()}


@pytest.fixture
def brought_in(world: World) -> list[PlacedOrder]:
    placed = place(world, 6)
    assert run_day(world) == {}
    return placed


def test_when_everything_is_right_there_is_nothing_to_say(world: World, brought_in: list[PlacedOrder]) -> None:
    place(world, 3, seed=2, status="payment-approved")
    place(world, 3, seed=3, status="canceled")
    run_day(world, "others")
    assert kinds(world) == {}
    raise_findings([])


class OneLookupAtATime:
    """An ERP that takes one lookup in a call, and answers each when three are asked at the same time."""

    guarantee, settle_seconds, concurrency = Guarantee.UNIQUE, 0.0, 3

    def __init__(self, erp: ErpClient) -> None:
        self._erp = erp
        self._three = Barrier(3, timeout=20)

    def lookup(self, external_id: str) -> Lookup:
        self._three.wait()
        return self._erp.lookup(external_id)

    def ensure(self, sales_order: SalesOrder) -> str:
        raise NotImplementedError

    def cancel(self, external_id: str, *, reason: str) -> Cancellation:
        raise NotImplementedError


def test_an_erp_that_takes_one_lookup_in_a_call_is_asked_by_all_threads(
    world: World, brought_in: list[PlacedOrder]
) -> None:
    world.time.sleep(601)
    listing(world, "audit")
    erp = OneLookupAtATime(world.loop.erp)
    assert reconcile(world.ledger, task_of(world, "audit", "reconcile"), world.loop.vtex, erp) == []


def test_an_order_that_the_erp_has_lost(world: World, brought_in: list[PlacedOrder]) -> None:
    world.sandbox.forget(world.external_id(brought_in[0]))
    [finding] = findings(world).values()
    assert (finding.order_id, finding.kind, finding.erp_cents) == (brought_in[0].order_id, Kind.MISSING_IN_ERP, None)
    assert "resubmit" in finding.detail
    assert run_day(world, "resubmit", resubmit=True) == {}
    assert kinds(world, "after") == {}


def test_cancelled_on_one_side_only(world: World, brought_in: list[PlacedOrder]) -> None:
    in_vtex, in_erp, in_both, *_ = brought_in
    world.time.sleep(601)
    world.loop.erp.cancel(world.external_id(in_erp), reason="by hand")
    world.loop.erp.cancel(world.external_id(in_both), reason="by hand")
    for order in (in_vtex, in_both):
        world.sandbox.move(order.order_id, "canceled")
    assert kinds(world) == {
        in_vtex.order_id: Kind.CANCELLED_IN_VTEX,
        in_erp.order_id: Kind.CANCELLED_IN_ERP,
    }


def test_an_erp_that_does_not_say_what_is_cancelled(
    world: World, brought_in: list[PlacedOrder], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the ledger knows stands for what the ERP leaves out."""
    lookup = world.loop.erp.lookup
    monkeypatch.setattr(world.loop.erp, "lookup", lambda external_id: replace(lookup(external_id), cancelled=None))
    world.time.sleep(601)
    cancelled = brought_in[0].order_id
    world.sandbox.move(cancelled, "canceled")
    assert kinds(world) == {cancelled: Kind.CANCELLED_IN_VTEX}
    world.run()  # the next run of vtex_orders
    assert world.entry(cancelled).stage == "cancelled"
    assert kinds(world, "after") == {}


def test_a_total_that_differs(world: World, brought_in: list[PlacedOrder]) -> None:
    cheaper = brought_in[0]
    world.set_entry(cheaper.order_id, value_cents=1)
    [finding] = findings(world).values()
    assert (finding.order_id, finding.kind) == (cheaper.order_id, Kind.TOTAL_DIFFERS)
    assert finding.vtex_cents == finding.erp_cents


def test_handling_that_vtex_does_not_know_of_is_started(world: World) -> None:
    placed = place(world, 3)
    world.sandbox.add_fault("start-handling", status=204, body="", effect="none", order_id=placed[0].order_id, times=1)
    assert run_day(world) == {}
    assert world.handling_effects()[placed[0].order_id] == 0
    [finding] = findings(world).values()
    assert (finding.order_id, finding.kind, finding.mended) == (placed[0].order_id, Kind.STATUS_BEHIND, True)
    assert world.run() == {}  # the next run of vtex_orders
    assert set(world.handling_effects().values()) == {1}
    assert world.requests("erp-put") == 3
    assert kinds(world, "after") == {}


def test_a_dry_run_mends_nothing(world: World) -> None:
    (order,) = place(world, 1)
    world.sandbox.add_fault("start-handling", status=204, body="", effect="none", times=1)
    run_day(world)
    assert not findings(world, mend=False)[order.order_id].mended
    world.run()
    assert world.handling_effects() == {order.order_id: 0}
    (new,) = place(world, 1, seed=2)
    assert kinds(world, "dry")[new.order_id] is Kind.NOT_IN_LEDGER


def test_stuck_and_parked(world: World) -> None:
    stuck, parked = place(world, 2)
    world.sandbox.refuse(external_id=world.external_id(parked))
    world.sandbox.add_fault("erp-put", status=503, order_id=world.external_id(stuck))
    world.sandbox.add_fault("erp-get", status=503, order_id=world.external_id(stuck))
    run_day(world)
    assert kinds(world) == {parked.order_id: Kind.PARKED}
    world.time.sleep(3600)
    found_now = kinds(world, "later")
    assert found_now == {parked.order_id: Kind.PARKED, stuck.order_id: Kind.STUCK}


def test_an_erp_that_cannot_tell(world: World, brought_in: list[PlacedOrder]) -> None:
    world.sandbox.add_fault("erp-get", status=500)
    assert set(kinds(world).values()) == {Kind.ERP_UNKNOWN}


def test_handling_that_somebody_else_started(world: World) -> None:
    (order,) = place(world, 1, status="invoiced")
    run_day(world)
    assert kinds(world) == {order.order_id: Kind.MISSING_IN_ERP}


def test_findings_make_the_run_red_and_name_money_and_orders(world: World, brought_in: list[PlacedOrder]) -> None:
    world.sandbox.forget(world.external_id(brought_in[0]))
    task = task_of(world, "audit")
    listing(world, "audit")
    plan_nothing(world.ledger, task)
    reconcile(world.ledger, task, world.loop.vtex, world.loop.erp)
    with pytest.raises(ParkError, match=brought_in[0].order_id) as caught:
        outcome(world.ledger, TaskTry(task.run, "outcome"))
    assert caught.value.cause == "not-reconciled"
    assert "missing-in-erp" in caught.value.message
    assert "BRL" in caught.value.message


def test_the_page_says_it_all_and_holds_no_shopper(world: World, brought_in: list[PlacedOrder]) -> None:
    world.sandbox.forget(world.external_id(brought_in[0]))
    held = world.sandbox.erp_orders().values()
    names = {order["document"]["customer"]["name"] for order in held}
    found_now = findings(world)
    run = Run("vtex_orders_by_date", "audit", world.sandbox.account)
    sides = reconciliations.sides(world.ledger, run)
    html = page(run, found.listed(world.ledger, run), sides, list(found_now.values()))
    assert brought_in[0].order_id in html
    assert "1 wait for a person" in html
    assert " in the ERP</title>" in html
    assert not [name for name in names if name in html]
    assert "<script" not in html
    odd = Finding("<b>", Kind.PARKED, "<i>")
    assert "&lt;b&gt;" in page(run, found.listed(world.ledger, run), sides, [odd])
