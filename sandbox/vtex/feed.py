"""The order feed: one queue per app key that behaves as an SQS standard queue does.

At least once, in no order, with a visibility timeout and a retention period (Orders API, "Feed v3").
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.vtex.filters import EventFilter

if TYPE_CHECKING:
    import random

DEFAULT_VISIBILITY = 30
DEFAULT_RETENTION = 345_600
MOST_ITEMS = 10
# SQS picks from a few hosts, so the oldest items come first only roughly.
SHUFFLE_WINDOW = 100


@dataclass(frozen=True, slots=True)
class Event:
    """One status change of one order; all fields are texts, as the feed sends them."""

    event_id: str
    domain: str
    state: str
    last_state: str | None
    order_id: str
    last_change: str
    current_change: str


@dataclass(slots=True)
class Message:
    """An event in a queue. `receipt` is that of its latest delivery."""

    message_id: str
    event: Event
    queued_at: float
    visible_at: float = 0.0
    receipt: str | None = None
    gone: bool = False


class Feed:
    """The feed of one app key: its configuration and its queue."""

    def __init__(self, now: float) -> None:
        self.filter = EventFilter(None)
        self.visibility = float(DEFAULT_VISIBILITY)
        self.retention = float(DEFAULT_RETENTION)
        self.quiet_since = now
        self.committed = 0
        self.expired = 0
        self._numbers = itertools.count()
        self._messages: dict[str, Message] = {}
        self._visible: deque[Message] = deque()
        self._in_flight: list[tuple[float, int, Message]] = []
        self._by_age: deque[Message] = deque()

    def put(self, event: Event, *, message_id: str, now: float) -> None:
        """Queue an event."""
        message = Message(message_id, event, now)
        self._messages[message_id] = message
        self._visible.append(message)
        self._by_age.append(message)
        self.quiet_since = now

    def take(self, count: int, *, now: float, rng: random.Random, shuffle: bool) -> list[Message]:
        """Take up to `count` visible items out of sight for the visibility timeout."""
        self._catch_up(now)
        window = self._window(SHUFFLE_WINDOW if shuffle else count)
        places = range(min(count, len(window)))
        chosen = rng.sample(range(len(window)), len(places)) if shuffle else list(places)
        left = [message for place, message in enumerate(window) if place not in chosen]
        self._visible.extendleft(reversed(left))
        taken = [window[place] for place in chosen]
        for message in taken:
            message.visible_at = now + self.visibility
            heapq.heappush(self._in_flight, (message.visible_at, next(self._numbers), message))
        return taken

    def holds(self, message_id: str, receipt: str, *, now: float) -> bool:
        """Whether the receipt still deletes its item: it is the latest one, and the item is out of sight.

        An item that is deleted already counts as held: deleting it again is no error, as in SQS.
        """
        message = self._messages.get(message_id)
        return message is None or (message.receipt == receipt and message.visible_at > now)

    def remove(self, message_id: str) -> bool:
        """Delete an item; False when it is gone already."""
        message = self._messages.get(message_id)
        if message is None:
            return False
        self._forget(message)
        self.committed += 1
        return True

    def age(self, seconds: float) -> None:
        """Make every item older, without touching the clock."""
        for message in self._messages.values():
            message.queued_at -= seconds

    def is_abandoned(self, now: float) -> bool:
        """Whether VTEX would have removed the configuration: no event for a whole retention period."""
        return now - self.quiet_since >= self.retention

    def counters(self, now: float) -> dict[str, Any]:
        """Count the items. `total` is VTEX's `quantity`: it counts what is in flight, too."""
        self._catch_up(now)
        total = len(self._messages)
        in_flight = sum(not message.gone for _, _, message in self._in_flight)
        return {
            "visible": total - in_flight,
            "in_flight": in_flight,
            "total": total,
            "committed": self.committed,
            "expired": self.expired,
        }

    def total(self, now: float) -> int:
        """How many items the queue holds, those in flight included."""
        self._catch_up(now)
        return len(self._messages)

    def oldest_age(self, now: float) -> float:
        """Age of the oldest item in seconds; 0 for an empty queue."""
        self._catch_up(now)
        return now - self._by_age[0].queued_at if self._by_age else 0.0

    def _window(self, size: int) -> list[Message]:
        window: list[Message] = []
        while self._visible and len(window) < size:
            message = self._visible.popleft()
            if not message.gone:
                window.append(message)
        return window

    def _catch_up(self, now: float) -> None:
        while self._by_age and (self._by_age[0].gone or now - self._by_age[0].queued_at >= self.retention):
            oldest = self._by_age.popleft()
            if not oldest.gone:
                self._forget(oldest)
                self.expired += 1
        while self._in_flight and (self._in_flight[0][2].gone or self._in_flight[0][0] <= now):
            message = heapq.heappop(self._in_flight)[2]
            if not message.gone:
                self._visible.append(message)

    def _forget(self, message: Message) -> None:
        message.gone = True
        self._messages.pop(message.message_id, None)
