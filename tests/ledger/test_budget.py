"""One budget for all workers of an account: never above the limit, little below it, the live ones first."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from sandbox.vtex.limits import RateLimit
from tests.virtual_time import VirtualTime
from vtex_erp.errors import RateLimitedError
from vtex_erp.ledger.budget import LEASE_SECONDS, LedgerBudget
from vtex_erp.ledger.tables import budgets
from vtex_erp.vtex.budget import Limits, Priority

if TYPE_CHECKING:
    from collections.abc import Callable

    from vtex_erp.ledger.ledger import Ledger

LATENCY = 0.03


def limits(account: float, **families: float) -> Limits:
    return Limits(**{**dict.fromkeys(("account", "feed", "read", "list", "action"), account), **families})


@dataclass
class Store:
    """One account at a server that counts in fixed minutes, and its workers."""

    ledger: Ledger
    limit: int
    time: VirtualTime = field(default_factory=VirtualTime)
    sent: list[tuple[float, str]] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server = RateLimit()

    def budget(self, told: Limits | None = None, priority: Priority = Priority.LIVE) -> LedgerBudget:
        return LedgerBudget(
            self.ledger,
            "store",
            told or limits(self.limit),
            priority,
            clock=self.time.clock,
            sleep=self.time.sleep,
            now=self.time.database_now,
        )

    def worker(
        self,
        until: float,
        *,
        told: Limits | None = None,
        priority: Priority = Priority.LIVE,
        family: str = "read",
        name: str = "",
        latency: float = LATENCY,
        begin: float = 0.0,
    ) -> Callable[[], None]:
        budget = self.budget(told, priority)

        def work() -> None:
            self.time.sleep(begin)
            while self.time.seconds < until:
                budget.take(family)
                self.sent.append((self.time.seconds, name or priority.value))
                # The server's minute begins in the middle of ours.
                if not self._server.allow(self.time.seconds + 17, self.limit):
                    self.refused.append(self.time.seconds)
                    budget.slow_down(math.ceil(60 - (self.time.seconds + 17) % 60))
                self.time.sleep(latency)

        return work

    def between(self, start: float, end: float) -> Counter[str]:
        return Counter(name for at, name in self.sent if start <= at < end)

    def busiest_minute(self) -> int:
        """The most requests in any minute, wherever it begins."""
        times = sorted(at for at, _ in self.sent)
        return max(sum(start <= at < start + 60 for at in times) for start in times[:: max(1, len(times) // 200)])


@pytest.fixture
def store(ledger: Ledger) -> Store:
    return Store(ledger, 600)


def test_four_workers_use_the_limit_and_never_pass_it(store: Store) -> None:
    store.time.run(*(store.worker(180, name=str(number)) for number in range(4)))
    assert store.refused == []
    assert store.busiest_minute() <= 600
    for minute in range(3):
        assert store.between(minute * 60, minute * 60 + 60).total() >= 540
    assert min(store.between(60, 180).values()) > 150  # nobody is left out


def test_a_429_stops_all_and_the_pace_comes_back_slowly(store: Store) -> None:
    store.time.run(*(store.worker(600, told=limits(1500), name=str(number)) for number in range(4)))
    first = store.refused[0]
    pause_ends = first + 60 - (first + 17) % 60
    assert len(store.refused) < 40
    assert not store.between(first + LEASE_SECONDS + LATENCY, pause_ends)
    assert store.between(pause_ends, 600).total() / (600 - pause_ends) * 60 > 400


def test_half_the_pace_and_a_tenth_more_each_minute(store: Store) -> None:
    store.budget().slow_down(60)
    store.time.run(*(store.worker(540, name=str(number)) for number in range(2)))
    assert store.between(0, 60).total() == 0
    minutes = [store.between(60 * number, 60 * number + 60).total() for number in range(1, 9)]
    assert minutes == pytest.approx([350, 355, 468, 473, 530, 588, 588, 588], abs=50)


def test_answers_of_one_burst_slow_the_pace_once(store: Store) -> None:
    for _ in range(5):
        store.budget().slow_down(60)
    with store.ledger.read() as connection:
        assert connection.execute(select(budgets.c.pace)).scalars().all() == [0.5]


def test_a_pause_of_more_than_five_minutes_is_left_to_airflow(store: Store) -> None:
    store.budget().slow_down(301)
    with pytest.raises(RateLimitedError) as raised:
        store.budget().take("read")
    assert raised.value.retry_after == pytest.approx(301, abs=1)
    assert store.time.seconds == 0


def test_live_goes_first_and_nobody_starves(store: Store) -> None:
    store.time.run(
        *(store.worker(240, priority=Priority.LIVE, begin=60) for _ in range(2)),
        *(store.worker(240, priority=Priority.BY_DATE) for _ in range(3)),
        store.worker(240, priority=Priority.RECONCILIATION),
    )
    before, after = store.between(5, 60), store.between(120, 240)
    assert before["by-date"] >= 0.7 * 55 * 9.4
    assert after["live"] >= 0.8 * after.total()
    assert after["by-date"] >= 0.07 * after.total()
    assert after["reconciliation"] >= 0.03 * after.total()
    assert after.total() >= 2 * 540
    assert store.busiest_minute() <= 600
    assert store.refused == []


def test_a_backfill_takes_what_a_quiet_feed_leaves_and_does_not_delay_it(store: Store) -> None:
    waits = []
    live = store.budget()

    def feed() -> None:
        while store.time.seconds < 120:
            started = store.time.seconds
            live.take("feed")
            waits.append(store.time.seconds - started)
            store.sent.append((store.time.seconds, "live"))
            store.time.sleep(1)

    store.time.run(feed, *(store.worker(120, priority=Priority.BY_DATE) for _ in range(3)))
    assert sum(waits) / len(waits) < 0.1
    assert max(waits[5:]) <= 0.5
    assert store.between(0, 120)["by-date"] >= 0.75 * 120 * 9.4


def test_a_family_has_a_limit_of_its_own(store: Store) -> None:
    told = limits(600, list=60)
    store.time.run(
        store.worker(120, told=told, family="list", name="list"),
        store.worker(120, told=told, family="read", name="read"),
        store.worker(120, told=told, family="list", name="late list", priority=Priority.BY_DATE),
    )
    sent = store.between(60, 120)
    assert 50 <= sent["list"] + sent["late list"] <= 60
    assert sent["read"] >= 450


def test_what_a_dead_worker_leased_is_not_missed_for_long(store: Store) -> None:
    for _ in range(20):
        store.budget().take("read")  # each leases a bundle, and uses one request of it
    began = store.time.seconds
    store.time.run(store.worker(began + 60))
    assert store.between(began, began + 60).total() >= 540 - 50


def test_a_lease_that_has_lapsed_is_not_used(store: Store) -> None:
    budget = store.budget()
    budget.take("read")
    with store.ledger.read() as connection:
        spent = connection.execute(select(budgets.c.spent)).scalar_one()
    store.time.seconds += LEASE_SECONDS + 0.1
    budget.take("read")
    with store.ledger.read() as connection:
        assert connection.execute(select(budgets.c.spent)).scalar_one() != spent
