"""What Airflow loads from this folder. Executed in every task process, so it imports next to nothing."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.sdk.plugins_manager import AirflowPlugin


class VtexErpPlugin(AirflowPlugin):
    """Serves the package's pages, and makes it visible under Admin, Plugins."""

    name = "vtex_erp"

    @cached_property
    def fastapi_apps(self) -> list[Any]:  # type: ignore[override]
        """The pages; only the api-server asks for them."""
        from vtex_erp.web.app import create_app

        return [{"app": create_app(), "url_prefix": "/vtex", "name": "VTEX orders"}]
