"""From Airflow's context to what is to be listed."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any

import pendulum
import pytest

from vtex_erp.errors import ConfigurationError
from vtex_erp.operators.by_date import PARAMS, _window
from vtex_erp.vtex.windows import Window


def test_a_data_interval_becomes_a_window_that_can_be_cut() -> None:
    start = pendulum.datetime(2026, 11, 1, tz="America/Sao_Paulo")
    window = _window({"params": {}, "data_interval_start": start, "data_interval_end": start.add(days=1)})
    assert window.start == datetime(2026, 11, 1, 3, tzinfo=timezone.utc)
    assert window.milliseconds == 86_400_000
    assert len(window.split(7)) == 7


@pytest.mark.parametrize("end", [None, "same"])
def test_a_run_without_an_interval_says_what_to_do(end: str | None) -> None:
    start = pendulum.datetime(2026, 11, 1)
    with pytest.raises(ConfigurationError, match="order_ids"):
        _window({"params": {}, "data_interval_start": start, "data_interval_end": start if end else None})


@pytest.mark.parametrize(
    ("given", "start", "end"),
    [
        (("2026-11-01T00:00:00-03:00", "2026-11-02T00:00:00-03:00"), (11, 1, 3), (11, 2, 3)),
        (("2026-11-01T00:00:00Z", "2026-11-01T09:30:00.000+05:30"), (11, 1, 0), (11, 1, 4)),
        (("2026-11-01", "2026-11-02T00:00:00Z"), None, "from_moment: '2026-11-01' has no time zone"),
        (("2026-11-01T00:00:00", "2026-11-02T00:00:00Z"), None, "from_moment: '2026-11-01T00:00:00' has no time zone"),
        (("2026-11-01T00:00:00Z", "tomorrow"), None, "to_moment: 'tomorrow' is no moment"),
        (("2026-11-01T00:00:00Z", None), None, "to_moment: from_moment and to_moment go together"),
        ((None, "2026-11-01T00:00:00Z"), None, "from_moment: from_moment and to_moment go together"),
        (
            ("2026-11-02T00:00:00Z", "2026-11-02T00:00:00Z"),
            None,
            "from_moment: 2026-11-02T00:00:00+00:00 is not before",
        ),
    ],
)
def test_a_time_that_is_given_is_used_instead(
    given: tuple[str | None, str | None], start: tuple[int, int, int] | None, end: tuple[int, int, int] | str
) -> None:
    interval = pendulum.datetime(2025, 1, 1)
    context: dict[str, Any] = {"data_interval_start": interval, "data_interval_end": interval.add(days=1)}
    context["params"] = dict(zip(("from_moment", "to_moment"), given, strict=True))
    if isinstance(end, str):
        with pytest.raises(ConfigurationError, match=f"Param {re.escape(end)}"):
            _window(context)
        return
    assert start
    expected = Window.between(datetime(2026, *start, tzinfo=timezone.utc), datetime(2026, *end, tzinfo=timezone.utc))
    assert _window(context) == expected


def test_what_is_no_moment_is_refused_when_the_run_is_made() -> None:
    from airflow.sdk.exceptions import ParamValidationError

    for text in ("tomorrow", "2026-11-01T00:00:00"):
        with pytest.raises(ParamValidationError):
            PARAMS["from_moment"].resolve(text)
    assert PARAMS["from_moment"].resolve(None) is None
    assert PARAMS["from_moment"].resolve("2026-11-01T00:00:00-03:00")
