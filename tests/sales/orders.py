"""Builds VTEX order documents with invented data whose totals add up."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.schemas import VtexOrder

if TYPE_CHECKING:
    from vtex_erp.sales.model import SalesOrder


def item(index: int = 0, *, price: int = 1000, quantity: int = 1, off: int = 0, **fields: Any) -> dict[str, Any]:
    """One item that sells at `price` * `quantity` - `off` cents."""
    net = price * quantity - off
    tags = [{"name": "DISCOUNT@MARKETPLACE", "value": -off, "rawValue": -off / 100}] if off else []
    return {
        "uniqueId": f"UID{index:04d}",
        "id": str(500 + index),
        "ean": None,
        "refId": f"REF-{index}",
        "name": f"Article {index}",
        "quantity": quantity,
        "seller": "1",
        "price": price,
        "listPrice": price,
        "sellingPrice": net // quantity if quantity else price,
        "tax": 0,
        "priceTags": tags,
        "measurementUnit": "un",
        "unitMultiplier": 1.0,
        "isGift": False,
        "components": [],
        "bundleItems": [],
        "priceDefinition": {
            "sellingPrices": [{"value": net // quantity, "quantity": quantity}] if quantity else [],
            "total": net,
        },
    } | fields


def weighed(index: int = 0, **fields: Any) -> dict[str, Any]:
    """The vendor's own example: 3 packs of 0.3 kg at 1.99 the kg cost 1.79."""
    definition = {
        "calculatedSellingPrice": 59,
        "total": 179,
        "sellingPrices": [{"value": 60, "quantity": 2}, {"value": 59, "quantity": 1}],
    }
    weight = {
        "measurementUnit": "kg",
        "unitMultiplier": 0.3,
        "sellingPrice": 59,
        "priceDefinition": definition,
    }
    return item(index, price=199, quantity=3) | weight | fields


def logistics(index: int, shipping: int = 0, **fields: Any) -> dict[str, Any]:
    return {
        "itemIndex": index,
        "selectedSla": "Standard",
        "deliveryChannel": "delivery",
        "addressId": "home",
        "price": shipping,
        "listPrice": shipping,
        "sellingPrice": shipping,
        "deliveryCompany": "Carrier A",
        "shippingEstimateDate": "2024-03-05T12:00:00.0000000+00:00",
        "deliveryIds": [{"courierId": "c1", "dockId": "d1", "warehouseId": "w1", "quantity": 1}],
        "pickupStoreInfo": {"isPickupStore": False, "friendlyName": None, "address": None},
        "pickupPointId": None,
    } | fields


def address(**fields: Any) -> dict[str, Any]:
    return {
        "addressType": "residential",
        "addressId": "home",
        "receiverName": "Quirina Zambrota",
        "street": "Alameda Inventada",
        "number": "4711",
        "complement": "apto 92",
        "reference": None,
        "neighborhood": "Bairro Novo",
        "city": "Cidade",
        "state": "SP",
        "postalCode": "98765-432",
        "country": "BRA",
        "geoCoordinates": [-46.5, -23.5],
    } | fields


def totals(*entries: tuple[str, int]) -> list[dict[str, Any]]:
    return [{"id": name, "name": f"Total {name}", "value": value} for name, value in entries]


def order(items: list[dict[str, Any]] | None = None, **fields: Any) -> dict[str, Any]:
    """An order of `items`, 5.00 shipping on the first; `fields` replace or add top-level fields."""
    items = [item()] if items is None else items
    gross = sum(int(Decimal(str(row["unitMultiplier"])) * row["price"] * row["quantity"]) for row in items)
    net = sum(row["priceDefinition"]["total"] for row in items)
    document: dict[str, Any] = {
        "orderId": "1409990000001-01",
        "sequence": "900001",
        "orderGroup": "1409990000001",
        "origin": "Marketplace",
        "affiliateId": "",
        "marketplaceOrderId": "",
        "salesChannel": "1",
        "status": "ready-for-handling",
        "value": net + 500,
        "roundingError": 0,
        "creationDate": "2024-03-01T09:30:00.1234567+00:00",
        "authorizedDate": None,
        "totals": totals(("Items", gross), ("Discounts", net - gross), ("Shipping", 500), ("Tax", 0)),
        "items": items,
        "clientProfileData": profile(),
        "shippingData": {
            "address": address(),
            "selectedAddresses": [],
            "logisticsInfo": [logistics(index, 0 if index else 500) for index in range(len(items))],
        },
        "paymentData": {"transactions": [{"isActive": True, "transactionId": "T1", "payments": [payment(net + 500)]}]},
        "storePreferencesData": {"currencyCode": "BRL", "countryCode": "BRA"},
    }
    return document | fields


def payment(value: int = 1500, **fields: Any) -> dict[str, Any]:
    return {
        "id": "P1",
        "paymentSystem": "2",
        "paymentSystemName": "Visa",
        "group": "creditCard",
        "value": value,
        "installments": 3,
        "cardNumber": "4444333322221111",
        "firstDigits": "444433",
        "cvv2": "987",
        "giftCardId": "GIFT-CODE-1",
        "redemptionCode": "REDEEM-ME",
        "url": "https://boleto.example/slip",
        "connectorResponses": {"Tid": "TID-1", "acquirer": "SomeAcquirer"},
    } | fields


def profile(**fields: Any) -> dict[str, Any]:
    return {
        "email": "quirina.z@mail.example",
        "firstName": " Quirina ",
        "lastName": "Zambrota  Ávila",
        "documentType": "cpf",
        "document": "845.134.270-19",
        "phone": "+5511987650000",
        "isCorporate": False,
        "userProfileId": "11111111-2222-3333-4444-555555555555",
    } | fields


def mapped(document: dict[str, Any], account: str = "store") -> SalesOrder:
    return map_order(VtexOrder.from_json(json.dumps(document)), account=account)
