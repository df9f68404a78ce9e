"""Notices: what somebody is to be told of, each thing once, written down with the change that it tells of.

A delivery is claimed before it is made. What failed with an error is tried again later; of what a killed process leaves
behind nobody knows whether it went out, so it is not sent again.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, or_, select, update

from vtex_erp.ledger import documents
from vtex_erp.ledger.stages import Stage
from vtex_erp.ledger.tables import insert_new, notice_deliveries, notices, upsert
from vtex_erp.stores.notices import NoticeKind
from vtex_erp.vtex.dates import iso_utc

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy import Row
    from sqlalchemy.engine import Connection

    from vtex_erp.ledger.entries import Move
    from vtex_erp.ledger.ledger import Ledger

_log = logging.getLogger(__name__)

NEWS_FOR = timedelta(days=2)
"""An older notice is no news any more for somebody who has not been told of it."""

FIRST_DELAY = timedelta(minutes=1)
MOST_ATTEMPTS = 10
_AT_ONCE = 100
_LONGEST_KEY = 255
_UNCLEAR_AFTER = timedelta(hours=1)


@dataclass(frozen=True)
class Notice:
    """Something to be told. `about` is an order's id or an account; notices with the same key are the same thing."""

    kind: NoticeKind
    about: str
    text: str
    key: str
    entry_id: int | None = None
    id: int | None = None
    at: datetime | None = None


def notice_of(move: Move) -> Notice | None:
    """What somebody may want to be told of a move; None when that is nothing."""
    entry, values = move.entry, move.values
    if move.to is Stage.PARKED:
        cause = str(values.get("cause"))
        kind = NoticeKind(cause) if cause in _OWN_KIND else NoticeKind.PARKED
        return _about_order(move, kind, str(values.get("message")), detail=cause)
    if move.to is Stage.CANCELLED and values.get("cancelled_in_erp_at"):
        status = values.get("vtex_status") or entry.vtex_status
        kind = NoticeKind.REPLACED if status == "replaced" else NoticeKind.CANCELLED
        sales_order = f"its sales order {entry.erp_id}" if entry.erp_id else "its sales order"
        by = f" (by order {entry.replaced_by}, as it seems)" if entry.replaced_by else ""
        text = f"Order {entry.order_id} is {status} in VTEX{by}; {sales_order} is cancelled in the ERP."
        return _about_order(move, kind, text)
    return None


_OWN_KIND = {
    NoticeKind.CANCELLATION_REQUESTED.value,
    NoticeKind.CANCELLED_TOO_LATE.value,
    NoticeKind.READY_AGAIN.value,
}


def _about_order(move: Move, kind: NoticeKind, text: str, detail: str = "") -> Notice:
    entry = move.entry
    key = f"{kind.value}:{entry.order_id}:{detail}:{_occasion(move, kind)}"
    return Notice(kind, entry.order_id, text, key, entry.id)


def _occasion(move: Move, kind: NoticeKind) -> str:
    """What makes it another thing when it happens to the order again."""
    if kind is NoticeKind.CANCELLED_TOO_LATE:  # for good, however often VTEX says so
        return ""
    if kind is NoticeKind.CANCELLATION_REQUESTED:
        return move.occasion
    change = move.values.get("read_change_at") or move.entry.order_changed_at
    return iso_utc(change) if change else ""


def add(connection: Connection, account: str, told: Sequence[Notice], now: datetime) -> None:
    """Write notices down; one whose key is known already is the same thing, and nobody is told again."""
    rows = [
        {
            "account": account,
            "key": notice.key[:_LONGEST_KEY],
            "kind": notice.kind.value,
            "about": notice.about,
            "entry_id": notice.entry_id,
            "text": notice.text,
            "at": now,
        }
        for notice in told
    ]
    insert_new(connection, notices, rows)


def tell(ledger: Ledger, account: str, told: Sequence[Notice]) -> None:
    """Write notices down that come with no other change."""
    with ledger.write() as connection:
        add(connection, account, told, ledger.clock())


def claim(ledger: Ledger, account: str, target: str, kinds: Sequence[NoticeKind]) -> Iterator[Notice]:
    """Take on what the target has not been told of, oldest first: nobody else sends it then.

    Each is claimed when it is asked for, so that a process that dies takes only one with it.
    """
    with ledger.write() as connection:
        _name_unclear(connection, target, ledger.clock())
    for _ in range(_AT_ONCE):
        notice = _claim_one(ledger, account, target, kinds)
        if notice is None:
            return
        yield notice


def _claim_one(ledger: Ledger, account: str, target: str, kinds: Sequence[NoticeKind]) -> Notice | None:
    while True:
        now = ledger.clock()
        delivery = notice_deliveries.c
        of_target = and_(delivery.notice == notices.c.id, delivery.target == target)
        query = (
            select(notices, delivery.attempts)
            .outerjoin(notice_deliveries, of_target)
            .where(
                notices.c.account == account,
                notices.c.kind.in_([kind.value for kind in kinds]),
                or_(and_(delivery.notice.is_(None), notices.c.at >= now - NEWS_FOR), delivery.next_attempt_at <= now),
            )
            .order_by(notices.c.id)
            .limit(1)
        )
        with ledger.write() as connection:
            row = connection.execute(query).one_or_none()
            if row is None or _take(connection, target, row, now):
                return _notice(row) if row else None


def _take(connection: Connection, target: str, row: Row[Any], now: datetime) -> bool:
    """Write the delivery down; whether nobody else took it at the same time."""
    delivery = notice_deliveries.c
    if row.attempts is None:
        new = {"notice": row.id, "target": target, "claimed_at": now, "attempts": 0}
        first = upsert(connection, notice_deliveries).values(new).on_conflict_do_nothing()
        return connection.execute(first.returning(delivery.notice)).first() is not None
    due = and_(delivery.notice == row.id, delivery.target == target, delivery.next_attempt_at <= now)
    again = update(notice_deliveries).where(due).values(claimed_at=now, next_attempt_at=None)
    return connection.execute(again.returning(delivery.notice)).first() is not None


def _name_unclear(connection: Connection, target: str, now: datetime) -> None:
    delivery = notice_deliveries.c
    left_behind = and_(
        delivery.target == target,
        delivery.claimed_at < now - _UNCLEAR_AFTER,
        delivery.sent_at.is_(None),
        delivery.next_attempt_at.is_(None),
        delivery.trouble.is_(None),
    )
    unclear = update(notice_deliveries).where(left_behind).values(trouble="nobody knows whether it was sent")
    number = connection.execute(unclear).rowcount
    if number:
        _log.error("A process died while it told %s: %d notices may not have gone out.", target, number)


def sent(ledger: Ledger, notice: Notice, target: str) -> None:
    """The target was told."""
    this = and_(notice_deliveries.c.notice == notice.id, notice_deliveries.c.target == target)
    with ledger.write() as connection:
        connection.execute(update(notice_deliveries).where(this).values(sent_at=ledger.clock(), trouble=None))


def failed(ledger: Ledger, notice: Notice, target: str, trouble: str) -> bool:
    """The notifier has refused; it is tried again later, ten times in all. Whether it will be."""
    now = ledger.clock()
    this = and_(notice_deliveries.c.notice == notice.id, notice_deliveries.c.target == target)
    with ledger.write() as connection:
        attempts: int = connection.execute(select(notice_deliveries.c.attempts).where(this)).scalar_one() + 1
        again = attempts < MOST_ATTEMPTS
        due = now + FIRST_DELAY * 2 ** (attempts - 1) if again else None
        connection.execute(
            update(notice_deliveries).where(this).values(attempts=attempts, next_attempt_at=due, trouble=trouble)
        )
    return again


def personal(ledger: Ledger, notice: Notice) -> str | None:
    """The sales order that a notice is about, as JSON; None when it has none, or no longer."""
    if notice.entry_id is None:
        return None
    return documents.load(ledger, [notice.entry_id], documents.SALES_ORDER).get(notice.entry_id)


def _notice(row: Any) -> Notice:
    return Notice(NoticeKind(row.kind), row.about, row.text, row.key, row.entry_id, row.id, row.at)
