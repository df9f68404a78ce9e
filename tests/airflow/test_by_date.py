"""From Airflow's context to what is to be listed."""

from __future__ import annotations

from datetime import datetime, timezone

import pendulum
import pytest

from vtex_erp.errors import ConfigurationError
from vtex_erp.operators.by_date import _window


def test_a_data_interval_becomes_a_window_that_can_be_cut() -> None:
    start = pendulum.datetime(2026, 11, 1, tz="America/Sao_Paulo")
    window = _window({"data_interval_start": start, "data_interval_end": start.add(days=1)})
    assert window.start == datetime(2026, 11, 1, 3, tzinfo=timezone.utc)
    assert window.milliseconds == 86_400_000
    assert len(window.split(7)) == 7


@pytest.mark.parametrize("end", [None, "same"])
def test_a_run_without_an_interval_says_what_to_do(end: str | None) -> None:
    start = pendulum.datetime(2026, 11, 1)
    with pytest.raises(ConfigurationError, match="order_ids"):
        _window({"data_interval_start": start, "data_interval_end": start if end else None})
