"""A baseline: the DAG one would write by hand, with one mapped task group an order. Only the bench runs it."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import quote

import requests
from airflow.sdk import dag, task, task_group

VTEX, ERP = os.environ.get("BENCH_VTEX", ""), os.environ.get("BENCH_ERP", "")
ACCOUNT = os.environ.get("BENCH_ACCOUNT", "")
HEADERS = {
    "X-VTEX-API-AppKey": os.environ.get("BENCH_APP_KEY", ""),
    "X-VTEX-API-AppToken": os.environ.get("BENCH_APP_TOKEN", ""),
}


def call(method: str, url: str, **settings: Any) -> Any:
    """Call, raise for errors, and give the JSON."""
    answer = requests.request(method, url, headers=HEADERS, timeout=30, **settings)
    answer.raise_for_status()
    return answer.json() if answer.content else None


@task
def pull() -> list[dict[str, str]]:
    """Read the feed until it is empty."""
    events: dict[str, dict[str, str]] = {}
    while items := call("GET", f"{VTEX}/api/orders/feed", params={"maxlot": 10}):
        events.update({item["orderId"]: {"id": item["orderId"], "handle": item["handle"]} for item in items})
    return list(events.values())


@task_group
def one_order(event: dict[str, str]) -> None:
    """Bring one order in."""

    @task
    def fetch(event: dict[str, str]) -> Any:
        return call("GET", f"{VTEX}/api/oms/pvt/orders/{quote(event['id'], safe='')}")

    @task
    def map_order(order: Any) -> Any:
        total = f"{order['value'] / 100:.2f}"
        return {"external_id": f"{ACCOUNT}:{order['orderId']}", "totals": {"total": total}, "lines": []}

    @task
    def submit(sales_order: Any) -> Any:
        return call("PUT", f"{ERP}/sales-orders/{quote(sales_order['external_id'], safe='')}", json=sales_order)

    @task
    def commit(event: dict[str, str]) -> None:
        call("POST", f"{VTEX}/api/orders/feed", json={"handles": [event["handle"]]})

    @task
    def start(event: dict[str, str]) -> None:
        call("POST", f"{VTEX}/api/oms/pvt/orders/{quote(event['id'], safe='')}/start-handling")

    submit(map_order(fetch(event))) >> commit(event) >> start(event)


@dag(schedule=None, catchup=False, max_active_tasks=64)
def plain_orders() -> None:
    """One mapped task group an order."""
    one_order.expand(event=pull())


plain_orders()
