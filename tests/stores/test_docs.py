from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from vtex_erp.stores.actions import Action, Actions
from vtex_erp.stores.load import load_stores
from vtex_erp.stores.notices import NoticeKind

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/stores.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    [text] = re.findall(rf"```{language}\n(.*?)```", GUIDE, re.DOTALL)
    return str(text)


def test_the_example_is_a_stores_file(tmp_path: Path) -> None:
    (tmp_path / "brazil-rules.yaml").write_text("")
    (tmp_path / "rules.yaml").write_text("")
    (tmp_path / "stores.yaml").write_text(block("yaml"))
    served = load_stores(tmp_path / "stores.yaml")
    assert {each.name: each.mistake for each in served} == {"brazil": None, "chile": None}


def test_the_commented_example_beside_the_dags_is_one_too(tmp_path: Path) -> None:
    text = (ROOT / "dags/stores.yaml").read_text(encoding="utf-8")
    example = "\n".join(re.findall(r"^# ?(stores:$|  .*)", text, re.MULTILINE))
    (tmp_path / "rules.yaml").write_text("")
    (tmp_path / "stores.yaml").write_text(example)
    [only] = load_stores(tmp_path / "stores.yaml")
    assert only.mistake is None


@pytest.mark.parametrize("row", re.findall(r"^\| `([a-z-]+)` \| .* \| (`.*`) \|$", GUIDE, re.MULTILINE))
def test_the_table_of_actions_is_true(row: tuple[str, str]) -> None:
    for status in re.findall(r"`([a-z-]+)`", row[1]):
        assert Actions().of_status(status) is Action(row[0])


def test_every_kind_of_notice_is_explained() -> None:
    named = {*re.findall(r"`([a-z-]+)`", GUIDE)}
    assert {kind.value for kind in NoticeKind if not kind.value.startswith("feed-")} <= named


def test_the_function_decides() -> None:
    names: dict[str, Any] = {"__name__": "my_actions"}
    exec(compile(block("python"), "stores.md", "exec"), names)

    class Order:
        value = 2_000_000

    assert Action(names["decide"](Order, None)) is Action.HOLD
    assert Action(names["decide"](Order, "SO1")) is Action.BRING_IN
