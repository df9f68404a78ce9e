"""The hook for the connection of the ERP, whatever its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook

from vtex_erp.erp.claims import OwnClaims
from vtex_erp.erp.protocol import Absent, Unknown
from vtex_erp.erp.registry import client_for
from vtex_erp.errors import VtexErpError
from vtex_erp.hooks.fields import connection_fields

if TYPE_CHECKING:
    from vtex_erp.erp.claims import Claims
    from vtex_erp.erp.protocol import ErpClient

_TEST_EXTERNAL_ID = "vtex-erp:connection-test"


class ErpHook(BaseHook):
    """Gives the ERP client that fits the type of the connection.

    :param erp_conn_id: a connection of type `http` (the REST ERP) or `tryton`
    """

    conn_name_attr = "erp_conn_id"
    default_conn_name = "erp_default"
    hook_name = "ERP"

    def __init__(self, erp_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.erp_conn_id = erp_conn_id

    def get_client(self, claims: Claims | None = None) -> ErpClient:
        """Make the client. Raises ConfigurationError naming the connection and what to put there.

        `claims` are those that all workers share, the ledger's; without them, the threads of this process alone.
        """
        return client_for(connection_fields(self.erp_conn_id), claims or OwnClaims())

    def get_conn(self) -> Any:
        """Give the client: Airflow's name for the same thing."""
        return self.get_client()

    def test_connection(self) -> tuple[bool, str]:
        """Look an order up that cannot exist: the ERP must say so."""
        try:
            answer = self.get_client().lookup(_TEST_EXTERNAL_ID)
        except VtexErpError as error:
            return False, error.message
        if isinstance(answer, Absent):
            return True, "The ERP answers, and tells that a made-up order is absent."
        if isinstance(answer, Unknown):
            return False, answer.reason
        return (
            False,
            f"The ERP claims to hold the made-up order {_TEST_EXTERNAL_ID}: lookups cannot be trusted.",
        )
