"""How many calls VTEX's hook gets and what they were answered; and how many a store may make."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from typing import TYPE_CHECKING

from airflow.observability.stats import incr

if TYPE_CHECKING:
    from collections.abc import Callable

_log = logging.getLogger(__name__)

_SAY_SECONDS = 60.0


class Limit:
    """Lets every store make so many calls at once, and so many a second from then on.

    More than VTEX can mean: it lets nobody make more than 6000 requests a minute about an account's orders.
    """

    def __init__(
        self, *, at_once: int = 5000, a_second: int = 500, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._at_once, self._a_second, self._clock = at_once, a_second, clock
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, store: str) -> float:
        """Count one call of a store that exists; the seconds that it must wait, 0 when it may go on."""
        now = self._clock()
        left, since = self._left.get(store, (self._at_once, now))
        left = min(self._at_once, left + (now - since) * self._a_second)
        if left < 1:
            return (1 - left) / self._a_second
        self._left[store] = (left - 1, now)
        return 0.0


class Traffic:
    """Counts calls by store and by what became of them; a minute's counts go into the log and into Airflow's metrics.

    The metrics are `vtex.hook.recorded`, `vtex.hook.malformed` and so on, with the tag `store`.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, store: str, what: str) -> None:
        """Count one call."""
        if not self._counts:
            asyncio.get_running_loop().call_later(_SAY_SECONDS, self.say)
        self._counts[store, what] += 1

    def say(self) -> None:
        """Tell what was counted since the last time."""
        counts, self._counts = self._counts, Counter()
        by_store: dict[str, list[str]] = {}
        for (store, what), number in sorted(counts.items()):
            by_store.setdefault(store, []).append(f"{number} {what}")
        for store, words in by_store.items():
            _log.info("VTEX's hook, store %s, within a minute: %s.", store, ", ".join(words))
        for (store, what), number in counts.items():
            incr(f"vtex.hook.{what}", number, tags={"store": store})
