"""The statuses of a VTEX order, by what they mean for the ERP (facts: Statuses).

VTEX's list is open: status strings that nobody documents occur. `statusDescription` is never read; it is
Portuguese in every locale.
"""

from __future__ import annotations

READY_FOR_HANDLING = "ready-for-handling"
"""The seller may import the order and confirm with start-handling."""

HANDLING_STARTED = frozenset(
    {
        "start-handling",
        "handling",
        "waiting-for-fulfillment",
        "ready-for-invoicing",
        "invoice",
        "invoiced",
        "invoice-after-cancellation-deny",
        "shipped",
    }
)
"""Somebody confirmed the handling; nothing is left to start."""

CANCELLED = frozenset({"cancel", "canceled", "cancelled", "replaced"})
"""Cancelled, being cancelled, or replaced by another order. Only the status says so: `cancellationData`
and `cancelReason` are also set on orders whose cancellation was refused."""

CANCELLATION_ASKED = frozenset(
    {
        "cancellation-requested",
        "cancelation-request",
        "cancellation-request-denied-ffm",
        "request-cancel",
        "waiting-for-seller-decision",
    }
)
"""The shopper or the marketplace asked for a cancellation and nobody has decided."""

BEFORE_READY = frozenset(
    {
        "order-created",
        "order-completed",
        "on-order-completed",
        "on-order-completed-ffm",
        "order-accepted",
        "order-create-error",
        "order-creation-error",
        "payment-pending",
        "waiting-for-order-authorization",
        "approve-payment",
        "payment-approved",
        "payment-denied",
        "waiting-for-authorization",
        "waiting-for-sellers-confirmation",
        "waiting-ffmt-authorization",
        "waiting-for-manual-authorization",
        "waiting-for-mkt-authorization",
        "waiting-seller-handling",
        "authorize-fulfillment",
        "release-to-fulfillment",
        "window-to-cancel",
        "window-to-change-seller",
        "window-to-change-payment",
    }
)
"""Not yet ready: a later event tells when. `waiting-seller-handling` is where chain orders stay; VTEX
answers OMS003 to start-handling there."""

_SAYS_NOTHING = frozenset({"", "unknow", "unknown", "detail.state.null"})
_CHANGED_DOCUMENT = "ordersdocumentupdated"


def normalise_status(status: str | None) -> str:
    """Trim and lower a status; "" for null, which VTEX gives incomplete orders."""
    return (status or "").strip().lower()


def says_nothing(state: str, domain: str) -> bool:
    """Tell whether an event leaves it to the order to say what happened.

    So those of a FromOrders filter, whose state is "unknow" (sic) and whose domain is no workflow.
    """
    return normalise_status(state) in _SAYS_NOTHING or normalise_status(domain) == _CHANGED_DOCUMENT
