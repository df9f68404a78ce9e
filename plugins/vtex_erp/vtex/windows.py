"""Windows of time, as List orders takes them: both ends included, whole milliseconds, UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, order=True)
class Window:
    """From `start` to `end`, both included and aware."""

    start: datetime
    end: datetime

    @classmethod
    def between(cls, start: datetime, end: datetime) -> Window:
        """The window of a data interval: `end` is excluded there."""
        return cls(start, end - MILLISECOND)

    @property
    def milliseconds(self) -> int:
        """How many of VTEX's moments the window holds."""
        return (self.end - self.start) // MILLISECOND + 1

    def split(self, parts: int) -> tuple[Window, ...]:
        """Cut into up to `parts` windows that touch: together they hold the same moments, each of them once."""
        parts = max(1, min(parts, self.milliseconds))
        edges = [self.start + MILLISECOND * (self.milliseconds * index // parts) for index in range(parts + 1)]
        return tuple(Window(start, end - MILLISECOND) for start, end in pairwise(edges))


def uncovered(whole: Window, covered: Iterable[Window]) -> list[Window]:
    """What of `whole` no window covers yet, in order."""
    gaps, start = [], whole.start
    for window in sorted(covered):
        if window.start > start:
            gaps.append(Window(start, min(window.start - MILLISECOND, whole.end)))
        start = max(start, window.end + MILLISECOND)
    if start <= whole.end:
        gaps.append(Window(start, whole.end))
    return [gap for gap in gaps if gap.start <= gap.end]
