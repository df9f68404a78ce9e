"""What a sale says in words: how it was paid, how it goes out, and what the shopper wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vtex_erp.sales.model import Delivery, Payment, SalesOrder


def comment(order: SalesOrder) -> str:
    """Put together the sale's comment, one fact a line.

    Payments are information: gift cards and split payments are no part of the sale's amounts.
    """
    return "\n".join(_facts(order))


def _facts(order: SalesOrder) -> Iterator[str]:
    source = order.source
    sold = ", ".join(filter(None, (source.origin, source.affiliate_id, source.marketplace_order_id)))
    yield f"VTEX {source.account} {source.order_id}{f' ({sold})' if sold else ''}"
    if source.order_group and source.order_group not in source.order_id:
        yield f"Order group: {source.order_group}"
    for payment in order.payments:
        yield _payment(payment)
    for delivery in order.deliveries:
        yield _delivery(delivery)
    if order.customer.company and order.customer.name:
        contact = " ".join(filter(None, (order.customer.first_name, order.customer.last_name)))
        yield from [f"Contact: {contact}"] if contact else []
    if order.customer.email and order.customer.email_is_alias:
        yield f"E-mail for this order: {order.customer.email}"
    if order.note:
        yield order.note


def _payment(payment: Payment) -> str:
    name = payment.name or payment.system or payment.group or "unknown"
    parts = f" in {payment.installments} instalments" if (payment.installments or 0) > 1 else ""
    shared = ", perhaps for several orders" if payment.may_be_shared else ""
    return f"Payment: {name} {payment.value:.2f}{parts}{shared}"


def _delivery(delivery: Delivery) -> str:
    where = delivery.pickup_point_name or delivery.pickup_point_id
    docks = ", ".join(dict.fromkeys(dock.warehouse_id for dock in delivery.docks if dock.warehouse_id))
    when = f"by {delivery.estimated_at:%Y-%m-%d}" if delivery.estimated_at else None
    how = (delivery.sla, delivery.carrier, f"pickup at {where}" if where else None, f"from {docks}" if docks else None)
    return f"Delivery: {', '.join(filter(None, (*how, when))) or 'not said'}"
