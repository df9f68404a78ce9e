"""Outcome: say what became of the run's orders, and make the run red when one of them failed."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vtex_erp.errors import ErpDownError, ParkError
from vtex_erp.ledger import breaker, entries, found, plans, reconciliations, reports
from vtex_erp.ledger.stages import DONE, Stage
from vtex_erp.pipeline.erp_guard import DEFAULT_CONNECTION
from vtex_erp.pipeline.find_orders import raise_unproven
from vtex_erp.pipeline.reconcile import raise_findings
from vtex_erp.pipeline.report import FailedOrder, in_words, money, span

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vtex_erp.ledger.entries import TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.ledger.reports import OrderState

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """The run's orders by stage, those that are not done, and the events that wait for their commit.

    `outage` tells of an ERP that is down, and of all the account's orders that wait for it.
    """

    stages: Counter[str]
    unfinished: tuple[FailedOrder, ...]
    uncommitted: int
    outage: str | None = None

    def counts(self) -> dict[str, int]:
        """Counts fit for XCom."""
        return {**self.stages, "unfinished": len(self.unfinished), "uncommitted_events": self.uncommitted}


def outcome(
    ledger: Ledger, task: TaskTry, *, erp_connection: str = DEFAULT_CONNECTION, after_pull: bool = False
) -> Outcome:
    """Look at the run's orders in the ledger, and give free what the run holds.

    Raises `ParkError` when an order of the run is not done, when the run never got to its orders or has not pulled
    although it should have (`after_pull`), while any order of the account waits for an ERP that is down, or when what a
    run by date has listed may miss orders, or does not agree with the ERP.
    """
    entries.release(ledger, task.run)
    if not plans.planned(ledger, task.run):
        raise ParkError(
            "The run did not get as far as planning its orders: see pull_feed (or find_orders) and deduplicate. "
            "Nothing is lost: clear the failed one with downstream, or leave it to the next run.",
            cause="not-planned",
        )
    states = reports.orders_of(ledger, task.run)
    result = Outcome(
        stages=Counter(state.stage.value for state in states),
        unfinished=tuple(_failed(state) for state in states if state.stage not in DONE),
        uncommitted=reports.uncommitted_events_of(ledger, task.run),
        outage=_outage(ledger, task.run.account, erp_connection),
    )
    _say(result, states)
    _raise(result, len(states))
    if after_pull and plans.events_pulled(ledger, task.run) is None:
        raise ParkError(
            "The feed could not be read: see pull_feed. What the hook has brought, and what waited, was worked on.",
            cause="not-pulled",
        )
    raise_unproven(found.listed(ledger, task.run))
    raise_findings(reconciliations.kept(ledger, task.run))
    return result


def _outage(ledger: Ledger, account: str, erp_connection: str) -> str | None:
    waiting = reports.waiting_for_erp(ledger, account)
    if not waiting.orders:
        return None
    since = breaker.look(ledger, erp_connection).opened_at
    if since is None:
        _log.info("%d orders still wait from the ERP's outage; the next runs take them, oldest first.", waiting.orders)
        return None
    said = (
        f"The ERP (connection {erp_connection!r}) is down since {since:%Y-%m-%d %H:%M} UTC: "
        f"{waiting.orders} orders wait"
    )
    if not waiting.oldest or not waiting.deadline:
        return f"{said} in the ledger."
    left = waiting.deadline - ledger.clock()
    kept = f"for {span(left)} more, until" if left > timedelta(0) else "no longer: only until"
    return (
        f"{said}, the oldest since {waiting.oldest:%Y-%m-%d %H:%M} UTC. They are safe in the ledger; VTEX's feed keeps "
        f"that one's event {kept} {waiting.deadline:%Y-%m-%d %H:%M} UTC."
    )


def _failed(state: OrderState) -> FailedOrder:
    return FailedOrder(
        order_id=state.order_id,
        cause=state.cause or f"unfinished:{state.stage.value}",
        message=state.message or "Its task did not come to it; the next run takes it up.",
        value_cents=state.value_cents,
        currency=state.currency,
    )


def _say(result: Outcome, states: Sequence[OrderState]) -> None:
    done = [_failed(state) for state in states if state.stage is Stage.HANDLING]
    by_stage = ", ".join(f"{number} {stage}" for stage, number in sorted(result.stages.items())) or "no orders"
    _log.info("The run's orders: %s. In the ERP and in handling: %s.", by_stage, money(done) or "nothing")


def _raise(result: Outcome, orders: int) -> None:
    parts = [result.outage] if result.outage else []
    if result.unfinished:
        parts.append(f"{len(result.unfinished)} of {orders} orders are not done.\n{in_words(result.unfinished)}")
    if result.uncommitted:
        parts.append(f"{result.uncommitted} events are not committed; the next run commits them, or their redelivery.")
    if parts:
        cause = ErpDownError.default_cause if result.outage else "orders-failed"
        raise ParkError("\n".join(parts), cause=cause)
