"""Whoever changes several order entries locks them from the oldest to the newest, so that nobody waits for ever."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text, update

from tests.conftest import new_postgres_database
from tests.ledger.rows import ACCOUNT, RUN, TASK, add_entry
from vtex_erp.errors import ErpDownError
from vtex_erp.ledger import entries, links
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.ledger import open_ledger
from vtex_erp.ledger.tables import order_entries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sqlalchemy.engine import Connection

    from vtex_erp.ledger.ledger import Ledger

CHANGES: dict[str, Callable[[Ledger], object]] = {
    "the end of a run": lambda ledger: entries.release(ledger, RUN),
    "a breaker that is open": lambda ledger: entries.wait_for_erp(ledger, TASK, ErpDownError("It is away.")),
    "links to replaced orders": lambda ledger: links.link(ledger, ACCOUNT),
}


@pytest.fixture
def ledger(postgres_server: str, document_key: str) -> Iterator[Ledger]:
    ledger = open_ledger(new_postgres_database(postgres_server), cipher=DocumentCipher([document_key]))
    yield ledger
    ledger.close()


@pytest.mark.parametrize("change", CHANGES)
def test_two_that_change_the_same_orders_do_not_wait_for_each_other(ledger: Ledger, change: str) -> None:
    old, new = (add_replaced_order(ledger, number) for number in (1, 2))
    later = {"next_attempt_at": ledger.clock() + timedelta(days=1)}
    with ledger.write() as connection:  # a row that was changed lies behind the others, in its table and in an index
        connection.execute(update(order_entries).where(order_entries.c.id == old).values(later))
    with ledger.write() as other, ThreadPoolExecutor(1) as pool:
        lock(other, old)
        at_work = pool.submit(CHANGES[change], ledger)
        wait_until_somebody_waits(ledger)
        lock(other, new)
        other.commit()
        at_work.result()


def add_replaced_order(ledger: Ledger, number: int) -> int:
    now = ledger.clock()
    same = {"shopper": f"shopper {9 - number}", "placed_at": now, "read_change_at": now, "next_attempt_at": now}
    entry = add_entry(ledger, f"{number}-01", planned=True, stage="mapped", vtex_status="replaced", **same)
    add_entry(ledger, f"{number}-02", stage="handling", **same)
    return entry


def lock(connection: Connection, entry_id: int) -> None:
    query = select(order_entries.c.id).where(order_entries.c.id == entry_id).with_for_update()
    connection.execute(query)


def wait_until_somebody_waits(ledger: Ledger) -> None:
    for _ in range(500):
        with ledger.read() as connection:
            if connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar():
                return
        time.sleep(0.01)
    raise AssertionError("nobody waits")
