"""The feed's configuration and its guard, and the link to the page of what was compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from airflow.sdk import BaseOperatorLink, Param, get_current_context
from airflow.sdk.exceptions import AirflowSkipException, DagRunTriggerException

from vtex_erp.errors import ConfigurationError, RetryableError
from vtex_erp.ledger import feed
from vtex_erp.operators.notices import tell_everybody
from vtex_erp.operators.step import StepOperator
from vtex_erp.pipeline.configure_feed import configure_feed
from vtex_erp.pipeline.guard_feed import FeedSetup, guard_feed, raise_findings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from airflow.sdk.types import TaskInstanceKey

    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.vtex.filters import WantedHook

PAGE = "/vtex/feed"

PARAMS: dict[str, Any] = {
    "apply": Param(
        default=False,
        type="boolean",
        title="Apply",
        description="Where VTEX has another feed or hook than the stores file wants, tell VTEX to change it.",
    ),
}
"""For the DAG that compares the feed, with their JSON schema."""


class FeedLink(BaseOperatorLink):
    """The button at the task instance."""

    name = "Feed"

    def get_link(self, operator: Any, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002 - Airflow's signature
        """The address of the run's page."""
        return f"{PAGE}/{quote(ti_key.dag_id, safe='')}/{quote(ti_key.run_id, safe='')}"


class FeedOperator(StepOperator):
    """What the two operators of the feed share.

    :param suffix: of the store's DAG ids, where there are several stores
    """

    template_fields: Sequence[str] = ()

    def __init__(self, *, suffix: str = "", **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.suffix = suffix

    def step(self, ledger: Ledger, task: TaskTry) -> Any:
        """Look, and tell everybody of what is found."""
        try:
            counts = self.look(ledger, task)
        finally:
            troubles = tell_everybody(ledger, self.store, task.run.account, get_current_context())
        if troubles:
            raise RetryableError("\n".join(troubles), cause="not-told")
        return counts

    def look(self, ledger: Ledger, task: TaskTry) -> Any:
        """Do the operator's work."""
        raise NotImplementedError

    @property
    def setup(self) -> FeedSetup:
        """What the store wants. Raises ConfigurationError where its hook has no secret."""
        store = self.store
        return FeedSetup(store.feed, self._hook(), store.what_to_do, recreate=store.guard.recreate, suffix=self.suffix)

    def _hook(self) -> WantedHook | None:
        if self.store.hook is None:
            return None
        secrets = self._vtex_settings.hook_secrets
        if not secrets:
            raise ConfigurationError(
                f"Connection {self.store.vtex!r}, Extra, hook_secret: the store has a hook, so put a long random "
                "text, by which VTEX proves its calls."
            )
        return self.store.hook.wanted(secrets[0])


class ConfigureFeedOperator(FeedOperator):
    """Compares the feed and the hook at VTEX with the store's settings; the param `apply` has VTEX change them."""

    operator_extra_links = (FeedLink(),)

    def look(self, ledger: Ledger, task: TaskTry) -> dict[str, Any]:
        """Compare."""
        apply = bool(get_current_context()["params"].get("apply"))
        comparison = configure_feed(ledger, task, self.vtex, self.setup, apply=apply)
        return {"applied": comparison.applied, "remarks": len(comparison.remarks)}


class GuardFeedOperator(FeedOperator):
    """Looks after the feed; red when something is wrong with it. Returns nothing."""

    def look(self, ledger: Ledger, task: TaskTry) -> None:
        """Guard."""
        raise_findings(guard_feed(ledger, task, self.vtex, self.setup))


class BringInGapOperator(StepOperator):
    """Starts a run by date over the oldest time without a feed that no run brings in yet; skipped when there is none.

    The run's id is that of the gap, so that it is made once, however often this runs. (Airflow's TriggerDagRunOperator
    does the same, but costs every task of its DAG a second of imports.)

    :param by_date_dag: the DAG to be run
    """

    template_fields: Sequence[str] = ()

    def __init__(self, *, by_date_dag: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.by_date_dag = by_date_dag

    def step(self, ledger: Ledger, task: TaskTry) -> None:
        """Start the run, or skip."""
        gaps = feed.gaps(ledger, task.run.account)
        gap = next((gap for gap in gaps if gap.ends_at), None)
        if gap is None:
            raise AirflowSkipException(
                "VTEX had a feed all the time, or what became ready without one comes in already."
            )
        self.log.info("Run %s of %s is started, unless it is there.", gap.run_id, self.by_date_dag)
        raise DagRunTriggerException(
            trigger_dag_id=self.by_date_dag,
            dag_run_id=gap.run_id,
            conf=_by_date(gap),
            reset_dag_run=False,
            skip_when_already_exists=True,
            wait_for_completion=False,
            allowed_states=[],
            failed_states=[],
            poke_interval=60,
            deferrable=False,
        )


def _by_date(gap: feed.Gap) -> dict[str, str]:
    """The params: what became ready in the gap was authorized in it, or not long before."""
    end = gap.ends_at or gap.starts_at
    return {
        "date_field": "authorizedDate",
        "from_moment": gap.authorized_from.isoformat(),
        "to_moment": end.isoformat(),
    }
