"""Every day: what the feed has missed of the day before, and whether VTEX, ledger and ERP agree. The DAG to backfill.

    airflow backfill create --dag-id vtex_orders_by_date --from-date 2026-11-01 --to-date 2026-11-30

A day begins at midnight in Airflow's own time zone (`[core] default_timezone`).
"""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG, CronDataIntervalTimetable, conf

from vtex_erp.operators.by_date import PARAMS, DeduplicateFoundOperator, FindOrdersOperator
from vtex_erp.operators.group import DEFAULT_ARGS, orders
from vtex_erp.operators.orders import OutcomeOperator
from vtex_erp.operators.reconciliation import ReconcileOperator
from vtex_erp.vtex.budget import Priority

RULES_FILE = str(Path(__file__).with_name("rules.yaml"))

with DAG(
    "vtex_orders_by_date",
    description="A day's VTEX orders into the ERP: what the feed has missed; the DAG to backfill",
    schedule=CronDataIntervalTimetable("@daily", timezone=conf.get("core", "default_timezone")),
    catchup=False,
    max_active_runs=1,
    # What is new comes first: vtex_orders has the other slots, and its requests go before these.
    max_active_tasks=2,
    default_args={**DEFAULT_ARGS, "priority": Priority.BY_DATE.value},
    params=PARAMS,
    doc_md=__doc__,
    tags=["vtex", "erp"],
) as dag:
    find = FindOrdersOperator(task_id="find_orders")
    batches = DeduplicateFoundOperator(task_id="deduplicate")
    outcome = OutcomeOperator(task_id="outcome", trigger_rule="all_done", retries=0)

    reconcile = ReconcileOperator(task_id="reconcile", trigger_rule="all_done", priority=Priority.RECONCILIATION.value)

    find >> batches >> orders.partial(rules_file=RULES_FILE).expand(batch=batches.output) >> reconcile >> outcome
