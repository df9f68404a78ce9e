"""An endpoint for VTEX's hook: it keeps what it is sent and answers as it is told."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


class Endpoint:
    """`answers` are given in turn, the last one for ever; what was sent is in `calls` (headers, body)."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[int] = [200]
        self.calls: list[tuple[dict[str, str], dict[str, Any]]] = []
        self.changed = threading.Condition()
        self.stuck = threading.Event()
        self.stuck.set()

    @property
    def notifications(self) -> list[dict[str, Any]]:
        return [body for _, body in self.calls if "hookConfig" not in body]

    def take(self, headers: dict[str, str], body: dict[str, Any]) -> int:
        self.stuck.wait(30)
        with self.changed:
            self.calls.append((headers, body))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            self.changed.notify_all()
            return answer

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        """Wait until that many notifications are here, and give them."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.notifications) >= count, timeout=20), self.calls
        return self.notifications


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Listen on a free port of this machine."""
    here = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without this the kernel holds small answers back for 40 ms.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(here.take({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        here.url = f"http://127.0.0.1:{server.server_port}/hook"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield here
        finally:
            here.stuck.set()
            server.shutdown()
            thread.join()
