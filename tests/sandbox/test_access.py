from __future__ import annotations

from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import pytest

from tests.sandbox.calls import CONFIG, FEED, ORDERS, call, one_order, order_path

if TYPE_CHECKING:
    from sandbox.client import Sandbox


@pytest.mark.parametrize("headers", [{}, {"X-VTEX-API-AppKey": "nobody", "X-VTEX-API-AppToken": "nothing"}])
def test_no_valid_key_is_401_with_the_documented_envelope(sandbox: Sandbox, headers: dict[str, str]):
    refused = call(sandbox, "GET", FEED, headers=headers)
    assert refused.status_code == 401
    assert refused.json() == {"error": {"code": "1", "message": "Unauthorized access", "exception": None}}


def test_two_tokens_are_valid_during_a_rotation(sandbox: Sandbox):
    sandbox.key("rotating", "old", "new")
    for token, status in (("old", 404), ("new", 404), ("older", 401)):
        headers = {"X-VTEX-API-AppKey": "rotating", "X-VTEX-API-AppToken": token}
        assert call(sandbox, "GET", FEED, headers=headers).status_code == status
    sandbox.key("rotating", "new")
    headers = {"X-VTEX-API-AppKey": "rotating", "X-VTEX-API-AppToken": "old"}
    assert call(sandbox, "GET", FEED, headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        ("GET", FEED, "Feed v3 and Hook view only"),
        ("GET", CONFIG, "Feed v3 and Hook Admin"),
        ("GET", order_path("x"), "View order"),
        ("GET", ORDERS, "List Orders"),
        ("POST", order_path("x", "/start-handling"), "Change order workflow status"),
        ("POST", order_path("x", "/cancel"), "Cancel order"),
        ("POST", order_path("x", "/invoice"), "Notify invoice"),
    ],
)
def test_each_call_needs_its_resource(sandbox: Sandbox, method: str, path: str, resource: str):
    headers = {"X-VTEX-API-AppKey": "limited", "X-VTEX-API-AppToken": "token"}
    sandbox.key("limited", "token", resources=[])
    assert call(sandbox, method, path, headers=headers).status_code == 403
    sandbox.key("limited", "token", resources=[resource])
    assert call(sandbox, method, path, headers=headers).status_code in (200, 404)


def test_a_missing_permission_may_end_at_the_login_page(sandbox: Sandbox):
    sandbox.switches(missing_permission="html")
    sandbox.key(sandbox.app_key, sandbox.app_token, resources=[])
    answer = call(sandbox, "GET", FEED)
    assert answer.history[0].status_code == 302
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_all_keys_share_the_limit_of_the_minute(sandbox: Sandbox):
    sandbox.switches(rate_limit_per_minute=3)
    sandbox.set_clock("2026-01-01T00:00:10Z")
    sandbox.key("another", "token")
    theirs = {"X-VTEX-API-AppKey": "another", "X-VTEX-API-AppToken": "token"}
    order_id = one_order(sandbox)
    statuses = [call(sandbox, "GET", order_path(order_id)).status_code for _ in range(3)]
    limited = call(sandbox, "GET", order_path(order_id), headers=theirs)
    assert [*statuses, limited.status_code] == [200, 200, 200, 429]
    assert 45 <= int(limited.headers["Retry-After"]) <= 50
    assert sandbox.summary()["limit"] == {"requests": 4, "limited": 1, "in_window": 4, "busiest_window": 4}
    sandbox.advance(60)
    assert call(sandbox, "GET", order_path(order_id)).status_code == 200


def test_retry_after_may_be_a_date_or_missing(sandbox: Sandbox):
    sandbox.switches(rate_limit_per_minute=1, retry_after="date")
    sandbox.set_clock("2026-01-01T00:00:10Z")
    call(sandbox, "GET", FEED)
    until = parsedate_to_datetime(call(sandbox, "GET", FEED).headers["Retry-After"])
    assert until.isoformat() == "2026-01-01T00:01:00+00:00"
    sandbox.switches(retry_after="off")
    assert "Retry-After" not in call(sandbox, "GET", FEED).headers
