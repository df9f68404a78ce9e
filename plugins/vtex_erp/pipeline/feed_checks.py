"""What can be wrong with a feed: one pure function each, over what VTEX says and what the ledger holds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from typing import TYPE_CHECKING

from vtex_erp.ledger.events import FEED, HOOK
from vtex_erp.ledger.feed import FeedFinding
from vtex_erp.pipeline.report import span
from vtex_erp.stores.notices import NoticeKind
from vtex_erp.vtex.filters import RETENTION_SECONDS, VISIBILITY_SECONDS
from vtex_erp.vtex.schemas import FeedConfiguration

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vtex_erp.ledger.feed import Gap
    from vtex_erp.ledger.feed_history import Pull
    from vtex_erp.vtex.filters import Setting
    from vtex_erp.vtex.schemas import HookConfiguration

PULLS_IN_A_ROW = 5
FEWEST_UNTOLD = 2
SHORTEST_SILENCE = timedelta(minutes=30)
WEEKS = 4
FEWEST_USUAL = 10
"""With ten orders expected, none comes by chance once in 20,000 times, if orders come independently of each other."""

_NAMED = 5
_QUIET = {FEED: "its retention period", HOOK: "three days"}


@dataclass(frozen=True)
class Silence:
    """A time in which the feed was read, and had no event.

    `usual`: of how many orders events told in the same hours of each of the last weeks.
    """

    since: datetime
    until: datetime
    usual: tuple[int, ...] = ()


@dataclass(frozen=True)
class FeedFacts:
    """What the checks look at. `actual` is None where VTEX has no feed; `gaps` are times without one.

    `recreation` tells how it was created again, or why not. `way` is what tells of events: the feed, or the hook where
    the store wants no feed; then `actual` is the hook, and the gaps are its own.
    """

    account: str
    actual: FeedConfiguration | HookConfiguration | None = None
    way: str = FEED
    recreation: str = ""
    gaps: Sequence[Gap] = ()
    feed_differences: Sequence[Setting] = ()
    hook_differences: Sequence[Setting] = ()
    pulls: Sequence[Pull] = ()
    untold: Sequence[str] = ()
    silence: Silence | None = None
    suffix: str = ""
    """Of the store's DAG ids, where there are several stores."""


def findings(facts: FeedFacts) -> list[FeedFinding]:
    """Everything that is wrong."""
    checks = (missing, differs, old, shared, silent)
    return [finding for finding in (check(facts) for check in checks) if finding]


def missing(facts: FeedFacts) -> FeedFinding | None:
    """VTEX has no feed, or had none for a time whose orders nobody brings in yet; the same of a store's only hook."""
    if facts.actual is None:
        advice = facts.recreation or f"Run vtex_feed_config{facts.suffix} with `apply`."
        return _finding(
            NoticeKind.FEED_MISSING,
            f"VTEX holds no {facts.way} for account {facts.account}.",
            f"It removes one that had no event for {_QUIET[facts.way]}. Until there is one again, orders come in by "
            "date only.",
            advice,
        )
    ended = [gap for gap in facts.gaps if gap.ends_at]
    if not ended:
        return None
    gap, by_date = ended[0], f"vtex_orders_by_date{facts.suffix}"
    return _finding(
        NoticeKind.FEED_MISSING,
        f"VTEX held no {facts.way} for account {facts.account}, at some time since {_at(gap.starts_at)}.",
        facts.recreation or "There is one again.",
        f"The run {gap.run_id} of {by_date} brings in what became ready meanwhile.",
        f"Until it has begun, this stays red: unpause {by_date}.",
    )


def differs(facts: FeedFacts) -> FeedFinding | None:
    """Feed or hook are not as the store wants them. Another difference is another occurrence."""
    lines = [f"feed: {each}" for each in facts.feed_differences]
    lines += [f"hook: {each}" for each in facts.hook_differences]
    if not lines:
        return None
    advice = f"If the stores file is right, run vtex_feed_config{facts.suffix} with `apply`; if not, correct it."
    state = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    said = f"Account {facts.account}: not as the stores file wants it."
    return _finding(NoticeKind.FEED_DIFFERS, said, *lines, advice, state=state)


def old(facts: FeedFacts) -> FeedFinding | None:
    """The oldest event has been in the feed for half of the time that VTEX keeps it, or longer."""
    actual = facts.actual
    if not isinstance(actual, FeedConfiguration) or not actual.age_of_oldest_seconds or actual.quantity == 0:
        return None
    kept = timedelta(seconds=actual.retention_seconds or RETENTION_SECONDS[0])
    age = timedelta(seconds=actual.age_of_oldest_seconds)
    if age < kept / 2:
        return None
    events = "Events" if actual.quantity is None else f"{actual.quantity} events"
    left = f"{span(kept - age)} left" if age < kept else "the first ones are gone"
    return _finding(
        NoticeKind.FEED_OLD,
        f"{events} of account {facts.account} are in VTEX's feed, the oldest for {span(age)}.",
        f"VTEX deletes them after {span(kept)}: {left}.",
        f"See why vtex_orders{facts.suffix} does not commit them: is it paused, are its runs red?",
        "Orders that the ledger holds are safe.",
    )


def shared(facts: FeedFacts) -> FeedFinding | None:
    """Somebody else reads the feed with our key."""
    signs = [sign for sign in (_held_elsewhere(facts), _never_told(facts)) if sign]
    if not signs:
        return None
    return _finding(
        NoticeKind.FEED_SHARED,
        f"Somebody else seems to use the feed of account {facts.account} with our app key.",
        *signs,
        "What they commit never reaches us.",
        f"Give each consumer an app key of its own, then run vtex_orders_by_date{facts.suffix} over the days since.",
    )


def _held_elsewhere(facts: FeedFacts) -> str:
    """Several pulls in a row found nothing, although there was something that none of our runs held.

    They go on for longer than VTEX hides an event, lest it was a run that died before it had written down what it read.
    """
    alone = list(takewhile(lambda pull: pull.events == 0 and pull.unseen, facts.pulls))
    if not isinstance(facts.actual, FeedConfiguration) or len(alone) < PULLS_IN_A_ROW:
        return ""
    if alone[0].at - alone[-1].at <= timedelta(seconds=facts.actual.visibility_timeout_seconds):
        return ""
    return (
        f"{alone[0].unseen} events are in flight that we have not read: the last {len(alone)} pulls got none of them. "
        "(If pull_feed warns of items that cannot be read, it is those.)"
    )


def _never_told(facts: FeedFacts) -> str:
    if len(facts.untold) < FEWEST_UNTOLD:
        return ""
    named = ", ".join(facts.untold[:_NAMED])
    more = f" and {len(facts.untold) - _NAMED} more" if len(facts.untold) > _NAMED else ""
    return f"{len(facts.untold)} orders came in by date that the feed never told us of: {named}{more}."


def silent(facts: FeedFacts) -> FeedFinding | None:
    """No event for so long that in each of the last weeks there were many in the same hours."""
    silence = facts.silence
    if facts.actual is None or silence is None or len(silence.usual) < WEEKS or min(silence.usual) < FEWEST_USUAL:
        return None
    length = silence.until - silence.since
    if length < SHORTEST_SILENCE:
        return None
    usual = ", ".join(str(number) for number in silence.usual)
    return _finding(
        NoticeKind.FEED_SILENT,
        f"No event of account {facts.account} since {_at(silence.since)}: {span(length)}.",
        f"In the same hours of the last {len(silence.usual)} weeks events told of {usual} orders.",
        "Look whether the shop takes orders, whether VTEX has an incident (status.vtex.com), and whether somebody else "
        "uses the app key.",
        f"vtex_orders_by_date{facts.suffix} brings in what was not told.",
    )


def visibility_short(
    account: str, actual: FeedConfiguration | None, seconds: float | None, *, suffix: str = ""
) -> FeedFinding | None:
    """Events come back before they are committed. `seconds`: within which 95 of 100 are."""
    if actual is None or seconds is None or seconds <= actual.visibility_timeout_seconds:
        return None
    better = min(-(-int(seconds * 2) // 60) * 60, VISIBILITY_SECONDS[1])
    return _finding(
        NoticeKind.VISIBILITY_SHORT,
        f"Account {account}: a run takes up to {seconds:.0f} seconds from reading an event to committing it (95 of 100 "
        f"events of the last week), but the feed hides events for {actual.visibility_timeout_seconds} seconds only.",
        "They come back and are read again.",
        f"Put `visibility_timeout_seconds: {better}` under `feed` in the stores file, and run vtex_feed_config{suffix} "
        "with `apply`.",
    )


def _finding(kind: NoticeKind, what: str, *more: str, state: str = "") -> FeedFinding:
    """What it is, then more of it, and what to do: short lines, since Airflow's log does not wrap them."""
    return FeedFinding(kind, "\n  ".join([what, *more]), state)


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"
