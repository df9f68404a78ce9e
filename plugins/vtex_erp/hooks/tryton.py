"""The hook for a connection of type `tryton`."""

from __future__ import annotations

from vtex_erp.erp.claims import OwnClaims
from vtex_erp.erp.tryton.check import missing
from vtex_erp.erp.tryton.client import TrytonErpClient
from vtex_erp.erp.tryton.settings import TrytonSettings
from vtex_erp.errors import VtexErpError
from vtex_erp.hooks.erp import ErpHook
from vtex_erp.hooks.fields import connection_fields


class TrytonHook(ErpHook):
    """Gives the ERP client of a Tryton database.

    :param erp_conn_id: a connection of type `tryton`
    """

    conn_type = "tryton"
    hook_name = "Tryton"

    def test_connection(self) -> tuple[bool, str]:
        """Say by name what is missing in Tryton. Nothing is changed there."""
        try:
            settings = TrytonSettings.from_connection(connection_fields(self.erp_conn_id))
            troubles = missing(TrytonErpClient(settings, claims=OwnClaims()))
        except VtexErpError as error:
            return False, error.message
        if troubles:
            return False, " ".join(troubles)
        shops = ", ".join(settings.web_shops)
        return True, f"Tryton has all that orders need: web shop {shops}, products for amounts, and the user's rights."
