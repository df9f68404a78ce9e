"""The package's pages, behind Airflow's own log-in."""

from __future__ import annotations

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from vtex_erp.hooks.ledger import LedgerHook
from vtex_erp.ledger import found, reconciliations, reports
from vtex_erp.web.reconciliation import page

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def create_app() -> FastAPI:
    """Make the app. A mounted app inherits no log-in, so each route asks for it; those that FastAPI adds are off."""
    app = FastAPI(
        dependencies=[Depends(requires_access_view(AccessView.PLUGINS))],
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )

    # Not async: the ledger is a database, and this gives it a thread.
    @app.get("/reconciliation/{dag_id}/{run_id:path}")
    def reconciliation(dag_id: str, run_id: str) -> HTMLResponse:
        ledger = LedgerHook().get_ledger()
        try:
            run = reports.run_of(ledger, dag_id, run_id)
            if run is None:
                raise HTTPException(404, "The ledger knows no such run.")
            document = page(
                run,
                found.listed(ledger, run),
                reconciliations.sides(ledger, run),
                reconciliations.kept(ledger, run),
            )
        finally:
            ledger.close()
        return HTMLResponse(document, headers=_HEADERS)

    return app
