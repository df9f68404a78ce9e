"""Every night: what is older than the ledger's connection says is deleted. `airflow db clean` does it for Airflow."""

from __future__ import annotations

from airflow.sdk import DAG, CronTriggerTimetable

from vtex_erp.operators.group import DEFAULT_ARGS
from vtex_erp.operators.maintenance import PurgeLedgerOperator

with DAG(
    "vtex_maintenance",
    description="Deletes what the order ledger has kept long enough",
    schedule=CronTriggerTimetable("17 3 * * *", timezone="UTC"),
    catchup=False,
    max_active_runs=1,
    allowed_run_types=["scheduled", "manual"],
    default_args=DEFAULT_ARGS,
    doc_md=__doc__,
    tags=["vtex", "erp"],
) as dag:
    PurgeLedgerOperator(task_id="purge_ledger")
