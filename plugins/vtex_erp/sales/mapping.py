"""A VTEX order becomes a sales order. Pure: the same order always gives the same sales order."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from vtex_erp.errors import ParkError
from vtex_erp.sales.addresses import billing_address, map_address, refuse_masked
from vtex_erp.sales.customer import map_customer
from vtex_erp.sales.deliveries import map_deliveries
from vtex_erp.sales.lines import map_lines
from vtex_erp.sales.model import Charge, Line, SalesOrder, Source, Totals
from vtex_erp.sales.money import exact, from_cents
from vtex_erp.sales.notes import OWN_WORDS, words_at
from vtex_erp.sales.payments import map_payments
from vtex_erp.sales.pricing import Pricing, mismatch, prove
from vtex_erp.sales.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vtex_erp.vtex.order import VtexOrder

_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_ZERO = Decimal("0.00")


def map_order(order: VtexOrder, *, account: str) -> SalesOrder:
    """Make the sales order of `order`, which `account` sold or fulfils.

    Its total equals the order's value to the cent, or the order is parked. Raises ParkError with one of
    the causes `no-items`, `masked-data`, `currency-unknown`, `totals-mismatch`, `order-malformed`; the
    message names the order and never a shopper's data.
    """
    with exact():
        _refuse_empty(order)
        refuse_masked(order)
        return _sales_order(order, account)


def _sales_order(order: VtexOrder, account: str) -> SalesOrder:
    currency, placed_at = _currency(order), _placed_at(order)
    pricing = prove(order)
    lines = map_lines(order, pricing)
    charges = _charges(pricing, lines)
    return SalesOrder(
        external_id=f"{account}:{order.order_id}",
        source=_source(order, account),
        placed_at=placed_at,
        authorized_at=order.authorized_date,
        currency=currency,
        customer=map_customer(order.client_profile_data),
        billing_address=billing_address(order),
        shipping_address=map_address(order.shipping_data.address) if order.shipping_data else None,
        lines=lines,
        deliveries=map_deliveries(order, lines, shipping=pricing.shipping),
        charges=charges,
        payments=map_payments(order),
        totals=_totals(order, pricing, lines, charges),
        note=words_at(order, OWN_WORDS),
    )


def _refuse_empty(order: VtexOrder) -> None:
    if not order.items:
        raise ParkError(
            f"VTEX order {order.order_id} has no items, so there is nothing to sell (VTEX makes such orders "
            "for paused sellers, KI 1350336). Check it in the VTEX admin and cancel it there.",
            cause="no-items",
        )


def _currency(order: VtexOrder) -> str:
    preferences = order.store_preferences_data
    code = (clean(preferences.currency_code) or "").upper() if preferences else ""
    if _CURRENCY.fullmatch(code) is None:
        raise ParkError(
            f"VTEX order {order.order_id}: storePreferencesData.currencyCode is missing, and no other field "
            "tells the currency. VTEX leaves it out of old orders only: enter the order in the ERP by hand.",
            cause="currency-unknown",
        )
    return code


def _placed_at(order: VtexOrder) -> datetime:
    if order.creation_date is None:
        raise ParkError(
            f"VTEX order {order.order_id}: creationDate is empty, so its date is unknown. "
            "Look at the order in the VTEX admin and enter it in the ERP by hand.",
            cause="order-malformed",
        )
    return order.creation_date


def _source(order: VtexOrder, account: str) -> Source:
    return Source(
        account=account,
        order_id=order.order_id,
        order_group=clean(order.order_group),
        sequence=clean(order.sequence),
        sales_channel=clean(order.sales_channel),
        origin=clean(order.origin),
        affiliate_id=clean(order.affiliate_id),
        marketplace_order_id=clean(order.marketplace_order_id),
    )


def _charges(pricing: Pricing, lines: Sequence[Line]) -> tuple[Charge, ...]:
    return tuple(
        Charge(
            id=extra.id,
            name=clean(extra.name),
            amount=from_cents(extra.amount),
            line_id=None if extra.item is None else lines[extra.item].line_id,
        )
        for extra in pricing.extras
    )


def _totals(order: VtexOrder, pricing: Pricing, lines: Sequence[Line], charges: Sequence[Charge]) -> Totals:
    discounts = sum((line.discount for line in lines), _ZERO)
    totals = Totals(
        items=sum((line.total for line in lines), discounts),
        discounts=discounts,
        shipping=from_cents(pricing.shipping),
        tax=sum((line.tax for line in lines), _ZERO),
        other=sum((charge.amount for charge in charges), _ZERO),
        total=from_cents(order.value),
    )
    proven = totals.items - totals.discounts + totals.shipping + totals.tax + totals.other
    if proven != totals.total:
        raise mismatch(
            order,
            f"items {totals.items} - discounts {totals.discounts} + shipping {totals.shipping} "
            f"+ tax {totals.tax} + other {totals.other} = {proven} is not value {totals.total}",
        )
    return totals
