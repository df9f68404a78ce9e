"""Every day, and by hand: whether VTEX's feed and hook are as the stores file wants them.

A difference makes the run red; the button Feed at the task shows both sides. Run by hand with `apply`, it has VTEX
change them. Nothing else changes a feed that is there.
"""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG, CronTriggerTimetable

from vtex_erp.operators.feed import PARAMS, ConfigureFeedOperator
from vtex_erp.operators.stores import TAGS, default_args, stores_and_dag_ids

PLAIN = "vtex_feed_config"

for store, dag_id in stores_and_dag_ids(Path(__file__).with_name("stores.yaml"), PLAIN):
    with DAG(
        dag_id,
        description="Compares VTEX's feed and hook with the stores file, and changes them when told to",
        schedule=CronTriggerTimetable("41 4 * * *", timezone="UTC"),
        catchup=False,
        max_active_runs=1,
        allowed_run_types=["scheduled", "manual"],
        default_args=default_args(store),
        params=PARAMS,
        doc_md=__doc__,
        tags=TAGS,
    ):
        ConfigureFeedOperator(task_id="configure_feed", suffix=dag_id.removeprefix(PLAIN))
