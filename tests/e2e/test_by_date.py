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


def test_the_page_of_a_reconciliation(deployment: Deployment) -> None:
    sandbox, airflow = deployment.sandbox, deployment.airflow
    today = datetime.now(timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    start = today - timedelta(days=9)
    times = {"created_from": start.isoformat(), "created_to": (start + timedelta(hours=20)).isoformat()}
    sandbox.generate(5, seed=1, kinds=["plain"], events=(), **times)
    (foreign,) = sandbox.generate(1, seed=2, kinds=["plain"], events=(), status="invoiced", **times)
    airflow.unpause(DAG)
    run_id = "manual_audit"
    body = {"dag_run_id": run_id, "logical_date": (start + timedelta(days=1)).isoformat(), "conf": {}}
    airflow.call("POST", f"dags/{DAG}/dagRuns", json=body)
    assert airflow.wait_for_run(DAG, run_id) == "failed"
    states = {each["task_id"]: each["state"] for each in airflow.task_instances(DAG, run_id)}
    assert {task for task, state in states.items() if state == "failed"} == {"reconcile", "outcome"}

    links = airflow.call("GET", f"dags/{DAG}/dagRuns/{run_id}/taskInstances/reconcile/links")["extra_links"]
    page = airflow.get_page(links["Reconciliation"])
    assert page.status_code == 200
    assert foreign.order_id in page.text
    assert "missing-in-erp" in page.text
    assert "<svg" in page.text


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
