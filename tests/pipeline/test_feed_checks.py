"""What makes a finding, and what does not: pure functions, by tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from vtex_erp.ledger.feed import Gap
from vtex_erp.ledger.feed_history import Pull
from vtex_erp.pipeline import feed_checks
from vtex_erp.pipeline.feed_checks import FeedFacts, Silence, findings
from vtex_erp.pipeline.report import span
from vtex_erp.stores.notices import NoticeKind
from vtex_erp.vtex.filters import Setting
from vtex_erp.vtex.schemas import FeedConfiguration

NOW = datetime(2026, 11, 5, 12, tzinfo=timezone.utc)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
FOUR_DAYS = 345_600
FINE = FeedFacts("mystore", FeedConfiguration(retention_seconds=FOUR_DAYS, quantity=0, age_of_oldest_seconds=0))


def actual(**fields: Any) -> FeedFacts:
    return replace(FINE, actual=FeedConfiguration(retention_seconds=FOUR_DAYS).model_copy(update=fields))


def kinds(facts: FeedFacts) -> list[str]:
    return [finding.kind.value for finding in findings(facts)]


def text(facts: FeedFacts) -> str:
    [finding] = findings(facts)
    return finding.text


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(), "less than a minute"),
        (MINUTE, "1 minute"),
        (HOUR + 2 * MINUTE, "1 hour 2 minutes"),
        (DAY + HOUR + MINUTE, "1 day 1 hour"),
        (4 * DAY + 59 * MINUTE, "4 days"),
    ],
)
def test_a_time_in_words(time: timedelta, said: str) -> None:
    assert span(time) == said


def test_a_feed_that_is_as_it_must_be() -> None:
    assert findings(FINE) == []


@pytest.mark.parametrize(
    ("gaps", "recreation", "said"),
    [
        ([], "", "Run vtex_feed_config__brazil with `apply`"),
        ([Gap(NOW - DAY)], "", "Run vtex_feed_config__brazil with `apply`"),
        ([Gap(NOW - DAY)], "It could not be created again: because.", "again: because."),
    ],
)
def test_no_feed(gaps: list[Gap], recreation: str, said: str) -> None:
    facts = FeedFacts("mystore", None, gaps=gaps, recreation=recreation, suffix="__brazil")
    assert kinds(facts) == ["feed-missing"]
    assert said in text(facts)


def test_a_gap_is_told_until_its_run_has_begun() -> None:
    gap = Gap(NOW - 5 * DAY, NOW)
    said = text(replace(FINE, gaps=[gap], suffix="__brazil"))
    assert "at some time since 2026-10-31 12:00 UTC.\n  There is one again." in said
    assert "The run feed_gap__20261031T120000Z__20261105T120000Z of vtex_orders_by_date__brazil" in said
    assert "unpause vtex_orders_by_date__brazil" in said
    assert gap.authorized_from == NOW - 6 * DAY


def test_another_difference_is_another_occurrence() -> None:
    one = replace(FINE, feed_differences=[Setting("queue.visibilityTimeoutInSeconds", "240", "30")])
    other = replace(one, hook_differences=[Setting("configuration", "one", "none")])
    assert kinds(one) == kinds(other) == ["feed-differs"]
    assert "feed: queue.visibilityTimeoutInSeconds: wanted 240, VTEX has 30" in text(one)
    assert "hook: configuration: wanted one, VTEX has none" in text(other)
    assert findings(one)[0].state != findings(other)[0].state


@pytest.mark.parametrize(
    ("quantity", "age", "retention", "said"),
    [
        (0, FOUR_DAYS, FOUR_DAYS, None),
        (3, 0, FOUR_DAYS, None),
        (3, None, FOUR_DAYS, None),
        (3, FOUR_DAYS / 2 - 60, FOUR_DAYS, None),
        (3, FOUR_DAYS / 2, FOUR_DAYS, "3 events of account mystore are in VTEX's feed, the oldest for 2 days."),
        (None, FOUR_DAYS * 0.75, FOUR_DAYS, "Events of account mystore"),
        (3, FOUR_DAYS * 0.75, FOUR_DAYS, "VTEX deletes them after 4 days: 1 day left"),
        (3, FOUR_DAYS * 0.75, 1_209_600, None),
        (3, FOUR_DAYS * 0.75, None, "1 day left"),  # VTEX does not say: the shortest
        (3, FOUR_DAYS + 5, FOUR_DAYS, "the first ones are gone"),
    ],
)
def test_events_that_are_about_to_expire(
    quantity: int | None, age: float | None, retention: int | None, said: str | None
) -> None:
    facts = actual(quantity=quantity, age_of_oldest_seconds=age, retention_seconds=retention)
    assert kinds(facts) == (["feed-old"] if said else [])
    assert (said or "") in (text(facts) if said else "")


def pulls(*events_and_unseen: tuple[int, int | None], visibility: int = 120) -> FeedFacts:
    latest = [Pull(NOW - MINUTE * index, *each) for index, each in enumerate(events_and_unseen)]
    return replace(actual(visibility_timeout_seconds=visibility), pulls=latest)


@pytest.mark.parametrize(
    ("facts", "shared"),
    [
        (pulls(*[(0, 3)] * 5), True),
        (pulls(*[(0, 3)] * 5, (7, 0)), True),
        (pulls(*[(0, 3)] * 4), False),  # not often enough
        (
            pulls(*[(0, 3)] * 5, visibility=240),
            False,
        ),  # not for long enough: a run of ours may have read them, and died
        (pulls(*[(0, 3)] * 6, visibility=240), True),
        (pulls(*[(0, 3)] * 2, (0, 0), *[(0, 3)] * 3), False),  # VTEX's count is only about right
        (pulls(*[(0, 3)] * 4, (2, 3)), False),  # we do get events
        (pulls(*[(0, None)] * 5), False),  # the feed was not read dry, or VTEX does not say
        (replace(FINE, untold=["1-01", "2-01"]), True),
        (replace(FINE, untold=["1-01"]), False),
    ],
)
def test_somebody_else_reads_with_our_key(facts: FeedFacts, *, shared: bool) -> None:
    assert kinds(facts) == (["feed-shared"] if shared else [])


def test_orders_that_were_never_told_are_named() -> None:
    said = text(replace(FINE, untold=[f"{number}-01" for number in range(8)]))
    assert "8 orders came in by date that the feed never told us of: 0-01, 1-01, 2-01, 3-01, 4-01 and 3 more." in said


def silence(length: timedelta, *usual: int) -> FeedFacts:
    return replace(FINE, silence=Silence(NOW - length, NOW, usual))


@pytest.mark.parametrize(
    ("facts", "silent"),
    [
        (silence(5 * HOUR, 23, 31, 19, 10), True),
        (silence(5 * HOUR, 23, 31, 19, 9), False),  # one of the weeks was as quiet
        (silence(8 * HOUR, 1, 0, 0, 2), False),  # at night
        (silence(5 * HOUR, 23, 31, 19), False),  # too young
        (silence(5 * HOUR), False),
        (silence(3 * DAY, 3, 2, 4, 3), False),  # tiny
        (silence(12 * DAY, 12, 10, 14, 11), True),  # tiny, but it has been long
        (silence(29 * MINUTE, 50, 50, 50, 50), False),  # VTEX may be slow
        (replace(silence(5 * HOUR, 23, 31, 19, 20), actual=None), False),  # there is no feed, which is told already
        (FINE, False),  # nobody has read the feed
    ],
)
def test_silence(facts: FeedFacts, *, silent: bool) -> None:
    assert (NoticeKind.FEED_SILENT.value in kinds(facts)) is silent


def test_silence_in_words() -> None:
    said = text(silence(5 * HOUR + 3 * MINUTE, 23, 31, 19, 20))
    assert "No event of account mystore since 2026-11-05 06:57 UTC: 5 hours 3 minutes." in said
    assert "In the same hours of the last 4 weeks events told of 23, 31, 19, 20 orders." in said


@pytest.mark.parametrize(
    ("seconds", "better"), [(None, None), (240.0, None), (241.0, 540), (30_000.0, 43_200), (250.4, 540)]
)
def test_a_visibility_timeout_that_is_too_short(seconds: float | None, better: int | None) -> None:
    feed = FeedConfiguration(visibility_timeout_seconds=240)
    found = feed_checks.visibility_short("mystore", feed, seconds, suffix="__brazil")
    assert (found is not None) is (better is not None)
    assert found is None or f"`visibility_timeout_seconds: {better}`" in found.text
    assert feed_checks.visibility_short("mystore", None, seconds) is None
