"""The hook for a connection of type `vtex`."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from functools import cached_property
from typing import TYPE_CHECKING, Any

from airflow.providers.http.hooks.http import HttpHook

from vtex_erp.errors import (
    ConfigurationError,
    CredentialsError,
    FeedNotConfiguredError,
    OrderNotFoundError,
    VtexErpError,
)
from vtex_erp.hooks.fields import vtex_settings
from vtex_erp.transport import pooled_session
from vtex_erp.vtex.answers import Call, raise_for_response
from vtex_erp.vtex.calls import FEED_RESOURCE, HANDLING_RESOURCE, LIST_RESOURCE, VIEW_RESOURCE
from vtex_erp.vtex.client import VtexClient, request_headers

if TYPE_CHECKING:
    from collections.abc import Callable

    from requests import Response, Session

    from vtex_erp.vtex.settings import VtexSettings

_TEST_TIMEOUT_SECONDS = 10.0
_TEST_ORDER_ID = "vtex-erp-connection-test"
_TEST_WINDOW = timedelta(days=30)
_UNAUTHORIZED = 401


class VtexHook(HttpHook):
    """Gives the client of a VTEX account. `run` makes raw calls with the same keys and the same errors.

    :param vtex_conn_id: a connection of type `vtex`
    """

    conn_name_attr = "vtex_conn_id"
    default_conn_name = "vtex_default"
    conn_type = "vtex"
    hook_name = "VTEX"

    def __init__(self, vtex_conn_id: str = default_conn_name, *, method: str = "GET") -> None:
        super().__init__(method=method, http_conn_id=vtex_conn_id, tcp_keep_alive=False)
        self.vtex_conn_id = vtex_conn_id

    @cached_property
    def settings(self) -> VtexSettings:
        """The connection's fields, checked. Raises ConfigurationError."""
        return vtex_settings(self.vtex_conn_id)

    def get_client(self) -> VtexClient:
        """Make the client, with a session of its own that all threads of a task share."""
        return VtexClient(self.settings, session=self.get_conn())

    def get_conn(self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None) -> Session:
        """Open a pooled session that sends the keys. HttpHook would send them as HTTP Basic."""
        settings = self.settings
        session = pooled_session(settings.base_url, concurrency=settings.concurrency)
        session.headers.update({**request_headers(settings), **(headers or {})})
        self.base_url = settings.base_url
        defaults = {"timeout": settings.timeout_seconds, "allow_redirects": False}
        self.merged_extra = {**defaults, **(extra_options or {})}
        return session

    def check_response(self, response: Response) -> None:
        """Raise an error of our tree. HttpHook would log the body, which may hold a shopper's data."""
        task, resource = f"{response.request.method} {response.request.path_url}", "that this call needs"
        call = Call("", "", task, resource, ConfigurationError)
        raise_for_response(response, call, server=f"VTEX (connection {self.vtex_conn_id!r})")

    def test_connection(self) -> tuple[bool, str]:
        """Check the keys and each permission that can be checked without changing anything at VTEX."""
        try:
            settings = self.settings
            quick = replace(settings, timeout_seconds=min(settings.timeout_seconds, _TEST_TIMEOUT_SECONDS))
            client = VtexClient(quick, session=self.get_conn(), sleep=lambda _seconds: None)
            return _examine(client)
        except VtexErpError as error:
            return False, error.message


def _examine(client: VtexClient) -> tuple[bool, str]:
    checks = {FEED_RESOURCE: _read_feed, LIST_RESOURCE: _list_orders, VIEW_RESOURCE: _read_order}
    missing = [resource for resource, check in checks.items() if _turned_away(check, client)]
    if missing:
        return False, (
            "VTEX turned calls away. Give the app key these License Manager resources: "
            f"{'; '.join(missing)}. If it has them, check Base URL, App key and App token."
        )
    return True, (
        f"Connected to account {client.settings.account}: feed, list and orders can be read. Not checked, as "
        f"that would change an order: {HANDLING_RESOURCE}."
    )


def _turned_away(check: Callable[[VtexClient], object], client: VtexClient) -> bool:
    try:
        check(client)
    except CredentialsError as error:
        if error.status == _UNAUTHORIZED:
            raise
        return True
    return False


def _read_feed(client: VtexClient) -> None:
    """Read the feed's configuration: reading the feed would hide events from the DAG for a while."""
    with suppress(FeedNotConfiguredError):
        client.feed_configuration()


def _list_orders(client: VtexClient) -> None:
    now = datetime.now(timezone.utc)
    client.list_orders(created_from=now - _TEST_WINDOW, created_to=now, per_page=1)


def _read_order(client: VtexClient) -> None:
    """Read an order that does not exist: permission comes before existence, and nobody's data is read."""
    with suppress(OrderNotFoundError):
        client.get_order(_TEST_ORDER_ID)
