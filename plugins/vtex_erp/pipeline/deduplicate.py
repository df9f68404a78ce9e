"""Deduplicate: one order entry an order, and the run's batches."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from vtex_erp.ledger import plans

if TYPE_CHECKING:
    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.ledger.plans import BatchSizes, Plan

_log = logging.getLogger(__name__)


def deduplicate(ledger: Ledger, task: TaskTry, *, sizes: BatchSizes) -> Plan:
    """Give new events' orders their entries and plan the batches: new orders and those whose retry is due.

    A rerun answers with the plan that the run has already.
    """
    received = plans.receive_orders(ledger, task)
    plan = plans.make(ledger, task, sizes=sizes)
    _log.info(
        "%d orders are new or came back; %d orders in %d batches; %d events need nothing but the commit.",
        received,
        sum(plan.batches),
        len(plan.batches),
        plan.events,
    )
    return plan
