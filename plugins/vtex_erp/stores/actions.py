"""What is done about an order, by its status in VTEX. The status that counts is the order's own, when it is read.

========== ==========================================================================================
`bring-in` into the ERP, once; then handling is started
`hold`     not into the ERP, and if it is there already a person decides; somebody is told
`cancel`   cancelled in the ERP; if it is not there, it never gets there
`close`    over: nothing more is done about an order that is in the ERP
`note`     nothing but a note in the ledger
========== ==========================================================================================

A merchant's own function may decide instead (`module:function`): see `ActionFunction`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from vtex_erp.errors import ParkError
from vtex_erp.functions import function_named
from vtex_erp.vtex import statuses
from vtex_erp.vtex.order import VtexOrder


class Action(str, Enum):
    """What is done about an order. The module says what each one means."""

    BRING_IN = "bring-in"
    HOLD = "hold"
    CANCEL = "cancel"
    CLOSE = "close"
    NOTE = "note"


class Concern(str, Enum):
    """Of which orders an event tells something that must be looked at."""

    NONE = "none"
    KNOWN_ORDER = "known"
    """Orders that the ledger knows: the end of an order that never came in concerns nobody."""
    ANY_ORDER = "any"


ActionFunction = Callable[[VtexOrder, "str | None"], Action]
"""A merchant's own decision about one order, given its id in the ERP (None before it is there): what is to be done.

It may be called several times for one order (after a crash, at a rerun), so anything that it does itself must bear
repetition. What it raises parks the order with cause `action:<error>`.
"""

_DEFAULTS: Mapping[str, Action] = {
    statuses.READY_FOR_HANDLING: Action.BRING_IN,
    **dict.fromkeys(statuses.CANCELLATION_ASKED, Action.HOLD),
    **dict.fromkeys(statuses.CANCELLED, Action.CANCEL),
    "invoiced": Action.CLOSE,
}


@dataclass(frozen=True)
class Actions:
    """A store's actions: `own` by status, each the value of an Action or `module:function`; else the defaults."""

    own: Mapping[str, str] = field(default_factory=dict)

    def for_order(self, status: str, document: str, *, erp_id: str | None) -> Action:
        """The action for an order with this (normalised) status. `document` is its JSON.

        Raises ParkError with cause `action:<error>` when the store's own function does.
        """
        return self.of_status(status) or _decide(self.own[status], VtexOrder.from_json(document), erp_id)

    def of_status(self, status: str) -> Action | None:
        """The action where the status alone decides; None where the store's own function does."""
        own = self.own.get(status)
        if own is None:
            return _DEFAULTS.get(status, Action.NOTE)
        return Action(own) if own in _VALUES else None

    def about(self, state: str, domain: str) -> Concern:
        """Whether the order behind an event of this state and domain must be read."""
        if statuses.says_nothing(state, domain):
            return Concern.ANY_ORDER
        action = self.of_status(statuses.normalise_status(state))
        if action is Action.NOTE:
            return Concern.NONE
        return Concern.KNOWN_ORDER if action in (Action.CANCEL, Action.CLOSE) else Concern.ANY_ORDER


DEFAULT_ACTIONS = Actions()

_VALUES = frozenset(action.value for action in Action)


def _decide(name: str, order: VtexOrder, erp_id: str | None) -> Action:
    try:
        return Action(function_named(name)(order, erp_id))
    except Exception as error:  # noqa: BLE001 - whatever it raises is about this order alone
        # Its message, and a traceback, may hold the shopper's data.
        kind = type(error).__name__
        raise ParkError(
            f"VTEX order {order.order_id}: the action {name} raised {kind}, or named no action. Mend it, then clear "
            "fetch_orders with downstream.",
            cause=f"action:{kind}",
        ) from None
