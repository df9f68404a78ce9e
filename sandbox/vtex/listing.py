"""List orders: a search index that is behind the orders, capped at 30 pages (Orders API, List orders)."""

from __future__ import annotations

import bisect
import math
import re
import statistics
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sandbox.vtex import statuses
from sandbox.vtex.clock import from_vtex, to_vtex_seconds
from sandbox.vtex.masking import mask_row
from sandbox.web import BadRequestError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.vtex.orders import Order, OrderBook
    from sandbox.vtex.switches import Switches

MOST_PAGES = 30
MOST_ROWS = 100
DEFAULT_ROWS = 15
_RANGE = re.compile(r"(creationDate|authorizedDate|invoicedDate):\[(\S+) TO (\S+)\]")
_SORTABLE = frozenset({"creationDate", "orderId", "items", "totalValue", "origin"})


@dataclass(frozen=True, slots=True)
class Query:
    """One List orders request, understood."""

    page: int
    rows: int
    ranges: dict[str, tuple[float, float]]
    wanted: frozenset[str]
    incomplete: bool
    order_by: str
    descending: bool


def parse_query(query: dict[str, str], *, many_statuses: bool) -> Query:
    """Understand the parameters; raises BadRequestError as the real list answers 400."""
    page, rows = _number(query, "page", 1), _number(query, "per_page", DEFAULT_ROWS)
    if not 1 <= page <= MOST_PAGES:
        raise BadRequestError(f"page must be between 1 and {MOST_PAGES}")
    order_by, _, direction = query.get("orderby", "creationDate,desc").partition(",")
    if order_by not in _SORTABLE:
        raise BadRequestError("orderBy is not a sortable field")
    wanted = frozenset(part for part in query.get("f_status", "").split(",") if part)
    if len(wanted) > 1 and not many_statuses:
        raise BadRequestError("f_status takes one status")
    return Query(
        page=page,
        rows=min(max(rows, 1), MOST_ROWS),
        ranges=dict(_ranges(query)),
        wanted=wanted,
        incomplete=query.get("incompleteorders", "").lower() == "true",
        order_by=order_by,
        descending=direction.lower() != "asc",
    )


class OrderIndex:
    """The orders by creation date, as far as the index has caught up with them."""

    def __init__(self, orders: OrderBook) -> None:
        self._orders = orders
        self._version = -1
        self._sorted: list[Order] = []

    def page(
        self, query: Query, *, now: float, switches: Switches, shift: int, row: Callable[..., dict[str, Any]]
    ) -> dict[str, Any]:
        """Answer one page of what `row` makes of an order, its status and `float_total`.

        `paging.total` counts everything found, although only 30 pages can be read.
        """
        seen_at = now - switches.index_lag_s
        found = [
            (order, status)
            for order in self._candidates(query)
            if order.created_at <= seen_at
            and self._wants(query, order, status := _listed_status(order, seen_at, switches.stale_status_p))
        ]
        found = _in_order(found, query)
        start = (query.page - 1) * query.rows + shift
        rows = [
            row(order, status, float_total=switches.list_float_totals)
            for order, status in found[start : start + query.rows]
        ]
        pages = math.ceil(len(found) / query.rows)
        paging = {"total": len(found), "pages": pages, "currentPage": query.page, "perPage": query.rows}
        return {"list": rows, "facets": [], "paging": paging, "stats": _stats(rows)}

    def _candidates(self, query: Query) -> list[Order]:
        """Find the orders in the range of creation dates, in that order."""
        if self._version != self._orders.version:
            self._sorted = sorted(self._orders.all(), key=lambda order: (order.created_at, order.order_id))
            self._version = self._orders.version
        if "creationDate" not in query.ranges:
            return self._sorted
        start, end = query.ranges["creationDate"]
        first = bisect.bisect_left(self._sorted, start, key=lambda order: order.created_at)
        last = bisect.bisect_right(self._sorted, end, key=lambda order: order.created_at)
        return self._sorted[first:last]

    def _wants(self, query: Query, order: Order, status: str | None) -> bool:
        if not status and not query.incomplete:
            return False
        if query.wanted and (status not in query.wanted or status not in statuses.LISTABLE):
            return False
        dates = (("authorizedDate", order.authorized_at), ("invoicedDate", order.invoiced_at))
        return all(_within(query.ranges.get(name), moment) for name, moment in dates)


def row(order: Order, status: str | None, *, float_total: bool) -> dict[str, Any]:
    """One row of the list, with its odd casings, and `items` null since 2018."""
    document = order.document()
    total = document.get("value") or 0
    profile = document.get("clientProfileData") or {}
    return {
        "orderId": order.order_id,
        "creationDate": to_vtex_seconds(order.created_at),
        "clientName": f"{profile.get('firstName')} {profile.get('lastName')}",
        "items": None,
        "totalValue": float(total) if float_total and isinstance(total, int) else total,
        "paymentNames": _payment_names(document),
        "status": status,
        "statusDescription": statuses.DESCRIPTIONS.get(status or "", ""),
        "marketPlaceOrderId": document.get("marketplaceOrderId") or None,
        "sequence": order.sequence,
        "salesChannel": document.get("salesChannel"),
        "affiliateId": document.get("affiliateId"),
        "origin": document.get("origin"),
        "workflowInErrorState": bool(document.get("workflowIsInError")),
        "workflowInRetry": False,
        "lastMessageUnread": None,
        "ShippingEstimatedDate": None,
        "ShippingEstimatedDateMax": None,
        "ShippingEstimatedDateMin": None,
        "orderIsComplete": bool(status),
        "listId": None,
        "listType": None,
        "authorizedDate": None if order.authorized_at is None else to_vtex_seconds(order.authorized_at),
        "callCenterOperatorName": None,
        "totalItems": _item_count(document),
        "currencyCode": (document.get("storePreferencesData") or {}).get("currencyCode"),
    }


def document_row(order: Order, status: str | None, *, float_total: bool) -> dict[str, Any]:
    """One row of the list for accounts with data protection (Orders API, PII version): masked, and other fields."""
    document = order.document()
    plain = row(order, status, float_total=float_total)
    profile = document.get("clientProfileData") or {}
    kept = ("orderId", "paymentNames", "totalValue", "origin", "currencyCode", "sequence", "orderIsComplete", "status")
    dates = {
        "creationDate": order.created_at,
        "authorizedDate": order.authorized_at,
        "invoicedDate": order.invoiced_at,
        "lastChange": order.history[-1][0],
    }
    made = {
        **{name: plain[name] for name in kept},
        **{name: None if at is None else to_vtex_seconds(at).replace("+00:00", "Z") for name, at in dates.items()},
        "orderGroup": order.group,
        "clientName": plain["clientName"],
        "clientEmail": profile.get("email"),
        "clientDocument": profile.get("document"),
        "clientCorporateDocument": profile.get("corporateDocument"),
        "clientCorporateName": profile.get("corporateName"),
        "sellerOrderId": document.get("sellerOrderId"),
        "totalItems": plain["totalItems"],
        "hostname": document.get("hostname"),
        "userProfileId": profile.get("userProfileId"),
        "orderFormId": document.get("orderFormId"),
        "workflowInErrorState": plain["workflowInErrorState"],
        "workflowInRetry": False,
        "isAllDelivered": False,
        "isAnyDelivered": False,
    }
    return mask_row(made)


def _item_count(document: dict[str, Any]) -> int:
    items = document.get("items")
    return len(items) if isinstance(items, list) else 0


def _payment_names(document: dict[str, Any]) -> str:
    transactions = (document.get("paymentData") or {}).get("transactions") or []
    names = [payment.get("paymentSystemName") for each in transactions for payment in each.get("payments", ())]
    return ",".join(dict.fromkeys(name for name in names if name))


def _listed_status(order: Order, seen_at: float, stale_p: float) -> str | None:
    if stale_p and zlib.crc32(order.order_id.encode()) % 1000 < stale_p * 1000:
        return order.history[0][1]
    return order.status_at(seen_at)


def _in_order(found: list[tuple[Order, str | None]], query: Query) -> list[tuple[Order, str | None]]:
    if query.order_by != "creationDate":
        found.sort(key=_SORT_KEYS[query.order_by])
    if query.descending:
        found.reverse()
    return found


def _sort_id(pair: tuple[Order, str | None]) -> Any:
    return pair[0].order_id


def _sort_value(pair: tuple[Order, str | None]) -> Any:
    return pair[0].document().get("value") or 0


def _sort_origin(pair: tuple[Order, str | None]) -> Any:
    return pair[0].document().get("origin") or ""


def _sort_items(pair: tuple[Order, str | None]) -> Any:
    return _item_count(pair[0].document())


_SORT_KEYS: dict[str, Callable[[tuple[Order, str | None]], Any]] = {
    "orderId": _sort_id,
    "totalValue": _sort_value,
    "origin": _sort_origin,
    "items": _sort_items,
}


def _number(query: dict[str, str], name: str, default: int) -> int:
    try:
        return int(query.get(name, default))
    except ValueError:
        raise BadRequestError(f"{name} must be a number") from None


def _ranges(query: dict[str, str]) -> list[tuple[str, tuple[float, float]]]:
    """Read the date filters: `creationDate:[2022-01-01T02:00:00.000Z TO 2022-01-02T01:59:59.999Z]`."""
    read = []
    for name in ("creationDate", "authorizedDate", "invoicedDate"):
        text = query.get(f"f_{name.lower()}")
        if not text:
            continue
        found = _RANGE.fullmatch(text)
        start, end = (from_vtex(found[2]), from_vtex(found[3])) if found and found[1] == name else (None, None)
        if start is None or end is None:
            raise BadRequestError(f"f_{name} must be {name}:[from TO to]")
        read.append((name, (start, end)))
    return read


def _within(bounds: tuple[float, float] | None, moment: float | None) -> bool:
    return bounds is None or (moment is not None and bounds[0] <= moment <= bounds[1])


def _stats(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Fill the statistics block, from the page's rows only: nobody reads it."""
    return {"stats": {name: _figures_by_facet(rows, name) for name in ("totalValue", "totalItems")}}


def _figures_by_facet(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    facets = {"origin": ("Fulfillment", "Marketplace"), "currencyCode": ("BRL",)}
    by_facet = {
        facet: {value: _figures([row for row in rows if row[facet] == value], name) for value in values}
        for facet, values in facets.items()
    }
    return {**_figures(rows, name), "Facets": by_facet}


def _figures(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    values = [row[name] for row in rows if isinstance(row[name], (int, float))] or [0]
    return {
        "Count": len(rows),
        "Max": max(values),
        "Mean": statistics.fmean(values),
        "Min": min(values),
        "Missing": 0,
        "StdDev": statistics.pstdev(values),
        "Sum": sum(values),
        "SumOfSquares": sum(value * value for value in values),
        "Facets": None,
    }
