"""Postal addresses, and data that VTEX masked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.errors import ParkError
from vtex_erp.sales.model import Address
from vtex_erp.sales.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vtex_erp.vtex.lenient import VtexModel
    from vtex_erp.vtex.order import PostalAddress, VtexOrder

_MASK = "***"


def map_address(address: PostalAddress | None) -> Address | None:
    """Map an address; None for one that is missing or holds nothing but blanks."""
    if address is None:
        return None
    fields = {name: clean(getattr(address, name)) for name in Address.model_fields if name != "type"}
    if not any(fields.values()):
        return None
    return Address(type=clean(address.address_type), **fields)


def billing_address(order: VtexOrder) -> Address | None:
    """Find the address to invoice to: the invoice's own, else the first payment's that has one."""
    own = map_address(order.invoice_data.address) if order.invoice_data else None
    if own is not None:
        return own
    found = (map_address(address) for _, address in _payment_addresses(order))
    return next((address for address in found if address is not None), None)


def refuse_masked(order: VtexOrder) -> None:
    """Refuse personal data that VTEX masked, which is valid text and would corrupt the ERP's customer.

    Raises ParkError with cause `masked-data`, naming the fields and never their values.
    """
    masked = [path for part, model in _personal_parts(order) for path in _masked_fields(part, model)]
    if masked:
        raise ParkError(
            f"VTEX order {order.order_id}: these fields are masked with asterisks: {', '.join(masked)}. "
            "Give the app key the permission to read personal data (with VTEX's data protection: Get Item of the "
            "Profile System), or correct the data in VTEX, then retry.",
            cause="masked-data",
        )


def _masked_fields(part: str, model: VtexModel) -> Iterator[str]:
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        if isinstance(value, str) and _MASK in value:
            yield f"{part}.{field.alias or name}"


def _personal_parts(order: VtexOrder) -> Iterator[tuple[str, VtexModel]]:
    if order.client_profile_data:
        yield "clientProfileData", order.client_profile_data
    if order.shipping_data:
        if order.shipping_data.address:
            yield "shippingData.address", order.shipping_data.address
        for index, address in enumerate(order.shipping_data.selected_addresses):
            yield f"shippingData.selectedAddresses.{index}", address
    if order.invoice_data and order.invoice_data.address:
        yield "invoiceData.address", order.invoice_data.address
    yield from _payment_addresses(order)


def _payment_addresses(order: VtexOrder) -> Iterator[tuple[str, PostalAddress]]:
    for row, transaction in enumerate(order.payment_data.transactions if order.payment_data else ()):
        for index, payment in enumerate(transaction.payments):
            if transaction.is_active is not False and payment.billing_address:
                path = f"paymentData.transactions.{row}.payments.{index}.billingAddress"
                yield path, payment.billing_address
