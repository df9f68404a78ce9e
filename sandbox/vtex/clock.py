"""The simulator's time: the real time plus an offset that tests move, and VTEX's way to write a date."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?)?(Z|[+-]\d\d:?\d\d)?", re.ASCII)


class VirtualClock:
    """Seconds since 1970, as the simulated store sees them."""

    def __init__(self, real: Callable[[], float] = time.time) -> None:
        self._real = real
        self.offset = 0.0

    def now(self) -> float:
        """Virtual time in seconds since 1970."""
        return self._real() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the time forward; a negative number moves it back."""
        self.offset += seconds

    def set(self, moment: float) -> None:
        """Make it `moment` (seconds since 1970) now; time runs on from there."""
        self.offset = moment - self._real()


def to_vtex(moment: float, *, suffix: str = "+00:00") -> str:
    """Write a date as OMS does, with seven fraction digits: `2024-10-09T19:25:26.5838646+00:00`."""
    text = datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
    return f"{text}{text[-1]}{suffix}"


def to_vtex_seconds(moment: float) -> str:
    """Write a date as List orders does: whole seconds and an offset."""
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+00:00")


def from_vtex(text: object) -> float | None:
    """Read any of VTEX's dates (0 to 9 fraction digits, Z, offset or no zone); None when it is none."""
    found = _DATE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    try:
        base = datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=timezone.utc,
        )
    except ValueError:
        return None
    return base.timestamp() + float(f"0.{fraction or 0}") - _offset(zone)


def _offset(zone: str | None) -> float:
    if zone in (None, "Z"):
        return 0.0
    digits = zone[1:].replace(":", "")
    seconds = timedelta(hours=int(digits[:2]), minutes=int(digits[2:])).total_seconds()
    return -seconds if zone[0] == "-" else seconds
