"""Start handling: tell VTEX, once, that the merchant has taken the order over."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy import func

from vtex_erp.errors import ErpDownError, OrderNotFoundError, ParkError, RetryableError, UnclearError, WrongStatusError
from vtex_erp.ledger.entries import Move
from vtex_erp.ledger.stages import Stage
from vtex_erp.ledger.tables import order_entries
from vtex_erp.pipeline.cancel_orders import cancel_in_erp
from vtex_erp.pipeline.decide import decide
from vtex_erp.pipeline.erp_guard import DEFAULT_CONNECTION, ErpGuard
from vtex_erp.pipeline.report import StepReport
from vtex_erp.pipeline.waves import Waves
from vtex_erp.stores.actions import DEFAULT_ACTIONS, Action
from vtex_erp.vtex import statuses
from vtex_erp.vtex.schemas import OrderHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from vtex_erp.erp.protocol import ErpClient
    from vtex_erp.ledger.entries import OrderEntry, TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.stores.actions import Actions
    from vtex_erp.vtex.client import VtexClient

_READ_AFTER_SECONDS = (0, 2, 3, 5)
"""VTEX applies transitions late; what a request did shows within seconds (facts, 5.1)."""


def start_handling(
    ledger: Ledger,
    task: TaskTry,
    vtex: VtexClient,
    erp: ErpClient,
    *,
    sleep: Callable[[float], None] = time.sleep,
    erp_connection: str = DEFAULT_CONNECTION,
    actions: Actions = DEFAULT_ACTIONS,
) -> StepReport:
    """Start the handling of the batch's submitted orders, after the ERP accepted them.

    The request is noted in the ledger before it goes out; an order with that note, or with an answer that is not a
    plain yes, is read again before anything else is done. An order that was cancelled meanwhile is cancelled in
    the ERP.
    """
    report = StepReport("start_handling")
    waves = Waves(
        ledger,
        task,
        (Stage.SUBMITTED,),
        vtex.settings.concurrency,
        claim_values=lambda now: {"handling_requested_at": func.coalesce(order_entries.c.handling_requested_at, now)},
    )
    starter = _Starter(ledger, vtex, ErpGuard(ledger, erp, erp_connection), actions, sleep)
    waves.run(lambda entry, _: starter.start(entry), report)
    return report


@dataclass(frozen=True)
class _Starter:
    ledger: Ledger
    vtex: VtexClient
    erp: ErpClient
    actions: Actions
    sleep: Callable[[float], None]

    def start(self, entry: OrderEntry) -> Move:
        if entry.handling_requested_at and (settled := self._settle(entry)):
            return settled
        try:
            self.vtex.start_handling(entry.order_id)
        except (WrongStatusError, UnclearError, OrderNotFoundError) as error:
            settled = self._settle(entry)
            if settled:
                return settled
            raise RetryableError(
                f"Order {entry.order_id} is in the ERP and still ready for handling: {error.message}",
                cause=error.cause,
                status=error.status,
            ) from error
        return Move(entry, Stage.HANDLING)

    def _settle(self, entry: OrderEntry) -> Move | None:
        """Read the order until it shows what a request did; None when it stays ready for handling."""
        for seconds in _READ_AFTER_SECONDS:
            if seconds:
                self.sleep(seconds)
            text = self.vtex.get_order(entry.order_id)
            head = OrderHead.from_json(text)
            status = statuses.normalise_status(head.status)
            if status == statuses.READY_FOR_HANDLING:
                continue
            news = {"vtex_status": head.status, "read_change_at": head.last_change}
            try:
                move = self._left_ready(entry, status, text)
            except ParkError as error:
                error.learned, error.occasion = news, head.cancellation_request
                raise
            return replace(move, values={**move.values, **news})
        return None

    def _left_ready(self, entry: OrderEntry, status: str, text: str) -> Move:
        action = self.actions.for_order(status, text, erp_id=entry.erp_id)
        if status in statuses.HANDLING_STARTED or action is Action.BRING_IN:
            return Move(entry, Stage.HANDLING, note=f"VTEX says {status}")
        move = decide(entry, status, action)
        if move.to is Stage.CANCELLING:
            return self._cancel(entry, status)
        if move.to is Stage.HANDLING:
            raise ParkError(
                f"Order {entry.order_id} is in the ERP as {entry.erp_id}, but in VTEX it is {status!r}, where handling "
                "cannot be started. Look at it in VTEX's admin; clear start_handling when it is ready for handling.",
                cause=f"not-ready-for-handling:{status}",
            )
        return move

    def _cancel(self, entry: OrderEntry, status: str) -> Move:
        try:
            return cancel_in_erp(entry, self.erp, status=status, now=self.ledger.clock())
        except ErpDownError as error:
            # The others of the batch need no ERP any more: this is the trouble of one order only.
            raise RetryableError(
                f"Order {entry.order_id} was cancelled in VTEX and is to be cancelled in the ERP, too. {error.message}",
                cause=error.cause,
            ) from error
