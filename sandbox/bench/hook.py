"""Load on the hook's endpoint: `python -m sandbox.bench.hook [--rate 200] [--seconds 60] [--kill]`; prints JSON.

A whole Airflow on PostgreSQL gets so many notifications a second, each counted from when it was due, one in twenty of
them twice; what is not answered 200 is tried again, as VTEX does. With --kill the api-server is killed in the middle
and started again.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import tempfile
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import urllib3
from sqlalchemy import create_engine, make_url, text

from sandbox import airflow, process
from sandbox.airflow import ROOT
from sandbox.bench.deployment import postgres, settings
from sandbox.bench.memory import resident_mb
from vtex_erp.stores.model import SECRET_HEADER

if TYPE_CHECKING:
    from sandbox.airflow import Airflow
    from sandbox.client import Sandbox

DAG, SECRET, API_SERVER = "vtex_orders", "a-secret-of-the-bench", "api-server"
ONE_IN_TWICE = 20
THREADS = 128
AGAIN_SECONDS = 1.0
SAMPLE_SECONDS = 10
FIRST_CHANGE = datetime(2026, 11, 1, tzinfo=timezone.utc)


@dataclass
class Load:
    """Sends notifications. `seconds` are those from when each was due until it was answered 200."""

    url: str
    account: str
    seconds: list[float] = field(default_factory=list)
    answers: Counter[str] = field(default_factory=Counter)
    taken: set[int] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)
    stopped: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:  # noqa: D105
        self._pool = urllib3.PoolManager(maxsize=THREADS, retries=False, timeout=urllib3.Timeout(total=5.0))

    def send_all(self, *, rate: float, seconds: float) -> None:
        """Send so many a second for so long, and what was not taken again until it is."""
        began = time.monotonic()
        with ThreadPoolExecutor(THREADS) as pool:
            for number in range(int(rate * seconds)):
                due = began + number / rate
                if self.stopped.wait(max(0.0, due - time.monotonic())):
                    return
                for _ in range(1 + (number % ONE_IN_TWICE == 0)):
                    pool.submit(self._deliver, number, due)

    def post(self, body: dict[str, Any]) -> str:
        """Make one call; its status, or why there is none."""
        headers = {"Content-Type": "application/json", SECRET_HEADER: SECRET}
        try:
            answer = str(self._pool.request("POST", self.url, body=json.dumps(body).encode(), headers=headers).status)
        except urllib3.exceptions.TimeoutError:
            answer = "timeout"
        except urllib3.exceptions.HTTPError:
            answer = "unreachable"
        return answer

    def _deliver(self, number: int, due: float) -> None:
        while self._count(self.post(self._notification(number))) != "200":
            if self.stopped.wait(AGAIN_SECONDS):
                return
        with self.lock:
            self.taken.add(number)
            self.seconds.append(time.monotonic() - due)

    def _count(self, answer: str) -> str:
        with self.lock:
            self.answers[answer] += 1
        return answer

    def _notification(self, number: int) -> dict[str, Any]:
        changed = FIRST_CHANGE + timedelta(milliseconds=number)
        return {
            "Domain": "Fulfillment",
            "OrderId": order_id(number),
            "State": "ready-for-handling",
            "LastState": "window-to-cancel",
            "LastChange": (changed - timedelta(minutes=30)).isoformat(),
            "CurrentChange": changed.isoformat(),
            "Origin": {"Account": self.account, "Key": "vtexappkey-bench"},
        }


def order_id(number: int) -> str:
    """The order that a notification is about."""
    return f"bench{number:07}-01"


def main() -> None:
    """Send, look at the ledger, print."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rate", type=float, default=200, help="notifications a second")
    arguments.add_argument("--seconds", type=float, default=60)
    arguments.add_argument("--kill", action="store_true", help="kill the api-server in the middle")
    given = arguments.parse_args()
    with ExitStack() as stack:
        server = postgres(stack)
        sandbox = stack.enter_context(process.running(account="benchstore"))
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench")))
        deployment = stack.enter_context(airflow.running(home, _settings(sandbox, server, home)))
        deployment.wait_for_dag(DAG)
        load = Load(f"{deployment.url}/vtex/hook/main", sandbox.account)
        stack.callback(load.stopped.set)
        print("ping:", load.post({"hookConfig": "ping"}), flush=True)
        print(json.dumps(_measure(deployment, load, server, given), indent=2))


def _settings(sandbox: Sandbox, server: str, home: Path) -> dict[str, str]:
    variables = settings(sandbox, server, home, [ROOT / "dags" / f"{DAG}.py"])
    hook = "hook: {url: 'https://airflow.example.com/vtex/hook/main'}"
    (home / "dags" / "stores.yaml").write_text(f"stores:\n  main:\n    {hook}\n")
    vtex = json.loads(variables["AIRFLOW_CONN_VTEX_DEFAULT"])
    vtex["extra"]["hook_secret"] = SECRET
    return {**variables, "AIRFLOW_CONN_VTEX_DEFAULT": json.dumps(vtex)}


def _measure(deployment: Airflow, load: Load, server: str, given: argparse.Namespace) -> dict[str, Any]:
    sending = threading.Thread(target=load.send_all, kwargs={"rate": given.rate, "seconds": given.seconds})
    began = time.monotonic()
    sending.start()
    memory = [resident_mb(deployment.processes[API_SERVER].pid)]
    results: dict[str, Any] = {}
    while sending.is_alive():
        if given.kill and not results and time.monotonic() - began > given.seconds / 2:
            results = _kill(deployment, load, server)
        sending.join(SAMPLE_SECONDS)
        memory.append(resident_mb(deployment.processes[API_SERVER].pid))
    sent = int(given.rate * given.seconds)
    return {
        "notifications": sent,
        "a_second": round(sent / given.seconds),
        "sent_twice": len(load.seconds) - sent,
        "answers": dict(load.answers),
        **_latencies(load.seconds),
        "api_server_mb_every_10_s": memory,
        **results,
        "lost": sent - len(_in_ledger(server)),
        "rows_in_ledger": _rows(server),
        "hints": _hints(server),
    }


def _kill(deployment: Airflow, load: Load, server: str) -> dict[str, Any]:
    os.killpg(deployment.processes[API_SERVER].pid, signal.SIGKILL)
    deployment.processes.pop(API_SERVER).wait()
    with load.lock:
        taken = {order_id(number) for number in load.taken}
    lost = taken - _in_ledger(server)
    deployment.start_component(API_SERVER)
    return {"taken_before_the_kill": len(taken), "of_them_lost": len(lost)}


def _latencies(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return {name: round(value, 3) for name, value in (("p50", cuts[49]), ("p99", cuts[98]), ("max", max(seconds)))}


def _in_ledger(server: str) -> set[str]:
    return {row[0] for row in _query(server, "ledger", "SELECT DISTINCT order_id FROM vtex_event")}


def _rows(server: str) -> int:
    return int(_query(server, "ledger", "SELECT count(*) FROM vtex_event")[0][0])


def _hints(server: str) -> int:
    return int(_query(server, "airflow", "SELECT count(*) FROM asset_event")[0][0])


def _query(server: str, database: str, query: str) -> list[Any]:
    engine = create_engine(make_url(server).set(database=database))
    with engine.connect() as connection:
        rows = list(connection.execute(text(query)))
    engine.dispose()
    return rows


if __name__ == "__main__":
    main()
