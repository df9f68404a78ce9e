"""The merchant's own function, for what no table of the rules can say."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from pydantic import ValidationError

from vtex_erp.errors import ParkError
from vtex_erp.functions import function_named
from vtex_erp.sales.model import SalesOrder
from vtex_erp.sales.money import exact, from_cents, to_cents
from vtex_erp.vtex.lenient import field_paths
from vtex_erp.vtex.order import VtexOrder

if TYPE_CHECKING:
    from collections.abc import Iterator

Hook = Callable[[SalesOrder, VtexOrder], SalesOrder]
_ZERO = Decimal("0.00")


def call_hook(name: str, sales_order: SalesOrder, order: VtexOrder) -> SalesOrder:
    """Give what the hook makes of the sales order, proven anew.

    Raises ParkError with cause `hook:<error>` when it raises; with `hook:ValidationError` when its result is no
    sales order, and `hook:totals-mismatch` when the result is another order or its amounts do not prove.
    """
    hook: Hook = function_named(name)
    try:
        with exact():
            result = hook(sales_order, order)
    except Exception as error:  # noqa: BLE001 - whatever it raises is about this order alone
        # Its message, and a traceback, may hold the shopper's data.
        raise _parked(name, order, type(error).__name__, f"raised {type(error).__name__}") from None
    return _validated(name, result, sales_order, order)


def _validated(name: str, result: object, sales_order: SalesOrder, order: VtexOrder) -> SalesOrder:
    if not isinstance(result, SalesOrder):
        raise _parked(name, order, "ValidationError", f"gave {type(result).__name__}, not a sales order")
    try:
        valid = SalesOrder.model_validate(result.model_dump(warnings=False))
    except ValidationError as error:
        raise _parked(name, order, "ValidationError", f"gave wrong fields: {field_paths(error)}") from None
    except Exception as error:  # noqa: BLE001 - a part without validation may hold anything
        raise _parked(name, order, "ValidationError", f"gave no sales order ({type(error).__name__})") from None
    if (valid.external_id, valid.source.order_id) != (sales_order.external_id, sales_order.source.order_id):
        raise _parked(name, order, "totals-mismatch", "gave another order: external_id and source.order_id must stay")
    with exact():
        trouble = next(_troubles(valid, from_cents(order.value)), None)
    if trouble:
        raise _parked(name, order, "totals-mismatch", f"gave amounts that do not add up: {trouble}")
    return valid


def _troubles(sales_order: SalesOrder, value: Decimal) -> Iterator[str]:
    lines, totals = sales_order.lines, sales_order.totals
    for index, line in enumerate(lines):
        net = from_cents(to_cents(line.unit_price * line.quantity)) - line.discount
        if net != line.total:
            yield f"line {index}: unit_price * quantity - discount = {net} is not total {line.total}"
    discounts = sum((line.discount for line in lines), _ZERO)
    sums = {
        "items": sum((line.total for line in lines), discounts),
        "discounts": discounts,
        "tax": sum((line.tax for line in lines), _ZERO),
        "other": sum((charge.amount for charge in sales_order.charges), _ZERO),
        "total": totals.items - totals.discounts + totals.shipping + totals.tax + totals.other,
    }
    for field, amount in sums.items():
        if amount != getattr(totals, field):
            yield f"totals.{field} {getattr(totals, field)} is not {amount}"
    if totals.total != value:
        yield f"totals.total {totals.total} is not the order's value {value}"


def _parked(name: str, order: VtexOrder, cause: str, trouble: str) -> ParkError:
    return ParkError(
        f"VTEX order {order.order_id}: the hook {name} {trouble}. Mend it (run it on this order with `explain`), "
        "then clear map_orders with downstream.",
        cause=f"hook:{cause}",
    )
