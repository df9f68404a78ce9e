"""What the purge deletes, and what it must never delete."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from tests.ledger.rows import ACCOUNT, RUN, TASK, add_entry
from vtex_erp.ledger import entries, plans, retention
from vtex_erp.ledger.entries import Move
from vtex_erp.ledger.retention import Purged, Retention, purge
from vtex_erp.ledger.stages import DONE, OPEN, Stage
from vtex_erp.ledger.tables import batch_orders, documents, events, feed_gaps, history, order_entries, runs
from vtex_erp.stores.actions import DEFAULT_ACTIONS

if TYPE_CHECKING:
    from sqlalchemy import Table

    from vtex_erp.ledger.ledger import Ledger

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
KEPT = Retention(document_days=10, history_days=20, order_days=40)


def _at(ledger: Ledger, *, days: float) -> Ledger:
    return replace(ledger, clock=lambda: NOON + timedelta(days=days), retention=KEPT)


def _count(ledger: Ledger, table: Table) -> int:
    with ledger.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def _add_event(ledger: Ledger, order_id: str, **values: Any) -> None:
    now = ledger.clock()
    row = {"account": ACCOUNT, "order_id": order_id, "domain": "Fulfillment", "state": "handling", "change": order_id}
    row |= {"source": "feed", "needs_order": False, "deliveries": 1, "first_seen_at": now, "last_seen_at": now}
    with ledger.write() as connection:
        connection.execute(events.insert().values({**row, **values}))


def test_each_kind_goes_when_its_time_has_come(ledger: Ledger) -> None:
    start = _at(ledger, days=0)
    entry = add_entry(start, "1-01", planned=True)
    [claimed] = entries.claim(start, TASK, [entry], [Stage.RECEIVED])
    entries.write(start, TASK, [Move(claimed, Stage.HANDLING, documents={"order": "{}"})])
    _add_event(start, "1-01", deduplicated_at=NOON, committed_at=NOON)
    with ledger.write() as connection:
        connection.execute(feed_gaps.insert().values(account=ACCOUNT, starts_at=NOON, ends_at=NOON))
        connection.execute(feed_gaps.insert().values(account=ACCOUNT, starts_at=NOON))  # there is no feed to this day
    assert purge(_at(ledger, days=9)) == Purged()
    assert purge(_at(ledger, days=11)) == Purged(documents=1)
    assert purge(_at(ledger, days=21)) == Purged(history=1, runs=1, events=1, gaps=1)
    assert purge(_at(ledger, days=39)) == Purged()
    assert purge(_at(ledger, days=41)) == Purged(orders=1)
    assert [_count(ledger, each) for each in (documents, history, runs, batch_orders, events, order_entries)] == [0] * 6


@pytest.mark.parametrize("stage", [*OPEN, Stage.PARKED])
def test_an_order_that_is_not_done_is_kept_for_ever(ledger: Ledger, stage: Stage) -> None:
    add_entry(_at(ledger, days=0), "1-01", stage=stage.value)
    assert purge(_at(ledger, days=9999)).orders == 0


def test_an_event_whose_order_nobody_has_looked_at_is_kept(ledger: Ledger) -> None:
    _add_event(_at(ledger, days=0), "1-01")
    assert purge(_at(ledger, days=9999)).events == 0
    assert plans.receive_orders(_at(ledger, days=9999), TASK, DEFAULT_ACTIONS) == 0
    assert purge(_at(ledger, days=9999)).events == 1


def test_a_large_purge_goes_in_small_transactions(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "_ROWS_AT_ONCE", 3)
    for number in range(8):
        add_entry(_at(ledger, days=0), f"{number}-01", stage=DONE[0].value)
    add_entry(_at(ledger, days=2), "new-01", stage=DONE[0].value)
    assert purge(_at(ledger, days=41)).orders == 8
    assert _count(ledger, order_entries) == 1


def test_an_order_whose_entry_is_gone_may_come_again(ledger: Ledger) -> None:
    """Its status in VTEX decides then: nothing that is in handling is brought into the ERP again."""
    add_entry(_at(ledger, days=0), "1-01", stage=Stage.HANDLING.value)
    late = _at(ledger, days=41)
    purge(late)
    _add_event(late, "1-01", needs_order=True, state="ready-for-handling")
    assert plans.receive_orders(late, replace(TASK, run=replace(RUN, run_id="late")), DEFAULT_ACTIONS) == 1


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"document_days": 0}, "document_days is 0"),
        ({"history_days": "180"}, "history_days is '180'"),
        ({"order_days": True}, "order_days is True"),
        ({"history_days": 14}, "must be more than 14"),
        ({"history_days": 100, "order_days": 50}, "must not be less than history_days"),
    ],
)
def test_settings_that_cannot_be(extra: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Retention.from_extra(extra)


def test_settings_that_are_not_given_have_defaults() -> None:
    assert Retention.from_extra({"document_key": "x", "document_days": None}) == Retention(30, 180, 730)
    assert Retention.from_extra({"document_days": 7}).document_days == 7
