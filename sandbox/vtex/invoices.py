"""Invoices of an order, by the rules of Order invoice notification (Orders API)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.web import BadRequestError

if TYPE_CHECKING:
    from sandbox.vtex.orders import Order

_REQUIRED = ("type", "issuanceDate", "invoiceNumber", "invoiceValue", "items")


def read(body: Any) -> dict[str, Any]:
    """Check an invoice; raises BadRequestError. `invoiceValue` (cents) comes out as an integer."""
    if not isinstance(body, dict):
        raise BadRequestError("the invoice must be an object")
    missing = [name for name in _REQUIRED if body.get(name) in (None, "")]
    if missing:
        raise BadRequestError(f"missing: {', '.join(missing)}")
    if body["type"] not in ("Input", "Output"):
        raise BadRequestError("type must be Input or Output")
    if not str(body["invoiceNumber"]).isalnum():
        raise BadRequestError("invoiceNumber must consist of letters and digits")
    try:
        return {**body, "invoiceValue": int(body["invoiceValue"])}
    except (TypeError, ValueError):
        raise BadRequestError("invoiceValue must be a number of cents") from None


def has(order: Order, number: str) -> bool:
    """Whether the order has an invoice of this number."""
    return any(package["invoiceNumber"] == number for package in order.invoices)


def add(order: Order, invoice: dict[str, Any]) -> bool:
    """Add an invoice. Returns whether the Output invoices now cover the order's value."""
    order.invoices.append(_package(invoice))
    packages = order.source().get("packageAttachment") or {}
    order.patch["packageAttachment"] = {"packages": [*(packages.get("packages") or ()), *order.invoices]}
    return _invoiced(order) >= order.value


def partial(order: Order) -> bool:
    """Whether a part of the order, and not all of it, is invoiced."""
    return 0 < _invoiced(order) < order.value


def _invoiced(order: Order) -> int:
    return sum(package["invoiceValue"] for package in order.invoices if package["type"] == "Output")


def _package(invoice: dict[str, Any]) -> dict[str, Any]:
    return {
        "items": [],
        "courier": invoice.get("courier"),
        "invoiceNumber": invoice["invoiceNumber"],
        "invoiceValue": invoice["invoiceValue"],
        "invoiceUrl": invoice.get("invoiceUrl"),
        "issuanceDate": invoice["issuanceDate"],
        "trackingNumber": invoice.get("trackingNumber"),
        "invoiceKey": invoice.get("invoiceKey"),
        "trackingUrl": invoice.get("trackingUrl"),
        "embeddedInvoice": invoice.get("embeddedInvoice"),
        "type": invoice["type"],
        "courierStatus": None,
        "cfop": None,
        "restitutions": {},
        "volumes": None,
        "EnableInferItems": None,
    }
