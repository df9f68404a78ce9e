"""`Ledger`: the connection to the ledger's database, the document cipher and the clock."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, event, make_url

from vtex_erp.ledger.migrate import migrate
from vtex_erp.ledger.retention import Retention

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import URL, Connection, Engine

    from vtex_erp.ledger.documents import DocumentCipher


def utc_now() -> datetime:
    """The present moment, aware, in UTC."""
    return datetime.now(timezone.utc)


@dataclass(frozen=True)
class Ledger:
    """What every function of this package takes first.

    `lease` is how long a claim lasts before another run may take the order over: longer than a worker that lives may
    wait for a slow or busy ERP. (The run that holds it takes over at once.)
    """

    engine: Engine
    cipher: DocumentCipher
    clock: Callable[[], datetime] = utc_now
    lease: timedelta = timedelta(hours=1)
    retention: Retention = field(default_factory=Retention)

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A read-write transaction, committed at the end of the block."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads, so that on SQLite it does not wait for a writer."""
        with self.engine.connect().execution_options(vtex_read_only=True) as connection:
            yield connection

    def close(self) -> None:
        """Give all database connections back."""
        self.engine.dispose()


def open_ledger(
    url: str | URL,
    *,
    cipher: DocumentCipher,
    retention: Retention | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> Ledger:
    """Connect to the ledger, creating or migrating its tables where needed (safe from several workers at once)."""
    engine = _engine(url)
    migrate(engine)
    return Ledger(engine=engine, cipher=cipher, clock=clock, retention=retention or Retention())


def _engine(url: str | URL) -> Engine:
    # psycopg2 would send each row of an executemany by itself.
    settings = {"executemany_mode": "values_plus_batch"} if "postgresql" in str(make_url(url).drivername) else {}
    engine = create_engine(url, pool_pre_ping=True, **settings)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(dbapi_connection: object, _record: object) -> None:
    # pysqlite would begin transactions by itself, and late; _begin_sqlite does it at the right moment.
    dbapi_connection.isolation_level = None  # type: ignore[attr-defined]
    cursor = dbapi_connection.cursor()  # type: ignore[attr-defined]
    cursor.execute("PRAGMA busy_timeout = 60000")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A transaction that reads first and writes later fails when another wrote in between; one that takes the
    # write lock at once waits for its turn instead.
    read_only = connection.get_execution_options().get("vtex_read_only", False)
    connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
