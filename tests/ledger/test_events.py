"""One event however often it is delivered, and a handle for each of its items in VTEX's queue."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import new_postgres_database
from tests.ledger.rows import ACCOUNT, TASK, add_entry
from vtex_erp.ledger import events, plans, tables
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.ledger import open_ledger
from vtex_erp.ledger.plans import BatchSizes
from vtex_erp.ledger.tables import handles, order_entries
from vtex_erp.stores.actions import DEFAULT_ACTIONS
from vtex_erp.vtex.schemas import FeedEvent

if TYPE_CHECKING:
    from vtex_erp.ledger.ledger import Ledger

MIN_VALUE = "0001-01-01T00:00:00"


def _event(**fields: Any) -> FeedEvent:
    usual = {
        "eventId": "E1",
        "handle": "H1",
        "domain": "Marketplace",
        "state": "ready-for-handling",
        "orderId": "1-01",
        "lastChange": "2026-03-01T11:00:00Z",
        "currentChange": "2026-03-01T12:00:00.7153839Z",
    }
    return FeedEvent.model_validate({**usual, **fields})


def _jwt(message_id: str, salt: str) -> str:
    claims = base64.urlsafe_b64encode(json.dumps({"MessageId": message_id, "Handle": salt}).encode()).decode()
    return f"e30.{claims.rstrip('=')}.{salt}"


def _rows(ledger: Ledger) -> list[Any]:
    with ledger.read() as connection:
        return list(connection.execute(tables.events.select().order_by(tables.events.c.id)))


def _handles(ledger: Ledger) -> set[str]:
    with ledger.read() as connection:
        return {row.handle for row in connection.execute(handles.select())}


@pytest.mark.parametrize(
    ("change", "is_another"),
    [
        ({}, False),
        ({"eventId": "E2", "handle": "H2"}, False),
        ({"handle": "H2"}, False),
        ({"currentChange": "2026-03-01T12:00:00.7153830Z"}, False),  # microseconds are what counts
        ({"currentChange": "2026-03-01T09:00:00.715383-03:00"}, False),
        ({"lastChange": "2020-01-01T00:00:00Z"}, False),
        ({"orderId": "2-01"}, True),
        ({"domain": "Fulfillment"}, True),
        ({"state": "handling"}, True),
        ({"currentChange": "2026-03-01T12:00:01Z"}, True),
        # under FromOrders the current change is .NET's MinValue: the last change tells
        ({"currentChange": MIN_VALUE, "lastChange": "2026-03-01T12:00:00.7153839"}, False),
        ({"currentChange": MIN_VALUE, "lastChange": "2026-03-01T12:00:02"}, True),
        ({"currentChange": MIN_VALUE, "lastChange": MIN_VALUE}, True),
    ],
)
def test_what_makes_an_event(ledger: Ledger, change: dict[str, Any], is_another: bool) -> None:
    events.record(ledger, ACCOUNT, [_event()])
    events.record(ledger, ACCOUNT, [_event(**change)])
    rows = _rows(ledger)
    assert len(rows) == (2 if is_another else 1)
    assert sum(row.deliveries for row in rows) == 2


def test_degenerate_events_of_one_order(ledger: Ledger) -> None:
    """FromOrders: state "unknow", no current change. Each change of the order is an event of its own."""
    usual = {"state": "unknow", "domain": "OrdersDocumentUpdated", "currentChange": MIN_VALUE}
    first = _event(**usual, lastChange="2026-03-01T12:00:00")
    second = _event(**usual, lastChange="2026-03-01T12:00:05", eventId="E2", handle="H2")
    events.record(ledger, ACCOUNT, [first, second, first])
    events.record(ledger, ACCOUNT, [second])
    rows = _rows(ledger)
    assert [row.deliveries for row in rows] == [2, 2]
    assert all(row.needs_order for row in rows)
    assert plans.receive_orders(ledger, TASK, DEFAULT_ACTIONS) == 1


def test_nothing_at_all_is_no_event(ledger: Ledger) -> None:
    events.record(ledger, ACCOUNT, [])
    assert _rows(ledger) == []


def test_the_same_order_in_two_accounts(ledger: Ledger) -> None:
    events.record(ledger, ACCOUNT, [_event()])
    events.record(ledger, "otherstore", [_event()])
    assert len(_rows(ledger)) == 2
    assert plans.receive_orders(ledger, TASK, DEFAULT_ACTIONS) == 1


def test_duplicates_under_other_event_ids_keep_a_handle_each(ledger: Ledger) -> None:
    events.record(ledger, ACCOUNT, [_event(), _event(eventId="E2", handle="H2")])
    events.record(ledger, ACCOUNT, [_event(eventId="E3", handle="H3")])
    assert _handles(ledger) == {"H1", "H2", "H3"}


def test_a_later_delivery_takes_the_place_of_the_earlier(ledger: Ledger) -> None:
    events.record(ledger, ACCOUNT, [_event()])
    events.record(ledger, ACCOUNT, [_event(handle="H1 again"), _event(handle="H1 once more")])
    assert _handles(ledger) == {"H1 once more"}


def test_queue_items_are_told_apart_by_the_handle(ledger: Ledger) -> None:
    """Two items with one event id keep both handles; a redelivery under another event id replaces its own."""
    events.record(ledger, ACCOUNT, [_event(handle=_jwt("M1", "a")), _event(handle=_jwt("M2", "b"))])
    assert _handles(ledger) == {_jwt("M1", "a"), _jwt("M2", "b")}
    events.record(ledger, ACCOUNT, [_event(handle=_jwt("M1", "c"), eventId="E2")])
    assert _handles(ledger) == {_jwt("M1", "c"), _jwt("M2", "b")}


def test_a_day_of_redeliveries_leaves_one_handle(ledger: Ledger) -> None:
    for number in range(50):
        events.record(ledger, ACCOUNT, [_event(handle=_jwt("M1", str(number)), eventId=f"E{number}")])
    assert _handles(ledger) == {_jwt("M1", "49")}


def test_an_event_without_a_handle_is_kept(ledger: Ledger) -> None:
    """The hook and the list by date have none."""
    events.record(ledger, ACCOUNT, [_event(handle=None, eventId=None)], source="hook")
    assert _handles(ledger) == set()
    assert _rows(ledger)[0].source == "hook"
    assert plans.receive_orders(ledger, TASK, DEFAULT_ACTIONS) == 1


def test_a_committed_event_that_comes_back_is_committed_again(ledger: Ledger) -> None:
    add_entry(ledger, "1-01", stage="handling", erp_id="SO1", read_change_at=ledger.clock())
    for handle in ("H1", "H2"):
        events.record(ledger, ACCOUNT, [_event(handle=handle)])
        plans.receive_orders(ledger, TASK, DEFAULT_ACTIONS)
        run = replace(TASK, run=replace(TASK.run, run_id=handle))
        assert plans.make(ledger, run, sizes=BatchSizes(1)).events == 1
        [delivery] = events.to_commit_besides(ledger, run)
        assert delivery.handle == handle
        events.committed(ledger, [delivery])
        assert events.to_commit_besides(ledger, run) == []
    assert _rows(ledger)[0].committed_at is not None


@pytest.mark.parametrize(
    ("stage", "is_committed"),
    [
        ("received", False),
        ("fetched", False),
        ("mapped", False),
        ("submitting", False),
        ("submitted", True),
        ("handling", True),
        ("ignored", True),
        ("parked", True),
        ("cancelled", True),
        ("closed", True),
        ("changed", False),
        ("cancelling", False),
    ],
)
def test_an_event_is_committed_when_its_order_is_settled(ledger: Ledger, stage: str, is_committed: bool) -> None:
    events.record(ledger, ACCOUNT, [_event()])
    plans.receive_orders(ledger, TASK, DEFAULT_ACTIONS)
    plans.make(ledger, TASK, sizes=BatchSizes(1))
    with ledger.write() as connection:
        connection.execute(order_entries.update().values(stage=stage))
    assert bool(events.to_commit_in_batch(ledger, TASK)) is is_committed
    with ledger.read() as connection:
        assert bool(events.waiting_to_be_committed(connection, ACCOUNT, limit=9)) is is_committed


def test_moments_keep_their_zone_and_their_microseconds(ledger: Ledger) -> None:
    events.record(ledger, ACCOUNT, [_event(currentChange="2026-03-01T09:00:00.1234567-03:00")])
    assert _rows(ledger)[0].changed_at == datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=timezone.utc)
    assert _rows(ledger)[0].first_seen_at.utcoffset() == timedelta(0)


def test_the_hook_brings_again_what_is_being_committed(postgres_server: str, document_key: str) -> None:
    """Neither waits for the other for ever, though they know the events by another order."""
    ledger = open_ledger(new_postgres_database(postgres_server), cipher=DocumentCipher([document_key]))
    told = [_event(orderId=f"{number:03}-01", handle=None) for number in range(60)]
    for event in reversed(told):
        events.record(ledger, ACCOUNT, [event])
    deliveries = [events.Delivery(0, row.id, "", row.first_seen_at) for row in _rows(ledger)]
    with ThreadPoolExecutor(2) as pool:
        again = pool.submit(lambda: [events.record(ledger, ACCOUNT, told, source=events.HOOK) for _ in range(100)])
        committed = pool.submit(lambda: [events.committed(ledger, deliveries) for _ in range(100)])
        assert (again.exception(), committed.exception()) == (None, None)
    assert {(row.source, row.deliveries) for row in _rows(ledger)} == {("feed", 101)}
    ledger.close()
