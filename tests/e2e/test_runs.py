"""Runs of the real DAG: which task instances there are, how they end, and what they leave at VTEX and in the ERP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.e2e.deployment import STEPS, once
from vtex_erp.provider_info import get_provider_info

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment


def test_airflow_loads_everything(deployment: Deployment) -> None:
    airflow = deployment.airflow
    assert airflow.call("GET", "importErrors")["total_entries"] == 0
    assert airflow.call("GET", "plugins/importErrors")["total_entries"] == 0
    assert "vtex_erp" in {plugin["name"] for plugin in airflow.call("GET", "plugins")["plugins"]}
    offered = {form["connection_type"]: form for form in airflow.call("GET", "/ui/connections/hook_meta")}
    assert set(offered["vtex"]["extra_fields"]) == set(get_provider_info()["connection-types"][0]["conn-fields"])


def test_an_empty_feed_starts_three_task_instances(deployment: Deployment) -> None:
    run = deployment.start()
    assert run.wait() == "success"
    instances = run.instances()
    started = {name for name, instance in instances.items() if instance["start_date"] and instance["pid"]}
    assert started == {"pull_feed", "deduplicate", "outcome"}
    assert {instances[name]["state"] for name in instances.keys() - started} == {"skipped"}
    assert run.xcoms()["pull_feed", "return_value"] == []


def test_a_run_brings_the_orders_into_the_erp(deployment: Deployment) -> None:
    placed = deployment.sandbox.generate(12, seed=1)
    deployment.sandbox.generate(3, seed=2, status="handling", events=["handling"])
    run = deployment.start()
    assert run.wait() == "success"
    effects = deployment.effects()
    assert {order.order_id: effects[order.order_id] for order in placed} == once(placed)
    assert deployment.sandbox.feed_counters()["committed"] == 15
    instances = run.instances()
    assert set(instances) == {
        *("pull_feed", "deduplicate", "commit_other_events[0]", "outcome"),
        *(f"{step}[0]" for step in STEPS),
    }
    assert {instance["state"] for instance in instances.values()} == {"success"}
    assert {instances[f"{step}[0]"]["rendered_map_index"] for step in STEPS} == {"batch 0: 12 orders"}
    _assert_only_counts(run.xcoms())


def test_what_must_fail_makes_its_task_and_the_run_red(deployment: Deployment) -> None:
    sandbox = deployment.sandbox
    good = sandbox.generate(4, seed=1, kinds=["plain"])
    (poison,) = sandbox.generate(1, seed=2, kinds=["totals-mismatch"])
    (refused,) = sandbox.generate(1, seed=3, kinds=["plain"])
    sandbox.refuse(external_id=deployment.external_id(refused), message="The product is not known.")
    run = deployment.start()
    assert run.wait() == "failed"
    red = {name for name, state in run.states().items() if state != "success"}
    assert red == {"map_orders[0]", "submit_orders[0]", "outcome"}
    assert set(run.tries().values()) == {1}
    assert deployment.effects() == {**once(good), poison.order_id: (0, 0), refused.order_id: (0, 0)}
    assert sandbox.feed_counters()["committed"] == 6
    said = run.log("outcome")
    assert "2 of 6 orders are not done" in said
    assert all(text in said for text in ("erp-refused:422", "The product is not known.", poison.order_id))
    _assert_only_counts(run.xcoms())


def test_the_house_is_cleaned(deployment: Deployment) -> None:
    airflow = deployment.airflow
    airflow.unpause("vtex_maintenance")
    airflow.trigger("vtex_maintenance", "by_hand")
    assert airflow.wait_for_run("vtex_maintenance", "by_hand") == "success"


def _assert_only_counts(xcoms: dict[tuple[str, str], Any]) -> None:
    assert {key for _, key in xcoms} <= {"return_value"}
    for value in xcoms.values():
        for counts in value if isinstance(value, list) else [value]:
            assert all(type(number) is int for number in counts.values()), counts
