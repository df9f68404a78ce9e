"""Deduplicate: one order entry an order, and the run's batches."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from vtex_erp.ledger import breaker, plans
from vtex_erp.pipeline.erp_guard import DEFAULT_CONNECTION

if TYPE_CHECKING:
    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.ledger.plans import BatchSizes, Plan

_log = logging.getLogger(__name__)


def deduplicate(ledger: Ledger, task: TaskTry, *, sizes: BatchSizes, erp_connection: str = DEFAULT_CONNECTION) -> Plan:
    """Give new events' orders their entries and plan the batches: new orders and those whose retry is due.

    While the ERP is down, orders that wait for it stay where they are, but for the oldest, which tries it once a
    minute. A rerun answers with the plan that the run has already.
    """
    received = plans.receive_orders(ledger, task)
    standing = breaker.look(ledger, erp_connection)
    backlog = None if standing.opened_at is None else int(standing.probe_is_due(ledger.clock()))
    plan = plans.make(ledger, task, sizes=sizes, backlog=backlog)
    _log.info(
        "%d orders are new or came back; %d orders in %d batches; %d events need nothing but the commit.",
        received,
        sum(plan.batches),
        len(plan.batches),
        plan.events,
    )
    return plan
