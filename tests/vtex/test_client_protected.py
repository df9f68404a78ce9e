"""The client of an account with data protection: other paths, a reason, the other shape."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from tests.fake_http import Answer, FakeServer
from vtex_erp import errors
from vtex_erp.vtex.client import VtexClient, VtexSettings
from vtex_erp.vtex.schemas import OrderHead, VtexOrder

if TYPE_CHECKING:
    from sandbox.client import Sandbox

SETTINGS = VtexSettings("store", "KEY", "TOKEN", "https://store.example.com", reason="bring orders into the ERP")
DOCUMENT = "https://store.example.com/api/orders/pvt/document"
MOMENT = datetime(2024, 1, 1, tzinfo=timezone.utc)


def test_the_paths_of_data_protection() -> None:
    receipt = {"date": None, "orderId": "1/1", "receipt": None}
    page = {"list": [{"orderId": "1/1", "creationDate": "2024-09-24T16:24:47Z"}], "paging": {"total": 1, "pages": 1}}
    server = FakeServer(Answer(200, {"orderId": "1/1"}), Answer(204), Answer(200, receipt), Answer(200, page))
    client = VtexClient(SETTINGS, session=server.session)
    client.get_order("1/1")
    client.start_handling("1/1")
    client.cancel("1/1", reason="no stock")
    result = client.list_orders(created_from=MOMENT, created_to=MOMENT, page=2, statuses=["handling"])
    assert [(request.method, request.url) for request in server.requests] == [
        ("GET", f"{DOCUMENT}/1%2F1?reason=bring+orders+into+the+ERP"),
        ("POST", f"{DOCUMENT}/1%2F1/actions/start-handling"),
        ("POST", f"{DOCUMENT}/1%2F1/cancel"),
        ("POST", "https://store.example.com/api/orders/extendsearch/orders"),
    ]
    assert server.body(2) == {"reason": "no stock"}
    assert server.body(3) == {
        "f_creationDate": "creationDate:[2024-01-01T00:00:00.000Z TO 2024-01-01T00:00:00.000Z]",
        "orderBy": "creationDate,asc",
        "page": 2,
        "per_page": 100,
        "f_status": "handling",
    }
    assert result.rows[0].creation_date == datetime(2024, 9, 24, 16, 24, 47, tzinfo=timezone.utc)


def client_of(sandbox: Sandbox, *, reason: str | None = "fulfilment") -> VtexClient:
    settings = VtexSettings(sandbox.account, sandbox.app_key, sandbox.app_token, sandbox.base_url, reason=reason)
    return VtexClient(settings, sleep=lambda _seconds: None)


@pytest.fixture
def protected(sandbox: Sandbox) -> Sandbox:
    """The sandbox as an account with data protection."""
    sandbox.switches(data_protection=True, async_delay_s=0, index_lag_s=0)
    return sandbox


def test_from_the_feed_to_handling_and_cancellation(protected: Sandbox) -> None:
    protected.configure_feed(statuses=["ready-for-handling"])
    (order,) = protected.generate(1, kinds=["plain"])
    client = client_of(protected)
    (event,) = client.retrieve_feed_items()
    text = client.get_order(event.order_id)
    assert "*" not in str(VtexOrder.from_json(text).client_profile_data)
    assert protected.audit(family="get-order")[0]["reason"] == "fulfilment"
    client.start_handling(order.order_id)
    with pytest.raises(errors.WrongStatusError):
        client.start_handling(order.order_id)
    assert OrderHead.from_json(client.get_order(order.order_id)).status == "handling"
    assert client.cancel(order.order_id, reason="no stock").order_id == order.order_id
    now = datetime.fromisoformat(protected.now()[:19]).replace(tzinfo=timezone.utc)
    listed = client.list_orders(created_from=now - timedelta(days=700), created_to=now, per_page=1)
    assert [(row.order_id, row.status) for row in listed.rows] == [(order.order_id, "cancellation-requested")]
    with pytest.raises(errors.OrderNotFoundError):
        client.get_order("unknown-01")


def test_without_the_setting_such_an_account_turns_the_key_away(protected: Sandbox) -> None:
    (order,) = protected.generate(1, kinds=["plain"])
    with pytest.raises(errors.CredentialsError, match="PII data architecture"):
        client_of(protected, reason=None).get_order(order.order_id)


@pytest.mark.parametrize(
    ("call", "resource"),
    [("get_order", "View order"), ("start_handling", "Change order workflow status")],
)
def test_a_missing_permission_is_named(protected: Sandbox, call: str, resource: str) -> None:
    protected.key(protected.app_key, protected.app_token, resources=[])
    with pytest.raises(errors.CredentialsError, match=resource):
        getattr(client_of(protected), call)("1-01")


def test_the_reason_is_what_makes_the_difference() -> None:
    assert SETTINGS.data_protection
    assert not replace(SETTINGS, reason=None).data_protection
