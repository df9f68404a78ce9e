"""An account's request limits, by kind of call, and who goes first when they are short."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Family(str, Enum):
    """The kinds of calls that VTEX may limit each by itself."""

    FEED = "feed"
    READ = "read"
    LIST = "list"
    ACTION = "action"


class Priority(str, Enum):
    """Whose requests go first: new orders, then those brought in by date, then reconciliation."""

    LIVE = "live"
    BY_DATE = "by-date"
    RECONCILIATION = "reconciliation"


@dataclass(frozen=True)
class Limits:
    """Requests per minute: of the whole account, which all its keys and people share, and of each family.

    6,000 for Get order is published (Orders API, Get order), 5,000 for List orders was (its version of 2022). For
    the feed and for actions VTEX publishes no number, so only the account's limit holds for them.
    """

    account: float = 6000
    feed: float = 6000
    read: float = 6000
    list: float = 5000
    action: float = 6000

    def of(self, family: str) -> float:
        """The family's own limit. Raises ValueError for a family that is none."""
        limit: float = getattr(self, Family(family).value)
        return limit
