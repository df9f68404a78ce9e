"""The step that compares VTEX, ledger and ERP, and the link to its page."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink, get_current_context

from vtex_erp.operators.step import StepOperator
from vtex_erp.pipeline.reconcile import raise_findings, reconcile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk.types import TaskInstanceKey

    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.ledger import Ledger

PAGE = "/vtex/reconciliation"


class ReconciliationLink(BaseOperatorLink):
    """The button at the task instance."""

    name = "Reconciliation"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """The address of the run's page."""
        return f"{PAGE}/{quote(ti_key.dag_id, safe='')}/{quote(ti_key.run_id, safe='')}"


class ReconcileOperator(StepOperator):
    """Compares VTEX, ledger and ERP over what the run has found. Returns counts by finding."""

    operator_extra_links = (ReconciliationLink(),)
    template_fields: Sequence[str] = ()

    def step(self, ledger: Ledger, task: TaskTry) -> dict[str, int]:
        """Reconcile."""
        mend = not get_current_context()["params"].get("dry_run")
        found = reconcile(ledger, task, self.vtex, self.erp, mend=mend, erp_connection=self.store.erp)
        raise_findings(found)
        return dict(Counter(each.kind.value for each in found))
