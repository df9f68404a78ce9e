"""Calls to the simulated VTEX as any HTTP client makes them, without the package's own client."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

if TYPE_CHECKING:
    from sandbox.client import Sandbox

READY = "ready-for-handling"
CONFIG = "/api/orders/feed/config"
FEED = "/api/orders/feed"
ORDERS = "/api/oms/pvt/orders"


def call(sandbox: Sandbox, method: str, path: str, **settings: Any) -> requests.Response:
    """Call VTEX with the sandbox's key."""
    headers = settings.pop("headers", sandbox.vtex_headers)
    return requests.request(method, sandbox.base_url + path, headers=headers, timeout=10, **settings)


def order_path(order_id: str, action: str = "") -> str:
    return f"{ORDERS}/{quote(order_id, safe='')}{action}"


def read(sandbox: Sandbox, maxlot: int = 10) -> list[dict[str, Any]]:
    response = call(sandbox, "GET", FEED, params={"maxlot": maxlot})
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()
    return items


def commit(sandbox: Sandbox, *handles: Any) -> requests.Response:
    return call(sandbox, "POST", FEED, json={"handles": list(handles)})


def get_order(sandbox: Sandbox, order_id: str) -> dict[str, Any]:
    response = call(sandbox, "GET", order_path(order_id))
    assert response.status_code == 200, response.text
    document: dict[str, Any] = response.json()
    return document


def start_handling(sandbox: Sandbox, order_id: str) -> requests.Response:
    return call(sandbox, "POST", order_path(order_id, "/start-handling"))


def one_order(sandbox: Sandbox, **settings: Any) -> str:
    """Place one plain order and give its id."""
    return sandbox.generate(1, kinds=["plain"], **settings)[0].order_id


def effects(sandbox: Sandbox, order_id: str) -> tuple[str, int, int]:
    """The order's status, and how often start handling and cancel took effect."""
    entry = sandbox.summary()["orders"][order_id]
    return entry["status"], entry["start_handling_effects"], entry["cancel_effects"]
