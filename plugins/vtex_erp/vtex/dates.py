"""Dates as VTEX writes them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_DATE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?"
    r"\s*(Z|[+-]\d\d:?\d\d)?",
    re.ASCII | re.IGNORECASE,
)
_MIN_VALUE_YEAR = 1


def parse_vtex_datetime(text: str | None) -> datetime | None:
    """Read a VTEX date into UTC; None for null, blank text and .NET's MinValue (year 1).

    VTEX writes zero to seven digits of a second, cut here to microseconds, with `Z`, an offset or nothing,
    which means UTC (facts: Get order, Dates; Feed, FromOrders events). A date alone is its midnight in UTC.

    Raises ValueError for any other text; the text itself is not in the message.
    """
    if text is None or not text.strip():
        return None
    match = _DATE.fullmatch(text.strip())
    if match is None:
        raise ValueError("not a date as VTEX writes it")
    if int(match[1]) == _MIN_VALUE_YEAR:
        return None
    try:
        return _in_utc(match)
    except OverflowError:
        raise ValueError("date out of range") from None


def _in_utc(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second = (int(match[group] or 0) for group in range(1, 7))
    microsecond = int((match[7] or "0").ljust(6, "0")[:6])
    local = datetime(year, month, day, hour, minute, second, microsecond, tzinfo=timezone.utc)
    return local - _offset(match[8])


def _offset(zone: str | None) -> timedelta:
    if zone is None or zone in "Zz":
        return timedelta(0)
    distance = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return -distance if zone[0] == "-" else distance


def iso_utc(moment: datetime) -> str:
    """Write a moment as ISO 8601 in UTC with microseconds: `2019-08-12T20:54:23.715383Z`."""
    return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
