"""Orders found by date: none missed whatever the list does, none twice, and nothing again that was right."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.world import ONE_BATCH
from vtex_erp.errors import ConfigurationError, FeedNotConfiguredError, ParkError, RetryableError, VtexErpError
from vtex_erp.ledger import found
from vtex_erp.ledger.entries import Run, TaskTry
from vtex_erp.ledger.found import Listed
from vtex_erp.ledger.reconciliations import Kind
from vtex_erp.pipeline import find_orders
from vtex_erp.pipeline.deduplicate import deduplicate, deduplicate_found, plan_nothing
from vtex_erp.pipeline.find_orders import Search, raise_unproven
from vtex_erp.pipeline.outcome import outcome
from vtex_erp.pipeline.reconcile import reconcile
from vtex_erp.vtex.windows import MILLISECOND, Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.client import PlacedOrder
    from tests.pipeline.world import World

DAG = "vtex_orders_by_date"


def place(
    world: World, count: int, *, seed: int = 1, window: Window | None = None, status: str | None = None
) -> list[PlacedOrder]:
    """Place orders silently, as if the feed had lost them."""
    window = window or world.yesterday
    return world.sandbox.generate(
        count,
        seed=seed,
        kinds=["plain"],
        status=status,
        events=(),
        created_from=window.start.isoformat(),
        created_to=window.end.isoformat(),
    )


def task_of(world: World, run_id: str, task_id: str = "find_orders") -> TaskTry:
    return TaskTry(Run(DAG, run_id, world.sandbox.account), task_id)


def listing(world: World, run_id: str = "day", *, window: Window | None = None, **search: str) -> Listed:
    chosen = Search(window or world.yesterday, **search)  # type: ignore[arg-type]
    return find_orders.find_orders(
        world.ledger, task_of(world, run_id), world.loop.vtex, chosen, sleep=world.time.sleep
    )


def run_day(
    world: World,
    run_id: str = "day",
    *,
    window: Window | None = None,
    date_field: str = "creationDate",
    order_ids: Sequence[str] = (),
    resubmit: bool = False,
) -> dict[str, VtexErpError]:
    """The DAG's tasks in order; what they raised, by task id."""
    loop, task = world.loop, task_of(world, run_id)
    loop.errors = {}
    if order_ids:
        find_orders.name_orders(world.ledger, task, order_ids)
    else:
        listing(world, run_id, window=window, date_field=date_field)
    plan = deduplicate_found(world.ledger, task, sizes=ONE_BATCH, resubmit=resubmit)
    for batch in range(len(plan.batches)):
        loop.batch(task.run, batch)
    try:
        outcome(world.ledger, TaskTry(task.run, "outcome"))
    except VtexErpError as error:
        loop.errors["outcome"] = error
    return loop.errors


def _the_day_before(world: World) -> Window:
    day = timedelta(days=1)
    return Window(world.yesterday.start - day, world.yesterday.end - day)


def in_erp_once(world: World, placed: Sequence[PlacedOrder]) -> None:
    assert world.creations() == {world.external_id(order): 1 for order in placed}
    effects = world.handling_effects()
    assert {effects[order.order_id] for order in placed} == {1}


def test_what_the_feed_has_lost_is_brought_in_and_a_range_may_be_run_twice(world: World) -> None:
    placed = place(world, 25)
    place(world, 5, seed=2, status="invoiced")
    assert run_day(world) == {}
    in_erp_once(world, placed)
    assert world.stages() == {"handling": 25, "ignored": 5}
    effects, puts = world.handling_effects(), world.requests("erp-put")
    gets = world.requests("get-order")
    assert run_day(world, "again") == {}
    assert (world.handling_effects(), world.requests("erp-put"), world.requests("get-order")) == (effects, puts, gets)


def test_a_feed_that_had_vanished_for_two_days(world: World) -> None:
    world.sandbox.delete_feed()
    placed = [*place(world, 7), *place(world, 5, seed=2, window=_the_day_before(world))]
    assert isinstance(world.run()["pull_feed"], FeedNotConfiguredError)
    assert run_day(world, "first", window=_the_day_before(world)) == {}
    assert run_day(world, "second") == {}
    in_erp_once(world, placed)


def test_a_rerun_reads_nothing_that_was_proven(world: World) -> None:
    place(world, 250)
    first = listing(world)
    assert (first.orders, first.unproven) == (250, ())
    calls = world.requests("list-orders")
    assert listing(world) == first
    assert world.requests("list-orders") == calls == 3


def test_the_day_and_the_feed_bring_each_order_once(world: World) -> None:
    window = world.yesterday
    placed = place(world, 10)
    for order in placed:
        world.sandbox.emit(order.order_id, "ready-for-handling")
    listing(world, window=window)
    world.begin()
    found.receive_found(world.ledger, task_of(world, "day"), resubmit=False)
    assert run_day(world, window=window) == {}
    assert world.requests("erp-put") == 0  # they are the live run's
    world.loop.batch(world.task("").run, 0)
    in_erp_once(world, placed)
    assert world.sandbox.feed_counters()["committed"] == 10


def test_the_live_run_leaves_the_orders_of_a_day_to_its_run(world: World) -> None:
    placed = place(world, 10)
    listing(world)
    task = task_of(world, "day", "deduplicate")
    found.receive_found(world.ledger, task, resubmit=False)
    live = TaskTry(Run("vtex_orders", "live", world.sandbox.account), "deduplicate")
    assert deduplicate(world.ledger, live, sizes=ONE_BATCH).batches == ()
    assert sum(deduplicate_found(world.ledger, task, sizes=ONE_BATCH).batches) == 10
    assert deduplicate(world.ledger, replace(live, run=replace(live.run, run_id="2")), sizes=ONE_BATCH).batches == ()
    world.loop.batch(task.run, 0)
    in_erp_once(world, placed)


def test_rows_that_move_between_pages_are_all_found(world: World) -> None:
    world.sandbox.switches(list_rows_move_p=0.4)
    placed = place(world, 900)
    result = listing(world)
    assert (result.orders, result.unproven) == (len(placed), ())


@pytest.mark.parametrize(
    ("rows", "total", "proven"),
    [
        (["1-01", "2-01"], 2, True),
        ([], 0, True),
        (["1-01", "1-01"], 2, False),
        (["1-01", "1-01"], 1, False),
        (["1-01", "2-01"], 1, False),
        (["1-01", "2-01"], 0, False),
        (["1-01"], 2, False),
    ],
)
def test_a_page_proves_a_window_with_as_many_different_orders_as_vtex_counts(
    world: World, rows: list[str], total: int, proven: bool
) -> None:
    page = {"list": [{"orderId": order_id} for order_id in rows], "paging": {"total": total, "pages": 1}}
    world.sandbox.add_fault("list-orders", status=200, body=json.dumps(page))
    result = listing(world)
    assert (result.orders, not result.unproven) == (len(set(rows)), proven)


def test_a_page_that_counts_nothing_proves_nothing(world: World) -> None:
    world.sandbox.add_fault("list-orders", status=200, body=json.dumps({"list": []}))
    with pytest.raises(RetryableError, match="paging") as caught:
        listing(world)
    assert caught.value.cause == "answer-malformed"


def test_more_than_thirty_pages(world: World) -> None:
    window = world.yesterday
    hour = Window.between(window.start + timedelta(hours=3), window.start + timedelta(hours=4))
    second = Window(hour.start, hour.start + MILLISECOND * 3)
    place(world, 3000)
    place(world, 4000, seed=2, window=hour)
    place(world, 200, seed=3, window=second)
    result = listing(world)
    assert (result.orders, result.unproven) == (7200, ())
    assert world.requests("list-orders") < 1.25 * 72


def test_a_moment_with_more_orders_than_can_be_listed_makes_the_run_red(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(find_orders, "MOST_ORDERS", 20)
    monkeypatch.setattr(find_orders, "_COMFORTABLE", 15)
    window = world.yesterday
    placed = place(world, 30, window=Window(window.start + timedelta(hours=1), window.start + timedelta(hours=1)))
    place(world, 10, seed=2)
    result = listing(world)
    assert len(result.unproven) == 2  # that millisecond, and the one before, which is asked for a little more
    error = run_day(world)["outcome"]
    assert isinstance(error, ParkError)
    assert error.cause == "list-unproven"
    assert window.start.strftime("%Y-%m-%dT") in error.message
    assert world.stages()["handling"] == len(placed) + 10  # what was seen has been worked on all the same


def test_a_stale_status_decides_nothing(world: World) -> None:
    window = world.yesterday
    placed = place(world, 20, status="payment-approved")
    assert run_day(world) == {}
    assert world.stages() == {"ignored": 20}
    for order in placed:
        world.sandbox.move(order.order_id, "ready-for-handling")
    world.sandbox.switches(stale_status_p=1.0)
    assert run_day(world, "later", window=window) == {}
    in_erp_once(world, placed)


def test_the_list_is_given_time_to_catch_up(world: World) -> None:
    now = world.time.now()
    window = Window.between(now - timedelta(hours=1), now)
    place(world, 10, window=Window(now - timedelta(seconds=20), now))
    assert listing(world, window=window).orders == 10
    assert timedelta(minutes=4) < world.time.now() - now < timedelta(minutes=7)
    with pytest.raises(ConfigurationError, match="in the future"):
        listing(world, "tomorrow", window=Window(now, now + timedelta(days=1)))


def test_a_parked_order_waits_for_a_person(world: World) -> None:
    (order,) = place(world, 1)
    world.sandbox.refuse(external_id=world.external_id(order))
    assert run_day(world).keys() == {"submit_orders", "outcome"}
    world.sandbox.accept_all()
    assert run_day(world, "again") == {}
    assert world.stages() == {"parked": 1}
    assert run_day(world, "resubmit", resubmit=True) == {}
    in_erp_once(world, [order])


def test_resubmit_sends_only_what_the_erp_does_not_hold(world: World) -> None:
    placed = place(world, 6)
    assert run_day(world) == {}
    gone = world.external_id(placed[0])
    world.sandbox.forget(gone)
    assert run_day(world, "resubmit", resubmit=True) == {}
    assert world.requests("erp-put") == 7
    assert world.handling_effects() == {order.order_id: 1 for order in placed}
    assert world.stages() == {"handling": 6}


def test_single_orders(world: World) -> None:
    one, ignored, other = place(world, 3)
    world.sandbox.move(ignored.order_id, "payment-approved")
    assert run_day(world, order_ids=[one.order_id, ignored.order_id]) == {}
    assert world.requests("list-orders") == 0
    world.sandbox.move(ignored.order_id, "ready-for-handling")
    assert run_day(world, "again", order_ids=[ignored.order_id, one.order_id]) == {}
    in_erp_once(world, [one, ignored])
    assert other.order_id not in {order_id.partition(":")[2] for order_id in world.creations()}


def test_an_order_id_that_does_not_exist_is_said(world: World) -> None:
    errors = run_day(world, order_ids=["0000-01"])
    assert errors["outcome"].cause == "orders-failed"
    assert "0000-01" in errors["outcome"].message


def test_a_dry_run_does_nothing(world: World) -> None:
    place(world, 5)
    task = task_of(world, "dry")
    listing(world, "dry")
    assert found.unknown(world.ledger, task.run) == 5
    plan_nothing(world.ledger, task)
    assert deduplicate_found(world.ledger, task, sizes=ONE_BATCH).batches == ()
    outcome(world.ledger, TaskTry(task.run, "outcome"))
    assert world.requests("erp-put") == world.requests("get-order") == 0


def test_only_some_statuses_and_another_date(world: World) -> None:
    place(world, 4)
    place(world, 3, seed=2, status="invoiced")
    assert listing(world, statuses=("ready-for-handling",)).orders == 4  # type: ignore[arg-type]
    assert listing(world, "authorized", date_field="authorizedDate").orders == 5  # two were paid after midnight


def test_a_killed_run_by_date_goes_on(world: World) -> None:
    placed = place(world, 8)
    listing(world)
    task = task_of(world, "day", "deduplicate")
    found.receive_found(world.ledger, task, resubmit=False)  # and killed here
    assert run_day(world) == {}
    in_erp_once(world, placed)


def test_nothing_unproven_raises_nothing() -> None:
    moment = datetime(2026, 3, 1, tzinfo=timezone.utc)
    raise_unproven(Listed(1, 1, 1, ()))
    with pytest.raises(ParkError, match="2026-03-01T00:00:00"):
        raise_unproven(Listed(1, 1, 1, (Window(moment, moment),)))


def the_next_minute(world: World) -> Window:
    return Window(world.time.now(), world.time.now() + timedelta(minutes=1))


def look_back(world: World, run_id: str) -> dict[str, VtexErpError]:
    """A nightly run over an empty day, which looks back, too."""
    task = task_of(world, run_id)
    until = world.time.now() - timedelta(hours=1)
    listing(world, run_id, window=Window.between(until, until + timedelta(minutes=1)))
    find_orders.look_back(world.ledger, task, world.loop.vtex, until, sleep=world.time.sleep)
    plan = deduplicate_found(world.ledger, task, sizes=ONE_BATCH)
    world.loop.errors = {}
    for batch in range(len(plan.batches)):
        world.loop.batch(task.run, batch)
    found_here = reconcile(world.ledger, TaskTry(task.run, "reconcile"), world.loop.vtex, world.loop.erp)
    assert {each.kind for each in found_here} <= {Kind.CANCELLED_IN_VTEX}
    return world.loop.errors


def test_what_becomes_ready_long_after_its_day_without_an_event(world: World) -> None:
    assert world.run() == {}  # orders of before the first run are nobody's
    late, other = place(world, 2, window=the_next_minute(world), status="payment-pending")
    now, day = world.time.now(), timedelta(days=1)
    old = place(world, 1, seed=9, window=Window(now - 2 * day, now - day))
    world.time.sleep(86_400)
    assert run_day(world, "its day", window=Window(now - day / 2, now + day / 2)) == {}
    assert world.stages()["ignored"] == 2
    world.sandbox.delete_feed()  # from here on nothing is told
    world.sandbox.move(late.order_id, "ready-for-handling")
    world.time.sleep(3 * 86_400)
    assert look_back(world, "night") == {}
    in_erp_once(world, [late])
    assert world.entry(other.order_id).stage == "ignored"
    assert old[0].order_id not in str(world.creations())

    calls = world.requests("get-order")
    world.time.sleep(86_400)
    assert look_back(world, "the next night") == {}
    assert world.requests("get-order") == calls
    in_erp_once(world, [late])


def test_what_is_cancelled_long_after_its_day_without_an_event(world: World) -> None:
    assert world.run() == {}
    (order,) = place(world, 1, window=the_next_minute(world))
    world.sandbox.emit(order.order_id, "ready-for-handling")
    assert (world.run(), world.later()) == ({}, {})
    world.sandbox.delete_feed()
    world.sandbox.move(order.order_id, "canceled")
    world.time.sleep(4 * 86_400)
    assert look_back(world, "night") == {}
    world.sandbox.configure_feed(visibility_timeout=120, statuses=["ready-for-handling"])
    assert world.later(60) == {}
    assert world.sandbox.erp_orders()[world.external_id(order)]["cancelled"]
    assert world.entry(order.order_id).stage == "cancelled"


def test_a_held_order_goes_on_though_nothing_is_told(world: World) -> None:
    (order,) = world.sandbox.generate(1, seed=1, kinds=["plain"])
    assert (world.run(), world.later()) == ({}, {})
    world.sandbox.configure_feed(
        visibility_timeout=120, statuses=["ready-for-handling", "cancellation-requested", "request-cancel"]
    )
    request = world.sandbox.ask_cancellation(order.order_id)
    world.later()
    assert world.entry(order.order_id).cause == "cancellation-requested"
    world.sandbox.switches(deny_returns_to="handling")
    world.sandbox.deny_cancellation(order.order_id, request)
    world.later()
    assert world.entry(order.order_id).stage == "parked"
    assert look_back(world, "night") == {}
    assert world.entry(order.order_id).stage == "handling"
    in_erp_once(world, [order])


def test_an_order_that_the_erp_has_lost_is_not_forgotten_when_it_is_away(world: World) -> None:
    (order,) = place(world, 1)
    assert run_day(world) == {}
    world.sandbox.forget(world.external_id(order))
    world.sandbox.add_fault("erp-put", status=429, times=50)
    assert "submit_orders" in run_day(world, "resubmit", resubmit=True)
    world.sandbox.clear_faults()
    world.later()
    assert world.sandbox.erp_orders()[world.external_id(order)]["creations"] == 1
    assert world.entry(order.order_id).stage == "handling"
