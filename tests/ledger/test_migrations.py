"""The migrations make the tables that the code uses, once, however many workers start together."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, text

from vtex_erp.errors import ConfigurationError
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.ledger import open_ledger
from vtex_erp.ledger.migrate import HEAD, alembic_config
from vtex_erp.ledger.tables import VERSION_TABLE, metadata

if TYPE_CHECKING:
    from vtex_erp.ledger.ledger import Ledger

ROOT = Path(__file__).resolve().parents[2]
WORKER = """
import sys
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.ledger import open_ledger
sys.stdin.readline()
open_ledger(sys.argv[1], cipher=DocumentCipher([sys.argv[2]])).close()
"""


def test_the_migrations_give_the_tables_that_the_code_uses(ledger: Ledger) -> None:
    with ledger.read() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


def test_eight_processes_start_at_once(database: str, document_key: str) -> None:
    command = [sys.executable, "-c", WORKER, database, document_key]
    environment = {"PYTHONPATH": f"{ROOT / 'plugins'}", "PATH": ""}
    workers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        for _ in range(8)
    ]
    for worker in workers:
        assert worker.stdin
        worker.stdin.write("go\n")
        worker.stdin.flush()
    errors = [worker.communicate()[1] for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 8, errors
    _assert_current(database, document_key)


def test_eight_threads_start_at_once(database: str, document_key: str) -> None:
    def start(_: int) -> None:
        open_ledger(database, cipher=DocumentCipher([document_key])).close()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(8)))
    _assert_current(database, document_key)


def _assert_current(database: str, document_key: str) -> None:
    ledger = open_ledger(database, cipher=DocumentCipher([document_key]))
    with ledger.read() as connection:
        versions = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all()
        tables = set(inspect(connection).get_table_names())
    ledger.close()
    assert versions == [HEAD]
    assert tables == {*metadata.tables, VERSION_TABLE}


def test_opening_again_changes_nothing(ledger: Ledger, database: str, document_key: str) -> None:
    with ledger.write() as connection:
        connection.execute(metadata.tables["vtex_run"].insert().values(
            dag_id="d", run_id="r", account="a", started_at=ledger.clock()
        ))  # fmt: skip
    _assert_current(database, document_key)
    with ledger.read() as connection:
        assert len(connection.execute(metadata.tables["vtex_run"].select()).all()) == 1


def test_a_database_of_a_newer_release_is_left_alone(ledger: Ledger, database: str, document_key: str) -> None:
    with ledger.write() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))
    with pytest.raises(ConfigurationError, match="newer release"):
        open_ledger(database, cipher=DocumentCipher([document_key]))


def test_the_ledger_lives_next_to_other_tables(database: str, document_key: str) -> None:
    """The database may be one that another program's alembic looks after."""
    from sqlalchemy import create_engine

    engine = create_engine(database)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
    ledger = open_ledger(database, cipher=DocumentCipher([document_key]))
    ledger.close()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all() == ["theirs"]
    engine.dispose()
