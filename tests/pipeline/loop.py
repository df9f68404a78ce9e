"""The order loop as the DAG runs it, in one process, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vtex_erp.connection import ConnectionFields
from vtex_erp.erp.rest import RestErpClient, RestErpSettings
from vtex_erp.errors import VtexErpError
from vtex_erp.ledger.entries import Run, TaskTry
from vtex_erp.ledger.plans import BatchSizes
from vtex_erp.pipeline.commit_events import commit_events, commit_other_events
from vtex_erp.pipeline.deduplicate import deduplicate
from vtex_erp.pipeline.fetch_orders import fetch_orders
from vtex_erp.pipeline.map_orders import map_orders
from vtex_erp.pipeline.outcome import outcome
from vtex_erp.pipeline.pull_feed import PullBounds, pull_feed
from vtex_erp.pipeline.start_handling import start_handling
from vtex_erp.pipeline.submit_orders import submit_orders
from vtex_erp.stores.actions import DEFAULT_ACTIONS, Actions
from vtex_erp.vtex.client import VtexClient
from vtex_erp.vtex.settings import VtexSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.client import Sandbox
    from vtex_erp.erp.protocol import ErpClient
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.ledger.plans import Plan

STATUSES = ["ready-for-handling", "handling", "canceled"]


@dataclass
class Loop:
    """Everything that a run needs. `errors` holds what the steps of the last run raised, by task id."""

    ledger: Ledger
    vtex: VtexClient
    erp: ErpClient
    account: str
    sleep: Callable[[float], None] = lambda _seconds: None
    sizes: BatchSizes = field(default_factory=lambda: BatchSizes(at_once=2, smallest=1))
    errors: dict[str, VtexErpError] = field(default_factory=dict)
    actions: Actions = DEFAULT_ACTIONS

    def run(self, run_id: str = "run", *, tries: int = 1) -> dict[str, VtexErpError]:
        """Run the DAG's tasks in order; a task that raises does not stop those after it (trigger rule all_done)."""
        self.errors = {}
        run = Run("vtex_orders", run_id, self.account)
        if not self._task("pull_feed", tries, lambda: self.pull(run)):
            return self.errors
        plan = self.deduplicate(run)
        besides = TaskTry(run, "commit_other_events")
        self._task(
            besides.task_id,
            tries,
            lambda: commit_other_events(self.ledger, besides, self.vtex).raise_failures(),
        )
        for batch in range(len(plan.batches)):
            self.batch(run, batch, tries=tries)
        self._task("outcome", 1, lambda: outcome(self.ledger, TaskTry(run, "outcome")))
        return self.errors

    def pull(self, run: Run) -> int:
        """Pull as the DAG does."""
        return pull_feed(self.ledger, TaskTry(run, "pull_feed"), self.vtex, bounds=PullBounds())

    def deduplicate(self, run: Run) -> Plan:
        """Plan as the DAG does."""
        return deduplicate(self.ledger, TaskTry(run, "deduplicate"), sizes=self.sizes, actions=self.actions)

    def batch(self, run: Run, batch: int, *, tries: int = 1, until: str | None = None) -> None:
        """Run the task group on one batch; `until` is the last step that is run."""

        def task(task_id: str) -> TaskTry:
            return TaskTry(run, task_id, batch)

        steps: dict[str, Callable[[], None]] = {
            "fetch_orders": lambda: fetch_orders(
                self.ledger, task("fetch_orders"), self.vtex, self.actions
            ).raise_failures(),
            "map_orders": lambda: map_orders(self.ledger, task("map_orders")).raise_failures(),
            "submit_orders": lambda: submit_orders(self.ledger, task("submit_orders"), self.erp).raise_failures(),
            "commit_events": lambda: commit_events(self.ledger, task("commit_events"), self.vtex).raise_failures(),
            "start_handling": lambda: start_handling(
                self.ledger, task("start_handling"), self.vtex, self.erp, sleep=self.sleep, actions=self.actions
            ).raise_failures(),
        }
        for task_id, step in steps.items():
            self._task(task_id, tries, step)
            if task_id == until:
                return

    def _task(self, task_id: str, tries: int, step: Callable[[], object]) -> bool:
        for _ in range(tries):
            try:
                step()
            except VtexErpError as error:  # noqa: PERF203
                self.errors[task_id] = error
            else:
                self.errors.pop(task_id, None)
                return True
        return False


def clients(sandbox: Sandbox, sleep: Callable[[float], None], **options: float) -> tuple[VtexClient, ErpClient]:
    """The clients of the sandbox's VTEX and ERP."""
    settings = VtexSettings.from_connection(
        "vtex_default",
        sandbox.base_url,
        sandbox.app_key,
        sandbox.app_token,
        {"account": sandbox.account, **options},
    )
    fields = ConnectionFields("erp_default", "http", host=sandbox.erp_url)
    return VtexClient(settings, sleep=sleep), RestErpClient(RestErpSettings.from_connection(fields), sleep=sleep)
