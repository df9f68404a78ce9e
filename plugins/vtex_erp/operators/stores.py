"""The DAGs of every store in the stores file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import DAG, Asset, AssetOrTimeSchedule, BaseOperator, CronTriggerTimetable, get_parsing_context

from vtex_erp.operators.group import DEFAULT_ARGS
from vtex_erp.stores.load import load_stores
from vtex_erp.stores.model import EVENTS_ASSET

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from airflow.sdk import Context

    from vtex_erp.errors import ConfigurationError
    from vtex_erp.stores.model import Store

TAGS = ["vtex", "erp"]


def stores_and_dag_ids(file: Path, plain_id: str) -> Iterator[tuple[Store, str]]:
    """Give each store of the file, and the id of its DAG: the plain one for a single store.

    A mistake in a single store's settings is raised, so that the UI shows it as an import error. Of several stores, the
    one with a mistake gets a DAG that fails every hour and says what is wrong; the others are served as ever.
    """
    wanted = get_parsing_context().dag_id
    for served in load_stores(file):
        dag_id = served.dag_id(plain_id)
        if wanted and wanted != dag_id:  # a task's process needs no other DAG
            continue
        if served.store:
            yield served.store, dag_id
        elif served.mistake and served.alone:
            raise served.mistake
        elif served.mistake:
            _broken(dag_id, served.mistake)


def schedule(store: Store, dag_id: str) -> CronTriggerTimetable | AssetOrTimeSchedule:
    """When `vtex_orders` runs: by the store's schedule, and at once when its hook has brought something.

    The asset's events are hints: what is to be done stands in the ledger, and the schedule finds it without them.
    """
    by_time = CronTriggerTimetable(store.schedule, timezone="UTC")
    if store.hook is None:
        return by_time
    asset = Asset(dag_id.replace("vtex_orders", EVENTS_ASSET, 1))
    return AssetOrTimeSchedule(timetable=by_time, assets=[asset])


def default_args(store: Store, **more: Any) -> dict[str, Any]:
    """For every task of a store's DAG."""
    return {**DEFAULT_ARGS, "store": store, **more}


class MistakeOperator(BaseOperator):
    """Fails with what is wrong in a store's settings."""

    def __init__(self, *, mistake: ConfigurationError, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mistake = mistake

    def execute(self, context: Context) -> None:  # noqa: ARG002 - Airflow's signature
        """Fail."""
        raise self.mistake


def _broken(dag_id: str, mistake: ConfigurationError) -> None:
    with DAG(
        dag_id,
        description="Not served: the store's settings have a mistake",
        schedule=CronTriggerTimetable("@hourly", timezone="UTC"),
        catchup=False,
        default_args=DEFAULT_ARGS,
        doc_md=f"```\n{mistake.message}\n```",
        tags=TAGS,
    ):
        MistakeOperator(task_id="settings", mistake=mistake)
