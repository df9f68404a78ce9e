"""One real Airflow for all end-to-end tests: its four components as processes, PostgreSQL, the sandbox."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import make_url

from sandbox import airflow, process
from tests.conftest import new_postgres_database
from tests.e2e.deployment import DAG, Deployment
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.ledger import open_ledger

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

SHORT_RETRIES = """
from datetime import timedelta


def task_policy(task):
    task.retry_delay = timedelta(seconds=2)  # the tests do not wait a quarter of a minute
"""

POLICY = f'''
"""The tests start the runs, which the DAG would do itself each minute."""

from airflow.sdk.definitions.timetables.simple import NullTimetable


def dag_policy(dag):
    if dag.dag_id != "vtex_orders_by_date":
        dag.timetable = NullTimetable()

{SHORT_RETRIES}
'''


_FOLDER = Path(__file__).parent
_open_deployments = ExitStack()


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist looks at the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have one worker of the test run do all of this folder: it starts Airflow once."""
    for item in items:
        if item.path.is_relative_to(_FOLDER):
            item.add_marker(pytest.mark.xdist_group("airflow"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> Generator[None]:
    """Stop Airflow after the folder's last test: idle, it takes a third of a core from the tests that follow."""
    yield
    if nextitem is None or not nextitem.path.is_relative_to(_FOLDER):
        _open_deployments.close()


@contextmanager
def deployed(
    postgres_server: str,
    document_key: str,
    home: Path,
    settings: Mapping[str, str] | None = None,
    components: Sequence[str] = airflow.COMPONENTS,
    policy: str = POLICY,
) -> Iterator[Deployment]:
    """A deployment of one's own. The connections of VTEX and the ERP are made over the API."""
    (home / "config").mkdir()
    (home / "config" / "airflow_local_settings.py").write_text(policy)
    ledger_url = new_postgres_database(postgres_server)
    all_settings = {
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": new_postgres_database(postgres_server),
        "AIRFLOW__CORE__FERNET_KEY": Fernet.generate_key().decode(),
        # A worker that is dead, or paused, is found out within seconds.
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT": "10",
        "AIRFLOW__SCHEDULER__TASK_INSTANCE_HEARTBEAT_TIMEOUT_DETECTION_INTERVAL": "2",
        "AIRFLOW_CONN_ORDER_LEDGER": _ledger_connection(ledger_url, document_key),
        **(settings or {}),
    }
    ledger = open_ledger(ledger_url, cipher=DocumentCipher([document_key]))
    try:
        with process.running() as sandbox, airflow.running(home, all_settings, components) as deployment:
            deployment.wait_for_dag(DAG)
            deployment.unpause(DAG)
            yield Deployment(deployment, sandbox, ledger)
    finally:
        ledger.close()


@pytest.fixture(scope="session")
def whole_deployment(postgres_server: str, document_key: str, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """The deployment, once for the session."""
    home = tmp_path_factory.mktemp("airflow")
    return _open_deployments.enter_context(deployed(postgres_server, document_key, home))


@pytest.fixture
def deployment(whole_deployment: Deployment) -> Iterator[Deployment]:
    """The deployment with nothing in it."""
    whole_deployment.set_up()
    yield whole_deployment
    whole_deployment.end_runs()


def _ledger_connection(database: str, document_key: str) -> str:
    url = make_url(database)
    connection = {
        "conn_type": "postgres",
        "host": url.host or url.query["host"],
        "login": url.username,
        "password": url.password,
        "schema": url.database,
        "extra": {"document_key": document_key},
    }
    return json.dumps(connection)
