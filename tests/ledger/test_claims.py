"""Claims in the ledger: one worker at a time, all keys or none, and nothing readable in the table."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from vtex_erp.ledger.claims import LedgerClaims
from vtex_erp.ledger.ledger import utc_now
from vtex_erp.ledger.retention import purge
from vtex_erp.ledger.tables import claims

if TYPE_CHECKING:
    from vtex_erp.ledger.ledger import Ledger


def rows(ledger: Ledger) -> list[str]:
    with ledger.read() as connection:
        return list(connection.execute(select(claims.c.key)).scalars())


def test_one_worker_at_a_time_and_all_keys_or_none(ledger: Ledger) -> None:
    one, other = LedgerClaims(ledger), LedgerClaims(ledger)
    held = one.take(["a", "b"], seconds=60)
    assert isinstance(held, str)
    left = other.take(["b", "c"], seconds=60)
    assert isinstance(left, float)
    assert 50 < left <= 60
    assert isinstance(other.take(["c"], seconds=60), str)
    one.release(["a", "b"], held)
    assert isinstance(other.take(["a", "b"], seconds=60), str)


def test_a_claim_runs_out_and_then_is_not_given_back_by_the_one_who_held_it(ledger: Ledger) -> None:
    later = replace(ledger, clock=lambda: utc_now() + timedelta(minutes=11))
    dead = LedgerClaims(ledger).take(["a"], seconds=600)
    assert isinstance(dead, str)
    heir = LedgerClaims(later).take(["a"], seconds=600)
    assert isinstance(heir, str)
    LedgerClaims(ledger).release(["a"], dead)
    assert isinstance(LedgerClaims(later).take(["a"], seconds=600), float)


def test_eight_threads_and_one_key(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: LedgerClaims(ledger).take([f"{number}", "a"], seconds=60), range(8)))
    assert sum(isinstance(answer, str) for answer in answers) == 1


def test_claims_that_come_and_go_are_never_held_by_two(ledger: Ledger) -> None:
    held, together = set[str](), list[str]()

    def work(number: int) -> int:
        own, taken = LedgerClaims(ledger), 0
        for _ in range(30):
            keys = ["a", f"{number % 3}"]
            claim = own.take(keys, seconds=60)
            if isinstance(claim, str):
                together.extend(held)
                held.add(claim)
                assert isinstance(own.take(keys, seconds=60), float)
                held.discard(claim)
                own.release(keys, claim)
                taken += 1
        return taken

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(work, range(6))) > 0
    assert together == []


def test_a_document_cannot_be_read_from_the_table_and_what_has_run_out_is_purged(ledger: Ledger) -> None:
    LedgerClaims(ledger).take(["party:52998224725"], seconds=60)
    (key,) = rows(ledger)
    assert len(key) == 64
    assert "5299822" not in key
    purge(ledger)
    assert len(rows(ledger)) == 1
    purge(replace(ledger, clock=lambda: utc_now() + timedelta(minutes=2)))
    assert rows(ledger) == []
