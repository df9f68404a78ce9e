"""A small sales order for tests of ERP clients."""

from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

from vtex_erp.sales.model import Customer, Line, SalesOrder, Source, Totals
from vtex_erp.sales.money import unit_price_for

ZERO = Decimal(0)


def sales_order(order_id: str, *, account: str = "shop", quantity: str = "1", total: str = "12.50") -> SalesOrder:
    amount = Decimal(total)
    return SalesOrder(
        external_id=f"{account}:{order_id}",
        source=Source(
            account=account,
            order_id=order_id,
            order_group=None,
            sequence=None,
            sales_channel="1",
            origin="Marketplace",
            affiliate_id=None,
            marketplace_order_id=None,
        ),
        placed_at=datetime(2024, 1, 1, tzinfo=timezone.utc),
        authorized_at=None,
        currency="BRL",
        customer=_customer(),
        billing_address=None,
        shipping_address=None,
        lines=(_line(Decimal(quantity), amount),),
        deliveries=(),
        charges=(),
        payments=(),
        totals=Totals(items=amount, discounts=ZERO, shipping=ZERO, tax=ZERO, other=ZERO, total=amount),
    )


def _customer() -> Customer:
    return Customer(
        type="person",
        name="Ana Exemplo",
        first_name="Ana",
        last_name="Exemplo",
        document=None,
        document_type=None,
        email=None,
        email_is_alias=False,
        phone=None,
        user_profile_id=None,
        customer_code=None,
        company=None,
    )


def _line(quantity: Decimal, total: Decimal) -> Line:
    return Line(
        line_id="1",
        sku="SKU-1",
        ref_id=None,
        ean=None,
        description="Thing",
        quantity=quantity,
        unit_of_measure="un",
        unit_price=unit_price_for(int(total * 100), quantity),
        discount=ZERO,
        tax=ZERO,
        total=total,
        seller_id="1",
        is_gift=False,
        parent_line_id=None,
        components=(),
    )
