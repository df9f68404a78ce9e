"""Which ERP client a connection gets: its type decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.erp.rest import RestErpClient, RestErpSettings
from vtex_erp.erp.tryton.client import TrytonErpClient
from vtex_erp.erp.tryton.settings import TrytonSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vtex_erp.connection import ConnectionFields
    from vtex_erp.erp.claims import Claims
    from vtex_erp.erp.protocol import ErpClient


def _rest(fields: ConnectionFields, claims: Claims) -> ErpClient:  # noqa: ARG001 - the interface of all adapters
    return RestErpClient(RestErpSettings.from_connection(fields))


def _tryton(fields: ConnectionFields, claims: Claims) -> ErpClient:
    return TrytonErpClient(TrytonSettings.from_connection(fields), claims=claims)


_ADAPTERS: Mapping[str, Callable[[ConnectionFields, Claims], ErpClient]] = {"http": _rest, "tryton": _tryton}


def client_for(fields: ConnectionFields, claims: Claims) -> ErpClient:
    """Make the ERP client for a connection. By `claims` workers agree on who creates what has no unique key there.

    Raises ConfigurationError for a type without an ERP client, and for fields that the client cannot use.
    """
    adapter = _ADAPTERS.get(fields.connection_type)
    if adapter is None:
        known = ", ".join(sorted(_ADAPTERS))
        raise fields.wrong("Connection Type", f"{fields.connection_type!r} has no ERP client; choose one of: {known}")
    return adapter(fields, claims)
