"""Many who wait, one transaction; and hints that are few and late enough."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

from sqlalchemy import event as sqlalchemy_event

from tests.airflow.hook.calls import ACCOUNT, Clock, notification, recorded
from vtex_erp.ledger import events
from vtex_erp.vtex.schemas import FeedEvent

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pytest

    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.web.hook.recorder import Recorder


def told(number: int) -> FeedEvent:
    return FeedEvent.model_validate(notification(f"{number}-01"))


def make_recorder(open_ledger: Callable[[], Ledger]) -> Recorder:
    from vtex_erp.web.hook.recorder import Recorder

    return Recorder(open_ledger, gather=0)


async def record_all(recorder: Recorder, wanted: Sequence[tuple[str, int]], go: threading.Event) -> list[Any]:
    """Bring them all while the first one is being written; what became of each."""
    calls = [asyncio.ensure_future(recorder.record(account, told(number))) for account, number in wanted]
    await asyncio.sleep(0)
    go.set()
    return await asyncio.gather(*calls, return_exceptions=True)


def test_all_that_wait_are_written_in_one_transaction(ledger: Ledger) -> None:
    go, commits = threading.Event(), []

    def open_late() -> Ledger:
        go.wait(30)
        return ledger

    sqlalchemy_event.listen(ledger.engine, "commit", commits.append)
    recorder = make_recorder(open_late)
    outcomes = asyncio.run(record_all(recorder, [(ACCOUNT, number) for number in range(500)], go))
    recorder.close()
    assert set(outcomes) == {None}
    assert len({row.order_id for row in recorded(ledger)}) == 500
    assert len(commits) <= 2


def test_an_account_whose_events_cannot_be_written_stops_no_other(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vtex_erp.web.hook.recorder import NotRecordedError

    record = events.record

    def refuse(ledger: Ledger, account: str, arrived: Sequence[FeedEvent], *, source: str) -> None:
        if account == "bad":
            raise ValueError("bad")
        record(ledger, account, arrived, source=source)

    monkeypatch.setattr(events, "record", refuse)
    recorder = make_recorder(lambda: ledger)
    outcomes = asyncio.run(
        record_all(recorder, [("bad", 1), (ACCOUNT, 2), ("bad", 3), (ACCOUNT, 4)], threading.Event())
    )
    recorder.close()
    assert [type(each) for each in outcomes] == [NotRecordedError, type(None), NotRecordedError, type(None)]
    assert {row.order_id for row in recorded(ledger)} == {"2-01", "4-01"}


def test_only_so_many_wait(ledger: Ledger) -> None:
    from vtex_erp.web.hook.recorder import MOST_WAITING, NotRecordedError

    go = threading.Event()

    def open_late() -> Ledger:
        go.wait(30)
        return ledger

    recorder = make_recorder(open_late)
    outcomes = asyncio.run(record_all(recorder, [(ACCOUNT, number) for number in range(MOST_WAITING + 50)], go))
    recorder.close()
    refused = [each for each in outcomes if isinstance(each, NotRecordedError)]
    assert len(refused) == 50
    assert len(recorded(ledger)) == MOST_WAITING


def test_hints_are_few_and_none_is_too_early() -> None:
    from vtex_erp.web.hook.wake import Waker

    clock, hints, slept = Clock(), [], []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.seconds += seconds
        await asyncio.sleep(0)

    async def scenario() -> None:
        waker = Waker(hints.append, every=5, clock=clock, sleep=sleep)
        for _ in range(3):
            waker.wake("one")
        waker.wake("other")
        await asyncio.gather(*waker._coming.values())
        clock.seconds += 2
        waker.wake("one")
        waker.wake("one")
        await asyncio.gather(*waker._coming.values())
        clock.seconds += 60
        waker.wake("one")
        await asyncio.gather(*waker._coming.values())

    asyncio.run(scenario())
    assert sorted(hints) == ["one", "one", "one", "other"]
    assert slept == [0, 0, 3, 0]


def test_a_hint_that_cannot_be_sent_is_only_told(caplog: pytest.LogCaptureFixture) -> None:
    from vtex_erp.web.hook.wake import Waker

    def fail(asset: str) -> None:
        raise RuntimeError("no database")

    async def scenario() -> None:
        waker = Waker(fail)
        waker.wake("vtex_events")
        await asyncio.gather(*waker._coming.values())

    asyncio.run(scenario())
    assert "The hint vtex_events could not be sent (RuntimeError)" in caplog.text


def test_a_store_may_make_so_many_calls_at_once_and_so_many_a_second() -> None:
    from vtex_erp.web.hook.traffic import Limit

    clock = Clock()
    limit = Limit(at_once=3, a_second=2, clock=clock)
    assert [limit.take("main") for _ in range(5)] == [0, 0, 0, 0.5, 0.5]
    assert limit.take("other") == 0
    clock.seconds = 1
    assert [limit.take("main") for _ in range(3)] == [0, 0, 0.5]
    clock.seconds = 1000
    assert [limit.take("main") == 0 for _ in range(5)] == [True, True, True, False, False]
