"""What keeps the house clean."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseOperator

from vtex_erp.hooks.ledger import LedgerHook
from vtex_erp.ledger.retention import purge

if TYPE_CHECKING:
    from airflow.sdk import Context


class PurgeLedgerOperator(BaseOperator):
    """Deletes from the ledger what is older than its connection says. Returns counts.

    :param ledger_conn_id: connection of the order ledger
    """

    def __init__(self, *, ledger_conn_id: str = LedgerHook.default_conn_name, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.ledger_conn_id = ledger_conn_id

    def execute(self, context: Context) -> dict[str, int]:  # noqa: ARG002 - Airflow's signature
        """Purge."""
        ledger = LedgerHook(self.ledger_conn_id).get_ledger()
        try:
            return asdict(purge(ledger))
        finally:
            ledger.close()
