"""Hooks of a merchant, good and bad."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vtex_erp.sales.model import SalesOrder
    from vtex_erp.vtex.order import VtexOrder


def prefixed(sales_order: SalesOrder, order: VtexOrder) -> SalesOrder:
    lines = tuple(line.model_copy(update={"ref_id": f"{order.origin}-{line.ref_id}"}) for line in sales_order.lines)
    return sales_order.model_copy(update={"lines": lines})


def dearer(sales_order: SalesOrder, order: VtexOrder) -> SalesOrder:
    line = sales_order.lines[0].model_copy(update={"total": sales_order.lines[0].total + 1})
    return sales_order.model_copy(update={"lines": (line, *sales_order.lines[1:])})


def all_dearer(sales_order: SalesOrder, order: VtexOrder) -> SalesOrder:
    totals = sales_order.totals
    more = totals.model_copy(update={"shipping": totals.shipping + 1, "total": totals.total + Decimal(1)})
    return sales_order.model_copy(update={"totals": more})


def renamed(sales_order: SalesOrder, order: VtexOrder) -> SalesOrder:
    return sales_order.model_copy(update={"external_id": "another"})


def malformed(sales_order: SalesOrder, order: VtexOrder) -> SalesOrder:
    return sales_order.model_copy(update={"currency": sales_order.customer})


def nothing(sales_order: SalesOrder, order: VtexOrder) -> None:
    return None


def raising(sales_order: SalesOrder, order: VtexOrder) -> SalesOrder:
    raise KeyError(sales_order.customer.name)


def chatty(sales_order: SalesOrder, order: VtexOrder) -> SalesOrder:
    customer = sales_order.customer
    line = sales_order.lines[0].model_copy(update={"description": f"For {customer.name}, {customer.email}"})
    return sales_order.model_copy(update={"lines": (line, *sales_order.lines[1:])})
