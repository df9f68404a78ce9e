"""The rate budget under load. Both print JSON, and take a ledger's URL (by default a new SQLite file).

`python -m sandbox.bench.budget enforce`: four processes read one account's orders as fast as they may for three
minutes, while the simulator enforces 600 requests a minute.
`python -m sandbox.bench.budget cost`: what the budget costs each request when it limits nothing.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from sandbox.client import Sandbox
from sandbox.process import running
from vtex_erp.errors import OrderNotFoundError, RateLimitedError
from vtex_erp.ledger.budget import LedgerBudget
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.ledger import open_ledger
from vtex_erp.vtex.budget import Limits, Priority
from vtex_erp.vtex.client import VtexClient
from vtex_erp.vtex.settings import VtexSettings

if TYPE_CHECKING:
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.transport import Budget

WORKERS = 4
THREADS = 8


def work(base_url: str, ledger_url: str, limit: float, seconds: float, priority: str = "live") -> int:
    """Read an order that does not exist, over and over, on a budget; the number of requests."""
    sandbox, ledger = Sandbox(base_url), _ledger(ledger_url)
    budget = LedgerBudget(ledger, sandbox.account, _limits(limit), Priority(priority))
    done = _read(_client(sandbox, budget), seconds)
    ledger.close()
    return done


def start_worker(
    sandbox: Sandbox, ledger_url: str, *, limit: float, seconds: float, priority: str = "live"
) -> subprocess.Popen[str]:
    """Let `work` run in a process of its own; its standard output is the number of requests."""
    settings = [sandbox.base_url, ledger_url, str(limit), str(seconds), priority]
    command = [sys.executable, "-m", "sandbox.bench.budget", "worker", *settings]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def enforce(ledger_url: str, limit: int = 600, minutes: float = 3) -> dict[str, Any]:
    """Let four workers at a simulator that enforces the limit: requests in each minute, and the 429s."""
    with running() as sandbox:
        _ledger(ledger_url).close()
        sandbox.switches(rate_limit_per_minute=limit)
        workers = [start_worker(sandbox, ledger_url, limit=limit, seconds=minutes * 60 + 5) for _ in range(WORKERS)]
        by_worker = [int(worker.communicate()[0]) for worker in workers]
        counters = sandbox.summary(orders=False)["limit"]
        windows: dict[int, int] = {}
        for request in sandbox.audit(family="get-order"):
            windows[int(request["at"] // 60)] = windows.get(int(request["at"] // 60), 0) + 1
    return {
        "limit": limit,
        "requests_by_minute": list(windows.values()),
        "busiest_minute": counters["busiest_window"],
        "429": counters["limited"],
        "by_worker": by_worker,
    }


def cost(ledger_url: str, seconds: float = 10.0) -> dict[str, Any]:
    """Requests a second of one process without and with a budget that limits nothing, alternating, and their ratio."""
    limit = 10_000_000
    plain = budgeted = 0.0
    with running() as sandbox:
        sandbox.switches(rate_limit_per_minute=limit)
        ledger = _ledger(ledger_url)
        asked = _Counted(LedgerBudget(ledger, sandbox.account, _limits(limit), Priority.LIVE))
        for _ in range(3):
            plain += _read(_client(sandbox, None), seconds / 3)
            budgeted += _read(_client(sandbox, asked), seconds / 3)
        ledger.close()
    return {
        "requests_a_second_without": round(plain / seconds),
        "requests_a_second_with": round(budgeted / seconds),
        "lost_percent": round(100 * (1 - budgeted / plain), 2),
        "seconds_in_the_budget_percent": round(100 * asked.seconds / THREADS / seconds, 2),
    }


class _Counted:
    """A budget, and the time that threads spent in it."""

    def __init__(self, budget: LedgerBudget) -> None:
        self._budget = budget
        self.seconds = 0.0

    def take(self, family: str) -> None:
        started = time.perf_counter()
        self._budget.take(family)
        self.seconds += time.perf_counter() - started

    def slow_down(self, seconds: float) -> None:
        self._budget.slow_down(seconds)


def _read(client: VtexClient, seconds: float) -> int:
    until = time.monotonic() + seconds

    def read(_thread: int) -> int:
        done = 0
        while time.monotonic() < until:
            with suppress(OrderNotFoundError, RateLimitedError):
                client.get_order("no-such-order")
            done += 1
        return done

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(read, range(THREADS)))


def _client(sandbox: Sandbox, budget: Budget | None) -> VtexClient:
    settings = VtexSettings.from_connection(
        "vtex_default", sandbox.base_url, sandbox.app_key, sandbox.app_token, {"account": sandbox.account}
    )
    return VtexClient(settings, budget=budget)


def _limits(limit: float) -> Limits:
    return Limits(limit, limit, limit, limit, limit)


def _ledger(url: str) -> Ledger:
    return open_ledger(url, cipher=DocumentCipher([Fernet.generate_key().decode()]))


def _main(command: str, *arguments: str) -> None:
    if command == "worker":
        base_url, ledger_url, limit, seconds, priority = arguments
        print(work(base_url, ledger_url, float(limit), float(seconds), priority))
        return
    with tempfile.TemporaryDirectory() as folder:
        url = arguments[0] if arguments else f"sqlite:///{Path(folder) / 'ledger.db'}"
        answer = cost(url) if command == "cost" else enforce(url)
    print(json.dumps(answer, indent=2))


if __name__ == "__main__":
    _main(*sys.argv[1:])
