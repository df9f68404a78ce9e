"""The feed's DAGs as Airflow runs their tasks: what is red, who is told, which run is started, what the page shows."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.fernet import Fernet

from tests.sandbox.endpoint import endpoint
from vtex_erp.errors import ConfigurationError, ParkError
from vtex_erp.ledger import feed, plans
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.entries import Run
from vtex_erp.ledger.ledger import open_ledger
from vtex_erp.pipeline.configure_feed import Comparison
from vtex_erp.stores.model import SECRET_HEADER, Store
from vtex_erp.vtex.filters import Setting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.client import Sandbox
    from tests.sandbox.endpoint import Endpoint
    from vtex_erp.ledger.ledger import Ledger

BY_DATE = "vtex_orders_by_date"
SECRET = "s3cr3t-value"


class TaskInstance:
    dag_id, run_id, task_id = "vtex_feed_guard", "hour", "guard_feed"
    try_number, max_tries = 1, 2


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    key, path = Fernet.generate_key().decode(), tmp_path / "ledger.db"
    connection = {"conn_type": "sqlite", "host": str(path), "extra": {"document_key": key}}
    monkeypatch.setenv("AIRFLOW_CONN_ORDER_LEDGER", json.dumps(connection))
    ledger = open_ledger(f"sqlite:///{path}", cipher=DocumentCipher([key]))
    yield ledger
    ledger.close()


@pytest.fixture
def connect(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def connect(**extra: Any) -> None:
        fields = {"host": sandbox.base_url, "login": sandbox.app_key, "password": sandbox.app_token}
        connection = {"conn_type": "vtex", **fields, "extra": {"account": sandbox.account, **extra}}
        monkeypatch.setenv("AIRFLOW_CONN_VTEX_DEFAULT", json.dumps(connection))

    connect()
    return connect


@pytest.fixture
def partner(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """A webhook that is told of everything."""
    with endpoint() as listening:
        host = listening.url.removesuffix("/hook")
        monkeypatch.setenv("AIRFLOW_CONN_PARTNER", json.dumps({"conn_type": "http", "host": host}))
        yield listening


STORE = Store.model_validate(
    {"notify": {"ops": {"notifier": "webhook", "settings": {"http_conn_id": "partner", "endpoint": "hook"}}}}
)


def run(kind: str, *, store: Store = STORE, params: dict[str, Any] | None = None, **settings: Any) -> Any:
    """One try of a task."""
    from airflow.sdk.execution_time.context import set_current_context

    from vtex_erp.operators import feed as operators

    operator = getattr(operators, kind)(task_id="task", store=store, **settings)
    context: Any = {"ti": TaskInstance(), "params": params or {}}
    with set_current_context(context):
        return operator.execute(context)


def red(kind: str, **settings: Any) -> str:
    with pytest.raises((ParkError, ConfigurationError)) as caught:
        run(kind, **settings)
    return caught.value.message


def a_pull(ledger: Ledger, account: str) -> None:
    """A run has read the feed."""
    pulled = Run("vtex_orders", "minute", account)
    plans.events_pulled(ledger, pulled)
    plans.finish_pull(ledger, pulled, plans.Pulled(0))


@pytest.mark.usefixtures("connect")
def test_the_guard_is_red_and_tells_once_and_starts_one_run_by_date(
    ledger: Ledger, sandbox: Sandbox, partner: Endpoint
) -> None:
    from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException

    a_pull(ledger, sandbox.account)
    for _ in range(2):
        assert f"VTEX held no feed for account {sandbox.account}" in red("GuardFeedOperator")
    [told] = partner.notifications
    assert (told["kind"], told["about"], told["store"]) == ("feed-missing", sandbox.account, "main")
    assert told["title"] == f"VTEX holds no feed for {sandbox.account}"
    assert "has been created again" in told["text"]

    [gap] = feed.gaps(ledger, sandbox.account)
    for _ in range(2):
        with pytest.raises(DagRunTriggerException) as caught:
            run("BringInGapOperator", by_date_dag=BY_DATE)
        assert (caught.value.trigger_dag_id, caught.value.dag_run_id) == (BY_DATE, gap.run_id)
        assert caught.value.skip_when_already_exists
    assert gap.ends_at
    assert caught.value.conf == {
        "date_field": "authorizedDate",
        "from_moment": (gap.starts_at - timedelta(days=1)).isoformat(),
        "to_moment": gap.ends_at.isoformat(),
    }
    plans.register(ledger, Run(BY_DATE, gap.run_id, sandbox.account))
    with pytest.raises(AirflowSkipException):
        run("BringInGapOperator", by_date_dag=BY_DATE)
    run("GuardFeedOperator")
    assert len(partner.notifications) == 1


@pytest.mark.usefixtures("connect")
def test_what_the_guard_s_run_by_date_is_given_is_what_its_params_take(ledger: Ledger, sandbox: Sandbox) -> None:
    from vtex_erp.operators.by_date import PARAMS, _window
    from vtex_erp.operators.feed import _by_date

    a_pull(ledger, sandbox.account)
    feed.open_gap(ledger, sandbox.account)
    feed.end_gaps(ledger, sandbox.account)
    [gap] = feed.gaps(ledger, sandbox.account)
    given = {**{name: param.value for name, param in PARAMS.items()}, **_by_date(gap)}
    for name, param in PARAMS.items():
        param.resolve(given[name])
    assert _window({"params": given}).start == gap.authorized_from


@pytest.mark.usefixtures("connect", "ledger")
def test_the_comparison_is_red_until_it_is_applied(sandbox: Sandbox, partner: Endpoint) -> None:
    assert "Run vtex_feed_config__brazil with `apply`" in red("ConfigureFeedOperator", suffix="__brazil")
    assert run("ConfigureFeedOperator", params={"apply": True}) == {"applied": True, "remarks": 0}
    assert run("ConfigureFeedOperator") == {"applied": False, "remarks": 0}
    assert [each["kind"] for each in partner.notifications] == ["feed-missing"]


@pytest.mark.usefixtures("ledger", "partner")
def test_a_hook_needs_a_secret_and_vtex_gets_the_first_one(sandbox: Sandbox, connect: Callable[..., None]) -> None:
    sandbox.switches(hook_https_only=False)
    with endpoint() as here:
        store = STORE.model_copy(update={"hook": Store.model_validate({"hook": {"url": here.url}}).hook})
        assert "Connection 'vtex_default', Extra, hook_secret" in red("ConfigureFeedOperator", store=store)
        connect(hook_secret=f"{SECRET}, old-one")
        run("ConfigureFeedOperator", store=store, params={"apply": True})
        assert here.calls[-1][0][SECRET_HEADER.lower()] == SECRET


def test_the_page_of_a_comparison() -> None:
    from vtex_erp.web.feed import page

    settings = (Setting("filter.status", "canceled", "<b>order-completed</b>"), Setting("filter.type", "a", "a", False))
    comparison = Comparison(settings, (), "The feed holds 3 events.", ("feed: a known defect",))
    document = page(Run("vtex_feed_config", "day", "mystore"), comparison)
    assert "1 setting differs." in document
    assert "<td class='bad'>&lt;b&gt;order-completed&lt;/b&gt;</td>" in document
    assert "<h2>Hook</h2>" not in document
    assert "<li>feed: a known defect</li>" in document
    assert "The feed holds 3 events." in document
    applied = Comparison(settings, (), applied=True)
    assert "Applied: VTEX has what the stores file wants." in page(Run("d", "r", "mystore"), applied)
    right = Comparison((settings[1],), (settings[1],))
    assert "VTEX has what the stores file wants.</p>" in page(Run("d", "r", "mystore"), right)
    assert Comparison.from_json(comparison.to_json()) == comparison
