"""From an Airflow connection to its plain fields, and to the settings of VTEX. Light: every task imports it."""

from __future__ import annotations

from collections.abc import Mapping

from airflow.sdk import BaseHook
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from vtex_erp.connection import ConnectionFields
from vtex_erp.errors import ConfigurationError
from vtex_erp.vtex.settings import VtexSettings


def connection_fields(connection_id: str, *, mask_login: bool = False) -> ConnectionFields:
    """Get a connection; its password, and its login if that is a key, are masked in logs from then on.

    Raises ConfigurationError if there is none, and if its Extra is no JSON object.
    """
    try:
        connection = BaseHook.get_connection(connection_id)
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"Connection {connection_id!r} does not exist: create it under Admin, Connections, or as "
            f"AIRFLOW_CONN_{connection_id.upper()}."
        ) from None
    for secret in (connection.password, connection.login if mask_login else None):
        if secret:
            mask_secret(secret)
    fields = ConnectionFields(
        connection_id=connection_id,
        connection_type=connection.conn_type or "",
        host=connection.host,
        port=connection.port,
        schema=connection.schema,
        login=connection.login,
        password=connection.password,
        extra=connection.extra_dejson,
    )
    if not isinstance(fields.extra, Mapping):
        raise fields.wrong("Extra", "put a JSON object, or nothing")
    return fields


def vtex_settings(connection_id: str) -> VtexSettings:
    """Get the settings of a connection of type `vtex`. Raises ConfigurationError."""
    fields = connection_fields(connection_id, mask_login=True)
    settings = VtexSettings.from_connection(
        fields.connection_id,
        fields.host,
        fields.login,
        fields.password,
        fields.extra,
        port=fields.port,
        schema=fields.schema,
    )
    for secret in settings.hook_secrets:
        mask_secret(secret)
    return settings
