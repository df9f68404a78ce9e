"""Which order replaces which.

VTEX publishes nothing that links the two (help article "Order replacement": the shopper orders anew, and the old order
ends as replaced). So the link is a guess: the same shopper placed one order when the other was replaced.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import and_, func, select, update

from vtex_erp.ledger.tables import order_entries

if TYPE_CHECKING:
    from vtex_erp.ledger.ledger import Ledger

_REPLACED = "replaced"
_TOGETHER = timedelta(hours=1)
_LATELY = timedelta(days=7)


def link(ledger: Ledger, account: str) -> dict[str, str]:
    """Link the orders that were replaced lately to those that were placed instead; the new links, old to new."""
    old, new = order_entries.alias("old"), order_entries.alias("new")
    unlinked = and_(
        old.c.account == account,
        old.c.shopper.is_not(None),  # of guests nobody knows which of them are the same
        func.lower(old.c.vtex_status) == _REPLACED,
        old.c.read_change_at > ledger.clock() - _LATELY,
        old.c.replaced_by.is_(None),
    )
    with ledger.read() as connection:
        replaced = connection.execute(select(old).where(unlinked).order_by(old.c.id)).all()
    links = {}
    for row in replaced:
        by_the_same = and_(new.c.account == account, new.c.shopper == row.shopper, new.c.id != row.id)
        then = new.c.placed_at.between(row.read_change_at - _TOGETHER, row.read_change_at + _TOGETHER)
        query = select(new.c.order_id).where(by_the_same, then).order_by(new.c.placed_at.desc()).limit(1)
        with ledger.read() as connection:
            found = connection.execute(query).scalar()
        if found:
            links[row.order_id] = found
    with ledger.write() as connection:
        for order_id, replacement in links.items():  # the oldest entry first, as everybody locks them
            this = and_(order_entries.c.account == account, order_entries.c.order_id == order_id)
            connection.execute(update(order_entries).where(this).values(replaced_by=replacement))
    return links
