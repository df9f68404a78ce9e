"""Rows for tests of the ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vtex_erp.ledger.entries import Run, TaskTry
from vtex_erp.ledger.tables import batch_orders, order_entries, runs

if TYPE_CHECKING:
    from vtex_erp.ledger.ledger import Ledger

ACCOUNT = "mystore"
RUN = Run("vtex_orders", "run 1", ACCOUNT)
TASK = TaskTry(RUN, "fetch_orders", batch=0)


def add_entry(ledger: Ledger, order_id: str, *, planned: bool = False, **values: Any) -> int:
    """An order entry, in the batch of TASK where `planned`; its id."""
    now = ledger.clock()
    row = {"account": ACCOUNT, "order_id": order_id, "stage": "received", "received_at": now, "changed_at": now}
    row |= {"attempts": 0, "fence": 0, "news": 0, **values}
    with ledger.write() as connection:
        entry = connection.execute(order_entries.insert().values(row).returning(order_entries.c.id)).scalar_one()
        if planned:
            run = connection.execute(runs.select()).first()
            started = {"dag_id": RUN.dag_id, "run_id": RUN.run_id, "account": ACCOUNT, "started_at": now}
            run_id = (
                run.id if run else connection.execute(runs.insert().values(started).returning(runs.c.id)).scalar_one()
            )
            connection.execute(batch_orders.insert().values(run=run_id, entry_id=entry, batch=0))
    return int(entry)
