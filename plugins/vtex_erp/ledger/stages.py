"""The stages of an order entry, and which of them mean what."""

from __future__ import annotations

from enum import Enum


class Stage(str, Enum):
    """Where an order stands: received → fetched → mapped → submitting → submitted → handling, or an end.

    What VTEX tells of an order that is in the ERP makes it `changed`: it is read again. From there it goes back to
    where it was, to `submitted` (ready for handling once more), to `cancelling` and `cancelled`, or to `closed`.
    """

    RECEIVED = "received"
    FETCHED = "fetched"
    MAPPED = "mapped"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    HANDLING = "handling"
    CHANGED = "changed"
    CANCELLING = "cancelling"
    IGNORED = "ignored"
    PARKED = "parked"
    CANCELLED = "cancelled"
    CLOSED = "closed"


OPEN = (
    Stage.RECEIVED,
    Stage.FETCHED,
    Stage.MAPPED,
    Stage.SUBMITTING,
    Stage.SUBMITTED,
    Stage.CHANGED,
    Stage.CANCELLING,
)
"""Somebody still has to work on the order."""

DONE = (Stage.HANDLING, Stage.IGNORED, Stage.CANCELLED, Stage.CLOSED)
"""Nobody has to do anything any more."""

ENDS = (*DONE, Stage.PARKED)
"""Nobody works on the order, until an event tells of a change."""

HELD_FOR_CANCELLATION, HELD_STATUS = "cancellation-requested", "held:"
"""The causes of orders that are parked until VTEX tells of another status; the second one begins so."""

SETTLED = (Stage.SUBMITTED, *ENDS)
"""The order's events may be committed: it is in the ERP, needs nothing, or is parked in the ledger."""
