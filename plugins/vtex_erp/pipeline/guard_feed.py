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
from vtex_erp.ledger.events import FEED, HOOK
from vtex_erp.pipeline import feed_checks
from vtex_erp.pipeline.feed_checks import FeedFacts, Silence
from vtex_erp.stores.actions import Action
from vtex_erp.stores.notices import NoticeKind
from vtex_erp.vtex.filters import ORDER_STATUSES, compare
from vtex_erp.vtex.schemas import FeedConfiguration, HookConfiguration

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
    """What a store wants: its feed, its hook, or both; what it does by status, and what the guard may do.

    `suffix` is that of the store's DAG ids, where there are several stores.
    """

    feed: WantedFeed | None
    hook: WantedHook | None
    actions: Actions
    recreate: bool = True
    suffix: str = ""

    @property
    def way(self) -> str:
        """What must not be missing at VTEX: the feed, or a store's only hook."""
        return FEED if self.feed else HOOK

    @property
    def tells_of_all_that_comes_in(self) -> bool:
        """Whether an order that is brought in by its status alone must have been told by the feed."""
        if self.feed is None:
            return False
        brought_in = {each for each in ORDER_STATUSES if self.actions.of_status(each) is Action.BRING_IN}
        return brought_in.issubset(self.feed.filter.statuses)


def guard_feed(ledger: Ledger, task: TaskTry, vtex: VtexClient, setup: FeedSetup) -> list[FeedFinding]:
    """Look at everything, mend what may be mended, and keep what was found, with a notice for each new occurrence."""
    account, now = task.run.account, ledger.clock()
    actual, recreation = _looked_after(ledger, account, vtex, setup)
    facts = FeedFacts(
        account=account,
        actual=actual,
        way=setup.way,
        recreation=recreation,
        gaps=feed.gaps(ledger, account),
        feed_differences=compare(setup.feed, actual) if setup.feed and isinstance(actual, FeedConfiguration) else (),
        hook_differences=_hook_differences(ledger, account, vtex, setup, actual),
        pulls=_pulls(ledger, account, now),
        untold=_untold(ledger, account, now, setup),
        silence=_silence(ledger, account, now, setup),
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


def _looked_after(
    ledger: Ledger, account: str, vtex: VtexClient, setup: FeedSetup
) -> tuple[FeedConfiguration | HookConfiguration | None, str]:
    """The feed or a store's only hook, created again where that is allowed, and what came of that in words."""
    actual, recreation = _actual(vtex, setup), ""
    if actual is None:
        feed.open_gap(ledger, account, setup.way)
        if setup.recreate and feed_history.last_heard(ledger, account, setup.way):
            actual, recreation = _create(vtex, setup)
    if actual is not None:
        feed.end_gaps(ledger, account)
    return actual, recreation


def _actual(vtex: VtexClient, setup: FeedSetup) -> FeedConfiguration | HookConfiguration | None:
    return actual_feed(vtex) if setup.feed else actual_hook(vtex)


def _create(vtex: VtexClient, setup: FeedSetup) -> tuple[FeedConfiguration | HookConfiguration | None, str]:
    try:
        if setup.feed:
            vtex.configure_feed(setup.feed)
        elif setup.hook:
            vtex.configure_hook(setup.hook)
    except StopError as error:
        return None, f"It could not be created again: {error.message}"
    _log.warning("VTEX held no %s. It is created again.", setup.way)
    return _actual(vtex, setup), "It has been created again as the stores file wants it."


def _hook_differences(
    ledger: Ledger,
    account: str,
    vtex: VtexClient,
    setup: FeedSetup,
    looked_after: FeedConfiguration | HookConfiguration | None,
) -> Sequence[Setting]:
    """How the hook differs. Beside a feed, one that VTEX has removed is created again, and nobody is told."""
    wanted = setup.hook
    if wanted is None:
        return []
    if setup.feed is None:
        return compare(wanted, looked_after) if isinstance(looked_after, HookConfiguration) else []
    actual = actual_hook(vtex)
    if actual is None and setup.recreate and feed_history.last_heard(ledger, account, HOOK):
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


def _silence(ledger: Ledger, account: str, now: datetime, setup: FeedSetup) -> Silence | None:
    """How long nothing has come although we listened, and what came at the same time in the weeks before.

    We listen while the feed is read; to a store's only hook, always.
    """
    known = feed_history.first_and_last_event(ledger, account)
    if known is None:
        return None
    first, last = known
    since, until = last, now
    if setup.feed:
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
