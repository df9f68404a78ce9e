"""Pull: drain the feed into the ledger."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vtex_erp.errors import ConfigurationError, FeedNotConfiguredError
from vtex_erp.ledger import events, handles, plans
from vtex_erp.ledger.plans import Pulled
from vtex_erp.vtex.calls import MAX_FEED_ITEMS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vtex_erp.ledger.entries import Run, TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.vtex.client import VtexClient
    from vtex_erp.vtex.schemas import FeedConfiguration, FeedEvent

_log = logging.getLogger(__name__)

_EMPTY_READS_TO_STOP = 3
_SHORT_VISIBILITY_SECONDS = 120
_AT_THE_SAME_TIME = timedelta(minutes=5)


@dataclass(frozen=True)
class PullBounds:
    """When to stop although the feed is not dry.

    The time is cut to a third of the feed's visibility timeout, so that handles live long enough to be committed.
    """

    events: int = 5000
    seconds: float = 20


def pull_feed(
    ledger: Ledger,
    task: TaskTry,
    vtex: VtexClient,
    *,
    bounds: PullBounds,
    has_feed: bool = True,
    has_hook: bool = False,
    clock: Callable[[], float] = time.monotonic,
) -> int:
    """Read the feed until three reads in a row are empty, or a bound is met; the number of deliveries recorded.

    One empty or short read does not prove a dry feed (FAQ of the ERP guide: SQS standard queues). A rerun of a run
    that has pulled answers the same number and reads nothing. Raises `ConfigurationError` when the key's feed
    belongs to another account, or another store has the same account, `FeedNotConfiguredError` when there is none: but
    not where a hook brings the events. Nothing is read where the store wants no feed.
    """
    _refuse_another_store(ledger, task.run)
    already = plans.events_pulled(ledger, task.run)
    if already is not None:
        _log.info("This run has pulled its %d events before; they stay the same.", already)
        return already
    try:
        pull = _pull(ledger, task, vtex, bounds, clock) if has_feed else None
    except FeedNotConfiguredError:
        if not has_hook:
            raise
        _log.info("VTEX holds no feed for this app key: the run goes on with what the hook has brought.")
        pull = None
    plans.finish_pull(ledger, task.run, pull)
    return pull.events if pull else 0


def _refuse_another_store(ledger: Ledger, run: Run) -> None:
    # The ledger knows orders by account: either store would bring the other one's orders into its own ERP.
    others = plans.followers(ledger, run.account, ledger.clock() - _AT_THE_SAME_TIME) - {run.dag_id}
    if others:
        raise ConfigurationError(
            f"{run.dag_id} and {', '.join(sorted(others))} are about the same VTEX account, {run.account}. An account "
            "is one store: give it one block in stores.yaml. (If the DAG's name has just changed, this is over in "
            "five minutes.)",
            cause="account-shared",
        )


def _pull(ledger: Ledger, task: TaskTry, vtex: VtexClient, bounds: PullBounds, clock: Callable[[], float]) -> Pulled:
    """Drain the feed."""
    configuration = vtex.feed_configuration()
    if configuration.visibility_timeout_seconds < _SHORT_VISIBILITY_SECONDS:
        _log.warning(
            "The feed's visibility timeout is %d seconds. Events that take longer come back and are committed a run "
            "later; %d seconds or more are better.",
            configuration.visibility_timeout_seconds,
            _SHORT_VISIBILITY_SECONDS,
        )
    waiting = _waiting(ledger, task.run.account, configuration)
    deadline = clock() + min(bounds.seconds, configuration.visibility_timeout_seconds / 3)
    pulled, dry = _drain(
        ledger, task, vtex, waiting=waiting or 0, most=bounds.events, in_time=lambda: clock() < deadline
    )
    unseen = max(0, waiting - pulled) if dry and waiting is not None else None
    return Pulled(pulled, configuration.retention_seconds, unseen)


def _waiting(ledger: Ledger, account: str, configuration: FeedConfiguration) -> int | None:
    """About how many events the feed would give us now: VTEX's number counts those, too, that it hides for us."""
    if configuration.quantity is None:
        return None
    hidden_since = ledger.clock() - timedelta(seconds=configuration.visibility_timeout_seconds)
    return configuration.quantity - events.in_flight(ledger, account, since=hidden_since)


def _drain(
    ledger: Ledger, task: TaskTry, vtex: VtexClient, *, waiting: int, most: int, in_time: Callable[[], bool]
) -> tuple[int, bool]:
    """The number of deliveries, and whether the feed seems dry; about so many are `waiting`, as far as is known.

    The first read is alone: if the feed is not there, or another account's, no more of it is touched.
    """
    pulled = empty_reads = 0
    reads = 1
    with ThreadPoolExecutor(vtex.settings.concurrency) as pool:
        while empty_reads < _EMPTY_READS_TO_STOP and pulled < most and in_time():
            arrived = [event for read in pool.map(lambda _: vtex.retrieve_feed_items(), range(reads)) for event in read]
            _check_account(arrived, task.run.account, vtex.settings.connection_id)
            events.record(ledger, task.run.account, arrived)
            pulled += len(arrived)
            empty_reads = 0 if arrived else empty_reads + reads
            # VTEX's number is not exact: what came beyond it says that as much again may be there, and more.
            expected = waiting - pulled if waiting > pulled else 2 * min(len(arrived), pulled - waiting)
            needed = min(-(-expected // MAX_FEED_ITEMS), vtex.settings.concurrency)
            reads = max(needed, _EMPTY_READS_TO_STOP - empty_reads)
    return pulled, empty_reads >= _EMPTY_READS_TO_STOP


def _check_account(arrived: Sequence[FeedEvent], account: str, connection_id: str) -> None:
    for event in arrived:
        theirs = handles.account_of(event.handle)
        if theirs and theirs.lower() != account.lower():
            raise ConfigurationError(
                f"Connection {connection_id} says account {account!r}, but its key reads the feed of account "
                f"{theirs!r}. Correct the account or the keys: the account is part of every order's id in the ERP.",
                cause="wrong-account",
            )
