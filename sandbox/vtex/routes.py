"""The table of VTEX's routes: family, method, path, handler and the permissions it needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.vtex import keys
from sandbox.vtex.feed_routes import FeedRoutes
from sandbox.vtex.hook_routes import HookRoutes
from sandbox.vtex.order_routes import OrderRoutes
from sandbox.web import Route

if TYPE_CHECKING:
    from sandbox.vtex.simulator import Simulator
    from sandbox.web import Handler

_ORDERS = "/api/oms/pvt/orders"
_ORDER = _ORDERS + "/(?P<order_id>[^/]+)"
_DOCUMENT = "/api/orders/pvt/document/(?P<order_id>[^/]+)"
_CONFIG = "/api/orders/feed/config"
_FEED = "/api/orders/feed"
_HOOK = "/api/orders/hook/config"

_OF_FEED = frozenset({keys.FEED_VIEW, keys.FEED_ADMIN})
_OF_VIEW = frozenset({keys.VIEW_ORDER, keys.FULL_ACCESS})
_OF_LIST = frozenset({keys.LIST_ORDERS, keys.FULL_ACCESS})
_OF_STATUS = frozenset({keys.CHANGE_STATUS})
_OF_CANCEL = frozenset({keys.CANCEL_ORDER})
_OF_INVOICE = frozenset({keys.NOTIFY_INVOICE})


def routes(simulator: Simulator) -> list[Route]:
    """Make VTEX's routes; the first that matches wins."""
    feed, hook, orders = FeedRoutes(simulator), HookRoutes(simulator), OrderRoutes(simulator)
    table: list[tuple[str, str, str, Handler, frozenset[str]]] = [
        ("feed-config", "GET", _CONFIG, feed.get_config, _OF_FEED),
        ("feed-config", "POST", _CONFIG, feed.put_config, _OF_FEED),
        ("feed-config", "DELETE", _CONFIG, feed.delete_config, _OF_FEED),
        ("hook-config", "GET", _HOOK, hook.get_config, _OF_FEED),
        ("hook-config", "POST", _HOOK, hook.put_config, _OF_FEED),
        ("hook-config", "DELETE", _HOOK, hook.delete_config, _OF_FEED),
        ("feed-get", "GET", _FEED, feed.retrieve, _OF_FEED),
        ("feed-commit", "POST", _FEED, feed.commit, _OF_FEED),
        ("jsonata", "POST", "/api/orders/expressions/jsonata", orders.try_expression, _OF_FEED),
        ("order-group", "GET", _ORDERS + "/order-group/(?P<group>[^/]+)", orders.group, _OF_VIEW),
        ("list-orders", "GET", _ORDERS, orders.list, _OF_LIST),
        ("get-order", "GET", _ORDER, orders.get, _OF_VIEW),
        ("start-handling", "POST", _ORDER + "/start-handling", orders.start_handling, _OF_STATUS),
        ("cancel", "POST", _ORDER + "/cancel", orders.cancel, _OF_CANCEL),
        ("invoice", "POST", _ORDER + "/invoice", orders.invoice, _OF_INVOICE),
        ("list-orders", "POST", "/api/orders/extendsearch/orders", orders.list_documents, _OF_LIST),
        ("get-order", "GET", _DOCUMENT, orders.get_document, _OF_VIEW),
        ("start-handling", "POST", _DOCUMENT + "/actions/start-handling", orders.start_handling, _OF_STATUS),
        ("cancel", "POST", _DOCUMENT + "/cancel", orders.cancel, _OF_CANCEL),
        (
            "deny-cancellation",
            "POST",
            _DOCUMENT + "/deny-cancellation-request",
            orders.deny_cancellation,
            _OF_CANCEL,
        ),
    ]
    return [
        Route(family, method, re.compile(pattern), handler, resources)
        for family, method, pattern, handler, resources in table
    ]
