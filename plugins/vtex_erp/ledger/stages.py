"""The stages of an order entry, and which of them mean what."""

from __future__ import annotations

from enum import Enum


class Stage(str, Enum):
    """Where an order stands: received → fetched → mapped → submitting → submitted → handling, or an end."""

    RECEIVED = "received"
    FETCHED = "fetched"
    MAPPED = "mapped"
    SUBMITTING = "submitting"
    SUBMITTED = "submitted"
    HANDLING = "handling"
    IGNORED = "ignored"
    PARKED = "parked"
    CANCELLED = "cancelled"


OPEN = (Stage.RECEIVED, Stage.FETCHED, Stage.MAPPED, Stage.SUBMITTING, Stage.SUBMITTED)
"""Somebody still has to work on the order."""

DONE = (Stage.HANDLING, Stage.IGNORED, Stage.CANCELLED)
"""Nobody has to do anything any more."""

COME_BACK = (Stage.IGNORED, Stage.CANCELLED, Stage.PARKED)
"""An end that a new event may take back."""

SETTLED = (Stage.SUBMITTED, *DONE, Stage.PARKED)
"""The order's events may be committed: it is in the ERP, needs nothing, or is parked in the ledger."""
