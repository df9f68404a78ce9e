"""Every minute: what VTEX's feed tells of goes into the ERP, once.

It follows the feed, so it cannot be backfilled: backfill `vtex_orders_by_date`.
"""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG, CronTriggerTimetable

from vtex_erp.operators.group import DEFAULT_ARGS, orders
from vtex_erp.operators.orders import (
    CommitOtherEventsOperator,
    DeduplicateOperator,
    OutcomeOperator,
    PullFeedOperator,
)

RULES_FILE = str(Path(__file__).with_name("rules.yaml"))

with DAG(
    "vtex_orders",
    description="VTEX's order feed into the ERP, every order once. To backfill, use vtex_orders_by_date",
    schedule=CronTriggerTimetable("* * * * *", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    allowed_run_types=["scheduled", "manual"],
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["vtex", "erp"],
) as dag:
    pull = PullFeedOperator(task_id="pull_feed")
    batches = DeduplicateOperator(task_id="deduplicate")
    # Mapped over what was pulled, so that an empty feed starts no task for it.
    others = CommitOtherEventsOperator.partial(task_id="commit_other_events").expand(pulled=pull.output)
    outcome = OutcomeOperator(task_id="outcome", trigger_rule="all_done", retries=0)

    pull >> batches >> [others, orders.partial(rules_file=RULES_FILE).expand(batch=batches.output)] >> outcome
