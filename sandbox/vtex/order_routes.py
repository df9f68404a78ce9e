"""Orders over HTTP: Get order, List orders and the actions (Orders API)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.vtex import flows, invoices, keys, statuses
from sandbox.vtex.clock import to_vtex
from sandbox.vtex.expressions import BadExpressionError, Expression
from sandbox.vtex.listing import document_row, parse_query, row
from sandbox.vtex.masking import mask_document
from sandbox.vtex.orders import TWO_YEARS
from sandbox.vtex.pii import pii_document
from sandbox.web import Answer, BadRequestError, json_answer, oms_error

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.vtex.listing import Query
    from sandbox.vtex.orders import Order
    from sandbox.vtex.simulator import Simulator
    from sandbox.web import Call


class OrderRoutes:
    """The handlers of /api/oms/pvt/orders, and of their counterparts for accounts with data protection."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def get(self, call: Call) -> Answer:
        """Answer the order as it is now; a race that was set for it happens first."""
        order = self._read(call)
        if order is None:
            return _not_found()
        answer = json_answer(order.document())
        if self._simulator.switches.price_definition_name == "priceDefinitions":
            answer.body = answer.body.replace(b'"priceDefinition":', b'"priceDefinitions":')
        return answer

    def get_document(self, call: Call) -> Answer:
        """Answer the order in the other shape: masked, unless the call gives a reason, which the audit keeps."""
        order = self._read(call)
        if order is None:
            return _not_found()
        document = pii_document(order)
        return json_answer(document if self._may_see_clearly(call) else mask_document(document))

    def group(self, call: Call) -> Answer:
        """Answer all orders of one purchase."""
        siblings = self._simulator.orders.group(call.params["group"])
        return json_answer([order.document() for order in siblings])

    def list(self, call: Call) -> Answer:
        """Answer a page of the list."""
        query = parse_query(call.query, many_statuses=self._simulator.switches.f_status_many == "comma")
        return json_answer(self._page(query, row=row))

    def list_documents(self, call: Call) -> Answer:
        """Answer a page of the other list, whose query is the body and whose rows are masked."""
        body = call.json()
        if not isinstance(body, dict):
            raise BadRequestError("the query must be an object")
        told = {
            name.lower(): str(value).lower() if value in (True, False) else str(value) for name, value in body.items()
        }
        query = parse_query(told, many_statuses=self._simulator.switches.f_status_many == "comma")
        return json_answer({**self._page(query, row=document_row), "reportRecordsLimit": 50_000})

    def start_handling(self, call: Call) -> Answer:
        """Start handling: 204, and soon start-handling and handling; OMS003 in any other status."""
        order = self._visible(call)
        if order is None:
            return _not_found()
        switches = self._simulator.switches
        moving = order.moving and switches.start_handling_while_moving == "oms003"
        if order.status != statuses.READY or moving:
            return self._wrong_status()
        if switches.noop_2xx:
            return Answer(204)
        order.start_handling_effects += 1
        if not order.moving:
            self._simulator.move_later(order, statuses.START, statuses.HANDLING)
        return Answer(204, effect=True)

    def cancel(self, call: Call) -> Answer:
        """Cancel, or only ask for it where the seller has begun to handle (its guide on cancelling)."""
        order = self._visible(call)
        if order is None:
            return _not_found()
        body = call.json() if call.body else {}
        refusal = self._refuse_cancel(order)
        if refusal is not None:
            return refusal
        if order.status == statuses.CANCELED:
            return self._receipt(order, receipt=None)
        order.cancel_effects += 1
        flows.note_cancellation(self._simulator, order, body.get("reason") if isinstance(body, dict) else None)
        two_step = self._simulator.switches.cancel_mode == "two_step"
        if two_step and order.status in (statuses.READY, statuses.HANDLING):
            self._simulator.move_later(order, statuses.ASKED)
        else:
            flips = 2 if self._simulator.switches.cancel_flips else 1
            self._simulator.move_later(order, *[statuses.CANCEL, statuses.CANCELED] * flips)
        return self._receipt(order, receipt=self._simulator.new_id().lower())

    def deny_cancellation(self, call: Call) -> Answer:
        """Deny a cancellation request: the order goes back to where it was."""
        order, body = self._visible(call), call.json()
        if order is None:
            return _not_found()
        if not isinstance(body, dict) or not body.get("cancellationRequestId") or not body.get("denyReason"):
            raise BadRequestError("cancellationRequestId and denyReason are required")
        asked = [request for request in order.requests if request["id"] == body["cancellationRequestId"]]
        if not asked or order.status not in (statuses.ASKED, statuses.WAITING):
            return oms_error(400, "400", "there is no such cancellation request to deny")
        denied = {
            "deniedBySeller": True,
            "deniedBySellerReason": body["denyReason"],
            "cancellationRequestDenyDate": to_vtex(self._simulator.now()),
        }
        asked[0].update(denied)
        order.show_requests()
        self._simulator.change(order)
        mode = self._simulator.switches.deny_returns_to
        before = statuses.PAID if order.status == statuses.WAITING else asked[0]["before"]
        self._simulator.move_later(order, before if mode == "before" else mode)
        return Answer(200, effect=True)

    def invoice(self, call: Call) -> Answer:
        """Register an invoice; the order is invoiced when its Output invoices cover its value."""
        order = self._visible(call)
        if order is None:
            return _not_found()
        invoice = invoices.read(call.json())
        if order.status in (statuses.CANCEL, statuses.CANCELED, None, ""):
            return oms_error(400, "400", "the order cannot be invoiced in its status")
        switches = self._simulator.switches
        if invoices.has(order, invoice["invoiceNumber"]):
            if switches.same_invoice_number == "400":
                return oms_error(400, "400", "the invoice number is in use")
            return self._receipt(order, receipt=self._simulator.new_id().lower())
        full = invoices.add(order, invoice)
        self._simulator.change(order)
        if full:
            self._simulator.move_later(order, "invoice", statuses.INVOICED)
        else:
            self._simulator.move_later(order, *dict.fromkeys(["invoice", switches.partial_invoice_status]))
        return self._receipt(order, receipt=self._simulator.new_id().lower())

    def try_expression(self, call: Call) -> Answer:
        """Evaluate a FromOrders expression on the document in the call."""
        body = call.json()
        if not isinstance(body, dict) or not all(
            isinstance(body.get(name), str) for name in ("Expression", "Document")
        ):
            raise BadRequestError("Expression and Document are required, both as texts")
        try:
            return json_answer(Expression(body["Expression"]).holds(json.loads(body["Document"])))
        except (BadExpressionError, ValueError) as error:
            raise BadRequestError(str(error)) from None

    def _read(self, call: Call) -> Order | None:
        """Find the order; a race that was set for it happens first."""
        order = self._visible(call)
        if order is None:
            return None
        if order.order_id in self._simulator.race:
            self._simulator.move(order, self._simulator.race.pop(order.order_id))
        order.gets += 1
        return order

    def _may_see_clearly(self, call: Call) -> bool:
        needed = keys.PROFILE_ITEM if self._simulator.switches.clear_data_needs_profile_right else None
        return bool(call.reason) and (needed is None or needed in self._simulator.keys.resources(call.app_key))

    def _page(self, query: Query, *, row: Callable[..., dict[str, Any]]) -> dict[str, Any]:
        simulator = self._simulator
        shift = int(simulator.chance(simulator.switches.list_rows_move_p))
        return simulator.index.page(query, now=simulator.now(), switches=simulator.switches, shift=shift, row=row)

    def _visible(self, call: Call) -> Order | None:
        """Find the order, unless it is too new for the read side or too old for the API."""
        order = self._simulator.orders.find(call.params["order_id"])
        if order is None:
            return None
        now = self._simulator.now()
        too_new = now - order.placed_at < self._simulator.switches.visibility_lag_s
        return None if too_new or now - order.created_at > TWO_YEARS else order

    def _wrong_status(self) -> Answer:
        switches = self._simulator.switches
        answer = oms_error(
            switches.oms003_status,
            "OMS003",
            "Order status should be ready-for-handling to perform this action",
        )
        if not switches.oms003_exception_field:
            answer.body = answer.body.replace(b',"exception":null', b"")
        return answer

    def _refuse_cancel(self, order: Order) -> Answer | None:
        switches = self._simulator.switches
        if order.status == statuses.CANCELED:
            refused = switches.cancel_canceled == "400"
        elif order.status == statuses.INVOICED:
            refused = not switches.cancel_invoiced
        else:
            refused = not order.status or order.status in statuses.SYSTEM_STEPS or invoices.partial(order)
        return oms_error(400, "OMS003", "Order status does not allow this action") if refused else None

    def _receipt(self, order: Order, *, receipt: str | None) -> Answer:
        body = {"date": to_vtex(self._simulator.now()), "orderId": order.order_id, "receipt": receipt}
        return json_answer(body, effect=receipt is not None)


def _not_found() -> Answer:
    return oms_error(404, "OMS007", "Order Not Found")
