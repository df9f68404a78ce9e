from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.vtex.test_filters import MISSPELT
from vtex_erp.errors import ConfigurationError
from vtex_erp.stores.load import load_stores
from vtex_erp.stores.model import Store

if TYPE_CHECKING:
    from pathlib import Path

    from vtex_erp.stores.load import Served


def load(folder: Path, text: str) -> tuple[Served, ...]:
    (folder / "rules.yaml").write_text("")
    file = folder / "stores.yaml"
    file.write_text(text)
    return load_stores(file)


def mistake(folder: Path, text: str) -> str:
    (only,) = load(folder, text)
    assert only.store is None
    assert only.mistake is not None
    assert only.mistake.cause in ("stores", "rules")
    return only.mistake.message


@pytest.mark.parametrize("text", ["", "# nothing\n", "stores:\n", "stores:\n  main:\n", "stores: {main: {}}"])
def test_an_empty_file_is_one_store_with_all_the_defaults(tmp_path: Path, text: str) -> None:
    (only,) = load(tmp_path, text)
    assert only.store == Store(rules=str(tmp_path / "rules.yaml"))
    assert only.dag_id("vtex_orders") == "vtex_orders"


def test_where_no_dag_is_parsed_rules_and_functions_are_not_looked_for(tmp_path: Path) -> None:
    file = tmp_path / "stores.yaml"
    file.write_text("stores: {main: {actions: {canceled: 'nowhere_at_all:f'}}, other: {vtex: other, schedul: x}}")
    main, other = load_stores(file, for_dags=False)
    assert main.store is not None
    assert main.store.actions == {"canceled": "nowhere_at_all:f"}
    assert other.mistake is not None
    assert "stores.other.schedul is not a setting" in other.mistake.message


def test_several_stores_have_dags_of_their_own(tmp_path: Path) -> None:
    text = "stores:\n  brazil:\n  chile: {vtex: vtex_chile, erp: tryton, schedule: '*/5 * * * *', rules: ''}\n"
    brazil, chile = load(tmp_path, text)
    assert (brazil.dag_id("vtex_orders"), chile.dag_id("vtex_orders")) == ("vtex_orders__brazil", "vtex_orders__chile")
    assert chile.store == Store(name="chile", vtex="vtex_chile", erp="tryton", schedule="*/5 * * * *", rules=None)


@pytest.mark.parametrize(
    ("block", "said"),
    [
        ("{vtx: x}", "stores.yaml, line 2: stores.main.vtx is not a setting; did you mean 'vtex'?"),
        ("{schedule: often}", "stores.main.schedule: 'often' is no cron expression"),
        ("{time_zone: Brazil}", "'Brazil' is no time zone"),
        ("{budget: {account: none}}", "stores.main.budget.account"),
        ("{budget: {acount: 5}}", "stores.main.budget.acount is not a setting; did you mean 'account'?"),
        ("{actions: {canceled: erase}}", "canceled: 'erase' is no action; choose one of: bring-in"),
        ("{actions: {redy-for-handling: note}}", "'redy-for-handling' is no status of VTEX's orders; put 'ready-for-"),
        ("{actions: {canceled: 'nowhere_at_all:f'}}", "'nowhere_at_all:f' cannot be used (ModuleNotFoundError"),
        ("{actions: {cancelation-request: hold}}", "put 'cancellation-requested'"),
        ("{feed: {filter: {status: [order-completed]}}}", "stores.main.feed.filter.status.0: 'order-completed' is no"),
        ("{feed: false}", "stores.main: the store has neither a feed nor a hook, so nothing would tell of its orders"),
        ("{feed: {retention_seconds: 5}}", "stores.main.feed.retention_seconds: Input should be greater than or equal"),
        ("{feed: {filter: {status: [handling], expression: x}}}", "VTEX answers 409 to a mixture; keep one kind"),
        ("{feed: {visibility_timeout_seconds: 50000}}", "stores.main.feed.visibility_timeout_seconds: Input should be"),
        ("{guard: {recreate: perhaps}}", "stores.main.guard.recreate: Input should be a valid boolean"),
        ("{guard: {recreat: true}}", "stores.main.guard.recreat is not a setting; did you mean 'recreate'?"),
        ("{hook: {url: 'http://example.com/x'}}", "stores.main.hook.url: VTEX calls https only"),
        ("{rules: none.yaml}", "none.yaml cannot be read (FileNotFoundError)"),
        ("{name: other}", "the store's name is its key, 'main'"),
        ("[vtex]", "stores.main: must be a table of settings"),
    ],
)
def test_a_mistake_names_file_line_and_key(tmp_path: Path, block: str, said: str) -> None:
    assert said in mistake(tmp_path, f"stores:\n  main: {block}")


@pytest.mark.parametrize(("word", "right"), MISSPELT.items())
def test_a_word_of_vtex_s_own_documents_is_refused_with_the_right_one(tmp_path: Path, word: str, right: str) -> None:
    """In a feed and a hook, by name, file and line."""
    filter_lines = f"filter:\n        status:\n          - invoiced\n          - {json.dumps(word)}\n"
    text = f"stores:\n  main:\n    feed:\n      {filter_lines}"
    text += f"    hook:\n      url: https://me.example/vtex/hook/main\n      {filter_lines}"
    feed, hook = mistake(tmp_path, text).splitlines()
    advice = f"'{word}' is no status of VTEX's filters: VTEX would take it and never match it; put '{right}'"
    assert feed == f"Stores: {tmp_path}/stores.yaml, line 7: stores.main.feed.filter.status.1: {advice}"
    assert hook == f"{tmp_path}/stores.yaml, line 13: stores.main.hook.filter.status.1: {advice}"


@pytest.mark.parametrize("text", ["store: {}", "stores: [a]", "stores: {", "- a"])
def test_a_file_that_cannot_be_read_is_refused_as_a_whole(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"stores\.yaml"):
        load(tmp_path, text)


def test_a_name_that_is_no_dag_id(tmp_path: Path) -> None:
    assert "stores.a b" in mistake(tmp_path, "stores: {a b: {}}")


def test_a_broken_store_leaves_the_others_alone(tmp_path: Path) -> None:
    good, broken, twin = load(tmp_path, "stores: {a: {}, b: {erp: [x]}, c: {}}")
    assert good.store
    assert broken.store is None
    assert twin.mistake
    assert "'vtex_default', which a reads too" in twin.mistake.message
