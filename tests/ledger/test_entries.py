"""Leases, retry delays, history, and what a run leaves behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.ledger.rows import RUN, TASK, add_entry
from vtex_erp.errors import CredentialsError, ParkError, RateLimitedError, RetryableError, VtexErpError
from vtex_erp.ledger import entries
from vtex_erp.ledger.entries import Move
from vtex_erp.ledger.stages import OPEN, Stage
from vtex_erp.ledger.tables import history, order_entries

if TYPE_CHECKING:
    from vtex_erp.ledger.entries import OrderEntry
    from vtex_erp.ledger.ledger import Ledger

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
OTHER = replace(TASK, run=replace(RUN, run_id="run 2"))


def _row(ledger: Ledger, entry: int) -> Any:
    with ledger.read() as connection:
        return connection.execute(order_entries.select().where(order_entries.c.id == entry)).one()


def _history(ledger: Ledger) -> list[tuple[str | None, str, str | None]]:
    with ledger.read() as connection:
        rows = connection.execute(history.select().order_by(history.c.id)).all()
    return [(row.from_stage, row.to_stage, row.note) for row in rows]


def _claim(ledger: Ledger, entry: int) -> OrderEntry:
    [claimed] = entries.claim(ledger, TASK, [entry], list(Stage))
    return claimed


def test_a_claim_keeps_others_off_and_not_its_own_run(ledger: Ledger) -> None:
    entry = add_entry(ledger, "1-01")
    assert _claim(ledger, entry).fence == 1
    assert entries.claim(ledger, OTHER, [entry], [Stage.RECEIVED]) == []
    assert _claim(ledger, entry).fence == 2
    later = replace(TASK, task_id="map_orders", try_number=3)
    assert [each.fence for each in entries.claim(ledger, later, [entry], [Stage.RECEIVED])] == [3]


def test_a_task_that_lives_on_beside_its_next_try_takes_nothing_from_it(ledger: Ledger) -> None:
    entry = add_entry(ledger, "1-01")
    after_it = replace(TASK, try_number=TASK.try_number + 1)
    assert _claim(ledger, entry)
    assert entries.claim(ledger, after_it, [entry], [Stage.RECEIVED])
    assert entries.claim(ledger, TASK, [entry], [Stage.RECEIVED]) == []
    assert entries.claim(ledger, replace(after_it, task_id="map_orders", try_number=1), [entry], [Stage.RECEIVED])


def test_a_claim_takes_only_the_stages_that_it_works_on(ledger: Ledger) -> None:
    ids = [add_entry(ledger, f"{stage.value}-01", stage=stage.value) for stage in Stage]
    claimed = entries.claim(ledger, TASK, ids, [Stage.MAPPED], to=Stage.SUBMITTING)
    assert [each.stage for each in claimed] == [Stage.MAPPED]
    assert _row(ledger, claimed[0].id).stage == "submitting"
    assert _history(ledger) == [("mapped", "submitting", None)]


def test_every_move_leaves_a_row_of_history(ledger: Ledger) -> None:
    entry = add_entry(ledger, "1-01")
    path = [Stage.FETCHED, Stage.MAPPED, Stage.SUBMITTING, Stage.SUBMITTED, Stage.HANDLING]
    for stage in path:
        assert entries.write(ledger, TASK, [Move(_claim(ledger, entry), stage, {"digest": "d"})]) == []
    before = [Stage.RECEIVED, *path]
    assert _history(ledger) == [(old.value, new.value, None) for old, new in zip(before, path, strict=False)]
    with ledger.read() as connection:
        row = connection.execute(history.select()).first()
    assert row is not None
    assert (row.dag_id, row.run_id, row.task_id, row.batch, row.try_number, row.digest) == (
        *("vtex_orders", "run 1", "fetch_orders", 0, 1, "d"),
    )


def test_a_failure_leaves_one_too(ledger: Ledger) -> None:
    entry = _claim(ledger, add_entry(ledger, "1-01"))
    entries.write(ledger, TASK, [entries.failed(entry, RetryableError("no", cause="why"), now=NOON)])
    assert _history(ledger) == [("received", "received", "why")]


def test_delays_double_up_to_an_hour(ledger: Ledger) -> None:
    ledger = replace(ledger, clock=lambda: NOON)
    entry = add_entry(ledger, "1-01")
    delays = []
    for _ in range(10):
        move = entries.failed(_claim(ledger, entry), RetryableError("no"), now=NOON)
        entries.write(ledger, TASK, [move])
        delays.append((_row(ledger, entry).next_attempt_at - NOON).total_seconds() / 60)
    assert delays == [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    entries.write(ledger, TASK, [Move(_claim(ledger, entry), Stage.FETCHED)])
    assert _row(ledger, entry).attempts == 0


@pytest.mark.parametrize(("asked", "minutes"), [(5, 1), (600, 10), (7200, 120), (None, 1)])
def test_a_delay_that_the_server_named_is_kept_to(ledger: Ledger, asked: float | None, minutes: float) -> None:
    entry = _claim(ledger, add_entry(ledger, "1-01"))
    move = entries.failed(entry, RateLimitedError("wait", retry_after=asked), now=NOON)
    assert move.values["next_attempt_at"] == NOON + timedelta(minutes=minutes)


@pytest.mark.parametrize(
    ("error", "to"),
    [
        (ParkError("no", cause="c"), Stage.PARKED),
        (RetryableError("no", cause="c"), Stage.FETCHED),
        (CredentialsError("no", cause="c"), Stage.FETCHED),
    ],
)
def test_where_a_failure_leads(ledger: Ledger, error: VtexErpError, to: Stage) -> None:
    entry = add_entry(ledger, "1-01", stage="fetched")
    entries.write(ledger, TASK, [entries.failed(_claim(ledger, entry), error, now=NOON)])
    row = _row(ledger, entry)
    assert (row.stage, row.cause, row.message) == (to.value, "c", "no")
    assert row.parked_from == ("fetched" if to is Stage.PARKED else None)
    assert (row.next_attempt_at is None) is (to is Stage.PARKED)
    assert row.lease_owner is row.lease_until is None


def test_one_fenced_move_does_not_stop_the_others(ledger: Ledger) -> None:
    ids = [add_entry(ledger, f"{number}-01") for number in range(3)]
    claimed = entries.claim(ledger, TASK, ids, [Stage.RECEIVED])
    _claim(ledger, ids[1])
    moves = [Move(each, Stage.FETCHED, {}, {"order": "{}"}) for each in claimed]
    assert entries.write(ledger, TASK, moves) == [claimed[1]]
    assert [_row(ledger, entry).stage for entry in ids] == ["fetched", "received", "fetched"]


def test_release_gives_free_what_the_run_holds_and_only_that(ledger: Ledger) -> None:
    ledger = replace(ledger, clock=lambda: NOON)
    until = NOON + timedelta(minutes=5)
    ours: dict[str, Any] = {"planned": True, "lease_owner": TASK.owner, "lease_until": until, "next_attempt_at": until}
    untouched = add_entry(ledger, "1-01", **ours)
    failed = add_entry(ledger, "2-01", **ours, cause="c")
    done = add_entry(ledger, "3-01", **ours, stage="handling")
    theirs = add_entry(ledger, "4-01", **{**ours, "lease_owner": OTHER.owner})
    elsewhere = add_entry(ledger, "5-01", **{**ours, "planned": False})
    assert entries.release(ledger, RUN) == 2
    assert [_row(ledger, each).lease_owner for each in (untouched, failed)] == [None, None]
    assert _row(ledger, untouched).next_attempt_at == NOON  # never worked on: the next run may have it
    assert _row(ledger, failed).next_attempt_at == until  # its retry is due then
    assert [_row(ledger, each).lease_until for each in (done, theirs, elsewhere)] == [until] * 3


def test_runs_whose_ids_look_alike_are_told_apart(ledger: Ledger) -> None:
    """% and _ are letters of run ids; one id may begin with the other."""
    names = ["run%1", "run_1", "run 11", "run 1/2"]
    held = [add_entry(ledger, name, planned=True, lease_owner=f"vtex_orders/{name}/0") for name in names]
    entries.release(ledger, RUN)
    kept = [_row(ledger, entry).lease_owner for entry in held]
    assert kept[:3] == [f"vtex_orders/{name}/0" for name in names[:3]]


@pytest.mark.parametrize("to", [Stage.RECEIVED, Stage.FETCHED, Stage.MAPPED, Stage.SUBMITTED])
def test_a_rerun_takes_back_what_stopped_at_its_step_or_after_it(ledger: Ledger, to: Stage) -> None:
    steps = [Stage.RECEIVED, Stage.FETCHED, Stage.MAPPED, Stage.SUBMITTED]
    parked = {
        step: add_entry(ledger, f"p-{step.value}", planned=True, stage="parked", parked_from=step.value)
        for step in steps
    }
    waiting = {step: add_entry(ledger, f"w-{step.value}", planned=True, stage=step.value) for step in steps}
    foreign = add_entry(ledger, "not planned", stage="parked", parked_from=to.value)
    count = entries.reopen(ledger, TASK, to=to)
    before_erp = [step for step in steps[:3] if steps.index(step) >= steps.index(to)]
    expected = before_erp if to is not Stage.SUBMITTED else [Stage.SUBMITTED]
    assert {step for step, entry in parked.items() if _row(ledger, entry).stage == to.value} == set(expected)
    assert {step for step, entry in waiting.items() if _row(ledger, entry).stage != step.value} == set(
        before_erp[1:] if to is not Stage.SUBMITTED else []
    )
    assert _row(ledger, foreign).stage == "parked"
    assert count == len(expected) + max(0, len(before_erp) - 1)


def test_a_rerun_leaves_what_another_run_holds(ledger: Ledger) -> None:
    lease = {"lease_owner": OTHER.owner, "lease_until": ledger.clock() + timedelta(minutes=5)}
    add_entry(ledger, "1-01", planned=True, stage="mapped", **lease)
    assert entries.reopen(ledger, TASK, to=Stage.RECEIVED) == 0


def test_what_is_reopened_can_be_planned_again(ledger: Ledger) -> None:
    """Even if nobody comes to work on it."""
    ledger = replace(ledger, clock=lambda: NOON)
    entry = add_entry(ledger, "1-01", planned=True, stage="parked", parked_from="mapped", cause="c", message="m")
    entries.reopen(ledger, TASK, to=Stage.MAPPED)
    row = _row(ledger, entry)
    assert (row.stage, row.cause, row.message, row.parked_from) == ("mapped", None, None, None)
    assert row.next_attempt_at == NOON + entries.HOLD


def test_an_end_is_not_written_over_news(ledger: Ledger) -> None:
    for stage in Stage:
        entry = add_entry(ledger, f"{stage.value}-01")
        claimed = _claim(ledger, entry)
        with ledger.write() as connection:
            connection.execute(order_entries.update().values(news=order_entries.c.news + 1))
        fenced_off = entries.write(ledger, TASK, [Move(claimed, stage)])
        assert bool(fenced_off) is (stage not in (*OPEN, Stage.HANDLING)), stage
