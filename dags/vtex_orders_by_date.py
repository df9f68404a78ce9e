"""Every day: what the feed has missed of the day before, and whether VTEX, ledger and ERP agree. The DAG to backfill.

    airflow backfill create --dag-id vtex_orders_by_date --from-date 2026-11-01 --to-date 2026-11-30

A day begins at midnight in the store's time zone, else in Airflow's own (`[core] default_timezone`).
"""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG, CronDataIntervalTimetable, conf

from vtex_erp.operators.by_date import PARAMS, DeduplicateFoundOperator, FindOrdersOperator
from vtex_erp.operators.group import orders
from vtex_erp.operators.orders import OutcomeOperator
from vtex_erp.operators.reconciliation import ReconcileOperator
from vtex_erp.operators.stores import TAGS, default_args, stores_and_dag_ids
from vtex_erp.vtex.budget import Priority

for store, dag_id in stores_and_dag_ids(Path(__file__).with_name("stores.yaml"), "vtex_orders_by_date"):
    with DAG(
        dag_id,
        description="A day's VTEX orders into the ERP: what the feed has missed; the DAG to backfill",
        schedule=CronDataIntervalTimetable("@daily", timezone=store.time_zone or conf.get("core", "default_timezone")),
        catchup=False,
        max_active_runs=1,
        # What is new comes first: vtex_orders has the other slots, and its requests go before these.
        max_active_tasks=2,
        default_args=default_args(store, priority=Priority.BY_DATE.value),
        params=PARAMS,
        doc_md=__doc__,
        tags=TAGS,
    ):
        find = FindOrdersOperator(task_id="find_orders")
        batches = DeduplicateFoundOperator(task_id="deduplicate")
        reconcile = ReconcileOperator(
            task_id="reconcile", trigger_rule="all_done", priority=Priority.RECONCILIATION.value
        )
        outcome = OutcomeOperator(task_id="outcome", trigger_rule="all_done", retries=0)

        find >> batches >> orders.expand(batch=batches.output) >> reconcile >> outcome
