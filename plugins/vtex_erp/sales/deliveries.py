"""Which lines go together, where, how and when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtex_erp.sales.addresses import map_address
from vtex_erp.sales.model import Address, Delivery, Dock, Line
from vtex_erp.sales.money import from_cents
from vtex_erp.sales.text import clean
from vtex_erp.vtex.order import DeliveryWindow, Logistics, PostalAddress, ShippingData, VtexOrder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

_PICKUP = "pickup-in-point"


@dataclass(frozen=True)
class _Way:
    """What lines of one delivery have in common."""

    channel: str | None
    sla: str | None
    carrier: str | None
    pickup_point_id: str | None
    pickup_point_name: str | None
    address: Address | None
    docks: tuple[Dock, ...]
    window_start: datetime | None
    window_end: datetime | None


def map_deliveries(order: VtexOrder, lines: Sequence[Line], *, shipping: int) -> tuple[Delivery, ...]:
    """Group the logistics by what their lines have in common; `shipping` is totals Shipping in cents.

    Logistics are joined to lines on itemIndex, never by position (KI 1170225).
    """
    data = order.shipping_data
    if data is None:
        return ()
    ways: dict[_Way, list[int]] = {}
    for row, logistics in enumerate(data.logistics_info):
        ways.setdefault(_way(logistics, data), []).append(row)
    groups = list(ways.values())
    shares = _shares(data.logistics_info, groups, shipping)
    return tuple(
        _delivery(way, [data.logistics_info[row] for row in rows], lines, share)
        for (way, rows), share in zip(ways.items(), shares, strict=True)
    )


def _way(logistics: Logistics, data: ShippingData) -> _Way:
    store, window = logistics.pickup_store_info, logistics.delivery_window or DeliveryWindow()
    return _Way(
        channel=_channel(logistics),
        sla=clean(logistics.selected_sla),
        carrier=clean(logistics.delivery_company),
        pickup_point_id=clean(logistics.pickup_point_id),
        pickup_point_name=clean(store.friendly_name) if store else None,
        address=map_address(_address(logistics, data)),
        docks=_docks(logistics),
        window_start=window.start_date_utc,
        window_end=window.end_date_utc,
    )


def _channel(logistics: Logistics) -> str | None:
    """Read the channel: `selectedDeliveryChannel` is mostly absent and `deliveryChannel` undocumented."""
    chosen = next((sla for sla in logistics.slas if logistics.selected_sla in (sla.id, sla.name)), None)
    named = (
        logistics.selected_delivery_channel,
        logistics.delivery_channel,
        chosen.delivery_channel if chosen and logistics.selected_sla else None,
    )
    found = next((channel for channel in map(clean, named) if channel), None)
    at_store = logistics.pickup_store_info is not None and logistics.pickup_store_info.is_pickup_store
    return found or (_PICKUP if at_store else None)


def _address(logistics: Logistics, data: ShippingData) -> PostalAddress | None:
    store = logistics.pickup_store_info
    if store and store.address and _channel(logistics) == _PICKUP:
        return store.address
    main, wanted = data.address, clean(logistics.address_id)
    if wanted is None or (main and clean(main.address_id) == wanted):
        return main
    found = (address for address in data.selected_addresses if clean(address.address_id) == wanted)
    return next(found, main)


def _docks(logistics: Logistics) -> tuple[Dock, ...]:
    docks = (
        Dock(
            dock_id=clean(part.dock_id),
            warehouse_id=clean(part.warehouse_id),
            courier_id=clean(part.courier_id),
        )
        for part in logistics.delivery_ids
    )
    return tuple(dict.fromkeys(docks))


def _shares(logistics: Sequence[Logistics], groups: Sequence[Sequence[int]], shipping: int) -> list[int | None]:
    """Share the shipping in cents. VTEX's shares may differ from its total (KI 321111, 756629, 1032473)."""
    if len(groups) == 1:
        return [shipping]
    for prices in ([part.selling_price for part in logistics], [part.price for part in logistics]):
        shares = [sum(prices[row] or 0 for row in rows) for rows in groups]
        if sum(shares) == shipping:
            return list(shares)
    return [None] * len(groups)


def _delivery(way: _Way, parts: Sequence[Logistics], lines: Sequence[Line], share: int | None) -> Delivery:
    estimates = [part.shipping_estimate_date for part in parts if part.shipping_estimate_date]
    indexes = [part.item_index for part in parts if part.item_index is not None]
    return Delivery(
        channel=way.channel,
        sla=way.sla,
        carrier=way.carrier,
        pickup_point_id=way.pickup_point_id,
        pickup_point_name=way.pickup_point_name,
        address=way.address,
        docks=way.docks,
        window_start=way.window_start,
        window_end=way.window_end,
        estimated_at=max(estimates, default=None),
        shipping=None if share is None else from_cents(share),
        line_ids=tuple(lines[index].line_id for index in sorted(set(indexes)) if 0 <= index < len(lines)),
    )
