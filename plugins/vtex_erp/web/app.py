"""The package's pages, behind Airflow's own log-in."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from airflow.api_fastapi.auth.managers.models.resource_details import AccessView
from airflow.api_fastapi.core_api.security import requires_access_view
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import HTMLResponse

from vtex_erp.hooks.ledger import LedgerHook
from vtex_erp.ledger import feed, found, reconciliations, reports
from vtex_erp.pipeline.configure_feed import Comparison
from vtex_erp.web.feed import page as feed_page
from vtex_erp.web.reconciliation import page as reconciliation_page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vtex_erp.ledger.entries import Run
    from vtex_erp.ledger.ledger import Ledger

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
        with _run(dag_id, run_id) as (ledger, run):
            document = reconciliation_page(
                run,
                found.listed(ledger, run),
                reconciliations.sides(ledger, run),
                reconciliations.kept(ledger, run),
            )
        return HTMLResponse(document, headers=_HEADERS)

    @app.get("/feed/{dag_id}/{run_id:path}")
    def feed_comparison(dag_id: str, run_id: str) -> HTMLResponse:
        with _run(dag_id, run_id) as (ledger, run):
            kept = feed.kept_comparison(ledger, run)
            if kept is None:
                raise HTTPException(404, "The run did not get as far as comparing anything: see its log.")
            document = feed_page(run, Comparison.from_json(kept))
        return HTMLResponse(document, headers=_HEADERS)

    return app


@contextmanager
def _run(dag_id: str, run_id: str) -> Iterator[tuple[Ledger, Run]]:
    """The run of a page. Raises 404 when the ledger knows no such run."""
    ledger = LedgerHook().get_ledger()
    try:
        run = reports.run_of(ledger, dag_id, run_id)
        if run is None:
            raise HTTPException(404, "The ledger knows no such run.")
        yield ledger, run
    finally:
        ledger.close()
