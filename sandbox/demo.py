"""`make demo`: a simulated VTEX, a real Tryton, a real Airflow between them, and a table of what became of each order.

With ERP=rest in the environment the ERP is simulated, too. With ONCE=1 the demo ends by itself, with status 0 only if
every order is where it must be.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import create_engine, select

from sandbox import airflow, demo_erps, process
from sandbox.airflow import ROOT, Airflow, AirflowError
from sandbox.orders import POISON_KINDS
from vtex_erp.ledger.tables import order_entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.client import PlacedOrder, Sandbox
    from sandbox.demo_erps import DemoErp, Held

DAG = "vtex_orders"
STATUSES = ("ready-for-handling", "handling", "canceled")
_LONGEST_SECONDS = 480
_HOME = ROOT / ".demo"

ERPS = ("tryton", "rest")
GOOD, SEED = 56, 2026

REFUSED = "refused by the ERP"
CANCELLED = "cancelled meanwhile"

console = Console(highlight=False)


@dataclass(frozen=True)
class Line:
    """One order at the end: what VTEX, the ledger and the ERP say of it."""

    order_id: str
    kind: str
    vtex_status: str
    vtex_total: Decimal
    erp_ids: tuple[str, ...]
    erp_state: str
    erp_total: Decimal | None
    stage: str
    cause: str
    handling_started: int

    @property
    def is_right(self) -> bool:
        """Whether the order is where its kind belongs: once in the ERP to the cent, or nowhere, with a reason."""
        if self.kind == CANCELLED:
            return not self.erp_ids and self.stage == "cancelled"
        if self.kind == REFUSED or self.kind in POISON_KINDS:
            return not self.erp_ids and self.stage == "parked" and bool(self.cause)
        in_erp_once = len(self.erp_ids) == 1 and self.erp_total == self.vtex_total
        return in_erp_once and self.stage == "handling" and self.handling_started == 1


def main() -> int:
    """Run the demo. The status is 0 when every order is right."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    shutil.rmtree(_HOME, ignore_errors=True)
    once = os.environ.get("ONCE", "") not in ("", "0")
    kind = os.environ.get("ERP") or "tryton"
    if kind not in ERPS:
        console.print(f"ERP={kind}: choose one of {', '.join(ERPS)}.")
        return 2
    if kind == "tryton":
        console.print("Preparing Tryton: about two minutes the first time, then it is kept in .tryton/ …")
    with (
        suppress(KeyboardInterrupt),
        process.running(account="demostore") as sandbox,
        demo_erps.running(kind, sandbox, _HOME / "tryton") as erp,
    ):
        kinds = place_orders(sandbox, erp)
        console.print(f"VTEX simulator at {sandbox.base_url}: {len(kinds)} orders are waiting. {erp.name}.")
        console.print("Starting Airflow (about half a minute) …")
        settings = {**connections(sandbox), "AIRFLOW_CONN_ERP_DEFAULT": json.dumps(erp.connection)}
        with airflow.running(_HOME / "airflow", settings) as deployment:
            right = show(deployment, sandbox, erp, kinds)
            if not once:
                stay_open(deployment)
        return 0 if right else 1
    return 130


def place_orders(sandbox: Sandbox, erp: DemoErp) -> dict[str, str]:
    """Place 60 orders, some with a twist; the kind of each by order id."""
    sandbox.configure_feed(visibility_timeout=240, statuses=STATUSES)
    good = sandbox.generate(GOOD, seed=SEED)[:GOOD]
    poison = sandbox.generate(2, seed=7, kinds=["masked", "totals-mismatch"])
    refused, cancelled = sandbox.generate(2, seed=8, kinds=["plain"])
    erp.get_ready(demo_erps.sales_orders(sandbox.account, GOOD, SEED), refused)
    sandbox.move_at_next_get(cancelled.order_id, "canceled")
    send_events_again(sandbox, good)
    kinds = {order.order_id: order.kind for order in (*good, *poison)}
    return {**kinds, refused.order_id: REFUSED, cancelled.order_id: CANCELLED}


def send_events_again(sandbox: Sandbox, orders: Sequence[PlacedOrder]) -> None:
    """Let the feed hold some events twice and three times, as VTEX's does."""
    for order in orders[:10]:
        sandbox.emit(order.order_id, "ready-for-handling", copies=2)


def connections(sandbox: Sandbox) -> dict[str, str]:
    """The two connections that a deployment needs, as environment variables; the ledger is the embedded one."""
    vtex = {
        "conn_type": "vtex",
        "host": sandbox.base_url,
        "login": sandbox.app_key,
        "password": sandbox.app_token,
        "extra": {"account": sandbox.account},
    }
    erp = {"conn_type": "http", "host": sandbox.erp_url}
    return {"AIRFLOW_CONN_VTEX_DEFAULT": json.dumps(vtex), "AIRFLOW_CONN_ERP_DEFAULT": json.dumps(erp)}


def show(deployment: Airflow, sandbox: Sandbox, erp: DemoErp, kinds: Mapping[str, str]) -> bool:
    """Let the DAG run until nothing is left to do, and print what became of each order."""
    console.print(f"Airflow's web pages: [bold]{deployment.url}/dags/{DAG}[/bold]")
    deployment.wait_for_dag(DAG)
    deployment.unpause(DAG)
    follow(deployment, sandbox, erp)
    lines = collect(deployment, sandbox, erp, kinds)
    print_table(lines)
    wrong = [line for line in lines if not line.is_right]
    left = sandbox.feed_counters()["total"]
    console.print(
        f"{len(lines) - len(wrong)} of {len(lines)} orders are right; {left} events are left in the feed; "
        f"in VTEX {sum(line.vtex_total for line in lines if line.erp_ids)}, "
        f"in the ERP {sum(line.erp_total or 0 for line in lines)}."
    )
    console.print("The run is red, and says why: three orders wait for a person (parked). Nothing waits silently.")
    return not wrong and not left


def follow(deployment: Airflow, sandbox: Sandbox, erp: DemoErp) -> None:
    """Print progress until every run has ended and the feed is empty. Raises AirflowError after eight minutes."""
    deadline = time.monotonic() + _LONGEST_SECONDS
    last = ""
    while time.monotonic() < deadline:
        runs = deployment.call("GET", f"dags/{DAG}/dagRuns", params={"order_by": "-run_after", "limit": 50})
        states = [run["state"] for run in runs["dag_runs"]]
        summary = sandbox.summary()
        started = sum(order["start_handling_effects"] for order in summary["orders"].values())
        feed = summary["feeds"][sandbox.app_key]["total"]
        now = f"in the ERP {erp.count():3} · handling started {started:3} · events in the feed {feed:3}"
        if now != last:
            console.print(f"  {time.strftime('%H:%M:%S')}  {now}")
            last = now
        if states and not feed and not {"running", "queued"} & set(states):
            return
        time.sleep(1)
    raise AirflowError(f"the loop did not come to an end within {_LONGEST_SECONDS} seconds")


def collect(deployment: Airflow, sandbox: Sandbox, erp: DemoErp, kinds: Mapping[str, str]) -> list[Line]:
    """Ask VTEX, the ledger and the ERP about every order."""
    engine = create_engine(f"sqlite:///{deployment.home}/order_ledger.db")
    with engine.connect() as connection:
        entries = {row.order_id: row for row in connection.execute(select(order_entries))}
    engine.dispose()
    at_vtex, in_erp = sandbox.summary()["orders"], erp.held()
    return [
        line(order_id, kind, at_vtex[order_id], entries.get(order_id), in_erp.get(f"{sandbox.account}:{order_id}"))
        for order_id, kind in kinds.items()
    ]


def line(order_id: str, kind: str, at_vtex: Mapping[str, Any], entry: Any, in_erp: Held | None) -> Line:
    """Put together what the three say of one order."""
    return Line(
        order_id=order_id,
        kind=kind,
        vtex_status=at_vtex["status"] or "",
        vtex_total=Decimal(at_vtex["value"]) / 100,
        erp_ids=in_erp.numbers if in_erp else (),
        erp_state=in_erp.state if in_erp else "",
        erp_total=in_erp.total if in_erp else None,
        stage=entry.stage if entry else "not in the ledger",
        cause=(entry.cause or "") if entry else "",
        handling_started=at_vtex["start_handling_effects"],
    )


def print_table(lines: Sequence[Line]) -> None:
    """Print one row an order."""
    table = Table(title="What became of each order")
    for heading in ("order", "kind", "in VTEX"):
        table.add_column(heading)
    table.add_column("total in VTEX", justify="right")
    table.add_column("total in ERP", justify="right")
    for heading in ("in the ERP", "ledger", ""):
        table.add_column(heading)
    for each in lines:
        table.add_row(
            each.order_id,
            each.kind,
            each.vtex_status,
            f"{each.vtex_total:.2f}",
            "" if each.erp_total is None else f"{each.erp_total:.2f}",
            f"{', '.join(each.erp_ids)} {each.erp_state}".strip(),
            f"{each.stage} {each.cause}".strip(),
            "[green]right[/green]" if each.is_right else "[red]WRONG[/red]",
        )
    console.print(table)


def stay_open(deployment: Airflow) -> None:
    """Keep Airflow's pages up until Ctrl-C."""
    console.print(f"Airflow stays open at [bold]{deployment.url}[/bold] (no log-in). Ctrl-C ends everything.")
    with suppress(KeyboardInterrupt):
        signal.pause()


if __name__ == "__main__":
    sys.exit(main())
