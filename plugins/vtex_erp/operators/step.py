"""What all operators of the loop share."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from vtex_erp.errors import VtexErpError
from vtex_erp.hooks.erp import ErpHook
from vtex_erp.hooks.fields import vtex_settings
from vtex_erp.hooks.ledger import LedgerHook
from vtex_erp.ledger import entries
from vtex_erp.ledger.budget import LedgerBudget
from vtex_erp.ledger.claims import LedgerClaims
from vtex_erp.ledger.entries import Run, TaskTry
from vtex_erp.stores.model import Store
from vtex_erp.vtex.budget import Family, Limits, Priority
from vtex_erp.vtex.client import VtexClient

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk import Context

    from vtex_erp.erp.protocol import ErpClient
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.ledger.stages import Stage
    from vtex_erp.stores.model import Budget
    from vtex_erp.vtex.settings import VtexSettings


class StepOperator(BaseOperator):
    """Runs one step of the order loop.

    :param batch: what `deduplicate` says of the batch: `{"batch": 0, "orders": 25}`; for the steps of a batch
    :param store: the store that is served, with its connections
    :param ledger_conn_id: connection of the order ledger
    :param priority: whose requests to VTEX go first: `live`, then `by-date`, then `reconciliation`
    """

    template_fields: Sequence[str] = ("batch",)
    reopens: Stage | None = None
    """Where a person's rerun of this step takes orders back to that failed here or later."""

    def __init__(
        self,
        *,
        batch: Any = None,
        store: Store | None = None,
        ledger_conn_id: str = LedgerHook.default_conn_name,
        priority: str = Priority.LIVE.value,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.batch = batch
        self.store = store or Store()
        self.ledger_conn_id = ledger_conn_id
        self.priority = priority

    def execute(self, context: Context) -> Any:
        """Run the step and give its counts. Raises from the package's one error tree."""
        task = self._task_try(context)
        if self.batch:
            context["batch_name"] = f"batch {task.batch}: {self.batch['orders']} orders"  # type: ignore[typeddict-unknown-key]
        ledger = self.ledger
        try:
            if self.reopens and self._cleared_by_a_person(context):
                reopened = entries.reopen(ledger, task, to=self.reopens)
                self.log.info("Run again by hand: %d orders start over at this step.", reopened)
            return self.step(ledger, task)
        except VtexErpError as error:
            self.log.error("%s", error.message)  # noqa: TRY400 - the causes, without a stack that says nothing more
            raise
        finally:
            ledger.close()

    def step(self, ledger: Ledger, task: TaskTry) -> Any:
        """Do the step's work."""
        raise NotImplementedError

    @cached_property
    def ledger(self) -> Ledger:
        """The order ledger."""
        return LedgerHook(self.ledger_conn_id).get_ledger()

    @cached_property
    def vtex(self) -> VtexClient:
        """The VTEX client, one pooled session for the task, on the account's budget."""
        settings = self._vtex_settings
        budget = LedgerBudget(self.ledger, settings.account, settings.limits, Priority(self.priority))
        return VtexClient(settings, budget=budget)

    @cached_property
    def erp(self) -> ErpClient:
        """The ERP client."""
        return ErpHook(self.store.erp).get_client(LedgerClaims(self.ledger))

    @cached_property
    def _vtex_settings(self) -> VtexSettings:
        # Not by VtexHook: HttpHook, its base, costs each task process a fifth of a second of imports.
        settings = vtex_settings(self.store.vtex)
        return replace(settings, limits=_limits(settings.limits, self.store.budget))

    def _task_try(self, context: Context) -> TaskTry:
        ti = context["ti"]
        account = self._vtex_settings.account
        return TaskTry(
            Run(ti.dag_id, ti.run_id, account),
            ti.task_id.rpartition(".")[2],
            batch=self.batch["batch"] if self.batch else None,
            try_number=ti.try_number,
        )

    def _cleared_by_a_person(self, context: Context) -> bool:
        """Tell a cleared task from Airflow's own retry: a clear sets max_tries anew, from the tries made so far."""
        ti = context["ti"]
        return ti.try_number > 1 and ti.try_number == ti.max_tries - int(self.retries or 0) + 1


def _limits(limits: Limits, budget: Budget) -> Limits:
    """The connection's limits, and instead of them what the stores file says; no family has more than the account."""
    given = replace(limits, **{name: number for name, number in budget if number is not None})
    return replace(given, **{family.value: min(given.account, given.of(family)) for family in Family})
