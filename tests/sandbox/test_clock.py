from __future__ import annotations

import pytest

from sandbox.vtex.clock import VirtualClock, from_vtex, to_vtex, to_vtex_seconds


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1970-01-02", 86_400.0),
        ("1970-01-01T00:00:10", 10.0),
        ("1970-01-01T00:00:10Z", 10.0),
        ("1970-01-01T00:00:10.5Z", 10.5),
        ("1970-01-01T00:00:10.2500000+00:00", 10.25),
        ("1970-01-01T00:00:10-05:00", 18_010.0),
        ("1970-01-01T05:30:10+0530", 10.0),
        ("1970-13-01T00:00:10Z", None),
        ("yesterday", None),
        (None, None),
        (12, None),
    ],
)
def test_every_form_of_a_date_is_read(text: object, moment: float | None):
    assert from_vtex(text) == moment


def test_dates_are_written_with_seven_digits():
    assert to_vtex(1.25) == "1970-01-01T00:00:01.2500000+00:00"
    assert to_vtex(1.25, suffix="Z") == "1970-01-01T00:00:01.2500000Z"
    assert to_vtex_seconds(1.25) == "1970-01-01T00:00:01+00:00"


def test_the_clock_runs_on_from_where_it_was_put():
    real = [100.0]
    clock = VirtualClock(lambda: real[0])
    clock.advance(50)
    assert clock.now() == 150
    clock.set(1000)
    real[0] += 5
    assert clock.now() == 1005
