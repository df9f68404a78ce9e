"""The compose files, Dockerfile and .env.example: they agree, and Airflow knows what they set."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]

from sandbox.vtex.__main__ import _parser as sandbox_parser
from vtex_erp.connection import ConnectionFields
from vtex_erp.erp.rest import RestErpSettings
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.vtex.settings import VtexSettings

ROOT = Path(__file__).resolve().parents[2]
BASE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
CELERY = yaml.safe_load((ROOT / "docker-compose.celery.yml").read_text())
EXAMPLE = (ROOT / ".env.example").read_text()

AIRFLOW_SERVICES = {"airflow-apiserver", "airflow-scheduler", "airflow-dag-processor", "airflow-triggerer"}
ONE_SHOT = {"airflow-init", "sandbox-seed"}
NEW_WITH_CELERY = {"redis", "airflow-worker"}
DEFINED = {**BASE["services"], **{name: CELERY["services"][name] for name in NEW_WITH_CELERY}}
LONG_RUNNING = sorted(set(DEFINED) - ONE_SHOT)
NOT_SECRET = {"AIRFLOW_PORT", "AIRFLOW_BASE_URL", "SANDBOX_PORT"}

# `[celery]` and `[fab]` come from providers that the image has and this environment need not have.
PROVIDER_OPTIONS = {
    ("celery", "broker_url"),
    ("celery", "result_backend"),
    ("celery", "worker_concurrency"),
    ("celery_broker_transport_options", "visibility_timeout"),
}

_VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?:(:[-?])([^}]*))?\}")
_MAKE = re.compile(r"^# make: (.+)$")


def variables(document: Any) -> list[tuple[str, str, str]]:
    return _VARIABLE.findall(json.dumps(document))


def airflow_options() -> set[tuple[str, str]]:
    # Found, not imported: tests/airflow wants to be the first to import Airflow.
    package = importlib.util.find_spec("airflow")
    assert package is not None
    assert package.origin is not None
    template = Path(package.origin).parent / "config_templates" / "config.yml"
    sections = yaml.safe_load(template.read_text())
    return {(name, option) for name, section in sections.items() for option in section["options"]} | PROVIDER_OPTIONS


def example_values() -> dict[str, str]:
    lines = (line.partition("=") for line in EXAMPLE.splitlines() if line and not line.startswith("#"))
    return {name: value.strip("'") for name, _, value in lines}


def airflow_variables(document: dict[str, Any]) -> set[str]:
    services = document["services"].values()
    return {name for service in services for name in service.get("environment", {}) if name.startswith("AIRFLOW__")}


def test_every_service_is_there() -> None:
    assert set(BASE["services"]) == AIRFLOW_SERVICES | ONE_SHOT | {"postgres", "sandbox"}
    assert {name for name, each in BASE["services"].items() if each.get("profiles")} == {"sandbox", "sandbox-seed"}


def test_the_override_changes_all_of_airflow_and_adds_redis_and_workers() -> None:
    assert set(CELERY["services"]) == AIRFLOW_SERVICES | {"airflow-init"} | NEW_WITH_CELERY
    executors = {
        name: service["environment"]["AIRFLOW__CORE__EXECUTOR"]
        for name, service in CELERY["services"].items()
        if name != "redis"
    }
    assert set(executors.values()) == {"CeleryExecutor"}
    assert BASE["services"]["airflow-scheduler"]["environment"]["AIRFLOW__CORE__EXECUTOR"] == "LocalExecutor"


def test_a_worker_has_what_the_scheduler_has() -> None:
    scheduler, worker = BASE["services"]["airflow-scheduler"], CELERY["services"]["airflow-worker"]
    override = CELERY["services"]["airflow-scheduler"]["environment"]
    assert worker["environment"] == {**scheduler["environment"], **override, "DUMB_INIT_SETSID": "0"}
    for field in ("image", "build", "user", "volumes", "restart", "cap_drop", "security_opt"):
        assert worker[field] == scheduler[field], field


@pytest.mark.parametrize("name", sorted(DEFINED))
def test_an_image_is_pinned_or_built_here(name: str) -> None:
    service = DEFINED[name]
    repository, _, tag = service["image"].partition(":")
    assert re.match(r"\d+\.\d+", tag), service["image"]
    assert (repository == "vtex-erp") == (service.get("build") == ".")


@pytest.mark.parametrize("name", sorted(DEFINED))
def test_no_service_runs_as_root(name: str) -> None:
    assert DEFINED[name]["user"] in {"50000:0", "postgres", "redis"}
    assert DEFINED[name]["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in DEFINED[name]["security_opt"]


@pytest.mark.parametrize("name", sorted(DEFINED))
def test_long_running_services_start_again_and_one_shots_do_not(name: str) -> None:
    assert DEFINED[name]["restart"] == ("no" if name in ONE_SHOT else "unless-stopped")


@pytest.mark.parametrize("name", sorted(DEFINED))
def test_ports_are_bound_to_the_loopback(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in DEFINED[name].get("ports", []))
    assert bool(DEFINED[name].get("ports")) == (name in {"airflow-apiserver", "sandbox"})


@pytest.mark.parametrize("name", sorted(DEFINED))
def test_what_is_waited_for_can_come_true(name: str) -> None:
    for other, wanted in DEFINED[name].get("depends_on", {}).items():
        condition = "service_completed_successfully" if other in ONE_SHOT else "service_healthy"
        assert wanted == {"condition": condition}
        assert not DEFINED[other].get("profiles") or DEFINED[name].get("profiles")


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_long_running_services_have_a_health_check(name: str) -> None:
    check = DEFINED[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries", "start_period"} <= set(check)


HEALTH_COMMANDS = {
    "postgres": "pg_isready",
    "redis": "redis-cli",
    "airflow-apiserver": "curl",
    "airflow-scheduler": "curl",
    "sandbox": "curl",
    "airflow-dag-processor": "airflow",
    "airflow-triggerer": "airflow",
    "airflow-worker": "celery",
}


@pytest.mark.parametrize("name", LONG_RUNNING)
def test_a_health_check_uses_a_command_of_its_image(name: str) -> None:
    assert " ".join(DEFINED[name]["healthcheck"]["test"][1:]).split()[0] == HEALTH_COMMANDS[name]


def test_airflow_knows_the_commands_and_health_checks(tmp_path: Path) -> None:
    """`users create` and `celery worker` are commands of the providers fab and celery, which only the image has."""
    commands = [DEFINED[name]["command"].split() for name in sorted(AIRFLOW_SERVICES)]
    checks = [DEFINED[name]["healthcheck"]["test"] for name in ("airflow-dag-processor", "airflow-triggerer")]
    scripts = [DEFINED[name]["command"][-1] for name in sorted(ONE_SHOT)]
    airflow = [part.split()[1:] for script in scripts for part in script.split(" && ") if part.startswith("airflow ")]
    words = [*commands, *(check[2:] for check in checks), *(each for each in airflow if each[0] != "users")]
    assert ["db", "migrate"] in words
    assert ["dags", "unpause", "--yes", "vtex_orders"] in words
    program = f"from airflow.cli.cli_parser import get_parser\nfor each in {words!r}: get_parser().parse_args(each)"
    environment = {**os.environ, "AIRFLOW_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_the_sandbox_understands_its_command() -> None:
    program, flag, module, *words = BASE["services"]["sandbox"]["command"]
    assert (program, flag, module) == ("python", "-m", "sandbox.vtex")
    options = sandbox_parser().parse_args(words)
    assert (options.host, options.port, options.erp) == ("0.0.0.0", 8080, True)


@pytest.mark.parametrize("name", sorted(airflow_variables(BASE) | airflow_variables(CELERY)))
def test_airflow_has_the_option(name: str) -> None:
    section, _, option = name.removeprefix("AIRFLOW__").lower().partition("__")
    assert (section, option) in airflow_options()


def test_every_variable_is_in_the_example_and_the_other_way_round() -> None:
    used = {name for name, _, _ in [*variables(BASE), *variables(CELERY)]}
    assert used == set(example_values())


@pytest.mark.parametrize("document", [BASE, CELERY], ids=["base", "celery"])
def test_every_secret_is_required_and_nothing_else_has_no_default(document: dict[str, Any]) -> None:
    for name, operator, text in variables(document):
        assert operator == (":-" if name in NOT_SECRET else ":?"), name
        assert text, name


@pytest.mark.parametrize("name", ["docker-compose.yml", "docker-compose.celery.yml"])
def test_no_dollar_is_left_that_compose_would_take_for_a_variable(name: str) -> None:
    text = "\n".join(line for line in (ROOT / name).read_text().splitlines() if not line.strip().startswith("#"))
    assert not re.search(r"\$(?!\{|\$)", text.replace("$$", ""))


def test_the_example_holds_no_secret_and_says_how_to_make_each(tmp_path: Path) -> None:
    (tmp_path / ".env.example").write_text(EXAMPLE)
    command = next(line for line in EXAMPLE.splitlines() if "awk" in line).removeprefix("#").strip()
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True)
    made = dict(line.split("=", 1) for line in (tmp_path / ".env").read_text().splitlines() if "=" in line[:40])
    secrets = {name: made[name] for name, value in example_values().items() if not value}
    assert set(secrets) >= {name for name, _, _ in variables(BASE)} - NOT_SECRET - {"VTEX_CONNECTION", "ERP_CONNECTION"}
    assert len(set(secrets.values())) == len(secrets)
    assert all(len(value) >= 24 for value in secrets.values())
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    assert all(value.isalnum() for name, value in secrets.items() if not name.endswith("_KEY"))
    DocumentCipher([secrets["LEDGER_DOCUMENT_KEY"], secrets["AIRFLOW_FERNET_KEY"]])


def test_the_example_connects_the_sandbox() -> None:
    vtex = connection(example_values()["VTEX_CONNECTION"])
    erp = connection(example_values()["ERP_CONNECTION"])
    settings = VtexSettings.from_connection("vtex_default", vtex.host, vtex.login, vtex.password, vtex.extra)
    defaults = sandbox_parser().parse_args([])
    assert (settings.account, settings.app_key) == (defaults.account, defaults.app_key)
    assert (settings.app_token, settings.base_url) == (defaults.app_token, "http://sandbox:8080")
    assert RestErpSettings.from_connection(erp).base_url == "http://sandbox:8080/erp"
    assert (vtex.connection_type, erp.connection_type) == ("vtex", "http")


def test_the_ledger_has_a_database_and_a_role_of_its_own() -> None:
    written = BASE["services"]["airflow-scheduler"]["environment"]["AIRFLOW_CONN_ORDER_LEDGER"]
    ledger = json.loads(_VARIABLE.sub(r"value-of-\1", written))
    sql = (ROOT / "deploy" / "databases.sql").read_text()
    assert (ledger["conn_type"], ledger["host"]) == ("postgres", "postgres")
    assert ledger["extra"] == {"document_key": "value-of-LEDGER_DOCUMENT_KEY"}
    assert f"CREATE DATABASE {ledger['schema']} OWNER {ledger['login']};" in sql
    assert "CREATE DATABASE airflow OWNER airflow;" in sql
    for variable in re.findall(r"\\getenv \w+ (\w+)", sql):
        assert variable in BASE["services"]["postgres"]["environment"]


def connection(text: str) -> ConnectionFields:
    fields = json.loads(text)
    return ConnectionFields(
        "test",
        fields["conn_type"],
        host=fields.get("host"),
        login=fields.get("login"),
        password=fields.get("password"),
        extra=fields.get("extra", {}),
    )


@pytest.mark.parametrize("document", [BASE, CELERY], ids=["base", "celery"])
def test_volumes_are_declared_and_mounted_files_exist(document: dict[str, Any]) -> None:
    declared = set(BASE["volumes"]) | set(document["volumes"])
    for service in document["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert (ROOT / source).is_file() if source.startswith(".") else source in declared


def copied() -> list[str]:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    copies = [line.split()[1:-1] for line in lines if line.startswith("COPY ")]
    return [word for words in copies for word in words if not word.startswith("--")]


def test_what_the_image_copies_exists_and_is_let_through() -> None:
    let_through = {line[1:] for line in ignored() if line.startswith("!")}
    assert ignored()[0] == "*"
    assert set(copied()) == let_through == {"dags", "plugins", "sandbox", "pyproject.toml", "README.md", "LICENSE"}
    assert all((ROOT / name).exists() for name in copied())
    assert (ROOT / "plugins" / ".airflowignore").is_file()
    assert not [line for line in ignored()[1:] if line.startswith(("*.", "**/.", "plugins"))]


def ignored() -> list[str]:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_image_is_airflow_and_keeps_its_pins() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert text.startswith("FROM apache/airflow:3.3.2-python3.12\n")
    assert "USER" not in text
    freeze, install = text.index("pip freeze > /tmp/constraints.txt"), text.index("pip install")
    assert freeze < install
    (pin,) = re.findall(r"^jsonata-python==.*", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert re.findall(r"pip install .*", text) == [
        f"pip install --no-cache-dir --constraint /tmp/constraints.txt --editable /opt/airflow {pin}"
    ]


def test_seed_places_new_orders_each_time(sandbox: Any) -> None:
    command = [sys.executable, "-m", "sandbox.seed", sandbox.base_url, "--count", "3"]
    for expected in (3, 6):
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        assert "orders are waiting in the feed of" in done.stdout
        assert sandbox.summary(orders=False)["order_count"] == expected
        assert sandbox.feed_counters()["total"] == expected
