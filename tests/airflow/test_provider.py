from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import fields
from importlib.metadata import PackageNotFoundError, distribution, entry_points
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk._shared.module_loading import import_string

from vtex_erp.erp.tryton.settings import TrytonSettings
from vtex_erp.hooks.tryton import TrytonHook
from vtex_erp.hooks.vtex import VtexHook
from vtex_erp.provider_info import get_provider_info

ROOT = Path(__file__).resolve().parents[2]
"""The repository."""

try:
    INSTALLED = bool(distribution("vtex-erp"))
except PackageNotFoundError:
    INSTALLED = False

OFFERED = (
    *("account", "timeout_seconds", "concurrency", "requests_per_minute", "data_protection", "reason"),
    "hook_secret",
)

needs_install = pytest.mark.skipif(not INSTALLED, reason="needs `pip install -e .`, which `make setup` does")


def connection_type(name: str = "vtex") -> dict[str, Any]:
    found: list[dict[str, Any]] = get_provider_info()["connection-types"]
    return {each["connection-type"]: each for each in found}[name]


@pytest.mark.parametrize("hook", [VtexHook, TrytonHook])
def test_the_provider_names_the_hook_as_it_is(hook: Any) -> None:
    declared = connection_type(hook.conn_type)
    assert import_string(declared["hook-class-name"]) is hook
    assert declared["hook-name"] == hook.hook_name


def test_the_tryton_form_has_every_setting() -> None:
    own = {"base_url", "database", "key", "connection_id"}
    offered = connection_type("tryton")["conn-fields"]
    assert set(offered) == {each.name for each in fields(TrytonSettings)} - own
    defaults = {name: form["schema"]["default"] for name, form in offered.items() if form["schema"].get("default")}
    given = {name: getattr(TrytonSettings, name) for name in defaults}
    assert defaults == given | {"product_codes": ", ".join(given["product_codes"])}


def test_the_form_says_what_goes_where() -> None:
    behaviour = connection_type()["ui-field-behaviour"]
    assert behaviour["relabeling"] == {"host": "Base URL", "login": "App key", "password": "App token"}
    assert set(connection_type()["conn-fields"]) == set(OFFERED)
    assert connection_type()["conn-fields"]["hook_secret"]["schema"]["format"] == "password"


@needs_install
def test_the_package_s_name_and_entry_point_are_those_that_airflow_looks_for() -> None:
    (entry,) = (point for point in entry_points(group="apache_airflow_provider") if "vtex_erp" in point.value)
    assert entry.load() is get_provider_info
    assert entry.dist is not None
    assert entry.dist.name == get_provider_info()["package-name"]


@needs_install
def test_airflow_finds_the_connection_type_and_its_fields() -> None:
    from airflow.providers_manager import ProvidersManager
    from airflow.sdk.providers_manager_runtime import ProvidersManagerTaskRuntime

    hook = ProvidersManagerTaskRuntime().hooks["vtex"]  # type: ignore[no-untyped-call]
    assert hook is not None
    manager = ProvidersManager()  # type: ignore[no-untyped-call]
    assert hook.hook_class_name == "vtex_erp.hooks.vtex.VtexHook"
    assert manager.field_behaviours["vtex"]["relabeling"]["login"] == "App key"
    fields = {name for name in manager.connection_form_widgets if name.startswith("extra__vtex__")}
    assert fields == {f"extra__vtex__{name}" for name in OFFERED}


LOAD = """
import json, sys
from airflow import plugins_manager
from airflow.sdk.plugins_manager import integrate_macros_plugins
integrate_macros_plugins()  # what each task process does
stems, folder = json.loads(sys.argv[1]), sys.argv[2]
heavy = ("vtex_erp.vtex", "vtex_erp.ledger", "airflow.providers.http.hooks.http", "fastapi")
loaded = [name for name in heavy if name in sys.modules]
names = [plugin["name"] for plugin in plugins_manager.get_plugin_info()]
print(json.dumps({
    "plugins": names,
    "errors": plugins_manager.get_import_errors(),
    "bare": [s for s in stems if (getattr(sys.modules.get(s), "__file__", "") or "").startswith(folder)],
    "heavy": loaded,
}))
"""


def test_the_plugin_loads_alone_and_the_package_is_not_scanned() -> None:
    """In a process of its own: the scanner would put every file under its bare name into sys.modules."""
    plugins = ROOT / "plugins"
    stems = sorted({path.stem for path in (plugins / "vtex_erp").rglob("*.py")})
    done = subprocess.run(
        [sys.executable, "-c", LOAD, json.dumps(stems), str(plugins)],
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    report = json.loads(done.stdout.splitlines()[-1])
    assert report["errors"] == {}
    assert "vtex_erp" in report["plugins"]
    assert report["bare"] == []
    assert report["heavy"] == []


PRELOAD = """
import sys
from airflow.sdk.execution_time.task_runner import TaskRunnerMarker
if sys.argv[1] == "task":
    from airflow.sdk.listener import get_listener_manager
    component = TaskRunnerMarker()
else:
    from airflow.listeners.listener import get_listener_manager
    component = object()
get_listener_manager().hook.on_starting(component=component)
print("vtex_erp.operators.orders" in sys.modules)
"""


@pytest.mark.parametrize(("component", "imported"), [("scheduler", "True"), ("task", "False")])
def test_the_scheduler_has_imported_what_tasks_need_and_a_task_of_another_dag_has_not(
    component: str, imported: str
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PRELOAD, component], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.splitlines()[-1] == imported
