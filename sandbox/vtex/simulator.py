"""The simulated account as a whole: what the route handlers and the admin API work on."""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING, Any

from sandbox.erp.orders import ErpBook
from sandbox.vtex import statuses
from sandbox.vtex.audit import AuditLog
from sandbox.vtex.clock import VirtualClock, to_vtex
from sandbox.vtex.feed import Event, Feed
from sandbox.vtex.keys import KeyRing
from sandbox.vtex.limits import RateLimit
from sandbox.vtex.listing import OrderIndex
from sandbox.vtex.orders import Order, OrderBook, from_document, set_status
from sandbox.vtex.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Iterable

MIN_VALUE = "0001-01-01T00:00:00"


class Simulator:
    """One VTEX account with its ERP. Everything random comes from one seeded generator."""

    def __init__(self, account: str, *, app_key: str, app_token: str, seed: int = 1) -> None:
        self.account = account
        self.app_key = app_key
        self.app_token = app_token
        self.reset(seed)

    def reset(self, seed: int = 1) -> None:
        """Forget everything: orders, feeds, ERP, switches, faults' randomness, audit and the moved clock."""
        self.rng = random.Random(seed)
        self.clock = VirtualClock()
        self.switches = Switches()
        self.keys = KeyRing(self.app_key, self.app_token)
        self.feeds: dict[str, Feed] = {}
        self.kept_feeds: dict[str, Feed] = {}
        self.orders = OrderBook()
        self.index = OrderIndex(self.orders)
        self.limit = RateLimit()
        self.audit = AuditLog()
        self.erp = ErpBook()
        self.race: dict[str, str | None] = {}

    def now(self) -> float:
        """Virtual time in seconds since 1970."""
        return self.clock.now()

    def catch_up(self) -> None:
        """Let everything happen that is due by now."""
        self.orders.catch_up(self.now())

    def chance(self, probability: float) -> bool:
        """Roll the seeded dice."""
        return probability > 0 and self.rng.random() < probability

    def feed(self, app_key: str) -> Feed | None:
        """Find the key's feed; VTEX removes it after a whole retention period without a new event."""
        feed = self.feeds.get(app_key)
        if feed is not None and feed.is_abandoned(self.now()):
            del self.feeds[app_key]
            return None
        return feed

    def place(self, document: dict[str, Any], *, kind: str, states: Iterable[str] | None) -> Order:
        """Place a raw document. `states` are emitted as events; None: its status, if it has one."""
        return self.place_order(from_document(document, kind=kind, now=self.now()), states=states)

    def place_order(self, order: Order, *, states: Iterable[str] | None) -> Order:
        """Place an order, and emit the events of the given states."""
        self.orders.add(order)
        if states is None:
            states = [order.status] if order.status else []
        last, at = "window-to-cancel", self.now()
        for state in states:
            self.emit(order.order_id, state, last, last_change=order.history[0][0], at=at)
            last = state
        return order

    def move(self, order: Order, status: str | None, at: float | None = None) -> None:
        """Move an order to a status and tell the feeds."""
        moment = self.now() if at is None else at
        last_change, last = order.history[-1]
        order.moving = False
        if status in (statuses.ASKED, "waiting-for-seller-decision"):
            order.ask_cancellation(self.new_id().lower(), moment)
        set_status(order, status, moment)
        self.emit(order.order_id, status or "", last, last_change=last_change, at=moment)

    def move_later(self, order: Order, *steps: str) -> None:
        """Move an order through statuses, the last one `async_delay_s` from now."""
        now, delay = self.now(), self.switches.async_delay_s
        order.moving = True
        for number, status in enumerate(steps, start=1):
            self.orders.later(now + delay * number / len(steps), self._step(order, status))
        self.orders.catch_up(now)

    def _step(self, order: Order, status: str) -> Any:
        return lambda at: self.move(order, status, at)

    def emit(
        self, order_id: str, state: str, last: str | None, *, last_change: float, at: float, copies: int = 1
    ) -> None:
        """Queue a status change for every feed whose filter takes it; further copies are duplicates of it."""
        domains = ["Fulfillment", "Marketplace"] if self.switches.both_domains else ["Fulfillment"]
        for feed in self.feeds.values():
            if feed.filter.from_orders:
                self._emit_document_change(feed, order_id, state, last, at)
            elif feed.filter.takes(state):
                for domain in domains:
                    dates = to_vtex(last_change, suffix="Z"), to_vtex(at, suffix="Z")
                    self.queue(feed, Event(self.new_id(), domain, state, last, order_id, *dates), copies)

    def _emit_document_change(self, feed: Feed, order_id: str, state: str, last: str | None, at: float) -> None:
        if self.chance(self.switches.from_orders_skip_p) or (feed.filter.single_fire and order_id in feed.fired):
            return
        feed.fired.add(order_id)
        degenerate = self.switches.from_orders_item == "degenerate"
        states = ("unknow", None) if degenerate else (state, last)
        changed = to_vtex(at, suffix="")
        dates = (changed, MIN_VALUE) if degenerate else (changed, changed)
        self.queue(feed, Event(self.new_id(), "OrdersDocumentUpdated", *states, order_id, *dates))

    def queue(self, feed: Feed, event: Event, copies: int = 1) -> None:
        """Put an event into a feed, and once more when the dice say so."""
        for _ in range(copies + self.chance(self.switches.duplicate_p)):
            feed.put(event, message_id=self.new_uuid(), now=self.now())
        if self.chance(self.switches.duplicate_new_id_p):
            feed.put(self.renamed(event), message_id=self.new_uuid(), now=self.now())

    def renamed(self, event: Event) -> Event:
        """Copy an event under another eventId."""
        return Event(
            self.new_id(),
            event.domain,
            event.state,
            event.last_state,
            event.order_id,
            event.last_change,
            event.current_change,
        )

    def new_id(self) -> str:
        """Make 32 hexadecimal digits in upper case, as eventId."""
        return f"{self.rng.getrandbits(128):032X}"

    def new_uuid(self) -> str:
        """Make a UUID, as MessageId."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
