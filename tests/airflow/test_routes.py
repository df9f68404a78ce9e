"""The plugin's apps where Airflow mounts them: nothing is public."""

from __future__ import annotations

import itertools
import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
REFUSED = (401, 403)
NOT_THERE = (404, 405)


@pytest.fixture(scope="module")
def api_server() -> Iterator[Any]:
    """The whole app of the api-server, as it starts in the process that serves it; its database is not there."""
    from airflow.api_fastapi.app import create_app, purge_cached_app
    from fastapi.testclient import TestClient

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Airflow's own
        app = create_app(apps="core")
    yield TestClient(app, raise_server_exceptions=False)
    purge_cached_app()


def mounts(api_server: Any) -> dict[str, Any]:
    return {route.path: route.app for route in api_server.app.routes if route.path.startswith("/vtex")}


def test_the_hook_is_not_hidden_behind_the_pages(api_server: Any) -> None:
    assert list(mounts(api_server)) == ["/vtex/hook", "/vtex"]


@pytest.mark.parametrize("credentials", [{}, {"Authorization": "Bearer made-up"}, {"Cookie": "_token=made-up"}])
def test_no_route_is_public(api_server: Any, monkeypatch: pytest.MonkeyPatch, credentials: dict[str, str]) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_VTEX_DEFAULT", "vtex://KEY:TOKEN@/?account=shop&hook_secret=secret")
    asked = []
    for prefix, app in mounts(api_server).items():
        for route, method in itertools.product(app.routes, METHODS):
            path = prefix + route.path.replace("{", "").replace(":path}", "").replace("}", "")
            status = api_server.request(method, path, headers=credentials, follow_redirects=False).status_code
            assert status in (REFUSED if method in route.methods else NOT_THERE), (method, path, status)
            asked.append((method, path))
    assert ("POST", "/vtex/hook/store") in asked
    assert ("GET", "/vtex/reconciliation/dag_id/run_id") in asked


@pytest.mark.parametrize("prefix", ["/vtex/hook", "/vtex"])
@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/openapi.json", "/docs/oauth2-redirect", "/main/", "//"])
def test_what_fastapi_adds_is_off(api_server: Any, prefix: str, path: str) -> None:
    assert api_server.get(prefix + path, follow_redirects=False).status_code in NOT_THERE


def test_the_limit_of_a_body_holds_behind_airflow_s_own_middleware(
    api_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_VTEX_DEFAULT", "vtex://KEY:TOKEN@/?account=shop&hook_secret=secret")
    read = []

    def endless() -> Iterator[bytes]:
        for number in range(1000):
            read.append(number)
            yield b" " * 1024

    headers = {"X-Vtex-Erp-Secret": "secret"}
    assert api_server.post("/vtex/hook/main", content=endless(), headers=headers).status_code == 413
    assert api_server.post("/vtex/hook/main", json={"hookConfig": "ping"}, headers=headers).status_code == 200
