"""Windows: cut and put together, no moment is lost and none is there twice."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from vtex_erp.vtex.windows import MILLISECOND, Window, uncovered

START = datetime(2026, 3, 1, tzinfo=timezone.utc)
windows = st.tuples(st.integers(0, 500), st.integers(0, 500)).map(
    lambda pair: Window(START + MILLISECOND * min(pair), START + MILLISECOND * max(pair))
)


@given(windows, st.integers(-1, 600))
def test_parts_touch_and_make_up_the_whole(window: Window, number: int) -> None:
    parts = window.split(number)
    assert 1 <= len(parts) <= max(1, number)
    assert (parts[0].start, parts[-1].end) == (window.start, window.end)
    assert all(first.end + MILLISECOND == second.start for first, second in pairwise(parts))
    assert sum(part.milliseconds for part in parts) == window.milliseconds


@given(windows, st.lists(windows, max_size=6))
def test_what_is_not_covered(whole: Window, covered: list[Window]) -> None:
    def moments(window: Window) -> set[datetime]:
        return {window.start + MILLISECOND * index for index in range(window.milliseconds)}

    gaps = uncovered(whole, covered)
    assert sum(gap.milliseconds for gap in gaps) == len(set().union(*map(moments, gaps), set()))
    assert set().union(*map(moments, gaps), set()) == moments(whole) - set().union(*map(moments, covered), set())


def test_the_end_of_a_data_interval_belongs_to_the_next_one() -> None:
    day = Window.between(START, START + timedelta(days=1))
    assert day.end == START + timedelta(days=1) - MILLISECOND
    assert day.milliseconds == 86_400_000
