"""One rate budget for a VTEX account, shared through the ledger by every task, worker and DAG.

A token bucket for the account, and one for each family of calls with a lower limit of its own. VTEX counts in fixed
minutes of its own clock; so in any minute, wherever it begins, no more may go out than the limit: the bucket is filled
at a little less than the limit, and holds little.

Requests are leased in bundles, for the database to be asked about once a second and not for each request. What a
worker leases and does not use, dead or idle, lapses with the lease. Live requests may lease ahead of time and wait
for it; so while they want more than there is, the level stays below zero. Lower priorities take only what lies in the
bucket above a reserve, and, not to starve, a small share of the pace. Time is the database's; a worker measures
only durations.

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
from typing import TYPE_CHECKING

from sqlalchemy import select, text, update

from vtex_erp.errors import RateLimitedError
from vtex_erp.ledger.tables import budgets, insert_new
from vtex_erp.transport import LONGEST_PAUSE_SECONDS
from vtex_erp.vtex.budget import Limits, Priority

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.transport import Clock, Sleep

Now = Callable[["Connection"], datetime]

ACCOUNT = "account"

# In any minute no more goes out than BURST, and FILL for a minute and a lease's life: 0.94 * 61.5 / 60 + 0.03 < 1.
FILL = 0.94
BURST = 0.03
LEASE_SECONDS = 1.5
BUNDLE_SECONDS = 0.5
AHEAD_SECONDS = 5.0

SLOWED_TO = 0.5
SLOWEST = 0.05
RECOVERED_A_MINUTE = 0.1

_SMALLEST_BURST = 3.0
_FIRST_BUNDLE = 4
_SHARE_SECONDS = 2.0
_SHORTEST_WAIT, _LONGEST_WAIT = 0.02, 2.0


@dataclass(frozen=True)
class _Rank:
    """How much of the bucket a priority leaves to those before it, and its share of the pace all the same."""

    reserve: float
    share: float


_RANKS = {Priority.BY_DATE: _Rank(reserve=1 / 3, share=0.1), Priority.RECONCILIATION: _Rank(reserve=2 / 3, share=0.05)}


@dataclass
class Bucket:
    """A bucket as a row holds it, and the requests a second that fill it."""

    name: str
    level: float
    filled_at: datetime
    pace: float
    paused_until: datetime | None
    rate: float = 0.0
    capacity: float = 0.0

    def fill(self, now: datetime, rate: float, capacity: float) -> None:
        """Count what has come in since the last time. A bucket may be filled up to a moment to come (a pause)."""
        self.rate, self.capacity = rate, capacity
        passed = (now - self.filled_at).total_seconds()
        if passed > 0:
            self.level, self.filled_at = min(capacity, self.level + rate * passed), now

    def wait_for(self, tokens: float) -> float:
        """Seconds until the level has come up by what is missing for so many."""
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
            bucket = _load(connection, self._account, [ACCOUNT], self._now)[ACCOUNT]
            now = self._now(connection)
            until = now + timedelta(seconds=seconds)
            if bucket.paused_until and bucket.paused_until > now:
                until = max(until, bucket.paused_until)
            else:
                bucket.pace = max(SLOWEST, _pace(bucket, now) * SLOWED_TO)
            bucket.level, bucket.filled_at, bucket.paused_until = min(0.0, bucket.level), until, until
            _store(connection, self._account, [bucket])

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
        if self._slowed_at < asked_at:
            lease.tokens = lease.granted = granted.tokens
            lease.until = self._clock() + LEASE_SECONDS

    def _ask(self, family: str, want: int) -> Granted:
        own_limit = self._limits.of(family) < self._limits.account
        names = [
            ACCOUNT,
            *([family] if own_limit else ()),
            *([self._priority.value] if self._priority in _RANKS else ()),
        ]
        with self._ledger.write() as connection:
            buckets = _load(connection, self._account, names, self._now)
            now = self._now(connection)
            account = buckets[ACCOUNT]
            if account.paused_until and account.paused_until > now:
                return Granted(0, (account.paused_until - now).total_seconds())
            pace = _pace(account, now)
            for bucket in buckets.values():
                self._fill(bucket, now, pace)
            granted = _grant(self._priority, want, account, buckets.get(family), buckets.get(self._priority.value))
            if granted.tokens:
                _store(connection, self._account, list(buckets.values()))
        return granted

    def _fill(self, bucket: Bucket, now: datetime, pace: float) -> None:
        limit = self._limits.account
        if bucket.name in _SHARES:
            rate = _SHARES[bucket.name] * FILL * limit * pace / 60
            bucket.fill(now, rate, max(1.0, rate * _SHARE_SECONDS))
            return
        if bucket.name != ACCOUNT:
            limit = self._limits.of(bucket.name)
        bucket.fill(now, FILL * limit * pace / 60, max(_SMALLEST_BURST, BURST * limit * pace))


_SHARES = {priority.value: rank.share for priority, rank in _RANKS.items()}


def _pace(account: Bucket, now: datetime) -> float:
    """The part of the limit that is used: all, but after a 429 half of what it was, then a tenth more each minute."""
    if account.paused_until is None:
        return account.pace
    minutes = max(0.0, (now - account.paused_until).total_seconds()) / 60
    return min(1.0, account.pace + RECOVERED_A_MINUTE * minutes)


def _grant(priority: Priority, want: int, account: Bucket, family: Bucket | None, share: Bucket | None) -> Granted:
    limits = [account, *([family] if family else ())]
    bundle = min(want, *(max(1, int(bucket.rate * BUNDLE_SECONDS)) for bucket in limits))
    granted = _left_over(_RANKS[priority], bundle, account, family, share) if share else _ahead(bundle, limits)
    for bucket in limits:
        bucket.level -= granted.tokens
    return granted


def _ahead(bundle: int, limits: list[Bucket]) -> Granted:
    wait = max(bucket.wait_for(bundle) for bucket in limits)
    if wait > AHEAD_SECONDS + bundle / limits[0].rate:
        return Granted(0, wait - AHEAD_SECONDS)
    return Granted(bundle, wait)


def _left_over(rank: _Rank, bundle: int, account: Bucket, family: Bucket | None, share: Bucket) -> Granted:
    if family and family.level < 1:
        return Granted(0, _bounded(family.wait_for(1)))
    bundle = min(bundle, int(family.level)) if family else bundle
    reserve = rank.reserve * (account.capacity - 1)
    spare = account.level - reserve
    if spare >= 1:
        return Granted(min(bundle, int(spare)), 0.0)
    if share.level >= 1:
        tokens = min(bundle, int(share.level))
        share.level -= tokens
        return Granted(tokens, 0.0)
    return Granted(0, _bounded(min(account.wait_for(bundle + reserve), share.wait_for(1))))


def _bounded(wait: float) -> float:
    return min(max(wait, _SHORTEST_WAIT), _LONGEST_WAIT)


def _load(connection: Connection, account: str, names: list[str], now: Now) -> dict[str, Bucket]:
    """Lock the rows, always in the same order, making those that are missing. New buckets are empty."""
    query = (
        select(budgets.c.name, budgets.c.level, budgets.c.filled_at, budgets.c.pace, budgets.c.paused_until)
        .where(budgets.c.account == account, budgets.c.name.in_(names))
        .order_by(budgets.c.name)
        .with_for_update()
    )
    found = {row.name: Bucket(*row) for row in connection.execute(query)}
    missing = [name for name in sorted(names) if name not in found]
    if not missing:
        return found
    started = now(connection)
    rows = [{"account": account, "name": name, "level": 0.0, "filled_at": started, "pace": 1.0} for name in missing]
    insert_new(connection, budgets, rows)
    return {row.name: Bucket(*row) for row in connection.execute(query)}


def _store(connection: Connection, account: str, buckets: list[Bucket]) -> None:
    for bucket in buckets:
        values = {
            "level": bucket.level,
            "filled_at": bucket.filled_at,
            "pace": bucket.pace,
            "paused_until": bucket.paused_until,
        }
        connection.execute(
            update(budgets).where(budgets.c.account == account, budgets.c.name == bucket.name).values(values)
        )
