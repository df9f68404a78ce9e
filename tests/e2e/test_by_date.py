"""The DAG by date on the real Airflow: a backfill, the same again, and a single order."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.airflow import AirflowError
from tests.e2e.deployment import once, wait_until

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment

DAG = "vtex_orders_by_date"
DAYS = 2


def test_a_backfill_and_the_same_again(deployment: Deployment) -> None:
    sandbox, airflow = deployment.sandbox, deployment.airflow
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=DAYS + 1)  # yesterday has its scheduled run
    placed = sandbox.generate(
        40,
        seed=1,
        kinds=["plain"],
        events=(),
        created_from=start.isoformat(),
        created_to=(start + timedelta(days=DAYS) - timedelta(seconds=1)).isoformat(),
    )
    airflow.unpause(DAG)
    _backfill(deployment, start, reprocess="none")
    assert deployment.effects() == once(placed)
    puts, reads = deployment.puts(), deployment.requests("get-order")
    _backfill(deployment, start, reprocess="completed")
    assert deployment.effects() == once(placed)
    assert (deployment.puts(), deployment.requests("get-order")) == (puts, reads)


def test_vtex_orders_refuses_a_backfill(deployment: Deployment) -> None:
    body = _body("vtex_orders", datetime(2026, 3, 1, tzinfo=timezone.utc), reprocess="none")
    with pytest.raises(AirflowError, match="backfill"):
        deployment.airflow.call("POST", "backfills", json=body)
    dag = deployment.airflow.call("GET", "dags/vtex_orders/details")
    assert DAG in dag["description"]


def test_a_single_order(deployment: Deployment) -> None:
    sandbox, airflow = deployment.sandbox, deployment.airflow
    wanted, _ = sandbox.generate(2, seed=1, kinds=["plain"], events=())
    airflow.unpause(DAG)
    airflow.command("resync", wanted.order_id, module="vtex_erp")
    wait_until(lambda: deployment.effects()[wanted.order_id] == (1, 1), what="the order is in the ERP and in handling")
    assert len(deployment.puts()) == 1


def _body(dag_id: str, start: datetime, *, reprocess: str) -> dict[str, Any]:
    return {
        "dag_id": dag_id,
        "from_date": start.isoformat(),
        "to_date": (start + timedelta(days=DAYS - 1)).isoformat(),
        "run_backwards": False,
        "dag_run_conf": {},
        "reprocess_behavior": reprocess,
        "max_active_runs": DAYS,
    }


def _backfill(deployment: Deployment, start: datetime, *, reprocess: str) -> None:
    airflow = deployment.airflow
    made = airflow.call("POST", "backfills", json=_body(DAG, start, reprocess=reprocess))
    wait_until(lambda: airflow.call("GET", f"backfills/{made['id']}")["completed_at"] is not None, what="it is done")
    runs = airflow.call("GET", f"dags/{DAG}/dagRuns", params={"run_type": "backfill", "limit": 50})["dag_runs"]
    assert [run["state"] for run in runs] == ["success"] * DAYS, runs
