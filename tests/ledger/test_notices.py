"""A thing is told once, whatever fails or dies on the way."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.ledger.rows import ACCOUNT, TASK, add_entry
from vtex_erp.errors import ParkError, RetryableError, VtexErpError
from vtex_erp.ledger import entries, notices
from vtex_erp.ledger.entries import Move, failed
from vtex_erp.ledger.notices import Notice
from vtex_erp.ledger.stages import Stage
from vtex_erp.stores.notices import NoticeKind

if TYPE_CHECKING:
    from vtex_erp.ledger.ledger import Ledger

ALL = tuple(NoticeKind)
NOTICE = Notice(NoticeKind.FEED_MISSING, ACCOUNT, "Make one.", "feed-missing:monday")


def later(ledger: Ledger, **passed: float) -> Ledger:
    clock = ledger.clock
    return replace(ledger, clock=lambda: clock() + timedelta(**passed))


def claimed(ledger: Ledger, target: str = "main/staff", kinds: tuple[NoticeKind, ...] = ALL) -> list[str]:
    return [notice.key for notice in notices.claim(ledger, ACCOUNT, target, kinds)]


def test_everybody_is_told_once_of_what_they_want(ledger: Ledger) -> None:
    notices.tell(ledger, ACCOUNT, [NOTICE, replace(NOTICE, text="found by another run")])
    notices.tell(ledger, "another", [NOTICE])
    assert claimed(ledger, kinds=(NoticeKind.PARKED,)) == []
    assert claimed(ledger) == [NOTICE.key]
    assert claimed(ledger) == []
    assert claimed(ledger, "main/partner") == [NOTICE.key]
    notices.tell(ledger, ACCOUNT, [NOTICE, replace(NOTICE, key="feed-missing:tuesday")])
    assert claimed(ledger) == ["feed-missing:tuesday"]


def test_eight_workers_tell_once(ledger: Ledger) -> None:
    notices.tell(ledger, ACCOUNT, [replace(NOTICE, key=str(number)) for number in range(50)])
    with ThreadPoolExecutor(8) as pool:
        told = [key for keys in pool.map(lambda _: claimed(ledger), range(8)) for key in keys]
    assert sorted(told, key=int) == [str(number) for number in range(50)]


def test_what_a_notifier_refuses_is_tried_again_and_not_for_ever(ledger: Ledger) -> None:
    notices.tell(ledger, ACCOUNT, [NOTICE])
    for attempt in range(1, notices.MOST_ATTEMPTS + 1):
        [notice] = notices.claim(ledger, ACCOUNT, "main/staff", ALL)
        assert notices.failed(ledger, notice, "main/staff", "refused") is (attempt < notices.MOST_ATTEMPTS)
        assert claimed(ledger) == []
        ledger = later(ledger, days=1)
    assert claimed(ledger) == []


def test_what_was_sent_at_last_is_not_sent_again(ledger: Ledger) -> None:
    notices.tell(ledger, ACCOUNT, [NOTICE])
    [notice] = notices.claim(ledger, ACCOUNT, "main/staff", ALL)
    notices.failed(ledger, notice, "main/staff", "refused")
    [notice] = notices.claim(later(ledger, hours=1), ACCOUNT, "main/staff", ALL)
    notices.sent(ledger, notice, "main/staff")
    assert claimed(later(ledger, days=1)) == []


def test_of_a_killed_process_nobody_knows_so_nothing_is_told_twice(
    ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    notices.tell(ledger, ACCOUNT, [NOTICE])
    assert claimed(ledger) == [NOTICE.key]  # and the process dies
    for _ in range(2):
        assert claimed(later(ledger, hours=2)) == []
    assert caplog.text.count("1 notices may not have gone out") == 1


def test_a_killed_process_has_claimed_no_more_than_it_was_telling(ledger: Ledger) -> None:
    notices.tell(ledger, ACCOUNT, [replace(NOTICE, key=str(number)) for number in range(3)])
    assert next(iter(notices.claim(ledger, ACCOUNT, "main/staff", ALL))).key == "0"  # and the process dies
    assert claimed(ledger) == ["1", "2"]


def test_somebody_new_is_not_told_of_old_things(ledger: Ledger) -> None:
    notices.tell(ledger, ACCOUNT, [NOTICE])
    assert claimed(later(ledger, days=3)) == []


PARKED = {
    "cancellation-requested": NoticeKind.CANCELLATION_REQUESTED,
    "cancelled-too-late": NoticeKind.CANCELLED_TOO_LATE,
    "ready-again-after-cancellation": NoticeKind.READY_AGAIN,
    "totals-mismatch": NoticeKind.PARKED,
}


@pytest.mark.parametrize("cause", PARKED)
def test_a_parked_order_is_told_once_however_often_it_is_run_again(ledger: Ledger, cause: str) -> None:
    entry_id = add_entry(ledger, "1-01", planned=True)
    for _ in range(3):
        _write(ledger, entry_id, ParkError("A person must look.", cause=cause))
        entries.reopen(ledger, TASK, to=Stage.RECEIVED)
    [notice] = notices.claim(ledger, ACCOUNT, "main/staff", ALL)
    assert (notice.kind, notice.about, notice.text) == (PARKED[cause], "1-01", "A person must look.")


def test_another_request_after_a_denied_one_is_another_thing(ledger: Ledger) -> None:
    entry_id = add_entry(ledger, "1-01", planned=True)
    for day, denied in enumerate((0, 0, 1, 1)):
        error = ParkError("Accept or deny.", cause="cancellation-requested")
        error.learned = {"read_change_at": ledger.clock() + timedelta(days=day)}
        error.occasion = f"denied before: {denied}"
        _write(ledger, entry_id, error)
        entries.reopen(ledger, TASK, to=Stage.RECEIVED)
    assert len(claimed(ledger)) == 2


def test_an_order_is_cancelled_too_late_once(ledger: Ledger) -> None:
    entry_id = add_entry(ledger, "1-01", planned=True)
    for day in range(3):
        error = ParkError("Bring it back.", cause="cancelled-too-late")
        error.learned = {"read_change_at": ledger.clock() + timedelta(days=day)}
        _write(ledger, entry_id, error)
        entries.reopen(ledger, TASK, to=Stage.RECEIVED)
    assert len(claimed(ledger)) == 1


@pytest.mark.parametrize(
    ("status", "kind"), [("canceled", NoticeKind.CANCELLED), ("replaced", NoticeKind.REPLACED), ("x", None)]
)
def test_a_cancellation_in_the_erp_is_told(ledger: Ledger, status: str, kind: NoticeKind | None) -> None:
    entry_id = add_entry(ledger, "1-01", planned=True, stage="cancelling", vtex_status=status, erp_id="SO1")
    [entry] = entries.claim(ledger, TASK, [entry_id], (Stage.CANCELLING,))
    values: dict[str, Any] = {"cancelled_in_erp_at": ledger.clock()} if kind else {}
    entries.write(ledger, TASK, [Move(entry, Stage.CANCELLED, values)])
    told = notices.claim(ledger, ACCOUNT, "main/staff", ALL)
    assert [each.kind for each in told] == ([kind] if kind else [])
    assert all("SO1" in each.text for each in told)


def test_what_waits_by_itself_is_told_to_nobody(ledger: Ledger) -> None:
    entry_id = add_entry(ledger, "1-01", planned=True)
    _write(ledger, entry_id, RetryableError("VTEX is away."))
    assert claimed(ledger) == []


def _write(ledger: Ledger, entry_id: int, error: VtexErpError) -> None:
    [entry] = entries.claim(ledger, TASK, [entry_id], (Stage.RECEIVED,))
    entries.write(ledger, TASK, [failed(entry, error, now=ledger.clock())])
