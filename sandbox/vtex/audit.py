"""The log of every request that the simulated VTEX and ERP got, for tests to assert on."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

MOST_ENTRIES = 200_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One request: `at` is virtual time, `key` the app key, `status` 0 when the connection was cut.

    `effect` is True when the request changed something, whatever the caller was told; `fault` names the
    fault that was applied; `consumer` is the program that called (its User-Agent), `reason` why it wants a shopper's
    clear data.
    """

    at: float
    method: str
    path: str
    family: str
    key: str
    order_id: str | None
    status: int
    effect: bool
    fault: str | None = None
    consumer: str = ""
    reason: str | None = None


class AuditLog:
    """The latest requests, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=MOST_ENTRIES)

    def add(self, entry: Entry) -> None:
        """Remember one request."""
        self._entries.append(entry)

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()

    def find(self, **wanted: Any) -> list[dict[str, Any]]:
        """Find the entries whose fields equal the wanted values; None means any."""
        asked = {name: value for name, value in wanted.items() if value is not None}
        return [
            asdict(entry)
            for entry in self._entries
            if all(getattr(entry, name) == value for name, value in asked.items())
        ]
