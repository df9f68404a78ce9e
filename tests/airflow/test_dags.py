"""What the DAGs say of themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

DAGS = Path(__file__).resolve().parents[2] / "dags"


@pytest.fixture(scope="module")
def dags() -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(DAGS))
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_the_dags_and_their_tasks(dags: dict[str, Any]) -> None:
    steps = {
        f"orders.{step}" for step in ("fetch_orders", "map_orders", "submit_orders", "commit_events", "start_handling")
    }
    assert {dag_id: set(dag.task_ids) for dag_id, dag in dags.items()} == {
        "vtex_orders": {"pull_feed", "deduplicate", "commit_other_events", "outcome", *steps},
        "vtex_orders_by_date": {"find_orders", "deduplicate", "reconcile", "outcome", *steps},
        "vtex_feed_config": {"configure_feed"},
        "vtex_feed_guard": {"guard_feed", "bring_in_gap", "nothing_wrong"},
        "vtex_maintenance": {"purge_ledger"},
    }


def test_new_orders_go_first(dags: dict[str, Any]) -> None:
    def priorities(dag_id: str) -> dict[str, str]:
        tasks = dags[dag_id].tasks
        return {
            task.task_id: task.partial_kwargs.get("priority") if task.is_mapped else task.priority for task in tasks
        }

    assert set(priorities("vtex_orders").values()) <= {"live", None}
    by_date = priorities("vtex_orders_by_date")
    assert by_date.pop("reconcile") == "reconciliation"
    assert set(by_date.values()) == {"by-date"}


def test_every_task_is_retried_but_the_leaf(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        for task in dag.tasks:
            assert task.retries == (0 if task.task_id == "outcome" else 2), task.task_id


@pytest.mark.parametrize("dag_id", ["vtex_orders", "vtex_orders_by_date"])
def test_a_batch_is_brought_to_its_end_before_others_are_read(dags: dict[str, Any], dag_id: str) -> None:
    """With 10,000 orders waiting, reading them would hold every slot that the first batch needs."""
    steps = [task for task in dags[dag_id].tasks if task.task_id.startswith("orders.")]
    assert {str(task.weight_rule) for task in steps} == {"upstream"}
    assert dags[dag_id].get_task("orders.fetch_orders").max_active_tis_per_dagrun < 8
