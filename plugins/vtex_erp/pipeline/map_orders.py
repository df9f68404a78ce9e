"""Map: make the sales order from the VTEX order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.errors import ParkError, VtexErpError
from vtex_erp.ledger import documents
from vtex_erp.ledger.entries import Move
from vtex_erp.ledger.stages import Stage
from vtex_erp.pipeline.report import StepReport
from vtex_erp.pipeline.waves import Waves
from vtex_erp.rules.apply import apply
from vtex_erp.rules.model import Rules
from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.schemas import VtexOrder

if TYPE_CHECKING:
    from vtex_erp.ledger.entries import OrderEntry, TaskTry
    from vtex_erp.ledger.ledger import Ledger

_ORDERS_A_WAVE = 16


_NO_RULES = Rules()


def map_orders(ledger: Ledger, task: TaskTry, rules: Rules = _NO_RULES) -> StepReport:
    """Map the batch's fetched orders, by `rules`. An order that cannot be mapped is parked: it would fail again."""
    report = StepReport("map_orders")

    def move(entry: OrderEntry, document: str) -> Move:
        return _map(entry, document, rules)

    Waves(ledger, task, (Stage.FETCHED,), _ORDERS_A_WAVE, document=documents.ORDER).run(move, report)
    return report


def _map(entry: OrderEntry, document: str, rules: Rules) -> Move:
    try:
        order = VtexOrder.from_json(document)
        sales_order = apply(map_order(order, account=entry.account), rules, order=order)
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
