"""One rate budget for a VTEX account, shared through the ledger by every task, worker and DAG.

VTEX counts in fixed minutes of its own clock. So in any minute, wherever it begins, no more may go out than the limit:
the seconds of the last minute are kept with what was leased in each, for the account and for each family of calls with
a lower limit of its own. After a quiet minute the whole limit may go out at once.

Requests are leased in bundles, for the database to be asked about once a second and not for each request. What a
worker leases and does not use, dead or idle, counts all the same. Live requests may lease ahead of time and wait for
it. Lower priorities leave a reserve, take no more in a few seconds than the limit spread evenly, and have, not to
starve, a small share. Time is the database's; a worker measures only durations.

pyrate-limiter has buckets for PostgreSQL and SQLite, too, but writes one row a request, by the worker's clock, and
knows neither priorities nor a pause for all.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, text, update

from vtex_erp.errors import RateLimitedError
from vtex_erp.ledger.tables import budgets, insert_new
from vtex_erp.transport import LONGEST_PAUSE_SECONDS
from vtex_erp.vtex.budget import Limits, Priority

if TYPE_CHECKING:
    from sqlalchemy import Row
    from sqlalchemy.engine import Connection

    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.transport import Clock, Sleep

Now = Callable[["Connection"], datetime]

ACCOUNT = "account"

LEASE_SECONDS = 1.5
BUNDLE_SECONDS = 0.5
AHEAD_SECONDS = 5.0

# What was leased in a second may go out until the lease ends, and the second itself is long: a minute, and both.
WINDOW_SECONDS = 63
FILL = 0.98
_MINUTE = 60.0
_EVENLY_OVER = 5

SLOWED_TO = 0.5
SLOWEST = 0.05
RECOVERED_A_MINUTE = 0.1

_FIRST_BUNDLE = 4
_SHARE_SECONDS = 2.0
_SHORTEST_WAIT, _LONGEST_WAIT = 0.02, 2.0
_SHORT_OF_ROOM = 0.5


@dataclass(frozen=True)
class _Rank:
    """How much of the limit a priority leaves to those before it, and its share of the pace all the same."""

    reserve: float
    share: float


_RANKS = {Priority.BY_DATE: _Rank(reserve=0.1, share=0.1), Priority.RECONCILIATION: _Rank(reserve=0.2, share=0.05)}


@dataclass
class Window:
    """What was leased in each second of the last minute, and what a 429 left behind. `limit` is what may be."""

    name: str
    spent: dict[int, int]
    pace: float
    paused_until: datetime | None
    limit: float = 0.0

    def used(self, at: float, *, within: float = WINDOW_SECONDS) -> int:
        """How many were leased in the time before `at`, and ahead of it."""
        return sum(count for second, count in self.spent.items() if second > at - within)

    def free_at(self, tokens: int, now: float) -> float:
        """From when on so many more may go out; whoever asked before goes first."""
        start = max(now, *self.spent) if self.spent else now
        used, moment = self.used(start), start
        for second in sorted(self.spent):
            if used + tokens <= self.limit:
                break
            if second > start - WINDOW_SECONDS:
                used, moment = used - self.spent[second], second + WINDOW_SECONDS
        return max(start, moment)

    def lease(self, tokens: int, at: float) -> None:
        """Count a lease, and forget what is long over."""
        self.spent[int(at)] = self.spent.get(int(at), 0) + tokens
        self.spent = {second: count for second, count in self.spent.items() if second > at - 2 * WINDOW_SECONDS}


@dataclass
class Share:
    """What a lower priority may take although those before it take everything: so many requests a second."""

    name: str
    level: float
    filled_at: datetime
    rate: float = 0.0

    def fill(self, now: datetime, rate: float) -> None:
        """Count what has come in since the last time."""
        passed = max(0.0, (now - self.filled_at).total_seconds())
        self.rate, self.filled_at = rate, max(self.filled_at, now)
        self.level = min(max(1.0, rate * _SHARE_SECONDS), self.level + rate * passed)

    def wait_for(self, tokens: float) -> float:
        """Seconds until the level has come up to so many."""
        return max(0.0, (tokens - self.level) / self.rate)


@dataclass(frozen=True)
class Granted:
    """`tokens` requests, good for a lease's life after `wait` seconds; none: ask again then."""

    tokens: int
    wait: float


def database_now(connection: Connection) -> datetime:
    """The database's time: the same for all workers."""
    if connection.dialect.name == "postgresql":
        now: datetime = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return now.astimezone(timezone.utc)
    answer = connection.execute(text("SELECT strftime('%Y-%m-%d %H:%M:%f', 'now')")).scalar_one()
    return datetime.strptime(answer, "%Y-%m-%d %H:%M:%S.%f").replace(tzinfo=timezone.utc)


@dataclass
class _Lease:
    lock: threading.Lock = field(default_factory=threading.Lock)
    tokens: int = 0
    until: float = -math.inf
    granted: int = 0
    bundle: int = _FIRST_BUNDLE

    def use(self, now: float) -> bool:
        if self.tokens and now < self.until:
            self.tokens -= 1
            return True
        used = self.granted - self.tokens
        self.bundle = used + 1 if self.tokens else max(self.bundle, used * 2)
        self.tokens = 0
        return False


class LedgerBudget:
    """The account's budget for one task and its threads; a `Budget` for VtexClient.

    `now` tells the time that all workers share; `clock` measures durations, in seconds.
    """

    def __init__(
        self,
        ledger: Ledger,
        account: str,
        limits: Limits,
        priority: Priority,
        *,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
        now: Now = database_now,
    ) -> None:
        self._ledger, self._account, self._limits, self._priority = ledger, account, limits, priority
        self._clock, self._sleep, self._now = clock, sleep, now
        self._leases: dict[str, _Lease] = {}
        self._slowed_at = -math.inf

    def take(self, family: str) -> None:
        """Wait until a request of the family may go out. Raises RateLimitedError when that is five minutes away."""
        lease = self._leases.setdefault(family, _Lease())
        with lease.lock:
            while not lease.use(self._clock()):
                self._renew(lease, family)

    def slow_down(self, seconds: float) -> None:
        """VTEX answered 429: all workers stop for `seconds`, and go on at half the pace, which grows again slowly.

        A worker with a lease stops when that is used up or has lapsed. Answers of one burst slow the pace once.
        """
        self._slowed_at = self._clock()
        for lease in list(self._leases.values()):
            lease.until = -math.inf
        with self._ledger.write() as connection:
            account = _window(_load(connection, self._account, [ACCOUNT], self._now)[ACCOUNT])
            now = self._now(connection)
            until = now + timedelta(seconds=seconds)
            if account.paused_until and account.paused_until > now:
                until = max(until, account.paused_until)
            else:
                account.pace = max(SLOWEST, _pace(account, now) * SLOWED_TO)
            account.paused_until = until
            _store_window(connection, self._account, account)

    def _renew(self, lease: _Lease, family: str) -> None:
        asked_at = self._clock()
        granted = self._ask(family, lease.bundle)
        if granted.wait > LONGEST_PAUSE_SECONDS:
            raise RateLimitedError(
                f"VTEX has asked for fewer calls of account {self._account} (429). "
                f"Calls go on in {granted.wait:.0f} seconds.",
                retry_after=granted.wait,
            )
        if granted.wait:
            self._sleep(granted.wait)
        if self._slowed_at < asked_at and not (granted.wait and self._is_paused()):
            lease.tokens = lease.granted = granted.tokens
            lease.until = self._clock() + LEASE_SECONDS

    def _is_paused(self) -> bool:
        """Whether somebody met a 429 while this worker waited for its lease."""
        with self._ledger.read() as connection:
            query = select(budgets.c.paused_until).where(budgets.c.account == self._account, budgets.c.name == ACCOUNT)
            until = connection.execute(query).scalar_one()
            return until is not None and until > self._now(connection)

    def _ask(self, family: str, want: int) -> Granted:
        own_limit = self._limits.of(family) < self._limits.account
        names = [
            ACCOUNT,
            *([family] if own_limit else ()),
            *([self._priority.value] if self._priority in _RANKS else ()),
        ]
        with self._ledger.write() as connection:
            rows = _load(connection, self._account, names, self._now)
            now = self._now(connection)
            account = _window(rows[ACCOUNT])
            if account.paused_until and account.paused_until > now:
                return Granted(0, (account.paused_until - now).total_seconds())
            pace = _pace(account, now) * FILL
            account.limit = self._limits.account * pace
            windows = [account]
            if own_limit:
                own = _window(rows[family])
                own.limit = self._limits.of(family) * pace
                windows.append(own)
            rank, share = _RANKS.get(self._priority), None
            if rank:
                share = _share(rows[self._priority.value])
                share.fill(now, rank.share * account.limit / _MINUTE)
            granted = _grant(rank, share, want, windows, now.timestamp())
            if granted.tokens:
                for window in windows:
                    _store_window(connection, self._account, window)
                if share:
                    _store_share(connection, self._account, share)
        return granted


def _pace(account: Window, now: datetime) -> float:
    """The part of the limit that is used: all, but after a 429 half of what it was, then a tenth more each minute."""
    if account.paused_until is None:
        return account.pace
    minutes = max(0.0, (now - account.paused_until).total_seconds()) / 60
    return min(1.0, account.pace + RECOVERED_A_MINUTE * minutes)


def _grant(rank: _Rank | None, share: Share | None, want: int, windows: list[Window], now: float) -> Granted:
    bundle = min(want, *(max(1, int(window.limit / _MINUTE * BUNDLE_SECONDS)) for window in windows))
    if rank is None or share is None:
        return _ahead(bundle, windows, now)
    spare = int(min(_spare(rank, windows[0], now), *(window.limit - window.used(now) for window in windows)))
    if spare >= 1:
        return _ahead(min(bundle, spare), windows, now)
    if share.level < 1:
        return Granted(0, min(max(min(share.wait_for(1), _SHORT_OF_ROOM), _SHORTEST_WAIT), _LONGEST_WAIT))
    granted = _ahead(min(bundle, int(share.level)), windows, now)
    share.level -= granted.tokens
    return granted


def _spare(rank: _Rank, account: Window, now: float) -> float:
    """What a lower priority may take: it leaves the reserve, and does not take a minute's worth at once."""
    evenly = account.limit * (_EVENLY_OVER + 1) / WINDOW_SECONDS  # whole seconds: five and the one that has begun
    part = 1 - rank.reserve
    return min(account.limit * part - account.used(now), evenly * part - account.used(now, within=_EVENLY_OVER))


def _ahead(bundle: int, windows: list[Window], now: float) -> Granted:
    at = max(window.free_at(bundle, now) for window in windows)
    if at - now > AHEAD_SECONDS:
        return Granted(0, at - now - AHEAD_SECONDS)
    for window in windows:
        window.lease(bundle, at)
    return Granted(bundle, at - now)


def _load(connection: Connection, account: str, names: list[str], now: Now) -> dict[str, Row[Any]]:
    """Lock the rows, always in the same order, making those that are missing."""
    query = (
        select(budgets)
        .where(budgets.c.account == account, budgets.c.name.in_(names))
        .order_by(budgets.c.name)
        .with_for_update()
    )
    found = {row.name: row for row in connection.execute(query)}
    missing = [name for name in sorted(names) if name not in found]
    if not missing:
        return found
    new = {"account": account, "level": 0.0, "filled_at": now(connection), "pace": 1.0, "spent": ""}
    insert_new(connection, budgets, [{**new, "name": name} for name in missing])
    return {row.name: row for row in connection.execute(query)}


def _window(row: Row[Any]) -> Window:
    parts = (part.partition(":") for part in row.spent.split())
    return Window(row.name, {int(second): int(count) for second, _, count in parts}, row.pace, row.paused_until)


def _share(row: Row[Any]) -> Share:
    return Share(row.name, row.level, row.filled_at)


def _store_window(connection: Connection, account: str, window: Window) -> None:
    spent = " ".join(f"{second}:{count}" for second, count in sorted(window.spent.items()))
    values = {"spent": spent, "pace": window.pace, "paused_until": window.paused_until}
    _store(connection, account, window.name, values)


def _store_share(connection: Connection, account: str, share: Share) -> None:
    _store(connection, account, share.name, {"level": share.level, "filled_at": share.filled_at})


def _store(connection: Connection, account: str, name: str, values: dict[str, Any]) -> None:
    connection.execute(update(budgets).where(budgets.c.account == account, budgets.c.name == name).values(values))
