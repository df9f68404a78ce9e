"""Does a backfill delay new orders? `python -m sandbox.bench.beside` places 100 new ones without it, and beside it."""

from __future__ import annotations

import signal
import statistics
import tempfile
import time
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from sandbox import airflow, process
from sandbox.airflow import ROOT
from sandbox.bench.by_date import Part, backfill, generate, midnight
from sandbox.bench.deployment import postgres, settings

if TYPE_CHECKING:
    from sandbox.client import Sandbox

FEED_DAG, DAG = "vtex_orders", "vtex_orders_by_date"
NEW_ORDERS, SECONDS_BETWEEN = 100, 1.8
DAYS, ORDERS_A_DAY = 6, 1500

console = Console(highlight=False)


def main() -> None:
    """Measure the time to the ERP without a backfill, then beside one."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with ExitStack() as stack:
        server = postgres(stack)
        sandbox = stack.enter_context(process.running(account="benchstore"))
        sandbox.switches(vtex_latency_s=0.08, erp_latency_s=0.15)
        sandbox.configure_feed(visibility_timeout=600, statuses=["ready-for-handling"])
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench")))
        files = [ROOT / "dags" / f"{dag}.py" for dag in (FEED_DAG, DAG)]
        deployment = stack.enter_context(airflow.running(home, settings(sandbox, server, home, files)))
        for dag in (FEED_DAG, DAG):
            deployment.wait_for_dag(dag)
        deployment.unpause(FEED_DAG)
        without = _seconds_to_the_erp(sandbox, seed=1)
        start = midnight() - timedelta(days=DAYS + 2)
        for number in range(DAYS):
            day = Part(ORDERS_A_DAY, start + timedelta(days=number), timedelta(days=1))
            generate(sandbox, day, ORDERS_A_DAY, seed=50 + number, status=None)
        deployment.unpause(DAG)
        made = backfill(deployment, start, days=DAYS)
        beside = _seconds_to_the_erp(sandbox, seed=2)
        done = deployment.call("GET", f"backfills/{made['id']}")["completed_at"]
    console.print(f"the backfill was {'over before the last new order' if done else 'at work all the time'}")
    for name, seconds in (("without", without), ("beside a backfill", beside)):
        ranks = statistics.quantiles(seconds, n=20)
        console.print(f"{name}: median {statistics.median(seconds):.0f} s, p95 {ranks[18]:.0f} s")
    console.print(f"p95, ratio: {statistics.quantiles(beside, n=20)[18] / statistics.quantiles(without, n=20)[18]:.2f}")


def _seconds_to_the_erp(sandbox: Sandbox, *, seed: int) -> list[float]:
    """Place the new orders one by one; how long each took to be in the ERP."""
    placed: dict[str, float] = {}
    for number in range(NEW_ORDERS):
        (order,) = sandbox.generate(1, seed=seed * 1000 + number, kinds=["plain"])
        placed[f"{sandbox.account}:{order.order_id}"] = datetime.fromisoformat(sandbox.now()).timestamp()
        time.sleep(SECONDS_BETWEEN)
    arrived: dict[str, float] = {}
    while placed.keys() - arrived.keys():
        time.sleep(2)
        for call in sandbox.audit(family="erp-put"):
            if call["order_id"] in placed:
                arrived.setdefault(call["order_id"], call["at"])
    return [arrived[order_id] - placed[order_id] for order_id in placed]


if __name__ == "__main__":
    main()
