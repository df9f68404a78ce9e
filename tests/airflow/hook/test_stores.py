"""Which stores there are, and which secrets prove a call."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from tests.airflow.hook.calls import HOOK, SECRET, notification, recorded

if TYPE_CHECKING:
    from tests.airflow.hook.calls import Caller
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.vtex.settings import VtexSettings


def write(vtex: Caller, text: str) -> None:
    """Change the stores file so that it can be seen, however coarse the file system's clock is."""
    vtex.stores.write_text(text)
    changed = vtex.stores.stat().st_mtime_ns + 1_000_000_000
    os.utime(vtex.stores, ns=(changed, changed))
    vtex.later()


def status(vtex: Caller, **call: Any) -> int:
    return vtex.post(**call).status_code


def test_without_a_stores_file_there_is_one_with_all_the_defaults(vtex: Caller) -> None:
    vtex.stores.unlink()
    assert [status(vtex), status(vtex, store="other")] == [200, 401]


def test_each_store_has_its_own_account_and_secret(vtex: Caller, ledger: Ledger) -> None:
    write(vtex, f"stores: {{main: {{hook: {HOOK}}}, chile: {{vtex: vtex_chile, hook: {HOOK}}}}}")
    vtex.connections.secrets["vtex_chile"] = "chile's"
    assert [status(vtex, store="chile"), status(vtex, secret="chile's")] == [401, 401]
    assert [status(vtex), status(vtex, store="chile", secret="chile's")] == [200, 200]
    vtex.client.__exit__(None, None, None)
    assert sorted(vtex.hints) == ["vtex_events__chile", "vtex_events__main"]


def test_a_store_without_a_hook_in_its_settings_is_recorded_and_wakes_nobody(vtex: Caller, ledger: Ledger) -> None:
    write(vtex, "stores: {main: {}}")
    assert status(vtex) == 200
    vtex.client.__exit__(None, None, None)
    assert (len(recorded(ledger)), vtex.hints) == (1, [])


def test_a_new_secret_works_at_once_and_the_old_one_for_seconds(vtex: Caller) -> None:
    assert status(vtex) == 200
    vtex.later(2)
    vtex.connections.secrets["vtex_default"] = f"the-new-one, {SECRET}"
    assert [status(vtex, secret="the-new-one"), status(vtex)] == [200, 200]
    vtex.connections.secrets["vtex_default"] = "the-new-one"
    assert status(vtex) == 200
    vtex.later()
    assert [status(vtex), status(vtex, secret="the-new-one")] == [401, 200]


def test_a_secret_that_does_not_fit_is_looked_up_once_a_second(vtex: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    lookups = []
    settings = vtex.connections.settings
    monkeypatch.setattr(vtex.hook.stores, "_settings_of", lambda name: lookups.append(name) or settings(name))
    for _ in range(20):
        status(vtex, secret="wrong")
        vtex.later(0.25)
    assert 3 < len(lookups) < 7


def test_a_store_that_is_added_to_the_file_is_served(vtex: Caller) -> None:
    vtex.connections.secrets["vtex_chile"] = SECRET
    assert status(vtex, store="chile") == 401
    write(vtex, "stores: {main: {}, chile: {vtex: vtex_chile}}")
    assert status(vtex, store="chile") == 200


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("{vtex: vtex_chile, schedul: never}", "stores.broken.schedul is not a setting; did you mean"),
        ("{vtex: vtex_nowhere}", "Connection 'vtex_nowhere' does not exist"),
        ("{vtex: vtex_odd}", "Connection 'vtex_odd', field hook_secret: put a long random text"),
        ("{vtex: vtex_failing}", "connection 'vtex_failing' cannot be read (AttributeError)"),
    ],
)
def test_a_broken_store_is_told_of_and_touches_no_other(
    vtex: Caller, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, broken: str, said: str
) -> None:
    vtex.connections.secrets |= {"vtex_chile": SECRET, "vtex_odd": "one two"}
    settings = vtex.connections.settings

    def settings_of(name: str) -> VtexSettings:
        if name == "vtex_failing":
            raise AttributeError("one two")
        return settings(name)

    monkeypatch.setattr(vtex.hook.stores, "_settings_of", settings_of)
    write(vtex, f"stores:\n  main: {{}}\n  broken: {broken}\n")
    for _ in range(3):
        assert [status(vtex, store="broken"), status(vtex, store="broken", secret=None)] == [503, 503]
        assert [status(vtex), status(vtex, store="nowhere")] == [200, 401]
        vtex.later()
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert line.startswith("VTEX's hook: store broken: ")
    assert said in line
    assert "one two" not in caplog.text
    write(vtex, "stores: {main: {}, broken: {vtex: vtex_chile}}")
    assert status(vtex, store="broken") == 200


def test_a_file_that_cannot_be_read_asks_to_try_again(vtex: Caller, caplog: pytest.LogCaptureFixture) -> None:
    write(vtex, "stores: [")
    assert [status(vtex), status(vtex, store="nowhere")] == [503, 503]
    assert "the stores file: Stores: " in caplog.text
    write(vtex, "stores: {}")
    assert status(vtex) == 200


def test_functions_and_rules_beside_the_dags_are_not_looked_for(vtex: Caller) -> None:
    """The api-server does not have the DAGs folder on its path."""
    write(vtex, "stores: {main: {rules: nowhere.yaml, actions: {canceled: 'only_for_dags:decide'}}}")
    assert status(vtex) == 200


def test_a_hook_without_a_secret_is_told_of(vtex: Caller, caplog: pytest.LogCaptureFixture) -> None:
    vtex.connections.secrets["vtex_default"] = " "
    assert [status(vtex, secret=secret) for secret in (SECRET, "", " ", None)] == [401] * 4
    assert "connection 'vtex_default' has no hook_secret in Extra, so every call of the hook is refused" in caplog.text


def test_the_account_is_the_connection_s(vtex: Caller, ledger: Ledger) -> None:
    vtex.connections.account = "another"
    assert status(vtex) == 403
    assert status(vtex, body=notification(Origin={"Account": "another"})) == 200
    assert [event.account for event in recorded(ledger)] == ["another"]
