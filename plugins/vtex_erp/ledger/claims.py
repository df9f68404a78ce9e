"""Claims that workers on all machines share, in the ledger's database."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, update

from vtex_erp.ledger.tables import claims, insert_new

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from vtex_erp.ledger.ledger import Ledger


@dataclass(frozen=True)
class LedgerClaims:
    """Claims in the ledger: `vtex_erp.erp.claims.Claims`. What is claimed is kept as a keyed hash."""

    ledger: Ledger

    def take(self, keys: Collection[str], *, seconds: float) -> str | float:
        """Claim all the keys or none."""
        hashed = self._hashed(keys)
        while (answer := self._take(hashed, seconds)) is None:
            pass  # whoever held one has let go of it while we looked
        return answer

    def _take(self, hashed: list[str], seconds: float) -> str | float | None:
        now, claim = self.ledger.clock(), uuid.uuid4().hex
        with self.ledger.write() as connection:
            # A row that is new belongs to nobody yet. All workers lock in the same order, in `release`, too.
            insert_new(connection, claims, [{"key": key, "holder": "", "until": now} for key in hashed])
            query = select(claims.c.until).where(claims.c.key.in_(hashed)).order_by(claims.c.key).with_for_update()
            untils = connection.execute(query).scalars().all()
            if len(untils) < len(hashed):
                return None
            left: timedelta = max(untils, default=now) - now
            if left > timedelta(0):
                return left.total_seconds()
            values = {"holder": claim, "until": now + timedelta(seconds=seconds)}
            connection.execute(update(claims).where(claims.c.key.in_(hashed)).values(values))
        return claim

    def release(self, keys: Collection[str], claim: str) -> None:
        """Give them back."""
        own = claims.c.key.in_(self._hashed(keys)) & (claims.c.holder == claim)
        with self.ledger.write() as connection:
            connection.execute(select(claims.c.key).where(own).order_by(claims.c.key).with_for_update()).all()
            connection.execute(delete(claims).where(own))

    def _hashed(self, keys: Collection[str]) -> list[str]:
        return sorted(self.ledger.cipher.digest(key) for key in set(keys))


def purge_claims(ledger: Ledger, now: datetime) -> None:
    """Delete claims that have run out: whoever held them has died."""
    with ledger.write() as connection:
        connection.execute(delete(claims).where(claims.c.until <= now))
