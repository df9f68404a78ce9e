"""Every hour: whether the feed is there and as wanted, its events fresh, all of them ours, and not silent.

What is wrong is told once, and makes `guard_feed` red until it is right. A feed that VTEX has removed is created again,
and `bring_in_gap` starts a run of `vtex_orders_by_date` over the time without one.
"""

from __future__ import annotations

from pathlib import Path

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronTriggerTimetable

from vtex_erp.operators.feed import BringInGapOperator, GuardFeedOperator
from vtex_erp.operators.stores import TAGS, default_args, stores_and_dag_ids

PLAIN = "vtex_feed_guard"

for store, dag_id in stores_and_dag_ids(Path(__file__).with_name("stores.yaml"), PLAIN):
    suffix = dag_id.removeprefix(PLAIN)
    with DAG(
        dag_id,
        description="Watches VTEX's order feed: there, as wanted, fresh, ours alone, and not silent",
        schedule=CronTriggerTimetable("7 * * * *", timezone="UTC"),
        catchup=False,
        max_active_runs=1,
        allowed_run_types=["scheduled", "manual"],
        default_args=default_args(store),
        doc_md=__doc__,
        tags=TAGS,
    ):
        guard = GuardFeedOperator(task_id="guard_feed", suffix=suffix)
        # A gap is a finding, so nothing is started for it while the guard is green.
        gap = BringInGapOperator(
            task_id="bring_in_gap", by_date_dag=f"vtex_orders_by_date{suffix}", trigger_rule="all_failed"
        )
        # Fails with the guard, and without it the run would be as green as bring_in_gap. It has no process of its own.
        nothing_wrong = EmptyOperator(task_id="nothing_wrong")

        guard >> [gap, nothing_wrong]
