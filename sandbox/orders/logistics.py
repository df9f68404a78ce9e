"""Kinds that differ in how the goods reach the shopper."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.orders.goods import plain, several_lines

if TYPE_CHECKING:
    from sandbox.orders.document import Draft


def pickup(draft: Draft) -> None:
    """The shopper comes for it: the address is the shop's, and its reference is always null."""
    plain(draft)
    draft.lines[0].sla, draft.lines[0].channel = "Retira Loja Modelo", "pickup-in-point"
    draft.lines[0].shipping = 0
    draft.edits.append(_at_pickup_point)


def _at_pickup_point(document: dict[str, Any]) -> None:
    shipping = document["shippingData"]
    shipping["address"]["addressType"] = "pickup"
    store = {
        "additionalInfo": '{"floor": 1}',
        "address": dict(shipping["address"]),
        "dockId": "1",
        "friendlyName": "Loja Modelo Centro",
        "isPickupStore": True,
    }
    info = shipping["logisticsInfo"][0]
    info |= {
        "selectedDeliveryChannel": "pickup-in-point",
        "pickupStoreInfo": store,
        "pickupPointId": "1_LOJA",
    }
    info["slas"][0] |= {"pickupStoreInfo": store, "pickupPointId": "1_LOJA", "pickupDistance": 1.5}


def many_deliveries(draft: Draft) -> None:
    """Lines with other options, docks, channels and addresses; logisticsInfo is out of order."""
    several_lines(draft)
    for number, line in enumerate(draft.lines):
        line.dock = str(number % 3 + 1)
        line.sla, line.channel = ("Agendada", "delivery") if number % 2 else ("Retira Loja Modelo", "pickup-in-point")
    draft.edits.append(_to_many_places)
    draft.edits.append(lambda document: draft.rng.shuffle(document["shippingData"]["logisticsInfo"]))


def _to_many_places(document: dict[str, Any]) -> None:
    shipping = document["shippingData"]
    second = {**shipping["address"], "addressId": "second-address", "street": "Avenida do Segundo Exemplo"}
    shipping["selectedAddresses"].append(second)
    for info in shipping["logisticsInfo"][1::2]:
        window = "2026-12-01T09:00:00+00:00", "2026-12-01T12:00:00+00:00"
        info["addressId"] = "second-address"
        info["deliveryWindow"] = {
            "startDateUtc": window[0],
            "endDateUtc": window[1],
            "price": 0,
            "lisPrice": 0,
            "tax": 0,
        }


def bare(draft: Draft) -> None:
    """Hardly any logistics: no dock, no date, no channel (known issue 575219), a patchy address."""
    plain(draft)
    draft.edits.append(_strip)


def _strip(document: dict[str, Any]) -> None:
    shipping = document["shippingData"]
    for info in shipping["logisticsInfo"]:
        info |= {"deliveryIds": [], "shippingEstimateDate": None, "deliveryChannel": None, "slas": []}
        del info["transitTime"]
    shipping["address"] |= {"state": "", "neighborhood": "", "number": None, "geoCoordinates": []}
    del shipping["selectedAddresses"]
