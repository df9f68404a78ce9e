"""The requests that VtexClient makes: path, permission and meaning of the refusals, one function each.

Permissions are the License Manager resources that the Orders API names per operation. Accounts with data protection
(Orders API, PII version) need the same ones for other paths: there `protected` is True.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vtex_erp.errors import (
    ConfigurationError,
    FeedNotConfiguredError,
    HandleRefusedError,
    HookNotConfiguredError,
    OrderNotFoundError,
    ParkError,
    UnclearError,
    VtexErpError,
)
from vtex_erp.vtex.answers import Call
from vtex_erp.vtex.budget import Family

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from vtex_erp.vtex.filters import WantedFeed, WantedHook

MAX_FEED_ITEMS = 10
"""VTEX allows 10 a read: Orders API, Retrieve feed items. A commit takes what one read gave."""

FEED_RESOURCE = "'Feed v3 and Hook Admin' (no predefined role has it: make one)"
VIEW_RESOURCE = "'View order'"
LIST_RESOURCE = "'List Orders'"
HANDLING_RESOURCE = "'Change order workflow status'"
CANCEL_RESOURCE = "'Cancel order'"

_ORDERS = "/api/oms/pvt/orders"
_DOCUMENTS = "/api/orders/pvt/document"
_SEARCH = "/api/orders/extendsearch/orders"
_FEED = "/api/orders/feed"
_FEED_CONFIG = f"{_FEED}/config"
_HOOK_CONFIG = "/api/orders/hook/config"
_JSONATA = "/api/orders/expressions/jsonata"

_BAD_FILTER = "Correct the filter: its two types must not be mixed."
_BAD_HOOK = (
    "VTEX calls https only, and before it stores a hook it sends it a ping, which must be answered 200 within five "
    "seconds: check the address, and that it can be reached from outside."
)
_BAD_EXPRESSION = "Correct the expression: it must be JSONata, about an order's document in JSON."

_NOT_FOUND: Mapping[int, type[VtexErpError]] = {404: OrderNotFoundError}
_ACTION: Mapping[int, type[VtexErpError]] = {404: OrderNotFoundError, 409: UnclearError}
_NO_FEED: Mapping[int, type[VtexErpError]] = {404: FeedNotConfiguredError}
_NO_HOOK: Mapping[int, type[VtexErpError]] = {404: HookNotConfiguredError}


def read_feed_configuration() -> Call:
    """GET feed/config."""
    return _of_feed("GET", _FEED_CONFIG, "read the feed's configuration", _NO_FEED)


def write_feed_configuration(wanted: WantedFeed) -> Call:
    """POST feed/config: create and update are one."""
    task, body = "configure the feed", _json(wanted.document())
    return _of_feed("POST", _FEED_CONFIG, task, body=body, advice=_BAD_FILTER)


def delete_feed_configuration() -> Call:
    """DELETE feed/config; 404 where there is none."""
    return _of_feed("DELETE", _FEED_CONFIG, "delete the feed's configuration", _NO_FEED)


def read_hook_configuration() -> Call:
    """GET hook/config; 404 where there is none."""
    return _of_feed("GET", _HOOK_CONFIG, "read the hook's configuration", _NO_HOOK)


def write_hook_configuration(wanted: WantedHook) -> Call:
    """POST hook/config: create and update are one. VTEX pings the hook before it answers."""
    task, body = "configure the hook", _json(wanted.document())
    return _of_feed("POST", _HOOK_CONFIG, task, body=body, advice=_BAD_HOOK)


def delete_hook_configuration() -> Call:
    """DELETE hook/config; 404 where there is none."""
    return _of_feed("DELETE", _HOOK_CONFIG, "delete the hook's configuration", _NO_HOOK)


def try_expression(expression: str, document: str) -> Call:
    """POST expressions/jsonata. The document goes in as a text."""
    body = _json({"Expression": expression, "Document": document})
    return _of_feed("POST", _JSONATA, "try a filter's expression", body=body, advice=_BAD_EXPRESSION)


def _of_feed(
    method: str,
    path: str,
    task: str,
    by_status: Mapping[int, type[VtexErpError]] | None = None,
    *,
    body: bytes | None = None,
    advice: str | None = None,
) -> Call:
    return Call(
        method,
        path,
        task,
        FEED_RESOURCE,
        ConfigurationError,
        by_status or {},
        body=body,
        family=Family.FEED,
        advice=advice,
    )


def retrieve_items(limit: int) -> Call:
    """GET feed. Raises ValueError for a limit that VTEX does not take."""
    if not 1 <= limit <= MAX_FEED_ITEMS:
        raise ValueError(f"a read of the feed takes 1 to {MAX_FEED_ITEMS} items, not {limit}")
    params = {"maxlot": str(limit)}
    refused = ConfigurationError
    return Call("GET", _FEED, "read the feed", FEED_RESOURCE, refused, _NO_FEED, params, family=Family.FEED)


def commit_items(handles: Sequence[str]) -> Call:
    """POST feed. Raises ValueError for more handles than one read gives."""
    if len(handles) > MAX_FEED_ITEMS:
        raise ValueError(f"a commit takes at most {MAX_FEED_ITEMS} handles, not {len(handles)}")
    task, body = f"commit {len(handles)} events of the feed", _json({"handles": list(handles)})
    return Call("POST", _FEED, task, FEED_RESOURCE, HandleRefusedError, body=body, family=Family.FEED)


def read_order(order_id: str, *, reason: str | None = None) -> Call:
    """GET an order; with a reason, as an account with data protection gives it: clear, and the reason audited."""
    path, params = _path(order_id, protected=reason is not None), {"reason": reason} if reason else None
    return Call("GET", path, f"read order {order_id}", VIEW_RESOURCE, ParkError, _NOT_FOUND, params)


def start_handling_of(order_id: str, *, protected: bool = False) -> Call:
    """POST start-handling; it has no body."""
    action = "actions/start-handling" if protected else "start-handling"
    path, task = f"{_path(order_id, protected=protected)}/{action}", f"start handling of order {order_id}"
    return Call("POST", path, task, HANDLING_RESOURCE, ParkError, _ACTION, effect=True, family=Family.ACTION)


def cancel_order(order_id: str, reason: str, *, protected: bool = False) -> Call:
    """POST cancel."""
    path, task = f"{_path(order_id, protected=protected)}/cancel", f"cancel order {order_id}"
    body, family = _json({"reason": reason}), Family.ACTION
    return Call("POST", path, task, CANCEL_RESOURCE, ParkError, _ACTION, body=body, effect=True, family=family)


def list_of_orders(
    *,
    date_field: str,
    window: tuple[datetime, datetime],
    page: int,
    per_page: int,
    statuses: Sequence[str],
    order_by: str,
    protected: bool = False,
) -> Call:
    """GET a page of the list, or POST its query. The window's moments are in UTC; VTEX takes milliseconds."""
    start, end = (f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z" for moment in window)
    query: dict[str, str | int] = {
        f"f_{date_field}": f"{date_field}:[{start} TO {end}]",
        "orderBy": order_by,
        "page": page,
        "per_page": per_page,
    }
    if statuses:
        query["f_status"] = ",".join(statuses)
    task, refused, family = "list orders", ConfigurationError, Family.LIST
    if protected:
        return Call("POST", _SEARCH, task, LIST_RESOURCE, refused, body=_json(query), family=family)
    params = {name: str(value) for name, value in query.items()}
    return Call("GET", _ORDERS, task, LIST_RESOURCE, refused, params=params, family=family)


def _path(order_id: str, *, protected: bool) -> str:
    """Give an order's path. Ids are opaque text: they may hold spaces, slashes and any letter."""
    try:
        segment = quote(order_id, safe="")
    except UnicodeEncodeError:
        segment = ""
    if not segment.strip("."):
        raise ParkError(f"{order_id!r} cannot be the id of a VTEX order.", cause="order-id-impossible")
    return f"{_DOCUMENTS if protected else _ORDERS}/{segment}"


def _json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
