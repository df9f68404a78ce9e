"""A worker that dies at its n-th point: it sends itself SIGKILL, and nothing is caught, closed or flushed any more."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from requests.adapters import HTTPAdapter

from vtex_erp.ledger.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Killer:
    """Counts the points that a worker comes to, and kills it at one of them.

    There is a point after each request and each ledger write; with `before`, also before a request is sent and before
    a write is committed.
    """

    def __init__(self, at: int, *, before: bool) -> None:
        self.at, self.before = at, before
        self.seen = 0

    def watch_requests(self) -> None:
        """From now on every request of this process is a point."""
        send, killer = HTTPAdapter.send, self

        def watched_send(self: HTTPAdapter, *args: Any, **settings: Any) -> Any:
            killer._point_before()
            answer = send(self, *args, **settings)
            killer._point()
            return answer

        HTTPAdapter.send = watched_send  # type: ignore[method-assign]

    def watched(self, ledger: Ledger) -> Ledger:
        """The same ledger, where every write is a point."""
        killer = self

        class WatchedLedger(Ledger):
            @contextmanager
            def write(self) -> Iterator[Any]:
                with super().write() as connection:
                    yield connection
                    killer._point_before()
                killer._point()

        return WatchedLedger(ledger.engine, ledger.cipher, ledger.clock)

    def _point_before(self) -> None:
        if self.before:
            self._point()

    def _point(self) -> None:
        self.seen += 1
        if self.seen == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


def run_until_killed(work: Callable[[Killer], None], at: int, *, before: bool = False) -> bool:
    """Do the work in a process of its own; whether it was killed."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            killer = Killer(at, before=before)
            killer.watch_requests()
            work(killer)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False
