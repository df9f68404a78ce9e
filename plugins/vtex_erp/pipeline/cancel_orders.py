"""Cancel: take orders out of the ERP that VTEX has cancelled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.erp.protocol import Cancellation
from vtex_erp.errors import ParkError
from vtex_erp.ledger.entries import Move
from vtex_erp.ledger.stages import Stage

if TYPE_CHECKING:
    from datetime import datetime

    from vtex_erp.erp.protocol import ErpClient
    from vtex_erp.ledger.entries import OrderEntry


def cancel_in_erp(entry: OrderEntry, erp: ErpClient, *, status: str, now: datetime) -> Move:
    """Cancel the sales order; repeating it is harmless.

    Raises ParkError with cause `cancelled-too-late` when the ERP cannot undo it any more, `not-found-in-erp` when it
    does not know what it has taken, and what the ERP client raises.
    """
    answer = erp.cancel(entry.external_id, reason=f"VTEX: {status}")
    if answer is Cancellation.TOO_LATE:
        raise ParkError(
            f"Order {entry.order_id} was cancelled in VTEX after it came into the ERP as {entry.erp_id}, and the ERP "
            "can no longer cancel it. A person has to bring it back.",
            cause="cancelled-too-late",
        )
    if answer is Cancellation.UNKNOWN_ORDER and entry.erp_id is not None:
        raise ParkError(
            f"Order {entry.order_id} was cancelled in VTEX. It came into the ERP as {entry.erp_id}, and the ERP does "
            "not find it any more. Cancel it there by hand if it is there; if it should have been found (another "
            "database, missing rights), mend that and clear submit_orders.",
            cause="not-found-in-erp",
        )
    values = {"cancelled_in_erp_at": now if answer is Cancellation.CANCELLED else None}
    return Move(entry, Stage.CANCELLED, values, note=f"cancelled in the ERP: {answer.value}")
