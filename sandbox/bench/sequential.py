"""A baseline: a script that pulls ten events and works on one order after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import requests

from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.schemas import VtexOrder

if TYPE_CHECKING:
    from sandbox.client import Sandbox


def consume(sandbox: Sandbox) -> int:
    """Bring in everything that the feed holds; the number of orders."""
    orders = 0
    with requests.Session() as session:
        session.trust_env = False
        session.headers.update(sandbox.vtex_headers)
        feed = f"{sandbox.base_url}/api/orders/feed"
        while events := session.get(feed, params={"maxlot": "10"}, timeout=30).json():
            for event in events:
                _bring_in(session, sandbox, event)
                orders += 1
    return orders


def _bring_in(session: requests.Session, sandbox: Sandbox, event: dict[str, Any]) -> None:
    order_id = quote(event["orderId"], safe="")
    order_url = f"{sandbox.base_url}/api/oms/pvt/orders/{order_id}"
    text = session.get(order_url, timeout=30).text
    sales_order = map_order(VtexOrder.from_json(text), account=sandbox.account)
    erp_url = f"{sandbox.erp_url}/sales-orders/{quote(sales_order.external_id, safe='')}"
    body = sales_order.to_json().encode()
    session.put(erp_url, data=body, headers={"Content-Type": "application/json"}, timeout=30).raise_for_status()
    handles = {"handles": [event["handle"]]}
    session.post(f"{sandbox.base_url}/api/orders/feed", json=handles, timeout=30).raise_for_status()
    session.post(f"{order_url}/start-handling", timeout=30).raise_for_status()
