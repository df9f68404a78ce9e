"""What shoppers and marketplaces do to an order after it was placed: ask for its cancellation, or replace it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.vtex import statuses
from sandbox.vtex.clock import to_vtex

if TYPE_CHECKING:
    from sandbox.vtex.orders import Order
    from sandbox.vtex.simulator import Simulator


def ask_cancellation(simulator: Simulator, order: Order, *, by_marketplace: bool) -> str:
    """Ask the seller for a cancellation; the id of the request, with which it can be denied.

    The shopper's wish shows as cancellation-requested in the seller's workflow, and in the marketplace's as
    request-cancel, then waiting-for-seller-decision (guide "Order canceling improvements").
    """
    if by_marketplace:
        simulator.move(order, statuses.REQUESTED, domain="Marketplace")
        simulator.move(order, statuses.WAITING, domain="Marketplace")
    else:
        simulator.move(order, statuses.ASKED)
    request_id: str = order.requests[-1]["id"]
    return request_id


def note_cancellation(simulator: Simulator, order: Order, reason: str | None) -> None:
    """Put the seller's cancellation into the document, in its PascalCase; VTEX does so for refused ones, too."""
    data = {
        "RequestedByUser": False,
        "RequestedBySystem": False,
        "RequestedBySellerNotification": True,
        "RequestedByPaymentNotification": False,
        "Reason": reason,
        "CancellationDate": to_vtex(simulator.now()),
    }
    simulator.change(order, cancelReason=reason, cancellationData=data)


def replace_order(simulator: Simulator, order: Order, *, reuse_payment: bool) -> Order:
    """Let the shopper replace the order by another one, which is ready for handling; that one.

    A new order is placed, and the old one ends as replaced (help article "Order replacement"). Nothing published
    links the two: no field of either document names the other. They have the shopper in common, and the transaction
    where the payment is used again, which VTEX does for orders of the same value.
    """
    number = f"{int(simulator.now())}{simulator.rng.randrange(1000):03d}"
    old = order.group or order.order_id
    document = json.loads(json.dumps(order.document()).replace(old, number))
    document |= {
        "status": statuses.READY,
        "sequence": str(simulator.rng.randrange(600_000, 900_000)),
        "creationDate": to_vtex(simulator.now()),
        "lastChange": to_vtex(simulator.now()),
        "orderFormId": simulator.new_id().lower(),
    }
    if not reuse_payment:
        _pay_anew(simulator, document)
    new = simulator.place(document, kind=order.kind, states=None)
    simulator.move(order, simulator.switches.replaced_status)
    return new


def _pay_anew(simulator: Simulator, document: dict[str, Any]) -> None:
    for transaction in (document.get("paymentData") or {}).get("transactions") or ():
        transaction["transactionId"] = simulator.new_id()
        for payment in transaction.get("payments") or ():
            payment["id"] = simulator.new_id()
