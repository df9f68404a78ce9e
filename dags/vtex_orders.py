"""Every minute, and when VTEX's hook calls: what VTEX tells of goes into the ERP, once. One DAG for each store.

It follows feed and hook, so it cannot be backfilled: backfill `vtex_orders_by_date`.
"""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG

from vtex_erp.operators.group import orders
from vtex_erp.operators.orders import (
    CommitOtherEventsOperator,
    DeduplicateOperator,
    OutcomeOperator,
    PullFeedOperator,
)
from vtex_erp.operators.stores import TAGS, default_args, schedule, stores_and_dag_ids

for store, dag_id in stores_and_dag_ids(Path(__file__).with_name("stores.yaml"), "vtex_orders"):
    with DAG(
        dag_id,
        description="VTEX's order feed into the ERP, every order once. To backfill, use vtex_orders_by_date",
        schedule=schedule(store, dag_id),
        catchup=False,
        max_active_runs=1,
        allowed_run_types=["scheduled", "asset_triggered", "manual"],
        default_args=default_args(store),
        doc_md=__doc__,
        tags=TAGS,
    ):
        pull = PullFeedOperator(task_id="pull_feed")
        # A feed that cannot be read does not hold up what a hook has brought.
        batches = DeduplicateOperator(task_id="deduplicate", trigger_rule="all_done" if store.hook else "all_success")
        # Mapped over what was pulled, so that an empty feed starts no task for it.
        others = CommitOtherEventsOperator.partial(task_id="commit_other_events").expand(pulled=pull.output)
        outcome = OutcomeOperator(task_id="outcome", trigger_rule="all_done", retries=0, after_pull=True)

        pull >> batches >> [others, orders.expand(batch=batches.output)] >> outcome
