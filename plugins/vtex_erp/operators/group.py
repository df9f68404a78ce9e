"""The task group that brings one batch of orders into the ERP; the same in every DAG."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import chain, task_group

from vtex_erp.operators.orders import (
    CommitEventsOperator,
    FetchOrdersOperator,
    MapOrdersOperator,
    StartHandlingOperator,
    SubmitOrdersOperator,
)
from vtex_erp.retry import VtexErpRetryPolicy

if TYPE_CHECKING:
    from airflow.sdk import XComArg

DEFAULT_ARGS: dict[str, Any] = {
    "retries": 2,
    "retry_delay": timedelta(seconds=15),
    "max_retry_delay": timedelta(minutes=10),
    "retry_policy": VtexErpRetryPolicy(),
    "execution_timeout": timedelta(minutes=30),
}
"""For every task of the package's DAGs. What retries do not cure waits in the ledger for a later run."""

_FETCHING = 4
"""Batches that are read at the same time: they use up all that VTEX allows, and more would hold the slots meanwhile."""


@task_group(group_id="orders")
def orders(batch: XComArg) -> None:
    """Fetch, map, submit, commit and start handling for one batch.

    A step fails when one of its orders does; the next one runs all the same, for the others (`all_done`).
    """
    # Where slots are few, what has begun goes first, so that a batch is through before others are read.
    settings: dict[str, Any] = {
        "batch": batch,
        "map_index_template": "{{ batch_name }}",
        "weight_rule": "upstream",
    }
    later: dict[str, Any] = {**settings, "trigger_rule": "all_done"}
    chain(
        FetchOrdersOperator(task_id="fetch_orders", max_active_tis_per_dagrun=_FETCHING, **settings),
        MapOrdersOperator(task_id="map_orders", **later),
        SubmitOrdersOperator(task_id="submit_orders", **later),
        CommitEventsOperator(task_id="commit_events", **later),
        StartHandlingOperator(task_id="start_handling", **later),
    )
