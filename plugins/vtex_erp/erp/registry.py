"""Which ERP client a connection gets: its type decides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.erp.rest import RestErpClient, RestErpSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vtex_erp.connection import ConnectionFields
    from vtex_erp.erp.protocol import ErpClient


def _rest(fields: ConnectionFields) -> ErpClient:
    return RestErpClient(RestErpSettings.from_connection(fields))


_ADAPTERS: Mapping[str, Callable[[ConnectionFields], ErpClient]] = {"http": _rest}


def client_for(fields: ConnectionFields) -> ErpClient:
    """Make the ERP client for a connection.

    Raises ConfigurationError for a type without an ERP client, and for fields that the client cannot use.
    """
    adapter = _ADAPTERS.get(fields.connection_type)
    if adapter is None:
        known = ", ".join(sorted(_ADAPTERS))
        raise fields.wrong("Connection Type", f"{fields.connection_type!r} has no ERP client; choose one of: {known}")
    return adapter(fields)
