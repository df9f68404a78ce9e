"""`resync`: bring single orders in, by a run of `vtex_orders_by_date`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vtex_erp.errors import ConfigurationError
from vtex_erp.stores.load import load_stores

if TYPE_CHECKING:
    import argparse

DAG = "vtex_orders_by_date"


def add_parser(commands: Any) -> None:
    """Describe the command."""
    parser = commands.add_parser(
        "resync",
        help="bring single orders in",
        description=f"Trigger a run of {DAG} for these orders. What is in the ERP already stays as it is.",
    )
    parser.add_argument("order_ids", nargs="+", metavar="ORDER_ID", help="as VTEX writes it, such as 1234560000001-01")
    parser.add_argument("--store", metavar="NAME", help="whose orders they are, where the stores file has several")
    parser.add_argument(
        "--resubmit", action="store_true", help="look orders that are done up in the ERP again; start parked ones anew"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Trigger the run; the status is that of Airflow's command."""
    conf = json.dumps({"order_ids": arguments.order_ids, "resubmit": arguments.resubmit})
    # Airflow's own command knows how to reach its database, and says so when it cannot.
    command = [sys.executable, "-m", "airflow", "dags", "trigger", _dag(arguments.store), "--conf", conf]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - a list, no shell


def _dag(name: str | None) -> str:
    from airflow.sdk import conf

    file = Path(conf.get_mandatory_value("core", "dags_folder")) / "stores.yaml"
    if name is None and not file.exists():
        return DAG
    served = load_stores(file, for_dags=False)
    if name is None and len(served) == 1:
        return served[0].dag_id(DAG)
    chosen = [each for each in served if each.name == name]
    if not chosen:
        trouble = "there are several stores" if name is None else f"there is no store {name!r}"
        names = ", ".join(each.name for each in served)
        raise ConfigurationError(f"{file}: {trouble}: name one with --store: {names}.")
    if chosen[0].mistake:
        raise chosen[0].mistake
    return chosen[0].dag_id(DAG)
