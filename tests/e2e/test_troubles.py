"""Wrong keys, a feed that nobody configured, an ERP that is away: what a person reads, and how often it is tried."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox.airflow import free_port
from tests.e2e.deployment import once
from vtex_erp.ledger import breaker

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment


@pytest.mark.parametrize("trouble", ["wrong token", "no feed"])
def test_what_only_a_person_can_mend_fails_at_once(deployment: Deployment, trouble: str) -> None:
    sandbox = deployment.sandbox
    if trouble == "wrong token":
        deployment.connect("vtex_default", **deployment.vtex_connection(password="not-the-token"))
        words = ["'vtex_default'", "App key", "App token"]
    else:
        sandbox.delete_feed()
        words = ["'vtex_default'", "feed"]
    sandbox.clear_audit()
    run = deployment.start()
    assert run.wait() == "failed"
    states = run.states()
    assert (states["pull_feed"], states["deduplicate"], states["outcome"]) == ("failed", "upstream_failed", "failed")
    assert run.tries()["pull_feed"] == 1
    assert len(sandbox.audit()) == 1
    said = run.log("pull_feed")
    assert all(word in said for word in words), said
    assert "not-the-token" not in said
    assert "pull_feed" in run.log("outcome")


def test_an_erp_that_is_away_is_tried_again(deployment: Deployment) -> None:
    placed = deployment.sandbox.generate(3, seed=1, kinds=["plain"])  # too few for the breaker
    address = f"http://127.0.0.1:{free_port()}/erp"
    deployment.connect("erp_default", conn_type="http", host=address)
    run = deployment.start()
    run.wait_for("submit_orders[0]", state="up_for_retry")
    said = run.log("submit_orders[0]", tries=1)
    assert "'erp_default'" in said
    assert address in said
    deployment.connect("erp_default", conn_type="http", host=deployment.sandbox.erp_url)
    assert run.wait() == "success"
    assert run.tries()["submit_orders[0]"] == 2
    assert deployment.effects() == once(placed)


def test_an_erp_that_is_down_for_everyone_costs_no_retries(deployment: Deployment) -> None:
    placed = deployment.sandbox.generate(8, seed=1, kinds=["plain"])
    deployment.connect("erp_default", conn_type="http", host=f"http://127.0.0.1:{free_port()}/erp")
    run = deployment.run()
    assert {run.states()["submit_orders[0]"], run.states()["outcome"]} == {"failed"}
    assert run.tries()["submit_orders[0]"] == 1
    assert "8 orders wait" in run.log("outcome")
    deployment.connect("erp_default", conn_type="http", host=deployment.sandbox.erp_url)
    breaker.give_probe_back(deployment.ledger, "erp_default")  # as if the minute were over
    deployment.run()  # the oldest order finds out that the ERP is back
    assert deployment.run().wait() == "success"
    assert deployment.effects() == once(placed)
