"""One operator a step of the order loop; the work is in `vtex_erp.pipeline`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from airflow.sdk import conf, get_current_context

from vtex_erp.errors import RetryableError
from vtex_erp.ledger.plans import BatchSizes
from vtex_erp.ledger.stages import Stage
from vtex_erp.operators.notices import tell_everybody
from vtex_erp.operators.step import StepOperator
from vtex_erp.pipeline import (
    commit_events,
    deduplicate,
    fetch_orders,
    map_orders,
    outcome,
    pull_feed,
    start_handling,
    submit_orders,
)
from vtex_erp.pipeline.pull_feed import PullBounds
from vtex_erp.rules.load import load_rules

if TYPE_CHECKING:
    from typing import Any

    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.ledger.plans import Plan


class PullFeedOperator(StepOperator):
    """Drains the feed into the ledger. Returns `[{"events": n}]`, or an empty list when nothing came."""

    def __init__(self, *, bounds: PullBounds | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.bounds = bounds or PullBounds()

    def step(self, ledger: Ledger, task: TaskTry) -> list[dict[str, int]]:
        """Pull."""
        has_feed, has_hook = self.store.feed is not None, self.store.hook is not None
        pulled = pull_feed.pull_feed(ledger, task, self.vtex, bounds=self.bounds, has_feed=has_feed, has_hook=has_hook)
        return [{"events": pulled}] if pulled else []


class DeduplicateOperator(StepOperator):
    """Plans the run's batches. Returns one `{"batch": index, "orders": n}` for each."""

    def step(self, ledger: Ledger, task: TaskTry) -> list[dict[str, int]]:
        """Plan."""
        plan = deduplicate.deduplicate(
            ledger, task, sizes=batch_sizes(), erp_connection=self.store.erp, actions=self.store.what_to_do
        )
        return batches_of(plan)


class CommitOtherEventsOperator(StepOperator):
    """Commits the run's events that need no order work. Returns counts."""

    def __init__(self, *, pulled: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pulled = pulled

    def step(self, ledger: Ledger, task: TaskTry) -> dict[str, int]:
        """Commit."""
        report = commit_events.commit_other_events(ledger, task, self.vtex)
        report.raise_failures()
        return report.counts()


class FetchOrdersOperator(StepOperator):
    """Reads the batch's orders from VTEX. Returns counts by stage."""

    reopens = Stage.RECEIVED

    def step(self, ledger: Ledger, task: TaskTry) -> dict[str, int]:
        """Fetch."""
        report = fetch_orders.fetch_orders(ledger, task, self.vtex, self.store.what_to_do)
        report.raise_failures()
        return report.counts()


class MapOrdersOperator(StepOperator):
    """Makes the batch's sales orders, by the store's mapping rules. Returns counts by stage."""

    reopens = Stage.FETCHED

    def step(self, ledger: Ledger, task: TaskTry) -> dict[str, int]:
        """Map."""
        report = map_orders.map_orders(ledger, task, load_rules(self.store.rules))
        report.raise_failures()
        return report.counts()


class SubmitOrdersOperator(StepOperator):
    """Brings the batch's sales orders into the ERP, once. Returns counts by stage."""

    reopens = Stage.MAPPED

    def step(self, ledger: Ledger, task: TaskTry) -> dict[str, int]:
        """Submit."""
        report = submit_orders.submit_orders(ledger, task, self.erp, erp_connection=self.store.erp)
        report.raise_failures()
        return report.counts()


class CommitEventsOperator(StepOperator):
    """Commits the events of the batch's settled orders. Returns counts."""

    def step(self, ledger: Ledger, task: TaskTry) -> dict[str, int]:
        """Commit."""
        report = commit_events.commit_events(ledger, task, self.vtex)
        report.raise_failures()
        return report.counts()


class StartHandlingOperator(StepOperator):
    """Starts the handling of the batch's submitted orders. Returns counts by stage."""

    reopens = Stage.SUBMITTED

    def step(self, ledger: Ledger, task: TaskTry) -> dict[str, int]:
        """Start handling."""
        report = start_handling.start_handling(
            ledger,
            task,
            self.vtex,
            self.erp,
            erp_connection=self.store.erp,
            actions=self.store.what_to_do,
        )
        report.raise_failures()
        return report.counts()


class OutcomeOperator(StepOperator):
    """Tells who is to be told, and fails the run when one of its orders is not done. Returns counts by stage.

    :param after_pull: the run reads the feed, and is not in order without that
    """

    def __init__(self, *, after_pull: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.after_pull = after_pull

    def step(self, ledger: Ledger, task: TaskTry) -> dict[str, int]:
        """Sum up."""
        try:
            looked = outcome.outcome(ledger, task, erp_connection=self.store.erp, after_pull=self.after_pull)
            counts = looked.counts()
        finally:
            troubles = tell_everybody(ledger, self.store, task.run.account, get_current_context())
        if troubles:
            raise RetryableError("\n".join(troubles), cause="not-told")
        return counts


def batch_sizes(**bounds: int) -> BatchSizes:
    """As many batches as Airflow runs tasks at the same time, but only one more than there are cores.

    That one has the processor while another waits for an answer; further ones keep the first batch from it.
    """
    slots = conf.getint("core", "parallelism", fallback=32)
    return BatchSizes(at_once=max(1, min(slots, (os.cpu_count() or 1) + 1)), **bounds)


def batches_of(plan: Plan) -> list[dict[str, int]]:
    """What the task group is mapped over."""
    return [{"batch": index, "orders": size} for index, size in enumerate(plan.batches)]
