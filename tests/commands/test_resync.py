"""Which DAG brings single orders in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from vtex_erp.__main__ import main

if TYPE_CHECKING:
    from pathlib import Path

AIRFLOW = """
import json, pathlib, sys
pathlib.Path("triggered.json").write_text(json.dumps(sys.argv[1:]))
sys.exit(3)
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The DAGs folder, and an `airflow` that keeps what it is told to do and ends with status 3."""
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow" / "__init__.py").touch()
    (tmp_path / "airflow" / "__main__.py").write_text(AIRFLOW)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(tmp_path))
    return tmp_path


def triggered(folder: Path) -> tuple[str, dict[str, Any]]:
    command = json.loads((folder / "triggered.json").read_text())
    assert command[:2] + command[3:4] == ["dags", "trigger", "--conf"]
    return command[2], json.loads(command[4])


@pytest.mark.parametrize("stores", [None, "", "stores: {brazil: {}}"])
def test_a_single_store_needs_no_name(folder: Path, stores: str | None) -> None:
    if stores is not None:
        (folder / "stores.yaml").write_text(stores)
    assert main(["resync", "1-01", "2-01", "--resubmit"]) == 3
    assert triggered(folder) == ("vtex_orders_by_date", {"order_ids": ["1-01", "2-01"], "resubmit": True})


SEVERAL = "stores: {brazil: {vtex: vtex_brazil, rules: no.yaml}, chile: {vtex: vtex_chile}, odd: {odd: 1}}"


def test_one_of_several_stores_is_named(folder: Path) -> None:
    (folder / "stores.yaml").write_text(SEVERAL)
    main(["resync", "--store", "chile", "1-01"])
    assert triggered(folder) == ("vtex_orders_by_date__chile", {"order_ids": ["1-01"], "resubmit": False})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "name one with --store: brazil, chile, odd"),
        (["--store", "peru"], "there is no store 'peru': name one with --store: brazil, chile, odd"),
        (["--store", "odd"], "stores.odd.odd is not a setting"),
    ],
)
def test_without_the_name_of_a_store_nothing_is_triggered(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    (folder / "stores.yaml").write_text(SEVERAL)
    assert main(["resync", *arguments, "1-01"]) == 1
    assert said in capsys.readouterr().err
    assert not (folder / "triggered.json").exists()
