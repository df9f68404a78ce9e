from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from vtex_erp import errors
from vtex_erp.erp.rest import RestErpClient
from vtex_erp.hooks.erp import ErpHook
from vtex_erp.hooks.ledger import LedgerHook
from vtex_erp.hooks.vtex import VtexHook
from vtex_erp.vtex.client import VtexSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.client import Sandbox

FEED, LIST, VIEW = "Feed v3 and Hook Admin", "List Orders", "View order"


@pytest.fixture
def connect(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def connect(connection_id: str, **fields: Any) -> None:
        monkeypatch.setenv(f"AIRFLOW_CONN_{connection_id.upper()}", json.dumps(fields))

    return connect


@pytest.fixture
def vtex(connect: Callable[..., None], sandbox: Sandbox) -> Sandbox:
    """The sandbox as the connection vtex_default."""
    connect(
        "vtex_default",
        conn_type="vtex",
        host=sandbox.base_url,
        login=sandbox.app_key,
        password=sandbox.app_token,
        extra={"account": sandbox.account},
    )
    return sandbox


@pytest.fixture
def masked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    secrets: list[str] = []
    monkeypatch.setattr("vtex_erp.hooks.fields.mask_secret", secrets.append)
    return secrets


# VtexHook


def test_the_client_has_the_settings_of_the_connection(connect: Callable[..., None], masked: list[str]) -> None:
    connect(
        "vtex_shop",
        conn_type="vtex",
        login="vtexappkey-shop-ABC",
        password="TOKEN",
        extra={"account": "shop", "concurrency": 3, "hook_secret": "NEW,OLD"},
    )
    client = VtexHook("vtex_shop").get_client()
    assert client.settings == VtexSettings(
        account="shop",
        app_key="vtexappkey-shop-ABC",
        app_token="TOKEN",
        base_url="https://shop.vtexcommercestable.com.br",
        connection_id="vtex_shop",
        concurrency=3,
        hook_secrets=("NEW", "OLD"),
    )
    assert set(masked) == {"vtexappkey-shop-ABC", "TOKEN", "NEW", "OLD"}


def test_the_client_works(vtex: Sandbox) -> None:
    (order,) = vtex.generate(1, kinds=["plain"])
    assert order.order_id in VtexHook().get_client().get_order(order.order_id)


def test_a_connection_as_a_uri(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_VTEX_DEFAULT", "vtex://KEY:TOKEN@/?account=shop&timeout_seconds=5")
    settings = VtexHook().settings
    assert (settings.account, settings.app_key, settings.timeout_seconds) == ("shop", "KEY", 5)


def test_a_missing_connection_is_named() -> None:
    with pytest.raises(errors.ConfigurationError, match="'vtex_nowhere' does not exist"):
        VtexHook("vtex_nowhere").get_client()
    assert VtexHook("vtex_nowhere").test_connection()[0] is False


@pytest.mark.parametrize("extra", ["[1, 2]", '"account"', "7"])
def test_an_extra_that_is_no_object_is_named(monkeypatch: pytest.MonkeyPatch, extra: str) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_VTEX_DEFAULT", json.dumps({"conn_type": "vtex", "extra": extra}))
    with pytest.raises(errors.ConfigurationError, match="'vtex_default', field Extra: put a JSON object"):
        _ = VtexHook().settings


def test_run_sends_the_keys_and_raises_our_errors(vtex: Sandbox, caplog: pytest.LogCaptureFixture) -> None:
    (order,) = vtex.generate(1, kinds=["plain"])
    path = f"/api/oms/pvt/orders/{order.order_id}"
    assert VtexHook(method="GET").run(path).json()["orderId"] == order.order_id
    vtex.add_fault("get-order", body='{"email": "maria@example.com"}', status=400)
    with pytest.raises(errors.ConfigurationError, match=f"GET {path}") as caught:
        VtexHook(method="GET").run(path)
    assert "maria" not in f"{caught.value}{caplog.text}"


def test_test_connection_with_every_permission(vtex: Sandbox) -> None:
    passed, message = VtexHook().test_connection()
    assert passed is True
    assert vtex.account in message
    assert "'Change order workflow status'" in message


def test_test_connection_changes_nothing(vtex: Sandbox) -> None:
    vtex.configure_feed(statuses=["ready-for-handling"])
    vtex.generate(3, kinds=["plain"])
    vtex.clear_audit()
    VtexHook().test_connection()
    assert {call["method"] for call in vtex.audit()} == {"GET"}
    assert {call["family"] for call in vtex.audit()} == {"feed-config", "list-orders", "get-order"}
    assert vtex.feed_counters()["visible"] == 3


@pytest.mark.parametrize("sign", ["403", "html"])
@pytest.mark.parametrize(
    ("given", "missing"),
    [
        ([], {FEED, LIST, VIEW}),
        (["Feed v3 and Hook view only"], {LIST, VIEW}),
        (["Feed v3 and Hook Admin", "List Orders"], {VIEW}),
        (["View order", "List Orders"], {FEED}),
    ],
)
def test_test_connection_says_which_permission_is_missing(
    vtex: Sandbox, sign: str, given: list[str], missing: set[str]
) -> None:
    vtex.switches(missing_permission=sign)
    vtex.key(vtex.app_key, vtex.app_token, resources=given)
    passed, message = VtexHook().test_connection()
    assert passed is False
    assert {name for name in (FEED, LIST, VIEW) if name in message} == missing


@pytest.fixture
def protected(connect: Callable[..., None], sandbox: Sandbox) -> Sandbox:
    """The sandbox as an account with data protection, and its connection."""
    sandbox.switches(data_protection=True)
    connect(
        "vtex_default",
        conn_type="vtex",
        host=sandbox.base_url,
        login=sandbox.app_key,
        password=sandbox.app_token,
        extra={"account": sandbox.account, "data_protection": True, "reason": "fulfilment"},
    )
    return sandbox


@pytest.mark.parametrize(
    ("given", "missing"),
    [(None, set()), ([], {FEED, LIST, VIEW}), (["Feed v3 and Hook Admin", "List Orders"], {VIEW})],
)
def test_test_connection_with_data_protection(protected: Sandbox, given: list[str] | None, missing: set[str]) -> None:
    protected.key(protected.app_key, protected.app_token, resources=given)
    passed, message = VtexHook().test_connection()
    assert passed is (not missing)
    assert {name for name in (FEED, LIST, VIEW) if name in message} == missing
    assert {call["path"].split("/")[2] for call in protected.audit()} == {"orders"}
    assert {call["effect"] for call in protected.audit()} == {False}


def test_test_connection_with_a_wrong_token(vtex: Sandbox) -> None:
    vtex.key(vtex.app_key, "another-token")
    passed, message = VtexHook().test_connection()
    assert passed is False
    assert "Check App key and App token" in message
    assert "permission" not in message


def test_test_connection_tells_of_a_rate_limit_without_waiting(vtex: Sandbox) -> None:
    vtex.switches(rate_limit_per_minute=1)
    passed, message = VtexHook().test_connection()
    assert passed is False
    assert "429" in message


def test_test_connection_of_a_host_that_is_not_there(connect: Callable[..., None]) -> None:
    keys = {"login": "KEY", "password": "TOKEN", "extra": {"account": "shop"}}
    connect("vtex_default", conn_type="vtex", host="http://127.0.0.1:1", **keys)
    passed, message = VtexHook().test_connection()
    assert passed is False
    assert "http://127.0.0.1:1 could not be reached" in message


# ErpHook


@pytest.fixture
def erp(connect: Callable[..., None], sandbox: Sandbox) -> Sandbox:
    """The sandbox's ERP as the connection erp_default."""
    sandbox.switches(erp_token="an-erp-token")
    connect("erp_default", conn_type="http", host=sandbox.erp_url, password="an-erp-token")
    return sandbox


def test_the_type_of_the_connection_picks_the_erp_client(erp: Sandbox, masked: list[str]) -> None:
    assert isinstance(ErpHook().get_client(), RestErpClient)
    assert masked == ["an-erp-token"]


def test_an_unknown_type_is_named(connect: Callable[..., None]) -> None:
    connect("erp_default", conn_type="sap", host="https://erp.example.com")
    with pytest.raises(errors.ConfigurationError, match=r"erp_default.*'sap' has no ERP client.*http"):
        ErpHook().get_client()


def test_test_connection_of_the_erp(erp: Sandbox) -> None:
    assert ErpHook().test_connection()[0] is True
    assert {call["method"] for call in erp.audit()} == {"GET"}


def test_test_connection_of_an_erp_that_is_not_right(erp: Sandbox) -> None:
    erp.add_fault("erp-get", status=500, times=1)
    assert ErpHook().test_connection() == (False, "The ERP (connection 'erp_default') answered 500")
    erp.add_fault("erp-get", status=200, body='{"id": "1"}', times=1)
    passed, message = ErpHook().test_connection()
    assert (passed, "claims to hold" in message) == (False, True)
    erp.switches(erp_token="another")
    passed, message = ErpHook().test_connection()
    assert (passed, "does not accept the credentials" in message) == (False, True)


# LedgerHook


def test_the_ledger_in_a_file_is_not_taken_for_one_that_is_away(
    connect: Callable[..., None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Airflow says of a secrets backend that is away that the connection does not exist."""
    monkeypatch.setenv("AIRFLOW_HOME", str(tmp_path))
    connect("order_ledger", conn_type="sqlite", host=str(tmp_path / "elsewhere.db"))
    LedgerHook().get_ledger().close()
    monkeypatch.delenv("AIRFLOW_CONN_ORDER_LEDGER")
    with pytest.raises(errors.RetryableError, match=r"cannot be found now.*order_ledger\.elsewhere"):
        LedgerHook().get_ledger()
    assert not (tmp_path / "order_ledger.db").exists()
    (tmp_path / "order_ledger.elsewhere").unlink()
    LedgerHook().get_ledger().close()
    assert (tmp_path / "order_ledger.db").exists()
