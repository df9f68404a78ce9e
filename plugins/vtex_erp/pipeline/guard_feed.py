"""Guard: look after the feed, create it again where VTEX has removed it, and tell of everything that is wrong.

Killed at any line, it finds next time what it has left: the gap is written down before the feed is created again, and a
gap that has an end is brought in until a run by date has begun with it.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vtex_erp.errors import FeedNotConfiguredError, HookNotConfiguredError, ParkError, StopError
from vtex_erp.ledger import feed, feed_history
from vtex_erp.pipeline import feed_checks
from vtex_erp.pipeline.feed_checks import FeedFacts, Silence
from vtex_erp.stores.actions import Action
from vtex_erp.stores.notices import NoticeKind
from vtex_erp.vtex.filters import ORDER_STATUSES, compare

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.feed import FeedFinding
    from vtex_erp.ledger.feed_history import Pull
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.stores.actions import Actions
    from vtex_erp.vtex.client import VtexClient
    from vtex_erp.vtex.filters import Setting, WantedFeed, WantedHook
    from vtex_erp.vtex.schemas import FeedConfiguration, HookConfiguration

_log = logging.getLogger(__name__)

LOOKED_FOR = (
    NoticeKind.FEED_MISSING,
    NoticeKind.FEED_DIFFERS,
    NoticeKind.FEED_OLD,
    NoticeKind.FEED_SHARED,
    NoticeKind.FEED_SILENT,
)

_UNTOLD_SINCE = timedelta(hours=25)  # the orders of the latest daily run
_PULLS = 24 * 60
_PAUSE = timedelta(hours=2)
_DAY, _WEEK = timedelta(days=1), timedelta(weeks=1)


@dataclass(frozen=True)
class FeedSetup:
    """What a store wants: its feed, its hook if it has one, what it does by status, and what the guard may do.

    `suffix` is that of the store's DAG ids, where there are several stores.
    """

    feed: WantedFeed
    hook: WantedHook | None
    actions: Actions
    recreate: bool = True
    suffix: str = ""

    @property
    def tells_of_all_that_comes_in(self) -> bool:
        """Whether an order that is brought in by its status alone must have been told by the feed."""
        brought_in = {each for each in ORDER_STATUSES if self.actions.of_status(each) is Action.BRING_IN}
        return brought_in.issubset(self.feed.filter.statuses)


def guard_feed(ledger: Ledger, task: TaskTry, vtex: VtexClient, setup: FeedSetup) -> list[FeedFinding]:
    """Look at everything, mend what may be mended, and keep what was found, with a notice for each new occurrence."""
    account, now = task.run.account, ledger.clock()
    actual, recreation = _feed(ledger, account, vtex, setup)
    facts = FeedFacts(
        account=account,
        actual=actual,
        recreation=recreation,
        gaps=feed.gaps(ledger, account, f"vtex_orders_by_date{setup.suffix}"),
        feed_differences=compare(setup.feed, actual) if actual else (),
        hook_differences=_hook(ledger, account, vtex, setup),
        pulls=_pulls(ledger, account, now),
        untold=_untold(ledger, account, now, setup),
        silence=_silence(ledger, account, now),
        suffix=setup.suffix,
    )
    found = feed_checks.findings(facts)
    feed.note(ledger, account, found, LOOKED_FOR)
    return found


def raise_findings(found: Sequence[FeedFinding]) -> None:
    """Raise ParkError with all that is wrong; its cause is the first one's kind."""
    if found:
        raise ParkError("\n".join(each.text for each in found), cause=found[0].kind.value)


def actual_feed(vtex: VtexClient) -> FeedConfiguration | None:
    """The feed that VTEX has; None where there is none."""
    try:
        return vtex.feed_configuration()
    except FeedNotConfiguredError:
        return None


def actual_hook(vtex: VtexClient) -> HookConfiguration | None:
    """The hook that VTEX has; None where there is none."""
    try:
        return vtex.hook_configuration()
    except HookNotConfiguredError:
        return None


def _feed(ledger: Ledger, account: str, vtex: VtexClient, setup: FeedSetup) -> tuple[FeedConfiguration | None, str]:
    """The feed, created again where that is allowed, and what came of that in words."""
    actual, recreation = actual_feed(vtex), ""
    if actual is None:
        feed.open_gap(ledger, account)
        if setup.recreate and feed_history.last_heard(ledger, account):
            actual, recreation = _create_feed(vtex, setup.feed)
    if actual is not None:
        feed.end_gaps(ledger, account)
    return actual, recreation


def _create_feed(vtex: VtexClient, wanted: WantedFeed) -> tuple[FeedConfiguration | None, str]:
    try:
        vtex.configure_feed(wanted)
    except StopError as error:
        return None, f"It could not be created again: {error.message}"
    _log.warning("VTEX held no feed. It is created again.")
    return actual_feed(vtex), "It has been created again as the stores file wants it."


def _hook(ledger: Ledger, account: str, vtex: VtexClient, setup: FeedSetup) -> Sequence[Setting]:
    """How the hook differs. One that VTEX has removed after three quiet days is created again, and nobody is told."""
    wanted = setup.hook
    if wanted is None:
        return []
    actual = actual_hook(vtex)
    if actual is None and setup.recreate and feed_history.hook_has_told(ledger, account):
        try:
            vtex.configure_hook(wanted)
        except StopError as error:
            _log.error("VTEX held no hook, and it could not be created again: %s", error.message)
        else:
            _log.info("VTEX held no hook. It is created again.")
            actual = actual_hook(vtex)
    return compare(wanted, actual)


def _pulls(ledger: Ledger, account: str, now: datetime) -> list[Pull]:
    return [pull for pull in feed_history.pulls(ledger, account, latest=_PULLS) if now - pull.at < _DAY]


def _untold(ledger: Ledger, account: str, now: datetime, setup: FeedSetup) -> list[str]:
    right_since = feed.right_since(ledger, account)
    if right_since is None or not setup.tells_of_all_that_comes_in:
        return []
    return feed_history.untold_orders(ledger, account, since=now - _UNTOLD_SINCE, right_since=right_since)


def _silence(ledger: Ledger, account: str, now: datetime) -> Silence | None:
    """How long nothing has come although the feed was read, and what came at the same time in the weeks before."""
    known = feed_history.first_and_last_event(ledger, account)
    if known is None:
        return None
    first, last = known
    pulls = feed_history.pull_moments(ledger, account, last)
    if not pulls or now - pulls[-1] > _PAUSE:
        return None
    since, until = _listening_since(pulls, last), pulls[-1]
    times = [(since - week * _WEEK, until - week * _WEEK) for week in range(1, feed_checks.WEEKS + 1)]
    in_the_ledger = [time for time in times if time[0] >= first]
    return Silence(since, until, tuple(feed_history.orders_told_of(ledger, account, in_the_ledger)))


def _listening_since(pulls: Sequence[datetime], last: datetime) -> datetime:
    """Since when the feed was read without a pause, or had its last event."""
    since = pulls[-1]
    for moment in [*reversed(pulls[:-1]), last]:
        if since - moment > _PAUSE:
            break
        since = moment
    return since
