"""The breaker opens on failures of any task, and lets one of them try once a minute."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from vtex_erp.ledger import breaker

if TYPE_CHECKING:
    from vtex_erp.ledger.ledger import Ledger

ERP = "erp_default"


class Clock:
    def __init__(self) -> None:
        self.now = datetime(2026, 3, 1, tzinfo=timezone.utc)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watched(ledger: Ledger, clock: Clock) -> Ledger:
    return replace(ledger, clock=clock)


def fail(ledger: Ledger, failures: int, *, calls: int | None = None, connection: str = ERP) -> breaker.Breaker:
    return breaker.count(ledger, connection, calls=calls or failures, failures=failures, trouble="unreachable")


def test_five_failures_of_any_tasks_open_it(watched: Ledger, clock: Clock) -> None:
    assert breaker.look(watched, ERP).opened_at is None
    for _ in range(4):
        assert fail(watched, 1).opened_at is None
    opened = fail(watched, 1)
    assert (opened.opened_at, opened.probe_at, opened.trouble) == (
        clock.now,
        clock.now + timedelta(minutes=1),
        "unreachable",
    )
    assert breaker.look(watched, ERP) == opened
    assert breaker.look(watched, "another").opened_at is None


def test_failures_among_more_answers_do_not(watched: Ledger) -> None:
    assert fail(watched, 0, calls=6).opened_at is None
    assert fail(watched, 5).opened_at is None  # 5 of 11
    assert fail(watched, 1).opened_at is not None  # 6 of 12


def test_old_failures_are_forgotten(watched: Ledger, clock: Clock) -> None:
    fail(watched, 4)
    clock.pass_by(61)
    assert fail(watched, 4).opened_at is None


def test_one_worker_a_minute_wins_the_probe(watched: Ledger, clock: Clock) -> None:
    fail(watched, 5)
    assert not breaker.win_probe(watched, ERP)
    for _ in range(3):
        clock.pass_by(60)
        assert breaker.look(watched, ERP).probe_is_due(clock.now)
        with ThreadPoolExecutor(4) as pool:
            assert sorted(pool.map(lambda _: breaker.win_probe(watched, ERP), range(8))) == [False] * 7 + [True]
        assert not breaker.look(watched, ERP).probe_is_due(clock.now)


def test_a_probe_that_was_not_made_goes_to_another(watched: Ledger, clock: Clock) -> None:
    fail(watched, 5)
    clock.pass_by(60)
    assert breaker.win_probe(watched, ERP)
    breaker.give_probe_back(watched, ERP)
    assert breaker.win_probe(watched, ERP)


def test_it_stays_open_since_the_first_failure_until_it_is_closed(watched: Ledger, clock: Clock) -> None:
    since = fail(watched, 5).opened_at
    clock.pass_by(300)
    assert fail(watched, 5).opened_at == since
    breaker.close(watched, ERP)
    assert breaker.look(watched, ERP).opened_at is None
    assert not breaker.win_probe(watched, ERP)
    assert fail(watched, 4).opened_at is None
