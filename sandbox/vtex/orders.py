"""The orders of the simulated store: their documents, and what moves them from status to status."""

from __future__ import annotations

import heapq
import itertools
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.vtex.clock import from_vtex, to_vtex
from sandbox.vtex.statuses import DESCRIPTIONS, UNPAID

if TYPE_CHECKING:
    from collections.abc import Callable

TWO_YEARS = 2 * 365 * 86_400


@dataclass(slots=True)
class Order:
    """One order. Its document is made anew for each answer, so that a hundred thousand orders stay small.

    `history` holds (virtual time, status) of every status the order has had; `patch` the parts of the
    document that have changed since it was placed.
    """

    order_id: str
    kind: str
    source: Callable[[], dict[str, Any]]
    created_at: float
    placed_at: float
    sequence: str | None
    group: str | None
    history: list[tuple[float, str | None]]
    authorized_at: float | None = None
    invoiced_at: float | None = None
    patch: dict[str, Any] = field(default_factory=dict)
    moving: bool = False
    start_handling_effects: int = 0
    cancel_effects: int = 0
    gets: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    invoices: list[dict[str, Any]] = field(default_factory=list)
    _value: int | None = None

    @property
    def status(self) -> str | None:
        """The current status; None for an incomplete order."""
        return self.history[-1][1]

    @property
    def value(self) -> int:
        """The document's value in cents; 0 when it has no such number."""
        if self._value is None:
            value = self.source().get("value")
            self._value = value if isinstance(value, int) else 0
        return self._value

    def status_at(self, moment: float) -> str | None:
        """Tell the status that the order had at a time; its first one before that."""
        for at, status in reversed(self.history):
            if at <= moment:
                return status
        return self.history[0][1]

    def ask_cancellation(self, request_id: str, at: float) -> None:
        """Note that the shopper asks for a cancellation, and where the order stood."""
        self.requests.append(
            {
                "id": request_id,
                "reason": "Asked for in the sandbox",
                "cancellationRequestDate": to_vtex(at),
                "requestedByUser": True,
                "deniedBySeller": False,
                "deniedBySellerReason": None,
                "cancellationRequestDenyDate": None,
                "before": self.status,
            }
        )
        self.show_requests()

    def show_requests(self) -> None:
        """Put the cancellation requests into the document."""
        self.patch["cancellationRequests"] = [
            {name: value for name, value in request.items() if name != "before"} for request in self.requests
        ]

    def document(self) -> dict[str, Any]:
        """Make the document that Get order answers now."""
        document = self.source()
        document.update(self.patch)
        return document


class OrderBook:
    """All orders, and the transitions that are under way."""

    def __init__(self) -> None:
        self._orders: dict[str, Order] = {}
        self._by_sequence: dict[str, str] = {}
        self._by_group: dict[str, list[str]] = {}
        self._due: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()
        self.version = 0

    def __len__(self) -> int:
        """Count the orders."""
        return len(self._orders)

    def all(self) -> list[Order]:
        """All orders, oldest placed first."""
        return list(self._orders.values())

    def add(self, order: Order) -> None:
        """Add an order, or replace the one of the same id."""
        self._orders[order.order_id] = order
        self.version += 1
        if order.sequence:
            self._by_sequence.setdefault(order.sequence, order.order_id)
        if order.group:
            self._by_group.setdefault(order.group, []).append(order.order_id)

    def find(self, order_id: str) -> Order | None:
        """Find an order by its id, or by `seq` and its sequence (Orders API, Get order)."""
        order = self._orders.get(order_id)
        if order is None and order_id.startswith("seq"):
            order = self._orders.get(self._by_sequence.get(order_id[3:], ""))
        return order

    def group(self, group: str) -> list[Order]:
        """All orders of one purchase."""
        return [self._orders[order_id] for order_id in dict.fromkeys(self._by_group.get(group, ()))]

    def later(self, due: float, action: Callable[[float], None]) -> None:
        """Do something at a virtual time; it is called with that time."""
        heapq.heappush(self._due, (due, next(self._numbers), action))

    def catch_up(self, now: float) -> None:
        """Do what is due."""
        while self._due and self._due[0][0] <= now:
            due, _, action = heapq.heappop(self._due)
            action(due)


def from_document(document: dict[str, Any], *, kind: str, now: float) -> Order:
    """Make an order of a raw VTEX document, which may be as broken as it likes if it has an orderId.

    An order that was created in the past is taken to have been in its status ever since.
    """
    frozen = json.dumps(document, ensure_ascii=False).encode()
    created = from_vtex(document.get("creationDate"))
    return make_order(
        str(document["orderId"]),
        kind=kind,
        source=lambda: json.loads(frozen),
        status=document.get("status"),
        created_at=now if created is None else created,
        authorized_at=from_vtex(document.get("authorizedDate")),
        sequence=document.get("sequence"),
        group=document.get("orderGroup"),
        now=now,
    )


def make_order(
    order_id: str,
    *,
    kind: str,
    source: Callable[[], dict[str, Any]],
    status: Any,
    created_at: float,
    authorized_at: float | None,
    sequence: Any,
    group: Any,
    now: float,
) -> Order:
    """Make an order whose document `source` yields when it is asked for."""
    return Order(
        order_id,
        kind=kind,
        source=source,
        created_at=created_at,
        placed_at=now,
        sequence=str(sequence) if sequence else None,
        group=str(group) if group else None,
        history=[(min(now, created_at), status if isinstance(status, str) else None)],
        authorized_at=authorized_at,
    )


def set_status(order: Order, status: str | None, at: float) -> None:
    """Move an order: its status, description and dates change as VTEX changes them."""
    order.history.append((at, status))
    order.patch.update(
        status=status,
        statusDescription=DESCRIPTIONS.get(status or "", ""),
        lastChange=to_vtex(at),
        isCompleted=bool(status),
    )
    if order.authorized_at is None and status and status not in UNPAID:
        order.authorized_at = at
        order.patch["authorizedDate"] = to_vtex(at)
    if status == "invoiced":
        order.invoiced_at = at
        order.patch["invoicedDate"] = to_vtex(at)
