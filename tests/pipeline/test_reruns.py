"""Anything can be run again, at any time, next to anything else."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from tests.pipeline.world import erp_client
from vtex_erp.erp.protocol import Absent, Guarantee
from vtex_erp.errors import ConfigurationError, RateLimitedError, UnclearError
from vtex_erp.ledger import entries
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.entries import Move, TaskTry
from vtex_erp.ledger.plans import BatchSizes
from vtex_erp.ledger.stages import Stage
from vtex_erp.ledger.tables import batch_orders, runs
from vtex_erp.pipeline.deduplicate import deduplicate
from vtex_erp.pipeline.fetch_orders import fetch_orders
from vtex_erp.pipeline.map_orders import map_orders
from vtex_erp.pipeline.outcome import outcome
from vtex_erp.pipeline.submit_orders import submit_orders

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from tests.pipeline.loop import Loop
    from tests.pipeline.world import World
    from vtex_erp.erp.protocol import Lookup
    from vtex_erp.sales.model import SalesOrder


def test_a_pull_that_is_run_again_gives_the_same_count(world: World, sandbox: Sandbox) -> None:
    sandbox.generate(15, seed=1, kinds=["plain"])
    run = world.task("pull_feed", run_id="one").run
    assert world.loop.pull(run) == 15
    reads = world.requests("feed-get")
    sandbox.generate(4, seed=2, kinds=["plain"])
    assert world.loop.pull(run) == 15
    assert world.requests("feed-get") == reads


def test_a_pull_that_died_half_way_is_finished_by_its_rerun(world: World, sandbox: Sandbox) -> None:
    sandbox.generate(15, seed=1, kinds=["plain"])
    run = world.task("pull_feed", run_id="one").run
    sandbox.add_fault("feed-get", "status", status=500, probability=0.9)
    with pytest.raises(Exception, match="500"):
        world.loop.pull(run)
    sandbox.clear_faults()
    world.time.sleep(121)
    assert world.loop.pull(run) == 15


def test_a_plan_stays_as_it_is(world: World, sandbox: Sandbox) -> None:
    sandbox.generate(11, seed=1, kinds=["plain"])
    task = world.task("deduplicate", run_id="one", batch=None)
    sizes = BatchSizes(at_once=3, smallest=1)
    world.loop.pull(task.run)
    plan = deduplicate(world.ledger, task, sizes=sizes)
    assert plan.batches == (1, 4, 3, 3)
    held = [entries.in_batch(world.ledger, replace(task, batch=batch), (Stage.RECEIVED,)) for batch in range(4)]
    sandbox.generate(5, seed=2, kinds=["plain"])
    world.loop.pull(replace(task.run, run_id="another"))
    assert deduplicate(world.ledger, task, sizes=BatchSizes(at_once=1)) == plan
    assert held == [entries.in_batch(world.ledger, replace(task, batch=batch), (Stage.RECEIVED,)) for batch in range(4)]


def test_a_whole_run_again_has_no_new_effect(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(6, seed=1, kinds=["plain"])
    assert world.loop.run("one") == {}
    for _ in range(3):
        assert world.loop.run("one") == {}
    assert (world.requests("erp-put"), world.requests("start-handling")) == (6, 6)
    assert world.later() == {}
    assert world.loop.run("one") == {}
    world.assert_each_once(placed)
    assert (world.requests("erp-put"), world.requests("start-handling")) == (6, 6)


def test_every_task_again_after_each_task(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(4, seed=1, kinds=["plain"])
    assert world.loop.run("one", tries=1) == {}
    task = world.task("submit_orders", run_id="one")
    for to in (Stage.RECEIVED, Stage.FETCHED, Stage.MAPPED, Stage.SUBMITTED):
        assert entries.reopen(world.ledger, task, to=to) == 0
        assert world.loop.run("one") == {}
    world.later()
    world.assert_each_once(placed)


def test_two_runs_at_once(world: World, sandbox: Sandbox) -> None:
    sandbox.switches(both_domains=True, duplicate_new_id_p=0.5)
    placed = sandbox.generate(40, seed=1, kinds=["plain"])
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda number: _own_loop(world).run(f"run {number}"), range(2)))
    for _ in range(2):
        assert world.later() == {}
    world.assert_each_once(placed)


def _own_loop(world: World) -> Loop:
    return replace(world.loop, errors={}, sizes=BatchSizes(at_once=2, smallest=1))


def test_eight_threads_with_the_same_orders_never_work_on_one_together(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(20, seed=1, kinds=["plain"])
    world.begin()
    names = ["run 1", *(f"also {number}" for number in range(7))]
    _hand_the_batch_to(world, names[1:])
    meet = threading.Barrier(len(names))

    def work(name: str) -> None:
        loop, run = _own_loop(world), world.task("", run_id=name).run
        meet.wait()
        for _ in range(3):
            loop.batch(run, 0)

    with ThreadPoolExecutor(len(names)) as pool:
        list(pool.map(work, names))
    assert world.stages() == {"handling": len(placed)}
    for _ in range(2):
        assert world.later() == {}
    world.assert_each_once(placed)
    assert world.requests("erp-put") == len(placed)


def _hand_the_batch_to(world: World, names: list[str]) -> None:
    now = world.ledger.clock()
    with world.ledger.write() as connection:
        ours = connection.execute(select(batch_orders.c.entry_id)).scalars().all()
        for name in names:
            new = {"dag_id": "vtex_orders", "run_id": name, "account": world.sandbox.account, "started_at": now}
            run = connection.execute(runs.insert().values(new).returning(runs.c.id)).scalar_one()
            connection.execute(batch_orders.insert(), [{"run": run, "entry_id": entry, "batch": 0} for entry in ours])


def test_eight_threads_deduplicate_the_same_events_at_once(world: World, sandbox: Sandbox) -> None:
    sandbox.switches(both_domains=True)
    sandbox.generate(60, seed=1, kinds=["plain"])
    world.loop.pull(world.task("pull_feed", run_id="pull").run)
    meet = threading.Barrier(8)

    def work(number: int) -> int:
        task = world.task("deduplicate", run_id=f"run {number % 4}", batch=None)
        meet.wait()
        return sum(deduplicate(world.ledger, task, sizes=BatchSizes(at_once=2, smallest=1, orders=25)).batches)

    with ThreadPoolExecutor(8) as pool:
        planned = list(pool.map(work, range(8)))
    assert planned[:4] == planned[4:]
    # what no plan took, because another thread was just receiving it, is left to the next run
    rest = deduplicate(world.ledger, world.task("", run_id="next", batch=None), sizes=world.loop.sizes)
    assert sum(planned[:4]) + sum(rest.batches) == 60
    with world.ledger.read() as connection:
        rows = connection.execute(select(batch_orders.c.entry_id)).scalars().all()
    assert len(rows) == len(set(rows)) == 60


def test_a_late_write_of_a_lost_lease_changes_nothing(world: World, sandbox: Sandbox) -> None:
    order = sandbox.generate(1, seed=1, kinds=["plain"])[0]
    world.begin()
    _hand_the_batch_to(world, ["other"])
    sleeper, other = world.task("fetch_orders"), world.task("fetch_orders", run_id="other")
    ids = entries.in_batch(world.ledger, sleeper, (Stage.RECEIVED,))
    [ours] = entries.claim(world.ledger, sleeper, ids, (Stage.RECEIVED,))
    assert entries.claim(world.ledger, other, ids, (Stage.RECEIVED,)) == []
    world.time.sleep(world.ledger.lease.total_seconds() + 1)
    [theirs] = entries.claim(world.ledger, other, ids, (Stage.RECEIVED,))
    assert theirs.fence == ours.fence + 1
    # the sleeper wakes up while the other is at work, and again when it is done
    late = Move(ours, Stage.IGNORED, {"vtex_status": "late"}, {"order": "late"}, note="late")
    before = world.entry(order.order_id)
    assert entries.write(world.ledger, sleeper, [late]) == [ours]
    assert world.entry(order.order_id) == before
    assert entries.write(world.ledger, other, [Move(theirs, Stage.FETCHED, {}, {"order": "theirs"})]) == []
    before, past = world.entry(order.order_id), world.history(order.order_id)
    assert entries.write(world.ledger, sleeper, [late]) == [ours]
    assert world.entry(order.order_id) == before
    assert world.history(order.order_id) == past
    assert before.stage == "fetched"


def test_a_lease_outlives_the_longest_pause_that_an_erp_can_ask_for(world: World, sandbox: Sandbox) -> None:
    """Three times five minutes: the order must not be taken over, and sent, by another run meanwhile."""
    [order] = sandbox.generate(1, seed=1, kinds=["plain"])
    _map(world)
    _hand_the_batch_to(world, ["other"])
    sandbox.add_fault("erp-put", status=429, headers={"Retry-After": "299"}, times=3)
    pauses: list[float] = []

    def pause(seconds: float) -> None:
        world.time.sleep(seconds)
        pauses.append(seconds)
        submit_orders(world.ledger, world.task("submit_orders", run_id="other"), world.loop.erp)

    patient = erp_client(sandbox, world.time)
    patient._transport._pause._sleep = pause
    submit_orders(world.ledger, world.task("submit_orders"), patient).raise_failures()
    assert len(pauses) >= 3
    assert world.creations() == {world.external_id(order): 1}


def _map(world: World) -> None:
    world.begin()
    fetch_orders(world.ledger, world.task("fetch_orders"), world.loop.vtex).raise_failures()
    map_orders(world.ledger, world.task("map_orders")).raise_failures()


class ForgetfulErp:
    """Keeps no key unique and shows what it made a minute later. What `ensure` does is given, call by call."""

    guarantee = Guarantee.SEARCH_ONLY
    settle_seconds = 60.0
    concurrency = 1

    def __init__(self, world: World, *calls: Exception | None) -> None:
        self._world, self._calls = world, list(calls)
        self.created: list[str] = []

    def lookup(self, external_id: str) -> Lookup:
        return Absent()

    def ensure(self, sales_order: SalesOrder) -> str:
        self._world.time.sleep(20)
        self.created.append(sales_order.external_id)
        error = self._calls.pop(0) if self._calls else None
        if error:
            raise error
        return "SO1"

    def cancel(self, external_id: str, *, reason: str) -> Any:
        raise NotImplementedError


def test_an_erp_without_a_key_is_given_its_time_from_the_answer_that_was_lost(world: World, sandbox: Sandbox) -> None:
    """A batch takes minutes; what counts is when its order was sent, not when the batch began."""
    sandbox.generate(10, seed=1, kinds=["plain"])
    _map(world)
    erp = ForgetfulErp(world, *[None] * 9, UnclearError("lost"))
    task = world.task("submit_orders")
    report = submit_orders(world.ledger, task, erp)
    assert [error.cause for _, error in report.failures] == ["in-doubt"]
    assert len(erp.created) == 10
    for _ in range(2):
        submit_orders(world.ledger, task, erp)
        assert len(erp.created) == 10
        world.time.sleep(29)
    world.time.sleep(3)
    submit_orders(world.ledger, task, erp).raise_failures()
    assert len(erp.created) == 11


def test_what_the_second_round_mended_is_no_failure(world: World, sandbox: Sandbox) -> None:
    sandbox.generate(3, seed=1, kinds=["plain"])
    _map(world)
    erp = ForgetfulErp(world, RateLimitedError("wait"), UnclearError("lost"))
    erp.settle_seconds = 0
    report = submit_orders(world.ledger, world.task("submit_orders"), erp)
    report.raise_failures()
    assert report.counts() == {"submitted": 3, "failed": 0}


def test_a_lost_document_key_leaves_no_order_in_doubt(world: World, sandbox: Sandbox) -> None:
    """The orders wait where they were, so that the next run reads them again with the new key."""
    placed = sandbox.generate(3, seed=1, kinds=["plain"])
    _map(world)
    world.loop.ledger = world.ledger = replace(world.ledger, cipher=DocumentCipher([Fernet.generate_key().decode()]))
    with pytest.raises(ConfigurationError, match="order_ledger"):
        submit_orders(world.ledger, world.task("submit_orders"), world.loop.erp).raise_failures()
    assert world.stages() == {"mapped": 3}
    assert world.later() == {}
    assert world.later() == {}
    world.assert_each_once(placed)


def test_news_that_come_while_the_order_is_read_are_not_lost(world: World, sandbox: Sandbox) -> None:
    """It is read as not ready; it becomes ready; another run notes that; only then is "not ready" written."""
    every_change = {"type": "FromOrders", "expression": "$exists(orderId) or true", "disableSingleFire": True}
    sandbox.configure_feed(visibility_timeout=120, feed_filter=every_change)
    [order] = sandbox.generate(1, seed=1, kinds=["payment-pending"], status="window-to-cancel")
    world.begin()
    fetch = world.loop.vtex.get_order

    def slow_read(order_id: str) -> str:
        text = fetch(order_id)
        sandbox.move(order_id, "ready-for-handling")
        other = TaskTry(replace(world.task("").run, run_id="other"), "deduplicate")
        world.loop.pull(other.run)
        deduplicate(world.ledger, other, sizes=world.loop.sizes)
        return text

    world.loop.vtex.get_order = slow_read  # type: ignore[method-assign]
    fetch_orders(world.ledger, world.task("fetch_orders"), world.loop.vtex)
    world.loop.vtex.get_order = fetch  # type: ignore[method-assign]
    for _ in range(3):
        world.later()
    assert world.creations() == {world.external_id(order): 1}
    assert world.stages() == {"handling": 1}


def test_a_run_that_ends_gives_its_orders_free(world: World, sandbox: Sandbox) -> None:
    placed = sandbox.generate(3, seed=1, kinds=["plain"])
    world.begin()
    task = world.task("fetch_orders")
    entries.claim(world.ledger, task, entries.in_batch(world.ledger, task, (Stage.RECEIVED,)), (Stage.RECEIVED,))
    with pytest.raises(Exception, match="3 x unfinished:received"):
        outcome(world.ledger, world.task("outcome", batch=None))
    assert world.run() == {}
    world.later()
    world.assert_each_once(placed)


def test_an_order_waits_for_its_own_run_for_an_hour(world: World, sandbox: Sandbox) -> None:
    sandbox.generate(2, seed=1, kinds=["plain"])
    world.begin()
    assert world.run() == {}
    assert world.creations() == {}
    world.later(timedelta(hours=1, seconds=1).total_seconds())
    assert len(world.creations()) == 2
