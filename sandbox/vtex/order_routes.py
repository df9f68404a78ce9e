"""Orders over HTTP: Get order, List orders and the actions (Orders API)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.vtex import invoices, statuses
from sandbox.vtex.clock import to_vtex
from sandbox.vtex.listing import parse_query
from sandbox.vtex.orders import TWO_YEARS
from sandbox.web import Answer, BadRequestError, json_answer, oms_error

if TYPE_CHECKING:
    from sandbox.vtex.orders import Order
    from sandbox.vtex.simulator import Simulator
    from sandbox.web import Call


class OrderRoutes:
    """The handlers of /api/oms/pvt/orders."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def get(self, call: Call) -> Answer:
        """Answer the order as it is now; a race that was set for it happens first."""
        order = self._visible(call)
        if order is None:
            return _not_found()
        if order.order_id in self._simulator.race:
            self._simulator.move(order, self._simulator.race.pop(order.order_id))
        order.gets += 1
        answer = json_answer(order.document())
        if self._simulator.switches.price_definition_name == "priceDefinitions":
            answer.body = answer.body.replace(b'"priceDefinition":', b'"priceDefinitions":')
        return answer

    def group(self, call: Call) -> Answer:
        """Answer all orders of one purchase."""
        siblings = self._simulator.orders.group(call.params["group"])
        return json_answer([order.document() for order in siblings])

    def list(self, call: Call) -> Answer:
        """Answer a page of the list."""
        simulator = self._simulator
        query = parse_query(call.query, many_statuses=simulator.switches.f_status_many == "comma")
        shift = int(simulator.chance(simulator.switches.list_rows_move_p))
        return json_answer(simulator.index.page(query, now=simulator.now(), switches=simulator.switches, shift=shift))

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
        order.patch["cancelReason"] = body.get("reason") if isinstance(body, dict) else None
        two_step = self._simulator.switches.cancel_mode == "two_step"
        if two_step and order.status in (statuses.READY, statuses.HANDLING):
            self._simulator.move_later(order, statuses.ASKED)
        else:
            self._simulator.move_later(order, statuses.CANCEL, statuses.CANCELED)
        return self._receipt(order, receipt=self._simulator.new_id().lower())

    def deny_cancellation(self, call: Call) -> Answer:
        """Deny a cancellation request: the order goes back to where it was."""
        order, body = self._visible(call), call.json()
        if order is None:
            return _not_found()
        if not isinstance(body, dict) or not body.get("cancellationRequestId") or not body.get("denyReason"):
            raise BadRequestError("cancellationRequestId and denyReason are required")
        asked = [request for request in order.requests if request["id"] == body["cancellationRequestId"]]
        if not asked or order.status not in (statuses.ASKED, "waiting-for-seller-decision"):
            return oms_error(400, "400", "there is no such cancellation request to deny")
        denied = {
            "deniedBySeller": True,
            "deniedBySellerReason": body["denyReason"],
            "cancellationRequestDenyDate": to_vtex(self._simulator.now()),
        }
        asked[0].update(denied)
        order.show_requests()
        mode = self._simulator.switches.deny_returns_to
        self._simulator.move_later(order, asked[0]["before"] if mode == "before" else mode)
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
        if full:
            self._simulator.move_later(order, "invoice", statuses.INVOICED)
        else:
            self._simulator.move_later(order, *dict.fromkeys(["invoice", switches.partial_invoice_status]))
        return self._receipt(order, receipt=self._simulator.new_id().lower())

    def jsonata(self, _call: Call) -> Answer:
        """Say that expressions are not evaluated here."""
        return oms_error(501, "501", "the sandbox evaluates no JSONata expressions")

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
