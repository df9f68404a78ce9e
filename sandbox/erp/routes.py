"""The ERP's REST API: PUT and GET /erp/sales-orders/{external_id}, POST …/cancellation."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sandbox.web import Answer, BadRequestError, Route, json_answer

if TYPE_CHECKING:
    from sandbox.erp.orders import ErpOrder
    from sandbox.vtex.simulator import Simulator
    from sandbox.web import Call


def routes(simulator: Simulator) -> list[Route]:
    """Make the ERP's routes."""
    handlers = ErpRoutes(simulator)
    one = r"/erp/sales-orders/(?P<external_id>[^/]+)"
    return [
        Route("erp-put", "PUT", re.compile(one), handlers.put),
        Route("erp-get", "GET", re.compile(one), handlers.get),
        Route("erp-cancel", "POST", re.compile(one + "/cancellation"), handlers.cancel),
    ]


class ErpRoutes:
    """The handlers of /erp."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def put(self, call: Call) -> Answer:
        """Create the sales order: 201, or 200 with the same id when the external id is known."""
        refused = self._unauthorized(call)
        if refused is not None:
            return refused
        external_id = call.params["external_id"]
        body = _body(call)
        if body.get("external_id", external_id) != external_id:
            return _error(400, "external_id in the body is not the one in the path")
        for rule in self._simulator.erp.rules:
            if rule.applies(external_id, body, call.body):
                return _error(rule.status, rule.message.replace("{customer}", str(body.get("customer"))))
        erp_id, new = self._simulator.erp.put(
            external_id,
            body,
            key_header=call.headers.get("idempotency-key"),
            unique=self._simulator.switches.erp_unique,
            now=self._simulator.now(),
        )
        return json_answer({"id": erp_id}, 201 if new else 200, effect=new)

    def get(self, call: Call) -> Answer:
        """Find the sales order; 404 when there is none, or when the lookup is behind."""
        refused = self._unauthorized(call)
        if refused is not None:
            return refused
        order = self._find(call)
        lag = self._simulator.switches.erp_lookup_lag_s
        if order is None or self._simulator.now() - order.created_at < lag:
            return _error(404, "no such sales order")
        totals = order.document.get("totals") or {}
        return json_answer({"id": order.ids[0], "total": totals.get("total"), "cancelled": order.cancelled})

    def cancel(self, call: Call) -> Answer:
        """Cancel the sales order; 404 for an unknown one, 409 when it is too late."""
        refused = self._unauthorized(call)
        if refused is not None:
            return refused
        order, body = self._find(call), _body(call)
        if order is None:
            return _error(404, "no such sales order")
        order.cancel_calls += 1
        if order.too_late:
            return _error(409, "too late: the sales order has shipped")
        effect, order.cancelled = not order.cancelled, True
        order.cancel_reason = body.get("reason")
        return json_answer({"id": order.ids[0], "cancelled": True}, effect=effect)

    def _find(self, call: Call) -> ErpOrder | None:
        order = self._simulator.erp.orders.get(call.params["external_id"])
        return order if order is not None and order.ids else None

    def _unauthorized(self, call: Call) -> Answer | None:
        token = self._simulator.switches.erp_token
        if token is None or call.headers.get("authorization") == f"Bearer {token}":
            return None
        return _error(401, "bearer token missing or wrong")


def _body(call: Call) -> dict[str, Any]:
    body = call.json()
    if not isinstance(body, dict):
        raise BadRequestError("the body must be an object")
    return body


def _error(status: int, message: str) -> Answer:
    return json_answer({"error": message}, status)
