"""The connection test says by name what Tryton lacks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.erp.tryton import TrytonRig
from vtex_erp.erp.tryton.client import TrytonErpClient
from vtex_erp.hooks.tryton import TrytonHook

if TYPE_CHECKING:
    from sandbox.tryton.proxy import Proxy
    from sandbox.tryton.server import Tryton

pytestmark = pytest.mark.xdist_group("tryton")


@pytest.fixture
def rig(tryton_on_sqlite: tuple[Tryton, Proxy]) -> TrytonRig:
    return TrytonRig(*tryton_on_sqlite)


def connect(monkeypatch: pytest.MonkeyPatch, rig: TrytonRig, **changes: Any) -> TrytonHook:
    extra = {"web_shops": rig.shop, **changes.pop("extra", {})}
    settings = rig.settings
    connection = {
        "conn_type": "tryton",
        "host": settings.base_url,
        "schema": settings.database,
        "password": settings.key,
        "extra": extra,
        **changes,
    }
    monkeypatch.setenv("AIRFLOW_CONN_ERP_DEFAULT", json.dumps(connection))
    return TrytonHook()


def test_all_is_there(monkeypatch: pytest.MonkeyPatch, rig: TrytonRig) -> None:
    hook = connect(monkeypatch, rig, extra={"payment_term": "Paid"})
    assert isinstance(hook.get_client(), TrytonErpClient)
    passed, message = hook.test_connection()
    assert passed, message
    assert rig.shop in message


def test_everything_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch, rig: TrytonRig) -> None:
    extra = {"web_shops": "Nowhere", "shipping_product": "FREIGHT", "tax_product": "VAT", "payment_term": "Never"}
    passed, message = connect(monkeypatch, rig, extra=extra).test_connection()
    assert not passed
    for name in ("'Nowhere'", "'FREIGHT'", "'VAT'", "'Never'"):
        assert name in message
    assert "CHARGES" not in message


def test_rights_that_the_user_lacks(monkeypatch: pytest.MonkeyPatch, rig: TrytonRig) -> None:
    user, key = rig.tryton.add_user(f"{rig.shop} nobody")
    assert user
    passed, message = connect(monkeypatch, rig, password=key).test_connection()
    assert not passed
    assert "may not read and write and create and delete sale.sale: put him into the group Sales" in message


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"password": "wrong"}, "the application key is wrong"),
        ({"schema": "nothing"}, "it has no database 'nothing'"),
        ({"host": "http://127.0.0.1:1"}, "could not be reached"),
        ({"schema": None}, "field Schema"),
    ],
)
def test_a_connection_that_does_not_work(
    monkeypatch: pytest.MonkeyPatch, rig: TrytonRig, changes: dict[str, Any], said: str
) -> None:
    passed, message = connect(monkeypatch, rig, **changes).test_connection()
    assert not passed
    assert said in message
