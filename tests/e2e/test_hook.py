"""VTEX calls the api-server: runs start without waiting, and what was answered 200 is never lost."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from sandbox.airflow import ROOT
from tests.e2e.conftest import SHORT_RETRIES, deployed
from tests.e2e.deployment import DAG, once, wait_until
from tests.pipeline.loop import STATUSES
from vtex_erp.ledger.tables import events
from vtex_erp.stores.model import SECRET_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.e2e.deployment import Deployment

SECRET = "a-secret-of-the-hook"
STORES = """
stores:
  main:
    schedule: "0 0 1 1 *"
    hook: {url: "https://airflow.example.com/vtex/hook/main"}
"""


@pytest.fixture(scope="module")
def with_hook(
    postgres_server: str, document_key: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Deployment]:
    """A deployment whose one store has a hook, and a schedule that starts no run before next year."""
    home = tmp_path_factory.mktemp("airflow_with_hook")
    shutil.copytree(ROOT / "dags", home / "dags")
    (home / "dags" / "stores.yaml").write_text(STORES)
    settings = {"AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags")}
    with deployed(postgres_server, document_key, home, settings, policy=SHORT_RETRIES) as deployment:
        yield deployment


@pytest.fixture
def hooked(with_hook: Deployment) -> Iterator[Deployment]:
    """That deployment, with nothing in it, and the hook configured at VTEX."""
    with_hook.set_up()
    sandbox = with_hook.sandbox
    sandbox.switches(hook_https_only=False, erp_unique=False)
    extra = json.dumps({"account": sandbox.account, "hook_secret": SECRET})
    with_hook.connect("vtex_default", **with_hook.vtex_connection(extra=extra))
    url = f"{with_hook.airflow.url}/vtex/hook/main"
    sandbox.configure_hook(url, headers={SECRET_HEADER: SECRET}, statuses=STATUSES)
    yield with_hook
    sandbox.delete_hook()
    wait_until(lambda: not _runs(with_hook, "queued", "running"), what="no hint starts a run any more")


def recorded(deployment: Deployment) -> Counter[tuple[str, str]]:
    """How many events the ledger has, by order and state."""
    with deployment.ledger.read() as connection:
        return Counter((row.order_id, row.state) for row in connection.execute(events.select()))


def delivered(deployment: Deployment) -> set[tuple[str, str]]:
    """The order and state of what was answered 200."""
    told = deployment.sandbox.hook_deliveries()
    return {(each["order_id"], each["state"]) for each in told if each["outcome"] == "delivered"}


@pytest.mark.parametrize("feed", [False, True])
def test_a_notification_starts_a_run(hooked: Deployment, feed: bool) -> None:
    sandbox = hooked.sandbox
    if not feed:
        sandbox.delete_feed()
    before = _ended(hooked)
    placed = sandbox.generate(5, seed=1, kinds=["plain"])
    wait_until(lambda: hooked.effects() == once(placed), what="each order is in the ERP and its handling started")
    sandbox.advance(60)  # VTEX tells of the handling
    wait_until(lambda: len(recorded(hooked)) >= 10, what="the handling was told of")
    wait_until(lambda: len(_ended(hooked) - before) >= 2, what="both runs have come to their end")
    assert {run[1:] for run in _ended(hooked) - before} == {("asset_triggered", None, "success")}
    assert hooked.effects() == once(placed)
    assert set(recorded(hooked).values()) == {1}
    if feed:
        assert sandbox.feed_counters()["committed"] >= 5


def test_the_api_server_is_killed_in_the_middle(hooked: Deployment) -> None:
    sandbox, airflow = hooked.sandbox, hooked.airflow
    sandbox.delete_feed()
    airflow.unpause(DAG, paused=True)
    placed = sandbox.generate(600, seed=1, kinds=["plain"])
    wait_until(lambda: len(delivered(hooked)) > 100, what="some notifications were answered")
    os.killpg(airflow.processes["api-server"].pid, signal.SIGKILL)
    airflow.processes.pop("api-server").wait()
    answered = delivered(hooked)
    assert answered <= recorded(hooked).keys()
    assert len(answered) < len(placed), "it was killed too late"
    airflow.start_component("api-server")
    airflow.wait_until_healthy()

    def all_told() -> bool:
        sandbox.advance(600)
        return len(delivered(hooked)) == len(placed)

    wait_until(all_told, what="VTEX has tried again")
    assert recorded(hooked) == {(order.order_id, "ready-for-handling"): 1 for order in placed}
    airflow.unpause(DAG)
    (order,) = sandbox.generate(1, seed=2, kinds=["plain"])
    wait_until(lambda: hooked.effects() == once([*placed, order]), what="each order is in the ERP once")


def _runs(deployment: Deployment, *states: str) -> set[tuple[str, str, str | None, str]]:
    """The runs in these states: id, type, logical date and state."""
    runs = deployment.airflow.call("GET", f"dags/{DAG}/dagRuns", params={"state": states, "limit": 100})["dag_runs"]
    return {(run["dag_run_id"], run["run_type"], run["logical_date"], run["state"]) for run in runs}


def _ended(deployment: Deployment) -> set[tuple[str, str, str | None, str]]:
    return _runs(deployment, "success", "failed")
