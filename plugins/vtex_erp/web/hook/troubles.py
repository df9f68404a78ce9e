"""Tells the log of a trouble when it begins, when it changes and when it is over, and not at every call."""

from __future__ import annotations

import logging

_log = logging.getLogger(__name__)


class Troubles:
    """What is known to be wrong, by what it concerns. One thread tells of one thing."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}

    def tell(self, about: str, trouble: str | None) -> None:
        """Say that this is wrong now; None: nothing is."""
        if trouble == self._known.get(about):
            return
        if trouble is None:
            del self._known[about]
            _log.info("VTEX's hook: %s is right again.", about)
        else:
            self._known[about] = trouble
            _log.error("VTEX's hook: %s: %s", about, trouble)
