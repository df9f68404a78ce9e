"""What the simulated ERP holds: sales orders by external id, and the rules by which it refuses some."""

from __future__ import annotations

import hashlib
import itertools
import json
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class RefuseRule(BaseModel):
    """Refuse a sales order. Every condition that is given must hold."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    external_id: str | None = None
    """This external id."""

    sku: str | None = None
    """A line has this sku."""

    text: str | None = None
    """This text stands anywhere in the body as it was sent."""

    status: int = Field(default=422, ge=400, le=599)
    """HTTP status of the refusal."""

    message: str = "refused by a rule"
    """Goes into the answer. `{customer}` becomes the customer as the ERP was given it, as in ERPs that echo
    a shopper's data in their errors."""

    def applies(self, external_id: str, body: dict[str, Any], raw: bytes) -> bool:
        """Whether the rule refuses this sales order."""
        lines = body.get("lines") or []
        return (
            (self.external_id is None or self.external_id == external_id)
            and (self.sku is None or any(line.get("sku") == self.sku for line in lines))
            and (self.text is None or self.text.encode() in raw)
        )


@dataclass(slots=True)
class ErpOrder:
    """All that the ERP knows about one external id. More than one id in `ids` is a sales order too many."""

    ids: list[str] = field(default_factory=list)
    created_at: float = 0.0
    puts: int = 0
    differing_puts: int = 0
    document: dict[str, Any] = field(default_factory=dict)
    digest: str = ""
    cancelled: bool = False
    cancel_calls: int = 0
    cancel_reason: str | None = None
    too_late: bool = False
    key_headers: list[str | None] = field(default_factory=list)


class ErpBook:
    """The sales orders."""

    def __init__(self) -> None:
        self.orders: dict[str, ErpOrder] = {}
        self.rules: list[RefuseRule] = []
        self._numbers = itertools.count(1)

    def put(
        self, external_id: str, body: dict[str, Any], *, key_header: str | None, unique: bool, now: float
    ) -> tuple[str, bool]:
        """Create a sales order, or find the one that is there. Returns its ERP id and whether it is new."""
        order = self.orders.setdefault(external_id, ErpOrder(created_at=now))
        order.puts += 1
        order.key_headers.append(key_header)
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
        order.differing_puts += bool(order.digest) and order.digest != digest
        if order.ids and unique:
            return order.ids[0], False
        order.ids.append(f"SO{next(self._numbers):06d}")
        order.document, order.digest = body, digest
        return order.ids[-1], True

    def report(self) -> dict[str, dict[str, Any]]:
        """Tell everything, by external id."""
        return {external_id: _report(order) for external_id, order in self.orders.items()}

    def counters(self) -> dict[str, int]:
        """How many external ids, creations and duplicates there are."""
        made = [len(order.ids) for order in self.orders.values()]
        return {
            "orders": sum(count > 0 for count in made),
            "creations": sum(made),
            "duplicates": sum(count - 1 for count in made if count > 1),
            "cancelled": sum(order.cancelled for order in self.orders.values()),
        }


def _report(order: ErpOrder) -> dict[str, Any]:
    totals = order.document.get("totals")
    return {
        "ids": order.ids,
        "creations": len(order.ids),
        "puts": order.puts,
        "differing_puts": order.differing_puts,
        "document": order.document,
        "total": totals.get("total") if isinstance(totals, dict) else None,
        "cancelled": order.cancelled,
        "cancel_calls": order.cancel_calls,
        "cancel_reason": order.cancel_reason,
        "key_headers": order.key_headers,
    }
