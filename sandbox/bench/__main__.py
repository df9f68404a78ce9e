"""Run the bench: `python -m sandbox.bench [--orders 1000] [--backlog 10000]`; a table, and JSON in bench-results/."""

from __future__ import annotations

import argparse
import json
import signal
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from sandbox import airflow, process
from sandbox.airflow import ROOT, Airflow
from sandbox.bench import into_tryton
from sandbox.bench.deployment import postgres, settings
from sandbox.bench.memory import TaskMemory
from sandbox.bench.sequential import consume

if TYPE_CHECKING:
    from sandbox.client import Sandbox

VTEX_SECONDS, ERP_SECONDS = 0.08, 0.15
DAG, PLAIN_DAG = "vtex_orders", "plain_orders"
SEQUENTIAL_ORDERS, PLAIN_ORDERS = 100, 60

console = Console(highlight=False)


def main() -> None:
    """Measure, print a table, write JSON."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--orders", type=int, default=1000, help="waiting orders for the speed figure")
    arguments.add_argument("--backlog", type=int, default=10_000, help="waiting orders for the memory figure; 0: none")
    given = arguments.parse_args()
    with ExitStack() as stack:
        server = postgres(stack)
        console.print("orders into Tryton …")
        into = into_tryton.measure(server)
        sandbox = stack.enter_context(process.running(account="benchstore"))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench")))
        deployment = stack.enter_context(airflow.running(home, _settings(sandbox, server, home)))
        for dag_id in (DAG, PLAIN_DAG):
            deployment.wait_for_dag(dag_id)
        results = {**_measure(deployment, sandbox, given.orders, given.backlog), **into}
    _print(results)
    folder = ROOT / "bench-results"
    folder.mkdir(exist_ok=True)
    (folder / f"{time.strftime('%Y%m%d-%H%M%S')}.json").write_text(json.dumps(results, indent=2) + "\n")


def _measure(deployment: Airflow, sandbox: Sandbox, orders: int, backlog: int) -> dict[str, Any]:
    console.print(f"sequential consumer, {SEQUENTIAL_ORDERS} orders …")
    _fill(sandbox, SEQUENTIAL_ORDERS)
    started = time.monotonic()
    consumed = consume(sandbox)
    results: dict[str, Any] = {"sequential_per_minute": 60 * consumed / (time.monotonic() - started)}
    console.print(f"a plain DAG with one task group an order, {PLAIN_ORDERS} orders …")
    results["plain_dag_per_minute"] = _plain_dag(deployment, sandbox)
    console.print("vtex_orders, an empty feed …")
    results["tasks_of_an_empty_run"] = _empty_run(deployment, sandbox)
    console.print(f"vtex_orders, {orders} orders …")
    results |= _loop(deployment, sandbox, orders)
    if backlog:
        console.print(f"vtex_orders, {backlog} orders …")
        many = _loop(deployment, sandbox, backlog)
        results |= {f"{name}_with_{backlog}": value for name, value in many.items()}
    results["times_sequential"] = results["per_minute"] / results["sequential_per_minute"]
    results["times_plain_dag"] = results["per_minute"] / results["plain_dag_per_minute"]
    return results


def _empty_run(deployment: Airflow, sandbox: Sandbox) -> int:
    """Let one run find nothing; the number of task instances that it started. It also makes the ledger's tables."""
    _fill(sandbox, 0)
    deployment.unpause(DAG)
    deployment.trigger(DAG, "empty")
    deployment.wait_for_run(DAG, "empty")
    _pause(deployment)
    return sum(1 for each in deployment.task_instances(DAG, "empty") if each["start_date"])


def _pause(deployment: Airflow) -> None:
    """Pause between two runs: a paused DAG's run goes no further, and would be measured with the next one."""
    while True:
        while _is_running(deployment):
            time.sleep(0.5)
        deployment.unpause(DAG, paused=True)
        time.sleep(0.5)
        if not _is_running(deployment):
            return
        deployment.unpause(DAG)


def _is_running(deployment: Airflow) -> bool:
    path = f"dags/{DAG}/dagRuns"
    return bool(deployment.call("GET", path, params={"state": ["queued", "running"]})["dag_runs"])


def _loop(deployment: Airflow, sandbox: Sandbox, orders: int) -> dict[str, float]:
    _fill(sandbox, orders)
    sandbox.clear_audit()
    memory = TaskMemory(deployment.processes["scheduler"].pid)
    with memory.watching():
        deployment.unpause(DAG)
        _wait(sandbox, orders)
    _pause(deployment)
    audit = [call for call in sandbox.audit() if not call["family"].startswith("erp-")]
    puts = sandbox.audit(family="erp-put")
    starts = sandbox.audit(family="start-handling")
    run = _run_of(deployment, before=_moment(puts[0]["at"]))
    began = _moment(run["start_date"])
    for line in _timeline(deployment, run["dag_run_id"], began):
        console.print(line)
    last = max(_moment(call["at"]) for call in starts)
    return {
        "per_minute": 60 * orders / (last - began),
        "seconds": last - began,
        "first_order_seconds": _moment(puts[0]["at"]) - began,
        "vtex_calls_per_order": len(audit) / orders,
        "peak_task_mb": memory.peak,
        **{f"calls_{family}": count for family, count in Counter(call["family"] for call in audit).items()},
    }


def _run_of(deployment: Airflow, *, before: float) -> dict[str, Any]:
    runs = deployment.call("GET", f"dags/{DAG}/dagRuns", params={"limit": 100, "order_by": "-start_date"})["dag_runs"]
    return max(
        (run for run in runs if run["start_date"] and _moment(run["start_date"]) < before),
        key=lambda run: _moment(run["start_date"]),
    )


def _timeline(deployment: Airflow, run_id: str, began: float) -> list[str]:
    """Say when each task of the run started and ended, in seconds since the run's start."""
    instances = [each for each in deployment.task_instances(DAG, run_id) if each["end_date"]]
    return [
        f"  {_moment(each['start_date']) - began:6.1f} to {_moment(each['end_date']) - began:6.1f}  {each['task_id']} "
        f"{each['rendered_map_index'] or ''}"
        for each in sorted(instances, key=lambda each: str(each["start_date"]))
    ]


def _plain_dag(deployment: Airflow, sandbox: Sandbox) -> float:
    _fill(sandbox, PLAIN_ORDERS)
    deployment.unpause(PLAIN_DAG)
    deployment.trigger(PLAIN_DAG, "bench")
    deployment.wait_for_run(PLAIN_DAG, "bench", seconds=600)
    run = deployment.call("GET", f"dags/{PLAIN_DAG}/dagRuns/bench")
    return 60 * PLAIN_ORDERS / (_moment(run["end_date"]) - _moment(run["start_date"]))


def _fill(sandbox: Sandbox, orders: int) -> None:
    sandbox.reset()
    sandbox.switches(vtex_latency_s=VTEX_SECONDS, erp_latency_s=ERP_SECONDS)
    sandbox.configure_feed(visibility_timeout=600, statuses=["ready-for-handling"])
    if orders:
        sandbox.generate(orders, seed=orders)


def _wait(sandbox: Sandbox, orders: int) -> None:
    """Wait until every order is handled; asks for little, so as not to disturb the measurement."""
    while sandbox.summary(orders=False)["erp"]["orders"] < orders:
        time.sleep(1)
    while len(sandbox.audit(family="start-handling")) < orders:
        time.sleep(1)


def _moment(text_or_seconds: Any) -> float:
    if isinstance(text_or_seconds, int | float):
        return float(text_or_seconds)
    cut = text_or_seconds.replace("Z", "+00:00")
    head, dot, tail = cut.partition(".")
    fraction, zone = tail[:6].rstrip("+-:"), cut[-6:]
    return datetime.fromisoformat(f"{head}.{fraction[:6].ljust(6, '0')}{zone}" if dot else cut).timestamp()


def _settings(sandbox: Sandbox, server: str, home: Path) -> dict[str, str]:
    files = [ROOT / "dags" / f"{DAG}.py", ROOT / "sandbox" / "bench" / f"{PLAIN_DAG}.py"]
    return {
        **settings(sandbox, server, home, files),
        "BENCH_VTEX": sandbox.base_url,
        "BENCH_ERP": sandbox.erp_url,
        "BENCH_ACCOUNT": sandbox.account,
        "BENCH_APP_KEY": sandbox.app_key,
        "BENCH_APP_TOKEN": sandbox.app_token,
    }


def _print(results: dict[str, Any]) -> None:
    table = Table(title=f"{VTEX_SECONDS * 1000:.0f} ms a VTEX call, {ERP_SECONDS * 1000:.0f} ms an ERP call")
    table.add_column("figure")
    table.add_column("value", justify="right")
    for name, value in results.items():
        table.add_row(name.replace("_", " "), f"{value:,.2f}" if value < 10 else f"{value:,.1f}")
    console.print(table)


if __name__ == "__main__":
    main()
