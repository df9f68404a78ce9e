"""The feed's two DAGs on the real Airflow: the feed is made as wanted, and a time without one is brought in by date."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from tests.e2e.deployment import once, wait_until
from vtex_erp.ledger.tables import feed_gaps

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment

CONFIG, GUARD, BY_DATE = "vtex_feed_config", "vtex_feed_guard", "vtex_orders_by_date"


def test_the_feed_as_code_and_its_guard(deployment: Deployment) -> None:
    for dag in (CONFIG, GUARD, BY_DATE):
        deployment.airflow.unpause(dag)
    assert run(deployment, CONFIG, "look") == ("failed", {"configure_feed": "failed"})
    assert run(deployment, CONFIG, "apply", apply=True)[0] == "success"
    links = deployment.airflow.call("GET", f"dags/{CONFIG}/dagRuns/look/taskInstances/configure_feed/links")
    page = deployment.airflow.get_page(links["extra_links"]["Feed"])
    assert page.status_code == 200
    assert "queue.visibilityTimeoutInSeconds" in page.text
    assert run(deployment, GUARD, "fine") == (
        "success",
        {"guard_feed": "success", "nothing_wrong": "success", "bring_in_gap": "skipped"},
    )

    missed = without_a_feed(deployment)
    state, tasks = run(deployment, GUARD, "gap")
    assert state == "failed"
    assert tasks == {"guard_feed": "failed", "nothing_wrong": "upstream_failed", "bring_in_gap": "success"}
    wait_until(lambda: len(gap_runs(deployment)) == 1, what="the run by date is made")
    assert deployment.airflow.wait_for_run(BY_DATE, gap_runs(deployment)[0]) == "success"
    assert deployment.effects() == once(missed)
    assert run(deployment, GUARD, "fine_again")[0] == "success"
    assert len(gap_runs(deployment)) == 1


def run(deployment: Deployment, dag: str, run_id: str, **conf: Any) -> tuple[str, dict[str, str]]:
    """Trigger a run; its state and those of its tasks."""
    body = {"dag_run_id": run_id, "logical_date": None, "conf": conf}
    deployment.airflow.call("POST", f"dags/{dag}/dagRuns", json=body)
    state = deployment.airflow.wait_for_run(dag, run_id)
    return state, {each["task_id"]: each["state"] for each in deployment.airflow.task_instances(dag, run_id)}


def without_a_feed(deployment: Deployment) -> list[Any]:
    """Orders that became ready when there was no feed, as a guard has noted who died after it had made it again."""
    now = datetime.now(timezone.utc)
    gap = {"starts_at": now - timedelta(hours=4), "ends_at": now - timedelta(minutes=20)}
    with deployment.ledger.write() as connection:
        connection.execute(feed_gaps.insert().values(account=deployment.sandbox.account, **gap))
    times = {"created_from": gap["starts_at"].isoformat(), "created_to": (now - timedelta(hours=1)).isoformat()}
    return deployment.sandbox.generate(3, seed=1, kinds=["plain"], events=(), **times)


def gap_runs(deployment: Deployment) -> list[str]:
    runs = deployment.airflow.call("GET", f"dags/{BY_DATE}/dagRuns", params={"limit": 50})["dag_runs"]
    return [each["dag_run_id"] for each in runs if each["dag_run_id"].startswith("feed_gap__")]
