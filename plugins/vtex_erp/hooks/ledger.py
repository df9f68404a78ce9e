"""The hook for the order ledger's connection."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airflow.sdk import BaseHook, conf
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret
from sqlalchemy.engine import URL

from vtex_erp.errors import ConfigurationError, RetryableError
from vtex_erp.ledger.documents import KEY_VARIABLE, cipher_from
from vtex_erp.ledger.ledger import Ledger, open_ledger
from vtex_erp.ledger.retention import Retention

if TYPE_CHECKING:
    from airflow.sdk import Connection

_POSTGRES_TYPES = ("postgres", "postgresql")


class LedgerHook(BaseHook):
    """Opens the order ledger, creating or migrating its tables where needed.

    :param ledger_conn_id: a connection to PostgreSQL, or to SQLite for one machine; without such a connection
        the ledger is the SQLite file `order_ledger.db` in AIRFLOW_HOME

    Airflow says of a secrets backend that is away that the connection does not exist. So a machine that has had the
    connection once never takes the file instead: it leaves the mark `order_ledger.elsewhere` in AIRFLOW_HOME.
    """

    conn_name_attr = "ledger_conn_id"
    default_conn_name = "order_ledger"
    hook_name = "Order ledger"

    def __init__(self, ledger_conn_id: str = default_conn_name) -> None:
        super().__init__()
        self.ledger_conn_id = ledger_conn_id

    def get_ledger(self) -> Ledger:
        """Open the ledger. Raises ConfigurationError naming the connection and what to put there."""
        connection = self._connection()
        url = self._embedded() if connection is None else self._url(connection)
        if url.get_backend_name() == "sqlite":
            self._refuse_other_machines()
        key = connection.extra_dejson.get("document_key") if connection else None
        for secret in (key, os.environ.get(KEY_VARIABLE), url.password):
            if secret:
                mask_secret(secret)
        return open_ledger(url, cipher=cipher_from(key, key_file=_key_file(url)), retention=self._retention(connection))

    def get_conn(self) -> Any:
        """Give the ledger: Airflow's name for the same thing."""
        return self.get_ledger()

    def test_connection(self) -> tuple[bool, str]:
        """Open the ledger and look at its tables."""
        try:
            self.get_ledger().close()
        except Exception as error:  # noqa: BLE001 - whatever the driver raises is the answer
            return False, str(error)
        return True, "The ledger's tables are there and current."

    def _connection(self) -> Connection | None:
        mark = _home() / "order_ledger.elsewhere"
        try:
            connection = self.get_connection(self.ledger_conn_id)
        except AirflowNotFoundException:
            if self.ledger_conn_id != self.default_conn_name:
                raise ConfigurationError(f"Connection {self.ledger_conn_id!r} does not exist.") from None
            if mark.exists():
                raise RetryableError(
                    f"Connection {self.ledger_conn_id!r} was there and cannot be found now: Airflow's database or the "
                    f"secrets backend may be away. If you have deleted it, delete {mark} too.",
                    cause="ledger-away",
                ) from None
            return None
        with suppress(OSError):
            mark.touch()
        return connection

    def _retention(self, connection: Connection | None) -> Retention:
        try:
            return Retention.from_extra(connection.extra_dejson if connection else {})
        except ValueError as error:
            raise ConfigurationError(f"Connection {self.ledger_conn_id!r}, Extra: {error}") from None

    def _embedded(self) -> URL:
        return _sqlite(str(_home() / "order_ledger.db"))

    def _url(self, connection: Connection) -> URL:
        if connection.conn_type in _POSTGRES_TYPES:
            return URL.create(
                "postgresql+psycopg2",
                username=connection.login,
                password=connection.password,
                host=connection.host,
                port=connection.port,
                database=connection.schema,
            )
        path = connection.host or connection.schema
        if connection.conn_type == "sqlite" and path:
            return _sqlite(path)
        raise ConfigurationError(
            f"Connection {self.ledger_conn_id!r} has type {connection.conn_type!r}: the order ledger needs a postgres "
            "connection, or a sqlite one with the file's path as host."
        )

    def _refuse_other_machines(self) -> None:
        executor = conf.get("core", "executor", fallback="LocalExecutor")
        if "LocalExecutor" not in executor:
            raise ConfigurationError(
                f"The order ledger is a SQLite file, but tasks run under {executor}, perhaps on other machines that do "
                f"not see it. Create the connection {self.ledger_conn_id!r} to a PostgreSQL database (and its extra "
                "`document_key`)."
            )


def _home() -> Path:
    return Path(os.environ.get("AIRFLOW_HOME", "~/airflow")).expanduser()


def _sqlite(path: str) -> URL:
    return URL.create("sqlite", database=path)


def _key_file(url: URL) -> Path | None:
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(f"{url.database}.key")
