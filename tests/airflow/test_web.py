"""The pages: nobody sees one without having logged in."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import httpx
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def get() -> Callable[..., httpx.Response]:
    """Ask the app for a path, with these headers."""
    from airflow.api_fastapi.app import create_auth_manager

    from vtex_erp.web.app import create_app

    create_auth_manager()
    transport = httpx.ASGITransport(app=create_app())

    def ask(path: str, **headers: str) -> httpx.Response:
        async def once() -> httpx.Response:
            async with httpx.AsyncClient(transport=transport, base_url="http://airflow") as client:
                return await client.get(path, headers=headers)

        return asyncio.run(once())

    return ask


@pytest.mark.parametrize(
    "path", ["/reconciliation/a/b", "/reconciliation/vtex_orders_by_date/scheduled__x", "/feed/a/b"]
)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer made-up"}, {"Cookie": "_token=made-up"}])
def test_no_page_without_a_log_in(get: Callable[..., httpx.Response], path: str, headers: dict[str, str]) -> None:
    assert get(path, **headers).status_code in (401, 403)


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/openapi.json"])
def test_what_fastapi_adds_is_off(get: Callable[..., httpx.Response], path: str) -> None:
    assert get(path).status_code == 404


def test_every_route_asks_for_a_log_in() -> None:
    from vtex_erp.web.app import create_app  # not above: another test looks at what loading the plugin imports

    routes = create_app().routes
    assert routes
    for route in routes:
        assert getattr(route, "dependencies", None), route
