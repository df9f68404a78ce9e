"""The bodies that VTEX sends to a hook."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vtex_erp.stores.actions import Actions, Concern
from vtex_erp.vtex.notifications import HookNotification, NotANotificationError

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "vtex" / "examples"
ORIGIN = {"Account": "mystore", "Key": "vtexappkey-mystore-ABCDEF"}
OPENAPI = {
    "Domain": "Fulfillment",
    "OrderId": "1-01",
    "State": "ready-for-handling",
    "LastState": "window-to-cancel",
    "LastChange": "2019-08-14T17:11:39.2550122Z",
    "CurrentChange": "2019-08-14T17:12:48.0965893Z",
    "Origin": ORIGIN,
}
GUIDE = {name: value for name, value in OPENAPI.items() if name not in ("LastState", "CurrentChange")}
FROM_ORDERS = {
    **OPENAPI,
    "Domain": "OrdersDocumentUpdated",
    "State": "unknow",
    "LastState": None,
    "LastChange": "2022-12-15T20:32:06.6120711",
    "CurrentChange": "0001-01-01T00:00:00",
}


def cased(document: dict[str, Any]) -> dict[str, Any]:
    return {name[0].lower() + name[1:]: value for name, value in document.items()}


@pytest.mark.parametrize(
    ("document", "state", "change"),
    [
        (OPENAPI, "ready-for-handling", "2019-08-14T17:12:48.096589Z"),
        (cased(OPENAPI), "ready-for-handling", "2019-08-14T17:12:48.096589Z"),
        (GUIDE, "ready-for-handling", "2019-08-14T17:11:39.255012Z"),
        (FROM_ORDERS, "unknow", "2022-12-15T20:32:06.612071Z"),
        ({"OrderId": "1-01"}, "", ""),
        ({"OrderId": "1-01", "State": None, "LastChange": 7, "Origin": "?", "New": {}}, "", ""),
    ],
)
def test_the_documented_forms(document: dict[str, Any], state: str, change: str):
    event = HookNotification.from_document(document).event
    assert event is not None
    assert (event.order_id, event.state, event.change_key) == ("1-01", state, change)
    assert Actions().about(event.state, event.domain) is Concern.ANY_ORDER


def test_the_origin_is_told():
    told = HookNotification.from_document({**GUIDE, "origin": {"account": "mystore", "KEY": "k", "More": 1}})
    assert (told.account, told.key) == ("mystore", "k")
    assert HookNotification.from_document({"OrderId": "1-01"}).account == ""


@pytest.mark.parametrize("body", ['{"hookConfig": "ping"}', b'{"HookConfig":"ping"}'])
def test_the_ping_has_no_event(body: str | bytes):
    assert HookNotification.from_json(body).event is None


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="VTEX's examples are not part of the repository")
@pytest.mark.parametrize("name", ["guide", "openapi", "fromorders"])
def test_vtex_s_own_samples(name: str):
    notification = HookNotification.from_json((EXAMPLES / f"hook-notification-{name}.json").read_bytes())
    assert notification.event
    assert notification.event.change_key
    assert notification.account
    assert notification.key


@pytest.mark.parametrize(
    ("body", "trouble"),
    [
        ("", "not JSON"),
        ("Quirina", "not JSON"),
        (b"\xff\xfe{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"a": NaN}', "not JSON"),
        ('["Quirina"]', "no JSON object"),
        ("null", "no JSON object"),
        ("{}", "orderId"),
        ('{"hookConfig": "Quirina"}', "orderId"),
        ('{"OrderId": "", "State": "handling"}', "orderId"),
        ('{"OrderId": {"name": "Quirina"}}', "orderId"),
        ('{"OrderId": "1-01", "State": ["Quirina"]}', "state"),
    ],
)
def test_anything_else_is_refused_without_its_values(body: str | bytes, trouble: str):
    with pytest.raises(NotANotificationError, match=trouble) as caught:
        HookNotification.from_json(body)
    assert "Quirina" not in str(caught.value)
