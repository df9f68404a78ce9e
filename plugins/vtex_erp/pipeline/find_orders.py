"""Find: list the orders of a time, and prove that none is missing.

VTEX's list is a search index: minutes behind, at most 30 pages of 100 rows, and rows move between pages while one
reads (facts, section 6). So a time is cut into windows that fit, and a window is proven only when one reading of all
its pages, or several of them together, show as many different orders as every page said there are. What cannot be
proven is cut smaller: a window of one page has no pages to move between.
"""

from __future__ import annotations

import logging
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vtex_erp.errors import ConfigurationError, ParkError
from vtex_erp.ledger import found, plans
from vtex_erp.ledger.found import FoundOrder, Listed, Reading
from vtex_erp.vtex.statuses import READY_FOR_HANDLING
from vtex_erp.vtex.windows import MILLISECOND, Window, uncovered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import datetime

    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.vtex.client import VtexClient
    from vtex_erp.vtex.schemas import OrderPage, OrderRow

_log = logging.getLogger(__name__)

ROWS = 100
MOST_ORDERS = 30 * ROWS
_COMFORTABLE = 2000  # so that a window that is a little denser than its neighbours need not be cut again

LAG = timedelta(minutes=5)
"""How far the list may be behind: about four minutes (facts, section 6), and one more."""

LOOK_BACK = timedelta(days=30)
_LATE_STATUSES = (READY_FOR_HANDLING, "canceled")

_READINGS = 3
_PARTS = 4  # of a window that does not stand still; the parts have fewer pages to move between
_SECONDS_BETWEEN_READINGS = 2.0
_READERS = 8

DATE_FIELDS = ("creationDate", "authorizedDate")


@dataclass(frozen=True)
class Search:
    """What to list: a time by one of VTEX's dates, and the statuses of interest, all of them when empty."""

    window: Window
    date_field: str = "creationDate"
    statuses: tuple[str, ...] = ()


def find_orders(
    ledger: Ledger,
    task: TaskTry,
    vtex: VtexClient,
    search: Search,
    *,
    sleep: Callable[[float], None] = time.sleep,
) -> Listed:
    """List the orders of the search into the ledger.

    Waits until the list has caught up with the window's end. Of a rerun, only what is not proven is read again.
    Windows without proof are kept as such, with what was seen of them; `outcome` makes the run red.
    """
    _wait_for_the_list(ledger, search.window, sleep)
    missing = uncovered(search.window, found.proven_windows(ledger, task.run))
    for reading in _readings(vtex, search, missing, sleep):
        found.record(ledger, task.run, reading)
    result = found.listed(ledger, task.run)
    _log.info(
        "%d orders from %s to %s, in %d windows and %d calls.",
        result.orders,
        search.window.start,
        search.window.end,
        result.windows,
        result.calls,
    )
    return result


def look_back(
    ledger: Ledger, task: TaskTry, vtex: VtexClient, until: datetime, *, sleep: Callable[[float], None] = time.sleep
) -> Listed:
    """Find what has become ready, or was cancelled, long after it was placed, without the ledger having heard of it.

    Lists the orders of the 30 days before `until`, but none from before the ledger's first run, that VTEX has in those
    statuses now; and takes the orders that are held for another status, which may have come back from it in silence.
    """
    found.add_held(ledger, task.run)
    first = plans.first_run(ledger, task.run.account) or until
    window = Window.between(max(until - LOOK_BACK, first), until)
    if window.start < until and uncovered(window, found.proven_windows(ledger, task.run)):
        readings = [
            reading
            for status in _LATE_STATUSES
            for reading in _readings(vtex, Search(window, statuses=(status,)), [window], sleep)
        ]
        orders = [order for reading in readings for order in reading.orders]
        late = found.not_yet_cancelled(ledger, task.run.account, orders)
        calls, proven = sum(reading.calls for reading in readings), all(reading.proven for reading in readings)
        found.record(ledger, task.run, Reading(window, len(late), tuple(late), calls, proven))
        _log.info("Of the 30 days before, %d orders are ready or cancelled that may be news.", len(late))
    return found.listed(ledger, task.run)


def name_orders(ledger: Ledger, task: TaskTry, order_ids: Sequence[str]) -> Listed:
    """Take single orders, which a person has named, as found."""
    found.add(ledger, task.run, [FoundOrder(order_id) for order_id in dict.fromkeys(order_ids)])
    return found.listed(ledger, task.run)


def raise_unproven(listed: Listed) -> None:
    """Raise ParkError when something may be missing."""
    if listed.unproven:
        windows = "; ".join(f"{window.start.isoformat()} to {window.end.isoformat()}" for window in listed.unproven[:5])
        raise ParkError(
            f"VTEX's list could not be read completely in {len(listed.unproven)} windows, so orders may be missing: "
            f"{windows}. What was seen has been worked on. Clear find_orders with downstream to read them again.",
            cause="list-unproven",
        )


def _wait_for_the_list(ledger: Ledger, window: Window, sleep: Callable[[float], None]) -> None:
    ahead = window.end + LAG - ledger.clock()
    if ahead > 2 * LAG:
        raise ConfigurationError(
            f"The time to list ends at {window.end.isoformat()}, in the future. Choose one that is over.",
            cause="future-window",
        )
    if ahead > timedelta(0):
        _log.info(
            "VTEX's list is minutes behind; waiting %.0f seconds for the end of the window.", ahead.total_seconds()
        )
        sleep(ahead.total_seconds())


def _readings(
    vtex: VtexClient, search: Search, windows: Iterable[Window], sleep: Callable[[float], None]
) -> Iterator[Reading]:
    """Read the windows, several at once, cut as small as they must be."""
    with ThreadPoolExecutor(min(_READERS, vtex.settings.concurrency)) as pool:
        reader = _Reader(vtex, search, sleep)
        pending: set[Future[Reading | _TooLarge]] = {pool.submit(reader.read, window) for window in windows}
        try:
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    result = future.result()
                    if isinstance(result, _TooLarge):
                        pending |= {pool.submit(reader.read, part) for part in result.parts}
                    else:
                        yield result
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@dataclass(frozen=True)
class _TooLarge:
    """A window that must be cut before it can be read, or proven."""

    parts: tuple[Window, ...]


@dataclass(frozen=True)
class _Reader:
    vtex: VtexClient
    search: Search
    sleep: Callable[[float], None]

    def read(self, window: Window) -> Reading | _TooLarge:
        """Read a window until it is proven, or say how to cut it."""
        first = self._first_page(window)
        if first is None or first.total > MOST_ORDERS:
            parts = 2 if first is None else -(-first.total // _COMFORTABLE)
            if window.milliseconds > 1:
                return _TooLarge(window.split(parts))
            return _reading(window, first.total if first else 0, first.rows if first else (), 1, proven=False)
        return self._prove(window, first)

    def _prove(self, window: Window, first: OrderPage) -> Reading | _TooLarge:
        calls = total = 0
        totals: set[int] = set()
        seen: dict[str, OrderRow] = {}
        for reading in range(_READINGS):
            if reading:
                self.sleep(_SECONDS_BETWEEN_READINGS * reading)
                first = self._page(window, 1)
            pages = [first, *(self._page(window, page) for page in range(2, -(-first.total // ROWS) + 1))]
            calls += len(pages)
            rows = [row for page in pages for row in page.rows]
            seen |= {row.order_id: row for row in rows}
            totals |= {page.total for page in pages}
            total = max(totals)
            together = len(totals) == 1 and len(rows) <= total == len(seen)
            if together or _is_whole(pages, total):
                return _reading(window, total, seen.values(), calls, proven=True)
        if total > ROWS and window.milliseconds > 1:
            return _TooLarge(window.split(_PARTS))
        return _reading(window, total, seen.values(), calls, proven=False)

    def _first_page(self, window: Window) -> OrderPage | None:
        """None: VTEX does not take so large a window."""
        try:
            return self._page(window, 1)
        except ConfigurationError as error:
            if error.status != 400 or window.milliseconds == 1:
                raise
            return None

    def _page(self, window: Window, page: int) -> OrderPage:
        return self.vtex.list_orders(
            created_from=window.start,
            # One millisecond more: VTEX knows moments between two milliseconds, and an order may be found twice.
            created_to=window.end + MILLISECOND,
            page=page,
            per_page=ROWS,
            statuses=self.search.statuses,
            date_field=self.search.date_field,
        )


def _is_whole(pages: Sequence[OrderPage], total: int) -> bool:
    rows = [row.order_id for page in pages for row in page.rows]
    return len(rows) == len(set(rows)) == total and all(page.total == total for page in pages)


def _reading(window: Window, total: int, rows: Iterable[OrderRow], calls: int, *, proven: bool) -> Reading:
    orders = (FoundOrder(row.order_id, row.status, row.creation_date or window.start, row.total_value) for row in rows)
    return Reading(window, total, tuple(orders), calls, proven)
