"""What Airflow loads from this folder. Executed in every task process, so it imports next to nothing."""

from __future__ import annotations

from airflow.sdk.plugins_manager import AirflowPlugin


class VtexErpPlugin(AirflowPlugin):
    """Makes the package visible under Admin, Plugins and in `airflow plugins`."""

    name = "vtex_erp"
