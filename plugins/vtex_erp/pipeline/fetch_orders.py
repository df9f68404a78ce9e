"""Fetch: read each order and decide, by its present status, whether it goes on."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from vtex_erp.errors import OrderNotFoundError, ParkError, RetryableError
from vtex_erp.ledger import documents, events, links
from vtex_erp.ledger.stages import Stage
from vtex_erp.pipeline.decide import decide
from vtex_erp.pipeline.report import StepReport
from vtex_erp.pipeline.waves import Waves
from vtex_erp.stores.actions import DEFAULT_ACTIONS
from vtex_erp.vtex import statuses
from vtex_erp.vtex.schemas import OrderHead

if TYPE_CHECKING:
    from datetime import datetime

    from vtex_erp.ledger.entries import Move, OrderEntry, TaskTry
    from vtex_erp.ledger.events import Undated
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.stores.actions import Actions
    from vtex_erp.vtex.client import VtexClient

_log = logging.getLogger(__name__)

_PATIENCE = 5
_CLOCK_TOLERANCE = timedelta(seconds=5)
_LONGEST_LAG = timedelta(hours=1)


def fetch_orders(ledger: Ledger, task: TaskTry, vtex: VtexClient, actions: Actions = DEFAULT_ACTIONS) -> StepReport:
    """Read the batch's orders that are new, or that VTEX has told news of.

    What counts is the order as it is now, not the event: events come late, twice and out of order.
    """
    report = StepReport("fetch_orders")
    waves = Waves(ledger, task, (Stage.RECEIVED, Stage.CHANGED), vtex.settings.concurrency)
    fetcher = _Fetcher(ledger, vtex, actions)
    waves.run(lambda entry, _: fetcher.fetch(entry), report)
    for order_id, replacement in links.link(ledger, task.run.account).items():
        _log.info("Order %s seems to be replaced by order %s.", order_id, replacement)
    return report


@dataclass(frozen=True)
class _Fetcher:
    """Reads orders and decides what comes next for each."""

    ledger: Ledger
    vtex: VtexClient
    actions: Actions

    def fetch(self, entry: OrderEntry) -> Move:
        text = _read(entry, self.vtex)
        head = OrderHead.from_json(text)
        status = statuses.normalise_status(head.status)
        self._refuse_stale(entry, head, status)
        seen = self._seen(entry, head)
        try:
            _refuse_incomplete(entry, status)
            move = decide(entry, status, self.actions.for_order(status, text, erp_id=entry.erp_id))
        except ParkError as error:
            error.learned, error.occasion = seen, head.cancellation_request
            raise
        kept = {documents.ORDER: text} if move.to is Stage.FETCHED else {}
        return replace(move, values={**seen, **move.values}, documents=kept)

    def _refuse_stale(self, entry: OrderEntry, head: OrderHead, status: str) -> None:
        """An older state than the event told of may have been read: VTEX's reads lag behind its events."""
        is_new = entry.stage is Stage.RECEIVED
        if (is_new and status not in statuses.BEFORE_READY) or (not is_new and entry.attempts >= _PATIENCE):
            return
        if _is_older(head, entry.order_changed_at) or self._is_behind_events(entry, head, status):
            raise RetryableError(
                f"VTEX told of a change of order {entry.order_id}, but an older state was read ({status}). It is read "
                "again later.",
                cause="stale-read",
            )

    def _is_behind_events(self, entry: OrderEntry, head: OrderHead, status: str) -> bool:
        lately = self.ledger.clock() - _LONGEST_LAG
        undated = events.told_without_date(self.ledger, entry.account, entry.order_id, since=lately)
        return any(_is_behind(each, head, status) for each in undated)

    def _seen(self, entry: OrderEntry, head: OrderHead) -> dict[str, Any]:
        """What the ledger keeps of an order that was read."""
        shopper = head.user_profile_id
        return {
            "vtex_status": head.status,
            "value_cents": head.value,
            "currency": head.currency,
            "read_change_at": head.last_change,
            "placed_at": head.creation_date,
            "shopper": self.ledger.cipher.digest(f"{entry.account}:{shopper}") if shopper else None,
        }


def _read(entry: OrderEntry, vtex: VtexClient) -> str:
    try:
        return vtex.get_order(entry.order_id)
    except OrderNotFoundError as error:
        if entry.attempts < _PATIENCE:
            raise
        raise ParkError(
            f"VTEX has sent an event for order {entry.order_id} but answers 404 when it is read, "
            f"{entry.attempts + 1} times by now. Is it the account's own order? {error.message}",
            cause=error.cause,
            status=error.status,
        ) from error


def _refuse_incomplete(entry: OrderEntry, status: str) -> None:
    if not status or status == "detail.state.null":
        raise ParkError(
            f"Order {entry.order_id} has no status: its creation was not finished, or its workflow is broken. "
            "Look at it in VTEX's admin; it is read again when VTEX tells of a change.",
            cause="order-incomplete",
        )


def _is_behind(told: Undated, head: OrderHead, status: str) -> bool:
    """Without a date of its own, a change tells by its state what must be seen, or at least which change before it."""
    state = statuses.normalise_status(told.state)
    if state in statuses.CANCELLED and status not in statuses.CANCELLED:
        return True
    if state == statuses.READY_FOR_HANDLING and status in statuses.BEFORE_READY:
        return True
    return _is_older(head, told.after)


def _is_older(head: OrderHead, change: datetime | None) -> bool:
    if change is None:
        return False
    return head.last_change is None or head.last_change < change - _CLOCK_TOLERANCE
