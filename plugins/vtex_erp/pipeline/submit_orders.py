"""Submit: bring each sales order into the ERP, once.

An order is written down as `submitting` before it is sent. So an order that is found in that stage was perhaps
created: it is in doubt, and only the ERP can tell. `settle` asks it: found ends the doubt, absent or half-made puts the
order back to `mapped`, cancelled parks it, unknown leaves it in doubt. Only a `mapped` order is ever sent.

Orders that VTEX has cancelled meanwhile are cancelled in the ERP first.

While the breaker of the ERP's connection is open, orders stay where they are; one task a minute tries one order.
"""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from vtex_erp.erp.protocol import NOT_CREATED, Absent, EnsuresMany, Found, Guarantee
from vtex_erp.errors import (
    ErpDownError,
    ParkError,
    RateLimitedError,
    RetryableError,
    StopError,
    UnclearError,
    VtexErpError,
)
from vtex_erp.ledger import documents, entries
from vtex_erp.ledger.entries import Move, failed
from vtex_erp.ledger.stages import Stage
from vtex_erp.pipeline.cancel_orders import cancel_in_erp
from vtex_erp.pipeline.erp_guard import DEFAULT_CONNECTION, ErpGuard
from vtex_erp.pipeline.report import StepReport
from vtex_erp.pipeline.waves import Waves
from vtex_erp.sales.model import SalesOrder
from vtex_erp.sales.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vtex_erp.erp.protocol import ErpClient
    from vtex_erp.ledger.entries import OrderEntry, TaskTry
    from vtex_erp.ledger.ledger import Ledger

_FRESH = timedelta(seconds=5)
"""How long a claim is trusted without a look at the ledger; a successor comes later than that."""


def submit_orders(
    ledger: Ledger, task: TaskTry, erp: ErpClient, *, erp_connection: str = DEFAULT_CONNECTION
) -> StepReport:
    """Submit the batch's mapped orders, after settling those in doubt.

    Orders whose answer was lost are settled at once, and sent again where the ERP does not hold them.
    """
    report = StepReport("submit_orders")
    guard = ErpGuard(ledger, erp, erp_connection)
    if guard.down and guard.begin_probe():
        _settle_and_send(ledger, task, guard, report, most=1)
        guard.end_probe()
    if not guard.down:
        _submit(ledger, task, guard, report)
    if guard.down:
        _wait(ledger, task, report, guard.down)
    del report.reached[Stage.MAPPED.value]  # settled as absent, and counted again when they were sent
    return report


def _submit(ledger: Ledger, task: TaskTry, erp: ErpGuard, report: StepReport) -> None:
    if not report.stopped_by:
        _settle_and_send(ledger, task, erp, report)
    in_doubt = any(isinstance(error, UnclearError) for _, error in report.failures)
    if in_doubt and not report.stopped_by:
        # Whatever is not parked goes through the second round, and is counted there.
        report.failures = [failure for failure in report.failures if isinstance(failure[1], ParkError)]
        _settle_and_send(ledger, task, erp, report)


def _wait(ledger: Ledger, task: TaskTry, report: StepReport, down: ErpDownError) -> None:
    # Those that failed when it went down wait like all the others; the parked ones do not.
    report.failures = [failure for failure in report.failures if isinstance(failure[1], ParkError)]
    waiting = entries.wait_for_erp(ledger, task, down)
    if not isinstance(report.stopped_by, StopError):
        report.stopped_by = ErpDownError(f"submit_orders: {waiting} orders wait. {down.message}") if waiting else None


def _settle_and_send(
    ledger: Ledger, task: TaskTry, erp: ErpGuard, report: StepReport, *, most: int | None = None
) -> None:
    cancel(ledger, task, erp, report, most=most)
    if not report.stopped_by and not erp.down:
        settle(ledger, task, erp, report, most=most)
    if not report.stopped_by and not erp.down:
        send(ledger, task, erp, report, most=most)


def cancel(ledger: Ledger, task: TaskTry, erp: ErpClient, report: StepReport, *, most: int | None = None) -> None:
    """Cancel each order that VTEX has cancelled, and that is in the ERP or may be."""
    waves = Waves(ledger, task, (Stage.CANCELLING,), erp.concurrency, most=most)
    waves.run(lambda entry, _: cancel_in_erp(entry, erp, status=entry.vtex_status or "", now=ledger.clock()), report)


def settle(ledger: Ledger, task: TaskTry, erp: ErpClient, report: StepReport, *, most: int | None = None) -> None:
    """Ask the ERP for each order in doubt."""
    waves = Waves(ledger, task, (Stage.SUBMITTING,), erp.concurrency, most=most)
    waves.run(lambda entry, _: _settle(ledger, entry, erp), report)


def send(ledger: Ledger, task: TaskTry, erp: ErpClient, report: StepReport, *, most: int | None = None) -> None:
    """Send each mapped order. What was certainly not created waits as `mapped`, the rest stays in doubt."""
    waves = Waves(
        ledger,
        task,
        (Stage.MAPPED,),
        erp.concurrency,
        document=documents.SALES_ORDER,
        claim_as=Stage.SUBMITTING,
        claim_values=lambda now: {"submitting_at": now},
        failed=_not_sent,
        most=most,
    )
    if isinstance(erp, EnsuresMany) and erp.at_once > 1 and erp.guarantee is not Guarantee.SEARCH_ONLY:
        many = erp
        waves.run_many(lambda orders: _send_many(ledger, orders, many), report, at_once=erp.at_once)
    else:
        waves.run(lambda entry, document: _send(ledger, entry, document, erp), report)


def _settle(ledger: Ledger, entry: OrderEntry, erp: ErpClient) -> Move:
    answer = erp.lookup(entry.external_id)
    if isinstance(answer, Found) and answer.cancelled:
        raise ParkError(
            f"Sales order {answer.erp_id} of order {entry.order_id} is cancelled in the ERP, and not in VTEX. Take it "
            "up again there and clear submit_orders, or cancel the order in VTEX.",
            cause="cancelled-in-erp",
        )
    if isinstance(answer, Found) and answer.finished:
        return Move(entry, Stage.SUBMITTED, {"erp_id": answer.erp_id}, note="found in the ERP")
    if isinstance(answer, Found):
        return Move(entry, Stage.MAPPED, note=f"half-made in the ERP as {answer.erp_id}")  # ensure takes it on
    if isinstance(answer, Absent):
        _wait_until_settled(ledger, entry, erp)
        return Move(entry, Stage.MAPPED, {"erp_id": None}, note="not in the ERP")
    raise UnclearError(
        f"The ERP could not tell whether it holds order {entry.external_id}: {answer.reason}. "
        "It is asked again; until it answers, the order is not sent a second time.",
        cause="in-doubt",
    )


def _wait_until_settled(ledger: Ledger, entry: OrderEntry, erp: ErpClient) -> None:
    # An ERP without a unique key may still be busy with the order that it says it does not hold.
    if erp.guarantee is Guarantee.UNIQUE or entry.submitting_at is None:
        return
    missing = entry.submitting_at + timedelta(seconds=erp.settle_seconds) - ledger.clock()
    if missing > timedelta(0):
        raise UnclearError(
            f"The ERP does not hold order {entry.external_id} yet; it has {missing.total_seconds():.0f} seconds more "
            "before the order is sent again.",
            cause="in-doubt",
            retry_after=missing.total_seconds(),
        )


def _send(ledger: Ledger, entry: OrderEntry, document: str, erp: ErpClient) -> Move:
    if _claimed_long_ago(ledger, entry) and not entries.holds(ledger, entry):
        return Move(entry, Stage.SUBMITTING)  # a successor has it: the write of this move is fenced off, too
    sales_order = SalesOrder.model_validate_json(document)
    try:
        return Move(entry, Stage.SUBMITTED, {"erp_id": erp.ensure(sales_order)})
    except VtexErpError as error:
        raise _redacted(error, sales_order) from error


def _send_many(ledger: Ledger, orders: Sequence[tuple[OrderEntry, str]], erp: EnsuresMany) -> list[Move | VtexErpError]:
    """Send several at once. One that was sent before goes alone: it may be what has failed the others."""
    moves: dict[int, Move | VtexErpError] = {}
    fresh = [order for order in orders if order[0].submitting_at is None]
    again = [order for order in orders if order[0].submitting_at is not None]
    for part in (fresh, *([order] for order in again)):
        moves |= _send_part(ledger, part, erp) if part else {}
    return [moves[entry.id] for entry, _ in orders]


def _send_part(
    ledger: Ledger, orders: Sequence[tuple[OrderEntry, str]], erp: EnsuresMany
) -> dict[int, Move | VtexErpError]:
    """Send several in one call; an order that a successor has taken over meanwhile stays here."""
    lost = {entry.id for entry, _ in orders if _claimed_long_ago(ledger, entry) and not entries.holds(ledger, entry)}
    sales_orders = {entry.id: SalesOrder.model_validate_json(text) for entry, text in orders if entry.id not in lost}
    outcomes: dict[int, str | VtexErpError]
    try:
        outcomes = dict(zip(sales_orders, erp.ensure_many(list(sales_orders.values())), strict=True))
    except VtexErpError as error:  # it is no other part's
        outcomes = dict.fromkeys(sales_orders, error)
    moves: dict[int, Move | VtexErpError] = {}
    for entry, _ in orders:
        outcome = outcomes.get(entry.id)
        if outcome is None:
            moves[entry.id] = Move(entry, Stage.SUBMITTING)
        elif isinstance(outcome, str):
            moves[entry.id] = Move(entry, Stage.SUBMITTED, {"erp_id": outcome})
        else:
            moves[entry.id] = _redacted(outcome, *sales_orders.values())
    return moves


def _redacted(error: VtexErpError, *sales_orders: SalesOrder) -> VtexErpError:
    """The error without the data of the shoppers: many orders may have got the same one, which may quote any."""
    own = copy.copy(error)
    own.message = redact(error.message, *sales_orders)
    own.args = (own.message,)
    return own


def _claimed_long_ago(ledger: Ledger, entry: OrderEntry) -> bool:
    """A worker that was paused (or its machine) may wake up with orders in hand that another one has sent since."""
    return entry.claimed_at is None or ledger.clock() - entry.claimed_at > _FRESH


def _not_sent(entry: OrderEntry, error: VtexErpError, now: datetime) -> Move:
    certainly_not_created = isinstance(error, (ParkError, StopError, RateLimitedError, ErpDownError))
    if certainly_not_created or (isinstance(error, RetryableError) and error.cause in NOT_CREATED):
        return failed(entry, error, now=now, stage=Stage.MAPPED)
    move = failed(entry, error, now=now, stage=Stage.SUBMITTING)
    # The ERP may still have been at work until now: the time that it is given to settle starts here.
    return replace(move, values={**move.values, "submitting_at": now})
