"""Gives Airflow a home of its own. Must run before anything imports airflow."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_HOME = tempfile.TemporaryDirectory(prefix="vtex-erp-airflow-")

if "airflow" in sys.modules:
    raise RuntimeError("airflow was imported before tests/airflow/conftest.py could set AIRFLOW_HOME")

os.environ.update(
    AIRFLOW_HOME=_HOME.name,
    AIRFLOW__CORE__UNIT_TEST_MODE="True",
    AIRFLOW__CORE__LOAD_EXAMPLES="False",
    AIRFLOW__CORE__DAGS_FOLDER=str(_ROOT / "dags"),
    AIRFLOW__CORE__PLUGINS_FOLDER=str(_ROOT / "plugins"),
    AIRFLOW__DATABASE__SQL_ALCHEMY_CONN=f"sqlite:///{_HOME.name}/airflow.db",
)
