"""Reconcile: say of every order of a time whether VTEX, the ledger and the ERP agree.

The list only raises a suspicion; before an order is reported, it is read from VTEX itself. What is safe is mended:
orders that nobody had seen are brought in by the run's own batches, and handling that VTEX does not know of is
started again by the next run. The rest is listed for a person.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from vtex_erp.erp.protocol import Absent, Found, Unknown
from vtex_erp.errors import ParkError, StopError, VtexErpError
from vtex_erp.ledger import reconciliations
from vtex_erp.ledger.reconciliations import Finding, Kind, Sides
from vtex_erp.ledger.stages import OPEN, Stage
from vtex_erp.pipeline.erp_guard import DEFAULT_CONNECTION, ErpGuard
from vtex_erp.pipeline.report import FailedOrder, in_words
from vtex_erp.vtex.schemas import OrderHead
from vtex_erp.vtex.statuses import CANCELLED, HANDLING_STARTED, READY_FOR_HANDLING, normalise_status

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vtex_erp.erp.protocol import ErpClient, Lookup
    from vtex_erp.ledger.entries import Run, TaskTry
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.vtex.client import VtexClient

_log = logging.getLogger(__name__)

_STUCK_AFTER = timedelta(hours=1)
_BEHIND_AFTER = timedelta(minutes=10)  # VTEX's reads lag behind its actions


def reconcile(
    ledger: Ledger,
    task: TaskTry,
    vtex: VtexClient,
    erp: ErpClient,
    *,
    mend: bool = True,
    erp_connection: str = DEFAULT_CONNECTION,
) -> Sequence[Finding]:
    """Compare the three sides of every order that the run has found, and keep and report what does not agree.

    Without `mend` nothing is set right. Raises StopError when a key is refused, ErpDownError while the ERP is down.
    """
    now = ledger.clock()
    guard = ErpGuard(ledger, erp, erp_connection)
    comparison = _Comparison(now, task.run, vtex, guard)
    all_sides = reconciliations.sides(ledger, task.run)
    at_once = guard.lookups_at_once
    with ThreadPoolExecutor(guard.concurrency) as pool:
        chunks = (all_sides[start : start + at_once] for start in range(0, len(all_sides), at_once))
        found = [each for part in pool.map(comparison.compare_all, chunks) for each in part]
    if mend:
        reconciliations.look_again(ledger, task, [each.order_id for each in found if each.mended])
    else:
        found = [_not_mended(each) for each in found]
    reconciliations.keep(ledger, task.run, found)
    _log.info(
        "%d orders compared in %.0f seconds; %d do not agree.",
        len(all_sides),
        (ledger.clock() - now).total_seconds(),
        len(found),
    )
    if found:
        _log.warning("%s", _table(found))
    return found


def raise_findings(found: Sequence[Finding]) -> None:
    """Raise ParkError when something waits for a person."""
    waiting = [each for each in found if not each.mended]
    if waiting:
        raise ParkError(f"{len(waiting)} orders are not what they must be.\n{_table(waiting)}", cause="not-reconciled")


def _table(found: Sequence[Finding]) -> str:
    return in_words(
        FailedOrder(
            order_id=each.order_id,
            cause=f"{each.kind.value}{' (mended)' if each.mended else ''}",
            message=each.detail,
            value_cents=each.vtex_cents,
            currency=each.currency,
        )
        for each in found
    )


@dataclass(frozen=True)
class _Comparison:
    now: datetime
    run: Run
    vtex: VtexClient
    erp: ErpGuard

    def compare_all(self, orders: Sequence[Sides]) -> list[Finding]:
        """What is wrong with the orders, asking the ERP for all of them in one call where it can."""
        wanted = [self._external_id(order) for order in orders if _is_in_the_erp(order)]
        answers = self.erp.lookup_many(wanted) if wanted else {}
        compared = (self._compare(order, answers.get(self._external_id(order))) for order in orders)
        return [each for each in compared if each]

    def _external_id(self, order: Sides) -> str:
        return f"{self.run.account}:{order.order_id}"

    def _compare(self, order: Sides, answer: Lookup | None) -> Finding | None:
        """The most important first; None when nothing is wrong."""
        if order.stage is None:
            return _finding(order, Kind.NOT_IN_LEDGER, "It has not been brought in.")
        if order.stage is Stage.PARKED:
            return _finding(order, Kind.PARKED, f"It is parked: {order.cause}. Mend the cause and clear its step.")
        if order.stage in OPEN:
            return self._open(order)
        return self._done(order, answer) if answer else None

    def _open(self, order: Sides) -> Finding | None:
        if order.stage is None or order.changed_at is None or self.now - order.changed_at < _STUCK_AFTER:
            return None
        since = f"{order.changed_at:%d %b %H:%M} UTC"
        return _finding(order, Kind.STUCK, f"It has stood at {order.stage.value} since {since}: {order.cause}.")

    def _done(self, order: Sides, answer: Lookup) -> Finding | None:
        if isinstance(answer, Unknown):
            return _finding(order, Kind.ERP_UNKNOWN, f"The ERP could not tell whether it holds it: {answer.reason}.")
        if isinstance(answer, Absent):
            return self._missing(order)
        return self._in_both(order, answer)

    def _missing(self, order: Sides) -> Finding | None:
        if order.stage is Stage.CANCELLED:
            return None
        if order.erp_id is not None:
            return _finding(
                order,
                Kind.MISSING_IN_ERP,
                f"The ERP had it as {order.erp_id} and does not know it any more. If it was lost there, run "
                "vtex_orders_by_date with order_ids and resubmit.",
            )
        return _finding(
            order,
            Kind.MISSING_IN_ERP,
            "Its handling was started by somebody else, and the ERP does not hold it under its id. Check it by hand.",
        )

    def _in_both(self, order: Sides, answer: Found) -> Finding | None:
        fresh = self._read(order) if self._is_suspicious(order, answer) else None
        if fresh is None:
            return None
        status = normalise_status(fresh.status)
        erp_cents = None if answer.total is None else int(answer.total * 100)
        seen = _Seen(order, fresh, erp_cents)
        cancelled_in_erp = _is_cancelled(order, answer)
        if status in CANCELLED and not cancelled_in_erp:
            return seen.finding(
                Kind.CANCELLED_IN_VTEX,
                f"VTEX says {status}; the ERP still has it as {answer.erp_id}. The next run cancels it there.",
                mended=order.stage is Stage.HANDLING,
            )
        if status not in CANCELLED and cancelled_in_erp:
            return seen.finding(
                Kind.CANCELLED_IN_ERP,
                f"{answer.erp_id} is cancelled in the ERP; VTEX says {status}. Decide by hand.",
            )
        if status not in CANCELLED and not answer.finished:
            return seen.finding(
                Kind.DRAFT_IN_ERP,
                f"{answer.erp_id} is only a draft in the ERP, and was more. Confirm it there, or run "
                "vtex_orders_by_date with order_ids and resubmit.",
            )
        if erp_cents is not None and fresh.value is not None and erp_cents != fresh.value:
            return seen.finding(Kind.TOTAL_DIFFERS, f"{answer.erp_id} has another total than the order in VTEX.")
        if fresh.value is not None and order.value_cents is not None and fresh.value != order.value_cents:
            return seen.finding(Kind.TOTAL_DIFFERS, f"The order was changed in VTEX after {answer.erp_id} was made.")
        if status == READY_FOR_HANDLING and self._should_be_in_handling(order):
            return seen.finding(Kind.STATUS_BEHIND, "VTEX does not know that handling has started.", mended=True)
        return None

    def _is_suspicious(self, order: Sides, answer: Found) -> bool:
        """Whether the order must be read again to be sure."""
        listed = normalise_status(order.listed_status)
        value = order.value_cents
        return (
            (listed in CANCELLED) != _is_cancelled(order, answer)
            or not answer.finished
            or (listed == READY_FOR_HANDLING and self._should_be_in_handling(order))
            or (answer.total is not None and value is not None and answer.total != Decimal(value) / 100)
            or (order.listed_cents is not None and value is not None and order.listed_cents != value)
        )

    def _should_be_in_handling(self, order: Sides) -> bool:
        if order.stage is not Stage.HANDLING or order.changed_at is None:
            return False
        return self.now - order.changed_at > _BEHIND_AFTER

    def _read(self, order: Sides) -> OrderHead | None:
        try:
            return OrderHead.from_json(self.vtex.get_order(order.order_id))
        except StopError:
            raise
        except VtexErpError as error:
            _log.warning("%s", error.message)
            return None


@dataclass(frozen=True)
class _Seen:
    """An order that is in both, as it was just read from VTEX, and its total in the ERP."""

    order: Sides
    fresh: OrderHead
    erp_cents: int | None

    def finding(self, kind: Kind, detail: str, *, mended: bool = False) -> Finding:
        return Finding(
            self.order.order_id,
            kind,
            detail,
            vtex_status=self.fresh.status,
            vtex_cents=self.fresh.value,
            erp_cents=self.erp_cents,
            currency=self.order.currency,
            mended=mended,
        )


def _is_cancelled(order: Sides, answer: Found) -> bool:
    """Whether it is cancelled in the ERP: by the ledger, where the ERP does not say."""
    return order.stage is Stage.CANCELLED if answer.cancelled is None else answer.cancelled


def _is_in_the_erp(order: Sides) -> bool:
    """Whether the ERP must hold it, by the ledger."""
    if order.stage is None or order.stage is Stage.PARKED or order.stage in OPEN:
        return False
    if order.erp_id is not None or order.stage is Stage.HANDLING:
        return True
    return order.stage is Stage.IGNORED and normalise_status(order.vtex_status) in HANDLING_STARTED


def _finding(order: Sides, kind: Kind, detail: str) -> Finding:
    return Finding(
        order.order_id,
        kind,
        detail,
        vtex_status=order.vtex_status or order.listed_status,
        vtex_cents=order.value_cents if order.value_cents is not None else order.listed_cents,
        currency=order.currency,
    )


def _not_mended(found: Finding) -> Finding:
    return Finding(**{**found.__dict__, "mended": False})
