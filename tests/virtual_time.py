"""Workers that share a virtual time: one runs at a time, the one whose sleep ends first is next."""

from __future__ import annotations

import heapq
import itertools
import threading
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 3, 1, tzinfo=timezone.utc)


class VirtualTime:
    """Seconds since the start; only sleeping moves them."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._count = itertools.count()
        self._asleep: list[tuple[float, int, threading.Event]] = []

    def clock(self) -> float:
        return self.seconds

    def database_now(self, _connection: Any = None) -> datetime:
        return START + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        wake = self._lie_down(self.seconds + seconds)
        self._wake_next()
        wake.wait()

    def run(self, *workers: Callable[[], None]) -> None:
        """Let all work to their end. Raises what a worker raised."""
        errors: list[BaseException] = []

        def live(worker: Callable[[], None], wake: threading.Event) -> None:
            wake.wait()
            try:
                worker()
            except BaseException as error:  # noqa: BLE001 - it is raised again
                errors.append(error)
            finally:
                self._wake_next()

        threads = [threading.Thread(target=live, args=(each, self._lie_down(self.seconds))) for each in workers]
        for thread in threads:
            thread.start()
        self._wake_next()
        for thread in threads:
            thread.join()
        if errors:
            raise errors[0]

    def _lie_down(self, until: float) -> threading.Event:
        wake = threading.Event()
        heapq.heappush(self._asleep, (until, next(self._count), wake))
        return wake

    def _wake_next(self) -> None:
        if self._asleep:
            self.seconds, _, wake = heapq.heappop(self._asleep)
            wake.set()
