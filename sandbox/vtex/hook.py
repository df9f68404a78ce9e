"""The hook of one app key: what VTEX has to tell its endpoint, and what became of it (guide "Feed v3", Hook).

The endpoint is tried again at intervals that grow geometrically, up to 100 times within four days; a hook that has
had nothing to tell for three days is removed.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.vtex.filters import EventFilter

if TYPE_CHECKING:
    from sandbox.vtex.feed import Event

MOST_TRIES = 100
LONGEST_SECONDS = 4 * 86_400
QUIET_SECONDS = 3 * 86_400
OK = 200


@dataclass(slots=True)
class Delivery:
    """One event on its way. `answer` is the latest one: a status, `timeout` or `unreachable`; `seconds` it took.

    `wait` is the interval to the next try, in seconds of the store's clock.
    """

    event: Event
    since: float
    tries: int = 0
    answer: str | None = None
    seconds: float = 0.0
    wait: float = 0.0
    state: str = "waiting"

    def report(self) -> dict[str, Any]:
        """Tell it for tests to compare with what the endpoint knows."""
        event = self.event
        return {
            "order_id": event.order_id,
            "domain": event.domain,
            "state": event.state,
            "last_change": event.last_change,
            "current_change": event.current_change,
            "tries": self.tries,
            "answer": self.answer,
            "seconds": self.seconds,
            "wait": self.wait,
            "outcome": self.state,
        }


class Hook:
    """The configuration, and the deliveries by the time that each is due. Thread-safe."""

    def __init__(self, now: float) -> None:
        self.filter = EventFilter(None)
        self.url = ""
        self.headers: dict[str, str] = {}
        self.quiet_since = now
        self.answers: Counter[str] = Counter()
        self._deliveries: list[Delivery] = []
        self._due: list[tuple[float, int, Delivery]] = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()

    def put(self, event: Event, *, message_id: str, now: float) -> None:  # noqa: ARG002  a feed has names for its items
        """Have an event delivered."""
        delivery = Delivery(event, now)
        with self._lock:
            self.quiet_since = now
            self._deliveries.append(delivery)
            heapq.heappush(self._due, (now, next(self._numbers), delivery))

    def is_abandoned(self, now: float) -> bool:
        """Whether VTEX would have removed the configuration: three days without anything to tell."""
        return now - self.quiet_since >= QUIET_SECONDS

    def take_due(self, now: float, most: int) -> list[Delivery]:
        """Take what is due by now out of the queue, for one try each."""
        taken: list[Delivery] = []
        with self._lock:
            while self._due and self._due[0][0] <= now and len(taken) < most:
                delivery = heapq.heappop(self._due)[2]
                delivery.state = "in flight"
                taken.append(delivery)
        return taken

    def next_due(self) -> float | None:
        """When the next try is due."""
        with self._lock:
            return self._due[0][0] if self._due else None

    def settle(self, delivery: Delivery, answer: str, *, seconds: float, now: float, wait: float) -> None:
        """Note the answer of a try, and plan the next one in `wait` seconds where it was not 200."""
        with self._lock:
            delivery.tries += 1
            delivery.answer, delivery.seconds, delivery.wait = answer, seconds, wait
            self.answers[answer] += 1
            if answer == str(OK):
                delivery.state = "delivered"
                return
            if delivery.tries >= MOST_TRIES or now + wait - delivery.since > LONGEST_SECONDS:
                delivery.state = "dropped"
                return
            delivery.state = "waiting"
            heapq.heappush(self._due, (now + wait, next(self._numbers), delivery))

    def counters(self) -> dict[str, Any]:
        """Count events by what became of them, tries, tries after the first, and answers."""
        with self._lock:
            by_state = Counter(delivery.state for delivery in self._deliveries)
            tries = sum(delivery.tries for delivery in self._deliveries)
            return {
                "events": len(self._deliveries),
                "delivered": by_state["delivered"],
                "waiting": by_state["waiting"],
                "in_flight": by_state["in flight"],
                "dropped": by_state["dropped"],
                "tries": tries,
                "retries": tries - sum(delivery.tries > 0 for delivery in self._deliveries),
                "answers": dict(self.answers),
            }

    def report(self) -> list[dict[str, Any]]:
        """All deliveries, oldest first."""
        with self._lock:
            return [delivery.report() for delivery in self._deliveries]
