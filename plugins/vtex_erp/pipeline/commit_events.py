"""Commit: take settled events out of VTEX's feed."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtex_erp.errors import HandleRefusedError, RetryableError
from vtex_erp.ledger import events, plans
from vtex_erp.ledger.handles import app_key_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.events import Delivery
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.vtex.client import VtexClient

_log = logging.getLogger(__name__)

HANDLES_A_COMMIT = 10
"""VTEX names no limit; ten is what one read gives and what an SQS batch delete takes."""


@dataclass(frozen=True)
class CommitReport:
    """How many deliveries VTEX took the commit of, refused (they come back), or did not answer for."""

    committed: int
    refused: int
    failures: tuple[RetryableError, ...] = ()

    def counts(self) -> dict[str, int]:
        """Counts fit for XCom."""
        return {"committed": self.committed, "refused": self.refused, "failed": len(self.failures)}

    def raise_failures(self) -> None:
        """Raise the first failure, for all of them; nothing when there are none."""
        if self.failures:
            raise RetryableError(
                f"{len(self.failures)} commits of up to {HANDLES_A_COMMIT} events each failed; what is not committed "
                f"comes back and is committed then. {self.failures[0].message}",
                cause=self.failures[0].cause,
                retry_after=self.failures[0].retry_after,
            )


def commit_events(ledger: Ledger, task: TaskTry, vtex: VtexClient) -> CommitReport:
    """Commit the events of the batch's orders that are settled: in the ERP, in need of nothing, or parked."""
    return _commit(ledger, task, vtex, events.to_commit_in_batch(ledger, task))


def commit_other_events(ledger: Ledger, task: TaskTry, vtex: VtexClient) -> CommitReport:
    """Commit the run's events that need no order work: other statuses, and redeliveries of settled orders."""
    return _commit(ledger, task, vtex, events.to_commit_besides(ledger, task))


def _commit(ledger: Ledger, task: TaskTry, vtex: VtexClient, deliveries: Sequence[Delivery]) -> CommitReport:
    # To ask for another key's handle may look like a missing permission (403), and would stop all the others.
    refused = [each for each in deliveries if app_key_of(each.handle) not in (None, vtex.settings.app_key)]
    events.refused(ledger, refused)
    foreign = set(refused)
    deliveries = [each for each in deliveries if each not in foreign]
    chunks = [deliveries[start : start + HANDLES_A_COMMIT] for start in range(0, len(deliveries), HANDLES_A_COMMIT)]
    taken: list[Delivery] = []
    failures: list[RetryableError] = []
    with ThreadPoolExecutor(vtex.settings.concurrency) as pool:
        for index in range(0, len(chunks), vtex.settings.concurrency):
            wave = chunks[index : index + vtex.settings.concurrency]
            for chunk_taken, chunk_refused, failure in pool.map(lambda chunk: _commit_chunk(vtex, chunk), wave):
                taken += chunk_taken
                refused += chunk_refused
                failures += [failure] if failure else []
            events.committed(ledger, taken[-len(wave) * HANDLES_A_COMMIT :])
            events.refused(ledger, refused[-len(wave) * HANDLES_A_COMMIT :])
    plans.note_commits(ledger, task.run, [each.received_at for each in deliveries])
    if refused:
        _log.warning(
            "%d handles are expired, or belong to another app key. Their events come back and are committed then.",
            len(refused),
        )
    return CommitReport(len(taken), len(refused), tuple(failures))


def _commit_chunk(
    vtex: VtexClient, chunk: Sequence[Delivery]
) -> tuple[list[Delivery], list[Delivery], RetryableError | None]:
    try:
        vtex.commit_feed_items([delivery.handle for delivery in chunk])
    except HandleRefusedError:
        return _commit_singly(vtex, chunk)
    except RetryableError as error:
        return [], [], error
    return list(chunk), [], None


def _commit_singly(
    vtex: VtexClient, chunk: Sequence[Delivery]
) -> tuple[list[Delivery], list[Delivery], RetryableError | None]:
    """One dead handle must not keep its nine neighbours in the feed."""
    if len(chunk) == 1:
        return [], list(chunk), None
    taken: list[Delivery] = []
    refused: list[Delivery] = []
    failure = None
    for delivery in chunk:
        one_taken, one_refused, error = _commit_chunk(vtex, [delivery])
        taken += one_taken
        refused += one_refused
        failure = failure or error
    return taken, refused, failure
