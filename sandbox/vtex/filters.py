"""Which changes a feed or a hook is told of (Orders API, feed and hook configuration)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.vtex.expressions import BadExpressionError, Expression

if TYPE_CHECKING:
    from collections.abc import Callable

BY_EXPRESSION = frozenset({"expression", "disableSingleFire"})


class EventFilter:
    """One filter. A status that VTEX does not know, and what is no JSONata, is accepted and never matches."""

    def __init__(self, raw: dict[str, Any] | None) -> None:
        self.raw = raw or {"type": "FromWorkflow", "status": []}
        self.from_orders = self.raw.get("type") == "FromOrders"
        self._statuses = frozenset(self.raw.get("status") or ())
        self._single_fire = not self.raw.get("disableSingleFire", False)
        self._fired: set[str] = set()
        self._expression = _parsed(self.raw.get("expression")) if self.from_orders else None

    @staticmethod
    def is_mixed(raw: dict[str, Any]) -> bool:
        """Whether it has fields of both types, to which VTEX answers 409."""
        return "status" in raw and not BY_EXPRESSION.isdisjoint(raw)

    def takes(self, state: str | None) -> bool:
        """Whether a FromWorkflow filter takes this status; none at all takes every one."""
        return not self._statuses or state in self._statuses

    def takes_document(self, order_id: str, document: Callable[[], dict[str, Any]]) -> bool:
        """Whether a FromOrders filter takes a change of this order; with single fire, only the first time."""
        if self._expression is None or (self._single_fire and order_id in self._fired):
            return False
        try:
            taken = self._expression.holds(document())
        except BadExpressionError:
            return False
        if taken:
            self._fired.add(order_id)
        return taken


def _parsed(text: Any) -> Expression | None:
    try:
        return Expression(text) if isinstance(text, str) else None
    except BadExpressionError:
        return None
