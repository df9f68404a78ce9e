"""A proxy in front of Tryton that fails on demand, in the words of `sandbox.vtex.faults`."""

from __future__ import annotations

import random
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from sandbox.vtex.faults import Fault, FaultList
from sandbox.web import Answer, Call
from vtex_erp.transport import pooled_session

if TYPE_CHECKING:
    from collections.abc import Iterator

    import requests

_KEPT = ("Authorization", "Content-Type", "X-Tryton-Context")


@dataclass
class _Dice:
    rng: random.Random = field(default_factory=lambda: random.Random(1))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability


class Proxy:
    """What stands between a client and Tryton: `url` is the client's Host, `calls` the paths that came by."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._lock = threading.Lock()
        self._session = pooled_session(target, concurrency=32)
        self._faults = FaultList((), _Dice())
        self._late: list[tuple[Call, str]] = []
        self.calls: list[str] = []
        self.seconds_at_tryton = 0.0
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.proxy = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def fail(self, route: str, action: Any = "status", *, times: int | None = None, **settings: Any) -> Fault:
        """Put a fault in force; `route` is a regular expression with a slash, searched in the path."""
        with self._lock:
            return self._faults.add(Fault(route=route, action=action, remaining=times, **settings))

    def heal(self) -> None:
        """Lift all faults."""
        with self._lock:
            self._faults.faults.clear()

    def let_late_ones_through(self) -> None:
        """Carry out what a fault with effect `late` has held back: the client has long gone."""
        while self._late:
            self._forward(*self._late.pop(0))

    def answer(self, call: Call, path: str) -> Answer | None:
        """Answer as Tryton does, or as the fault says; None cuts the connection."""
        with self._lock:
            self.calls.append(f"{call.method} {call.path}")
            fault = self._faults.pick(call)
        if fault is None:
            return self._forward(call, path)
        if fault.effect == "late":
            self._late.append((call, path))
            return fault.strike(None)
        real = self._forward(call, path) if fault.carries_out else None
        time.sleep(fault.delay_s)
        return fault.strike(real)

    def _forward(self, call: Call, path: str) -> Answer:
        began = time.monotonic()
        response = self._session.request(
            call.method,
            f"{self._target}{path}",
            data=call.body,
            headers={name: call.headers[name] for name in _KEPT if name in call.headers},
            timeout=300,
        )
        with self._lock:
            self.seconds_at_tryton += time.monotonic() - began
        return _answer(response)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    proxy: Proxy


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        call = Call(self.command, self.path.partition("?")[0], headers=dict(self.headers.items()), body=body)
        answer = self.server.proxy.answer(call, self.path)
        if answer is None:
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", answer.content_type)
        if answer.status != 204:
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815 - the base class's names

    def log_message(self, *_: object) -> None:
        """Say nothing: `Proxy.calls` has it."""


def _answer(response: requests.Response) -> Answer:
    kind = response.headers.get("Content-Type", "application/json")
    return Answer(response.status_code, response.content, content_type=kind)


@contextmanager
def in_front_of(target: str) -> Iterator[Proxy]:
    """Run a proxy in front of a server for the length of the block."""
    proxy = Proxy(target)
    thread = threading.Thread(target=proxy.server.serve_forever, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join()
