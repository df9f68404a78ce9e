"""Decide: what comes next for an order, by its present status in VTEX and by what was done about it already."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.errors import ParkError
from vtex_erp.ledger.entries import Move
from vtex_erp.ledger.stages import HELD_FOR_CANCELLATION, HELD_STATUS, Stage
from vtex_erp.stores.actions import Action
from vtex_erp.vtex import statuses

if TYPE_CHECKING:
    from vtex_erp.ledger.entries import OrderEntry


def decide(entry: OrderEntry, status: str, action: Action) -> Move:
    """Give the order's next stage. `status` is normalised, `action` what the store does about it.

    Raises ParkError where a person has to decide.
    """
    if entry.cancelled_in_erp_at and action is not Action.CANCEL:
        return _alive_again(entry, status, action)
    return _DECISIONS[action](entry, status)


def _bring_in(entry: OrderEntry, status: str) -> Move:
    if entry.erp_id is None:
        return Move(entry, Stage.FETCHED)
    return Move(entry, Stage.SUBMITTED, note=f"VTEX says {status}: it is in the ERP already")


def _hold(entry: OrderEntry, status: str) -> Move:
    where = (
        f"sales order {entry.erp_id} is in the ERP already. Hold it there" if entry.erp_id else "it is not in the ERP"
    )
    if status in statuses.CANCELLATION_ASKED:
        raise ParkError(
            f"A cancellation of order {entry.order_id} is asked for in VTEX ({status}), and {where}. Accept or deny "
            "it in VTEX; the order goes on by itself when VTEX tells what became of it, or in the next night's run by "
            "date.",
            cause=HELD_FOR_CANCELLATION,
        )
    raise ParkError(
        f"Order {entry.order_id} is {status!r} in VTEX, and {where}: the store's settings hold such orders. It goes on "
        "by itself when VTEX tells of another status.",
        cause=f"{HELD_STATUS}{status}",
    )


def _cancel(entry: OrderEntry, status: str) -> Move:
    may_be_in_erp = entry.erp_id is not None or entry.submitting_at is not None
    if may_be_in_erp and not entry.cancelled_in_erp_at:
        return Move(entry, Stage.CANCELLING, note=f"VTEX says {status}")
    return Move(entry, Stage.CANCELLED, note=f"VTEX says {status}")


def _close(entry: OrderEntry, status: str) -> Move:
    if _lost_in_erp(entry):
        return _in_again(entry, status)
    return Move(entry, Stage.CLOSED if entry.erp_id else Stage.IGNORED, note=f"VTEX says {status}")


def _note(entry: OrderEntry, status: str) -> Move:
    if _lost_in_erp(entry) and status in statuses.HANDLING_STARTED:
        return _in_again(entry, status)
    return Move(entry, Stage.HANDLING if entry.erp_id else Stage.IGNORED, note=f"VTEX says {status}")


def _lost_in_erp(entry: OrderEntry) -> bool:
    """Whether the order was in the ERP, for we have started its handling, and is not there any more."""
    return entry.erp_id is None and entry.handling_requested_at is not None


def _in_again(entry: OrderEntry, status: str) -> Move:
    return Move(entry, Stage.FETCHED, note=f"VTEX says {status}, but the ERP does not hold it any more")


_DECISIONS = {
    Action.BRING_IN: _bring_in,
    Action.HOLD: _hold,
    Action.CANCEL: _cancel,
    Action.CLOSE: _close,
    Action.NOTE: _note,
}


def _alive_again(entry: OrderEntry, status: str, action: Action) -> Move:
    if action is Action.HOLD:
        return Move(entry, Stage.CANCELLED, note=f"VTEX says {status}: it is cancelled in the ERP already")
    raise ParkError(
        f"Order {entry.order_id} is {status!r} in VTEX, but its sales order {entry.erp_id or ''} was cancelled in the "
        "ERP. Decide in the ERP, then start handling or cancel in VTEX by hand.",
        cause="ready-again-after-cancellation",
    )
