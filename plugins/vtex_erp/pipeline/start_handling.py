"""Start handling: tell VTEX, once, that the merchant has taken the order over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sqlalchemy import func

from vtex_erp.erp.protocol import Cancellation
from vtex_erp.errors import ErpDownError, OrderNotFoundError, ParkError, RetryableError, UnclearError, WrongStatusError
from vtex_erp.ledger.entries import Move
from vtex_erp.ledger.stages import Stage
from vtex_erp.ledger.tables import order_entries
from vtex_erp.pipeline.erp_guard import DEFAULT_CONNECTION, ErpGuard
from vtex_erp.pipeline.report import StepReport
from vtex_erp.pipeline.waves import Waves
from vtex_erp.vtex import statuses
from vtex_erp.vtex.schemas import OrderHead

if TYPE_CHECKING:
    from collections.abc import Callable

    from vtex_erp.erp.protocol import ErpClient
    from vtex_erp.ledger.entries import OrderEntry, TaskTry
    from vtex_erp.ledger.ledger import Ledger
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
    guard = ErpGuard(ledger, erp, erp_connection)
    waves.run(lambda entry, _: _start(entry, vtex, guard, sleep), report)
    return report


def _start(entry: OrderEntry, vtex: VtexClient, erp: ErpClient, sleep: Callable[[float], None]) -> Move:
    if entry.handling_requested_at and (settled := _settle(entry, vtex, erp, sleep)):
        return settled
    try:
        vtex.start_handling(entry.order_id)
    except (WrongStatusError, UnclearError, OrderNotFoundError) as error:
        settled = _settle(entry, vtex, erp, sleep)
        if settled:
            return settled
        raise RetryableError(
            f"Order {entry.order_id} is in the ERP and still ready for handling: {error.message}",
            cause=error.cause,
            status=error.status,
        ) from error
    return Move(entry, Stage.HANDLING)


def _settle(entry: OrderEntry, vtex: VtexClient, erp: ErpClient, sleep: Callable[[float], None]) -> Move | None:
    """Read the order until it shows what a request did; None when it stays ready for handling."""
    for seconds in _READ_AFTER_SECONDS:
        if seconds:
            sleep(seconds)
        head = OrderHead.from_json(vtex.get_order(entry.order_id))
        status = statuses.normalise_status(head.status)
        if status != statuses.READY_FOR_HANDLING:
            return _left_ready(entry, status, erp)
    return None


def _left_ready(entry: OrderEntry, status: str, erp: ErpClient) -> Move:
    if status in statuses.HANDLING_STARTED:
        return Move(entry, Stage.HANDLING, {"vtex_status": status}, note=f"VTEX says {status}")
    if status in statuses.CANCELLED:
        return _cancel_in_erp(entry, status, erp)
    if status in statuses.CANCELLATION_ASKED:
        raise ParkError(
            f"A cancellation of order {entry.order_id} is asked for in VTEX ({status}), and sales order "
            f"{entry.erp_id} is in the ERP already. Hold it there, and accept or deny the cancellation in VTEX; the "
            "order goes on by itself when VTEX tells that it is ready again.",
            cause="cancellation-requested",
        )
    raise ParkError(
        f"Order {entry.order_id} is in the ERP as {entry.erp_id}, but in VTEX it is {status!r}, where handling "
        "cannot be started. Look at it in VTEX's admin; clear start_handling when it is ready for handling.",
        cause=f"not-ready-for-handling:{status}",
    )


def _cancel_in_erp(entry: OrderEntry, status: str, erp: ErpClient) -> Move:
    try:
        answer = erp.cancel(entry.external_id, reason=f"VTEX: {status} before handling started")
    except ErpDownError as error:
        # The others of the batch need no ERP any more: this is the trouble of one order only.
        raise RetryableError(
            f"Order {entry.order_id} was cancelled in VTEX and is to be cancelled in the ERP, too. {error.message}",
            cause=error.cause,
        ) from error
    if answer is Cancellation.TOO_LATE:
        raise ParkError(
            f"Order {entry.order_id} was cancelled in VTEX after it came into the ERP as {entry.erp_id}, and the ERP "
            "can no longer cancel it. A person has to bring it back.",
            cause="cancelled-too-late",
        )
    return Move(entry, Stage.CANCELLED, {"vtex_status": status}, note=f"cancelled in the ERP: {answer.value}")
