"""Bring the ledger's tables to today's version, once, however many workers start together."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from vtex_erp.errors import ConfigurationError
from vtex_erp.ledger.tables import VERSION_TABLE

if TYPE_CHECKING:
    from alembic.config import Config
    from sqlalchemy.engine import Connection, Engine

HEAD = "0007"
"""The newest migration; a test holds it against the files in `migrations/versions`."""

_ADVISORY_LOCK = 0x76746578  # "vtex"


def migrate(engine: Engine) -> None:
    """Create or migrate the tables; costs one query when they are current.

    Raises `ConfigurationError` when the database was written by a newer release of this package.
    """
    with engine.connect() as connection:
        if _version(connection) == HEAD:
            return
    with engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
        _upgrade(connection)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar()  # noqa: S608


def _upgrade(connection: Connection) -> None:
    # Alembic is slow to import, and needed only here.
    from alembic import command
    from alembic.util import CommandError

    config = alembic_config()
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise ConfigurationError(
            f"The order ledger's tables cannot be brought to version {HEAD}: {error}. "
            "Was the database used by a newer release of vtex-erp? Then install that release."
        ) from error


def alembic_config() -> Config:
    """Alembic's configuration for this package's migrations."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config
