"""Which fields of the VTEX order each field of the sales order is made from.

Paths are JSON paths with `[]` for any entry; `.**` at the end stands for all that is below. A test changes VTEX
orders leaf by leaf and holds every change of the sales order against this map.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from vtex_erp.sales.model import Address, Component, Dock
from vtex_erp.sales.notes import OWN_WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping

_ITEM, _PROFILE, _ROUTE = "items[]", "clientProfileData", "shippingData.logisticsInfo[]"
_TRANSACTION = "paymentData.transactions[]"
_PRICES = (
    *(f"{_ITEM}.{name}" for name in ("price", "quantity", "unitMultiplier", "priceDefinition.**", "priceTags[].**")),
    f"{_ITEM}.sellingPrice",
)
_CHARGES = ("totals[].**", "value", "roundingError", f"{_ITEM}.bundleItems[].**", *_PRICES, f"{_ITEM}.tax")


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.capitalize() for part in tail)


def _address(field: str, *places: str) -> dict[str, tuple[str, ...]]:
    vtex = {name: "addressType" if name == "type" else _camel(name) for name in Address.model_fields}
    return {f"{field}.{name}": tuple(f"{place}.{vtex[name]}" for place in places) for name in vtex}


def _item(name: str) -> tuple[str, ...]:
    return (f"{_ITEM}.{name}",)


def _profile(name: str) -> tuple[str, ...]:
    return (f"{_PROFILE}.{name}",)


SOURCES: Mapping[str, tuple[str, ...]] = {
    "external_id": ("orderId",),
    "source.system": (),
    "source.account": (),
    **{f"source.{name}": (_camel(name),) for name in ("order_id", "order_group", "sequence", "sales_channel")},
    **{f"source.{name}": (_camel(name),) for name in ("origin", "affiliate_id", "marketplace_order_id")},
    "placed_at": ("creationDate",),
    "authorized_at": ("authorizedDate",),
    "currency": ("storePreferencesData.currencyCode",),
    "customer.type": _profile("isCorporate"),
    "customer.name": tuple(
        f"{_PROFILE}.{name}" for name in ("corporateName", "tradeName", "firstName", "lastName", "isCorporate")
    ),
    **{
        f"customer.{name}": _profile(_camel(name))
        for name in ("first_name", "last_name", "document", "document_type", "email", "phone", "user_profile_id")
    },
    "customer.customer_code": _profile("customerCode"),
    "customer.email_is_alias": _profile("email"),
    "customer.company": _profile("isCorporate"),
    "customer.company.name": (f"{_PROFILE}.corporateName", f"{_PROFILE}.isCorporate"),
    "customer.company.trade_name": (f"{_PROFILE}.tradeName", f"{_PROFILE}.isCorporate"),
    "customer.company.document": (f"{_PROFILE}.corporateDocument", f"{_PROFILE}.isCorporate"),
    "customer.company.state_inscription": (f"{_PROFILE}.stateInscription", f"{_PROFILE}.isCorporate"),
    "customer.company.phone": (f"{_PROFILE}.corporatePhone", f"{_PROFILE}.isCorporate"),
    "billing_address": ("invoiceData.address.**", f"{_TRANSACTION}.payments[].billingAddress.**"),
    **_address("billing_address", "invoiceData.address", f"{_TRANSACTION}.payments[].billingAddress"),
    "shipping_address": ("shippingData.address.**",),
    **_address("shipping_address", "shippingData.address"),
    "lines[].line_id": _item("uniqueId"),
    "lines[].sku": _item("id"),
    "lines[].ref_id": _item("refId"),
    "lines[].ean": _item("ean"),
    "lines[].description": _item("name"),
    "lines[].quantity": (f"{_ITEM}.quantity", f"{_ITEM}.unitMultiplier"),
    "lines[].unit_of_measure": _item("measurementUnit"),
    "lines[].unit_price": _PRICES,
    "lines[].discount": _PRICES,
    "lines[].tax": (f"{_ITEM}.tax", f"{_ITEM}.priceTags[].**", f"{_ITEM}.quantity", "totals[].**"),
    "lines[].total": _PRICES,
    "lines[].seller_id": _item("seller"),
    "lines[].is_gift": _item("isGift"),
    "lines[].tax_code": _item("taxCode"),
    "lines[].parent_line_id": (f"{_ITEM}.parentItemIndex", f"{_ITEM}.uniqueId"),
    "lines[].components": _item("components[].**"),
    **{f"lines[].components[].{name}": _item("components[].**") for name in Component.model_fields},
    "lines[].components[].quantity": (f"{_ITEM}.components[].**", f"{_ITEM}.quantity"),
    "deliveries": (f"{_ROUTE}.**",),
    "deliveries[].channel": tuple(
        f"{_ROUTE}.{name}"
        for name in ("selectedDeliveryChannel", "deliveryChannel", "slas[].**", "pickupStoreInfo.isPickupStore")
    ),
    "deliveries[].sla": (f"{_ROUTE}.selectedSla",),
    "deliveries[].carrier": (f"{_ROUTE}.deliveryCompany",),
    "deliveries[].pickup_point_id": (f"{_ROUTE}.pickupPointId",),
    "deliveries[].pickup_point_name": (f"{_ROUTE}.pickupStoreInfo.friendlyName",),
    "deliveries[].address": ("shippingData.address.**", "shippingData.selectedAddresses[].**"),
    **_address(
        "deliveries[].address",
        "shippingData.address",
        "shippingData.selectedAddresses[]",
        f"{_ROUTE}.pickupStoreInfo.address",
    ),
    "deliveries[].docks": (f"{_ROUTE}.deliveryIds[].**",),
    **{f"deliveries[].docks[].{name}": (f"{_ROUTE}.deliveryIds[].{_camel(name)}",) for name in Dock.model_fields},
    "deliveries[].window_start": (f"{_ROUTE}.deliveryWindow.startDateUtc",),
    "deliveries[].window_end": (f"{_ROUTE}.deliveryWindow.endDateUtc",),
    "deliveries[].estimated_at": (f"{_ROUTE}.shippingEstimateDate",),
    "deliveries[].shipping": (f"{_ROUTE}.sellingPrice", f"{_ROUTE}.price", "totals[].**"),
    "deliveries[].line_ids": (f"{_ROUTE}.itemIndex", f"{_ITEM}.uniqueId"),
    "deliveries[].line_ids[]": (f"{_ROUTE}.itemIndex", f"{_ITEM}.uniqueId"),
    "charges": _CHARGES,
    "charges[].id": _CHARGES,
    "charges[].name": _CHARGES,
    "charges[].amount": _CHARGES,
    "charges[].line_id": (*_CHARGES, f"{_ITEM}.uniqueId"),
    "payments": (f"{_TRANSACTION}.payments[].**",),
    "payments[].group": (f"{_TRANSACTION}.payments[].group",),
    "payments[].system": (f"{_TRANSACTION}.payments[].paymentSystem",),
    "payments[].name": (f"{_TRANSACTION}.payments[].paymentSystemName",),
    "payments[].value": (f"{_TRANSACTION}.payments[].value",),
    "payments[].installments": (f"{_TRANSACTION}.payments[].installments",),
    "payments[].transaction_id": (f"{_TRANSACTION}.transactionId",),
    "payments[].may_be_shared": (f"{_TRANSACTION}.payments[].value", "value"),
    **{f"totals.{name}": ("totals[].**", *_PRICES) for name in ("items", "discounts", "shipping")},
    "totals.tax": ("totals[].**", f"{_ITEM}.tax", f"{_ITEM}.priceTags[].**"),
    "totals.other": _CHARGES,
    "totals.total": ("value",),
    "note": (OWN_WORDS,),
}

_INDEX = re.compile(r"\[\d+\]")


def any_entry(path: str) -> str:
    """Replace indexes: `lines[3].sku` becomes `lines[].sku`."""
    return _INDEX.sub("[]", path)


def comes_from(field: str, vtex_path: str) -> bool:
    """Tell whether the map says that the sales order's `field` is made from `vtex_path`.

    What tells two deliveries apart decides how many there are, and whether a transaction counts how many payments.
    """
    field, vtex_path = any_entry(field), any_entry(vtex_path)
    group, _, _ = field.partition("[]")
    if group == "deliveries" and vtex_path.startswith(("shippingData.", f"{_ITEM}.uniqueId")):
        return True
    if vtex_path == f"{_TRANSACTION}.isActive":
        return group == "payments" or field.startswith("billing_address")
    return any(_covers(source, vtex_path) for source in SOURCES.get(field, ()))


def _covers(source: str, path: str) -> bool:
    return path.startswith(source[:-2]) if source.endswith(".**") else path == source
