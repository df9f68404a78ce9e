"""What a person clears, marks and clears again in Airflow's UI sends nothing twice."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from tests.e2e.deployment import once, wait_until

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment


def test_after_the_cause_was_mended_only_the_failed_orders_are_sent_again(deployment: Deployment) -> None:
    sandbox = deployment.sandbox
    placed = sandbox.generate(9, seed=1, kinds=["plain"])
    refused = placed[2:4]
    for order in refused:
        sandbox.refuse(external_id=deployment.external_id(order))
    run = deployment.start()
    assert run.wait() == "failed"

    run.clear("submit_orders[0]", downstream=True)
    assert run.states()["submit_orders[0]"] == run.states()["outcome"] == "failed"
    expected = Counter(deployment.external_id(order) for order in placed)
    expected.update(deployment.external_id(order) for order in refused)
    assert deployment.puts() == expected

    sandbox.accept_all()
    run.clear("submit_orders[0]", downstream=True)
    assert set(run.states().values()) == {"success"}
    expected.update(deployment.external_id(order) for order in refused)
    assert deployment.puts() == expected
    assert deployment.effects() == once(placed)
    assert run.tries()["fetch_orders[0]"] == 1


def test_a_run_that_is_cleared_has_no_new_effect(deployment: Deployment) -> None:
    sandbox = deployment.sandbox
    placed = sandbox.generate(30, seed=1)
    sandbox.generate(2, seed=2, status="handling", events=["handling"])
    run = deployment.start()
    assert run.wait() == "success"
    before, instances = run.xcoms(), run.instances()
    sandbox.clear_audit()
    news = sandbox.generate(3, seed=3, kinds=["plain"])

    run.clear("pull_feed")
    assert run.xcoms() == before
    assert run.clear_all() == "success"
    again = run.instances()
    assert {name: each["rendered_map_index"] for name, each in again.items()} == {
        name: each["rendered_map_index"] for name, each in instances.items()
    }
    assert {each["state"] for each in again.values()} == {"success"}
    assert run.xcoms()["deduplicate", "return_value"] == before["deduplicate", "return_value"]
    assert sandbox.audit() == []

    assert deployment.run().states()["outcome"] == "success"
    effects = deployment.effects()
    assert {order.order_id: effects[order.order_id] for order in (*placed, *news)} == once([*placed, *news])


def test_marked_failed_cleared_and_cleared_while_it_runs(deployment: Deployment) -> None:
    sandbox = deployment.sandbox
    sandbox.switches(erp_unique=False, erp_latency_s=1.5)
    deployment.connect("erp_default", conn_type="http", host=sandbox.erp_url, extra='{"concurrency": 2}')
    placed = sandbox.generate(12, seed=1, kinds=["plain"])
    run = deployment.start()
    wait_until(lambda: bool(deployment.requests("erp-put")), what="the first order is in the ERP")
    assert deployment.requests("erp-put") < len(placed)
    run.mark("submit_orders[0]", "failed")
    run.clear_while_running("submit_orders[0]", downstream=True)
    run.wait_for("submit_orders[0]", state="running", tries=2)
    run.clear_while_running("submit_orders[0]", downstream=True)
    assert run.wait() == "success"
    assert run.tries()["submit_orders[0]"] >= 3
    assert deployment.effects() == once(placed)
    assert max(deployment.puts().values()) == 1
