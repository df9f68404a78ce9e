"""The breaker of an ERP connection: opened by failures of any task, it spares the ERP every call but one a minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, or_, select, update

from vtex_erp.ledger.tables import breakers, insert_new

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from vtex_erp.ledger.ledger import Ledger

COUNTED = timedelta(minutes=1)
FEWEST_FAILURES = 5
PROBE_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Breaker:
    """A breaker as it stands: calls and failures counted lately; when it opened, and when a probe is due."""

    connection: str
    counted_from: datetime | None = None
    calls: int = 0
    failures: int = 0
    opened_at: datetime | None = None
    probe_at: datetime | None = None
    trouble: str | None = None

    def probe_is_due(self, now: datetime) -> bool:
        """Whether it is open, and the ERP may be tried again."""
        return self.opened_at is not None and (self.probe_at is None or self.probe_at <= now)


def look(ledger: Ledger, connection: str) -> Breaker:
    """The breaker of an ERP connection; a closed one where there never was trouble."""
    with ledger.read() as database:
        row = database.execute(select(breakers).where(breakers.c.connection == connection)).one_or_none()
    return Breaker(*row) if row else Breaker(connection)


def count(ledger: Ledger, connection: str, *, calls: int, failures: int, trouble: str | None) -> Breaker:
    """Add calls of any task, and open when within a minute five, and half of all, failed."""
    now = ledger.clock()
    with ledger.write() as database:
        standing = _lock(database, connection, now)
        counted = _added(standing, calls, failures, now)
        opens = standing.opened_at is None and _too_many(counted)
        values = {
            "counted_from": counted.counted_from,
            "calls": counted.calls,
            "failures": counted.failures,
            "trouble": trouble or standing.trouble,
            **({"opened_at": now, "probe_at": now + PROBE_EVERY} if opens else {}),
        }
        database.execute(update(breakers).where(breakers.c.connection == connection).values(values))
    return look(ledger, connection)


def win_probe(ledger: Ledger, connection: str) -> bool:
    """Whether this task, and no other for a minute, may try the ERP."""
    now = ledger.clock()
    due = and_(
        breakers.c.connection == connection,
        breakers.c.opened_at.is_not(None),
        or_(breakers.c.probe_at.is_(None), breakers.c.probe_at <= now),
    )
    with ledger.write() as database:
        won = database.execute(update(breakers).where(due).values(probe_at=now + PROBE_EVERY))
    return won.rowcount == 1


def give_probe_back(ledger: Ledger, connection: str) -> None:
    """The probe was not made; another task may."""
    with ledger.write() as database:
        database.execute(update(breakers).where(breakers.c.connection == connection).values(probe_at=ledger.clock()))


def close(ledger: Ledger, connection: str) -> None:
    """The ERP is back."""
    closed = {"opened_at": None, "probe_at": None, "calls": 0, "failures": 0, "counted_from": ledger.clock()}
    with ledger.write() as database:
        database.execute(update(breakers).where(breakers.c.connection == connection).values(closed))


def _lock(database: Connection, connection: str, now: datetime) -> Breaker:
    insert_new(database, breakers, [{"connection": connection, "counted_from": now, "calls": 0, "failures": 0}])
    row = database.execute(select(breakers).where(breakers.c.connection == connection).with_for_update()).one()
    return Breaker(*row)


def _added(standing: Breaker, calls: int, failures: int, now: datetime) -> Breaker:
    if standing.counted_from is None or now - standing.counted_from >= COUNTED:
        return Breaker(standing.connection, now, calls, failures)
    return Breaker(standing.connection, standing.counted_from, standing.calls + calls, standing.failures + failures)


def _too_many(counted: Breaker) -> bool:
    return counted.failures >= FEWEST_FAILURES and 2 * counted.failures >= counted.calls
