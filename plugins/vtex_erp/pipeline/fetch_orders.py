"""Fetch: read each order and decide, by its present status, whether it goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from vtex_erp.errors import OrderNotFoundError, ParkError, RetryableError
from vtex_erp.ledger import documents
from vtex_erp.ledger.entries import Move
from vtex_erp.ledger.stages import Stage
from vtex_erp.pipeline.report import StepReport
from vtex_erp.pipeline.waves import Waves
from vtex_erp.vtex import statuses
from vtex_erp.vtex.schemas import OrderHead

if TYPE_CHECKING:
    from vtex_erp.ledger.entries import OrderEntry, TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.vtex.client import VtexClient

_PATIENCE_WITH_404 = 5
_CLOCK_TOLERANCE = timedelta(seconds=5)


def fetch_orders(ledger: Ledger, task: TaskTry, vtex: VtexClient) -> StepReport:
    """Read the batch's received orders.

    What counts is the order as it is now, not the event: events come late, twice and out of order.
    """
    report = StepReport("fetch_orders")
    waves = Waves(ledger, task, (Stage.RECEIVED,), vtex.settings.concurrency)
    waves.run(lambda entry, _: fetch(entry, vtex), report)
    return report


def fetch(entry: OrderEntry, vtex: VtexClient) -> Move:
    """Read one order: `fetched` when it is ready for handling, else `cancelled` or `ignored`."""
    try:
        text = vtex.get_order(entry.order_id)
    except OrderNotFoundError as error:
        if entry.attempts < _PATIENCE_WITH_404:
            raise
        raise ParkError(
            f"VTEX has sent an event for order {entry.order_id} but answers 404 when it is read, "
            f"{entry.attempts + 1} times by now. Is it the account's own order? {error.message}",
            cause=error.cause,
            status=error.status,
        ) from error
    head = OrderHead.from_json(text)
    stage = _next_stage(entry, head)
    values = {"vtex_status": head.status, "value_cents": head.value, "currency": head.currency}
    if stage is Stage.FETCHED:
        return Move(entry, stage, values, {documents.ORDER: text})
    return Move(entry, stage, values, note=f"VTEX says {head.status}")


def _next_stage(entry: OrderEntry, head: OrderHead) -> Stage:
    status = statuses.normalise_status(head.status)
    if status == statuses.READY_FOR_HANDLING:
        return Stage.FETCHED
    if status in statuses.CANCELLED:
        return Stage.CANCELLED
    if not status or status == "detail.state.null":
        raise ParkError(
            f"Order {entry.order_id} has no status: its creation was not finished, or its workflow is broken. "
            "Look at it in VTEX's admin; it is read again when VTEX tells of a change.",
            cause="order-incomplete",
        )
    if status in statuses.BEFORE_READY and _is_stale(entry, head):
        raise RetryableError(
            f"VTEX told that order {entry.order_id} is ready for handling, but an older state was read ({status}). "
            "It is read again later.",
            cause="stale-read",
        )
    return Stage.IGNORED


def _is_stale(entry: OrderEntry, head: OrderHead) -> bool:
    if entry.order_changed_at is None:
        return False
    return head.last_change is None or head.last_change < entry.order_changed_at - _CLOCK_TOLERANCE
