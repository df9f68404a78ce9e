"""What Airflow loads from this folder. Executed in every task process, so it imports next to nothing."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from airflow.sdk.plugins_manager import AirflowPlugin

from vtex_erp import preload


class VtexErpPlugin(AirflowPlugin):
    """Serves the package's pages and the endpoint of VTEX's hook; and makes it visible under Admin, Plugins."""

    name = "vtex_erp"
    listeners = (preload,)

    @cached_property
    def fastapi_apps(self) -> list[Any]:  # type: ignore[override]
        """The pages, behind Airflow's log-in, and the hook, which has a secret; only the api-server asks for them."""
        from vtex_erp.web.app import create_app
        from vtex_erp.web.hook.app import create_app as create_hook_app

        return [
            # The first one that fits is taken, and /vtex fits everything.
            {"app": create_hook_app(), "url_prefix": "/vtex/hook", "name": "VTEX hook"},
            {"app": create_app(), "url_prefix": "/vtex", "name": "VTEX orders"},
        ]
