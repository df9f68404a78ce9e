"""How the cart was paid, without anything that belongs to a card, an acquirer or a gift card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.sales.model import Payment
from vtex_erp.sales.money import from_cents
from vtex_erp.sales.text import clean

if TYPE_CHECKING:
    from vtex_erp.vtex.order import Payment as VtexPayment
    from vtex_erp.vtex.order import Transaction, VtexOrder


def map_payments(order: VtexOrder) -> tuple[Payment, ...]:
    """Map the payments of the transactions that are not inactive."""
    transactions = order.payment_data.transactions if order.payment_data else ()
    active = [(row, payment) for row in transactions if row.is_active is not False for payment in row.payments]
    may_be_shared = sum(payment.value or 0 for _, payment in active) > order.value
    return tuple(_payment(row, payment, may_be_shared=may_be_shared) for row, payment in active)


def _payment(transaction: Transaction, payment: VtexPayment, *, may_be_shared: bool) -> Payment:
    return Payment(
        group=clean(payment.group),
        system=clean(payment.payment_system),
        name=clean(payment.payment_system_name),
        value=from_cents(payment.value or 0),
        installments=payment.installments,
        transaction_id=clean(transaction.transaction_id),
        may_be_shared=may_be_shared,
    )
