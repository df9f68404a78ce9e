"""Deduplicate: one order entry an order, and the run's batches."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from vtex_erp.ledger import breaker, found, plans
from vtex_erp.pipeline.erp_guard import DEFAULT_CONNECTION
from vtex_erp.stores.actions import DEFAULT_ACTIONS

if TYPE_CHECKING:
    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.ledger.plans import BatchSizes, Plan
    from vtex_erp.stores.actions import Actions

_log = logging.getLogger(__name__)


def deduplicate(
    ledger: Ledger,
    task: TaskTry,
    *,
    sizes: BatchSizes,
    erp_connection: str = DEFAULT_CONNECTION,
    actions: Actions = DEFAULT_ACTIONS,
) -> Plan:
    """Give new events' orders their entries and plan the batches: new orders and those whose retry is due.

    While the ERP is down, orders that wait for it stay where they are, but for the oldest, which tries it once a
    minute. A rerun answers with the plan that the run has already.
    """
    received = plans.receive_orders(ledger, task, actions)
    standing = breaker.look(ledger, erp_connection)
    backlog = None if standing.opened_at is None else int(standing.probe_is_due(ledger.clock()))
    return _say(received, plans.make(ledger, task, sizes=sizes, backlog=backlog))


def deduplicate_found(ledger: Ledger, task: TaskTry, *, sizes: BatchSizes, resubmit: bool = False) -> Plan:
    """The same for what the run has found by date: only its own orders, and of those only what is not done.

    `resubmit` looks orders that are done up in the ERP again, and starts parked ones anew.
    """
    received = found.receive_found(ledger, task, resubmit=resubmit)
    return _say(received, plans.make_by_date(ledger, task, sizes=sizes))


def plan_nothing(ledger: Ledger, task: TaskTry) -> None:
    """Let the run have no orders, and say what it would have taken up: a dry run."""
    _log.info("A dry run: %d of the orders found are not in the ledger.", found.unknown(ledger, task.run))
    plans.make_empty(ledger, task)


def _say(received: int, plan: Plan) -> Plan:
    _log.info(
        "%d orders are new or came back; %d orders in %d batches; %d events need nothing but the commit.",
        received,
        sum(plan.batches),
        len(plan.batches),
        plan.events,
    )
    return plan
