from __future__ import annotations

from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, ClassVar

import requests

from vtex_erp.transport import pooled_session

if TYPE_CHECKING:
    import pytest


def test_one_pool_as_wide_as_the_threads_without_retries() -> None:
    adapter = pooled_session("https://shop.example.com", concurrency=7).get_adapter("https://shop.example.com")
    assert isinstance(adapter, requests.adapters.HTTPAdapter)
    assert adapter._pool_maxsize == 7  # type: ignore[attr-defined]
    assert adapter.max_retries.total == 0


def test_proxy_and_ca_of_the_environment_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/etc/ssl/ours.pem")
    session = pooled_session("https://shop.example.com", concurrency=1)
    assert session.proxies["https"] == "http://proxy.example.com:3128"
    assert session.verify == "/etc/ssl/ours.pem"
    assert session.trust_env is False


def test_no_proxy_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.com:3128")
    monkeypatch.setenv("NO_PROXY", "example.com")
    assert pooled_session("https://shop.example.com", concurrency=1).proxies == {}


def test_tls_is_verified(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    assert pooled_session("https://shop.example.com", concurrency=1).verify is True


class _Greeter(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: ClassVar[list[tuple[int, str | None]]]

    def do_GET(self) -> None:
        self.seen.append((self.client_address[1], self.headers.get("Cookie")))
        self.send_response(204)
        self.send_header("Set-Cookie", "session=1")
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Keep quiet."""


def test_the_connection_is_kept_and_cookies_are_not() -> None:
    class Handler(_Greeter):
        seen: ClassVar[list[tuple[int, str | None]]] = []

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        with pooled_session(url, concurrency=1) as session:
            session.get(url)
            session.get(url)
        server.shutdown()
    (first_port, no_cookie), (second_port, still_none) = Handler.seen
    assert first_port == second_port
    assert (no_cookie, still_none) == (None, None)
