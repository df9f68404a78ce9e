"""Map: make the sales order from the VTEX order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.errors import ParkError, VtexErpError
from vtex_erp.ledger import documents
from vtex_erp.ledger.entries import Move
from vtex_erp.ledger.stages import Stage
from vtex_erp.pipeline.report import StepReport
from vtex_erp.pipeline.waves import Waves
from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.schemas import VtexOrder

if TYPE_CHECKING:
    from vtex_erp.ledger.entries import OrderEntry, TaskTry
    from vtex_erp.ledger.ledger import Ledger

_ORDERS_A_WAVE = 16


def map_orders(ledger: Ledger, task: TaskTry) -> StepReport:
    """Map the batch's fetched orders. An order that cannot be mapped is parked: it would fail again."""
    report = StepReport("map_orders")
    Waves(ledger, task, (Stage.FETCHED,), _ORDERS_A_WAVE, document=documents.ORDER).run(_map, report)
    return report


def _map(entry: OrderEntry, document: str) -> Move:
    try:
        sales_order = map_order(VtexOrder.from_json(document), account=entry.account)
    except VtexErpError:
        raise
    except Exception as error:
        raise ParkError(
            f"Order {entry.order_id} cannot be mapped: the mapping has a defect ({type(error).__name__}). "
            "Report it; when it is mended, clear map_orders with downstream.",
            cause=f"defect:{type(error).__name__}",
        ) from error
    kept = {documents.SALES_ORDER: sales_order.to_json()}
    return Move(entry, Stage.MAPPED, {"digest": sales_order.digest}, kept)
