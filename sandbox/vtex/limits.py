"""The account's request limit: fixed windows of one minute, shared by all its keys."""

from __future__ import annotations

import math
from email.utils import formatdate
from typing import Any

from sandbox.web import Answer, oms_error

WINDOW_SECONDS = 60


class RateLimit:
    """Counts requests. The window starts with the minute of the virtual clock."""

    def __init__(self) -> None:
        self._window = -1
        self._used = 0
        self.requests = 0
        self.limited = 0
        self.busiest_window = 0

    def allow(self, now: float, per_minute: int) -> bool:
        """Count one request; False when the window is used up."""
        window = int(now // WINDOW_SECONDS)
        if window != self._window:
            self._window, self._used = window, 0
        self._used += 1
        self.requests += 1
        self.busiest_window = max(self.busiest_window, self._used)
        allowed = self._used <= per_minute
        self.limited += not allowed
        return allowed

    def counters(self) -> dict[str, Any]:
        """Count requests and refusals so far, and requests in the current and in the busiest window."""
        return {
            "requests": self.requests,
            "limited": self.limited,
            "in_window": self._used,
            "busiest_window": self.busiest_window,
        }


def too_many(now: float, retry_after: str) -> Answer:
    """429, with Retry-After as seconds, as a date, or not at all."""
    answer = oms_error(429, "429", "Too many requests")
    wait = math.ceil(WINDOW_SECONDS - now % WINDOW_SECONDS)
    if retry_after == "seconds":
        answer.headers["Retry-After"] = str(wait)
    elif retry_after == "date":
        answer.headers["Retry-After"] = formatdate(now + wait, usegmt=True)
    return answer
