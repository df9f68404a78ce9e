"""Backfill a month (`python -m sandbox.bench.by_date`) and say whether all orders were found, and in how many calls."""

from __future__ import annotations

import argparse
import math
import signal
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from sqlalchemy import create_engine, make_url, text

from sandbox import airflow, process
from sandbox.airflow import ROOT
from sandbox.bench.deployment import postgres, settings

if TYPE_CHECKING:
    from sandbox.airflow import Airflow
    from sandbox.client import Sandbox

DAG = "vtex_orders_by_date"
DAYS = 30
AT_ONCE = 2
TO_BRING_IN = 100  # one order of so many was missed; the others were cancelled long ago

console = Console(highlight=False)


@dataclass(frozen=True)
class Part:
    """Orders that are spread over a time."""

    orders: int
    start: datetime
    length: timedelta


def main() -> None:
    """Place the orders, backfill the month, look at what was found."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--orders", type=int, default=100_000)
    orders: int = arguments.parse_args().orders
    with ExitStack() as stack:
        server = postgres(stack)
        sandbox = stack.enter_context(process.running(account="benchstore"))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench")))
        start = midnight() - timedelta(days=DAYS + 2)
        least = _place(sandbox, orders, start)
        variables = settings(sandbox, server, home, [ROOT / "dags" / f"{DAG}.py"])
        deployment = stack.enter_context(airflow.running(home, variables))
        deployment.wait_for_dag(DAG)
        deployment.unpause(DAG)
        seconds = _wait(deployment, backfill(deployment, start, days=DAYS))
        _report(sandbox, server, least, seconds)


def midnight() -> datetime:
    """Today's, in UTC."""
    return datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)


def _place(sandbox: Sandbox, orders: int, start: datetime) -> int:
    """Place the month; the least number of calls that can list it, a day at a time."""
    sandbox.switches(rate_limit_per_minute=10_000_000, list_rows_move_p=0.05)
    day, hour = timedelta(days=1), timedelta(hours=1)
    busy, rush, burst = orders // 5, orders // 25, 200
    rest = orders - busy - rush - burst
    parts = [
        Part(rest, start, DAYS * day),
        Part(busy, start + 10 * day, day),
        Part(rush, start + 20 * day + 9 * hour, hour),
        Part(burst, start + 20 * day + 12 * hour, timedelta(0)),
    ]
    for number, part in enumerate(parts):
        missed = part.orders // TO_BRING_IN
        generate(sandbox, part, part.orders - missed, seed=2 * number + 1, status="canceled")
        generate(sandbox, part, missed, seed=2 * number + 2, status=None)
    by_day = [rest // DAYS] * DAYS
    by_day[10] += busy
    by_day[20] += rush + burst
    return sum(math.ceil(number / 100) for number in by_day)


def generate(sandbox: Sandbox, part: Part, count: int, *, seed: int, status: str | None) -> None:
    """Place orders silently, spread over a part's time."""
    end = part.start + max(part.length - timedelta(milliseconds=1), timedelta(0))
    while count:
        chunk = min(count, 10_000)
        sandbox.generate(
            chunk,
            seed=seed * 1000 + count // 10_000,
            kinds=["plain"],
            status=status,
            events=(),
            created_from=part.start.isoformat(),
            created_to=end.isoformat(),
        )
        count -= chunk


def backfill(deployment: Airflow, start: datetime, *, days: int) -> dict[str, Any]:
    """Create a backfill of so many days; Airflow's answer."""
    body = {
        "dag_id": DAG,
        "from_date": start.isoformat(),
        "to_date": (start + timedelta(days=days - 1)).isoformat(),
        "run_backwards": False,
        "dag_run_conf": {},
        "reprocess_behavior": "none",
        "max_active_runs": AT_ONCE,
    }
    made: dict[str, Any] = deployment.call("POST", "backfills", json=body)
    return made


def _wait(deployment: Airflow, made: dict[str, Any]) -> float:
    began = time.monotonic()
    while deployment.call("GET", f"backfills/{made['id']}")["completed_at"] is None:
        time.sleep(5)
    runs = deployment.call("GET", f"dags/{DAG}/dagRuns", params={"run_type": "backfill", "limit": 100})["dag_runs"]
    console.print("runs:", {state: sum(run["state"] == state for run in runs) for state in ("success", "failed")})
    seconds = time.monotonic() - began
    for run in runs:
        if run["state"] == "failed":
            _say_why(deployment, run["dag_run_id"])
    return seconds


def _say_why(deployment: Airflow, run_id: str) -> None:
    for each in deployment.task_instances(DAG, run_id):
        if each["state"] == "failed":
            path = f"dags/{DAG}/dagRuns/{run_id}/taskInstances/{each['task_id']}/logs/{each['try_number']}"
            log = deployment.call("GET", path, params={"map_index": each["map_index"], "full_content": True})
            errors = [line for line in log["content"] if isinstance(line, dict) and line.get("level") == "error"]
            console.print(run_id, each["task_id"], *(str(line.get("event"))[:500] for line in errors[-3:]))


def _report(sandbox: Sandbox, server: str, least: int, seconds: float) -> None:
    summary = sandbox.summary()
    engine = create_engine(make_url(server).set(database="ledger"))
    with engine.connect() as connection:
        found = connection.execute(text("SELECT count(DISTINCT order_id) FROM vtex_found_order")).scalar_one()
        unproven = connection.execute(text("SELECT count(*) FROM vtex_window WHERE NOT proven")).scalar_one()
        stages: dict[str, int] = dict(
            connection.execute(text("SELECT stage, count(*) FROM vtex_order_entry GROUP BY stage")).all()
        )
    engine.dispose()
    effects = [order["start_handling_effects"] for order in summary["orders"].values()]
    creations = [order["creations"] for order in sandbox.erp_orders().values()]
    calls = len(sandbox.audit(family="list-orders"))
    orders = len(summary["orders"])
    console.print(f"{found} of {orders} orders found, {unproven} windows unproven, in {seconds:.0f} s")
    console.print(f"list calls: {calls}, {calls / least:.2f} times the {least} that it takes at least")
    console.print(f"order entries: {stages}")
    console.print(f"in the ERP {len(creations)}, more than once {sum(made > 1 for made in creations)};", end=" ")
    console.print(f"handling started {sum(effects)}, more than once {sum(count > 1 for count in effects)}")


if __name__ == "__main__":
    main()
