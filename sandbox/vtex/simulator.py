"""The simulated account as a whole: what the route handlers and the admin API work on."""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING, Any

from sandbox.erp.orders import ErpBook
from sandbox.vtex import statuses
from sandbox.vtex.audit import AuditLog
from sandbox.vtex.broadcast import Broadcast, Change
from sandbox.vtex.clock import VirtualClock
from sandbox.vtex.dispatcher import Dispatcher
from sandbox.vtex.keys import KeyRing
from sandbox.vtex.limits import RateLimit
from sandbox.vtex.listing import OrderIndex
from sandbox.vtex.orders import Order, OrderBook, from_document, set_status
from sandbox.vtex.switches import Switches

if TYPE_CHECKING:
    from collections.abc import Iterable


class Simulator:
    """One VTEX account with its ERP. Everything random comes from one seeded generator."""

    def __init__(self, account: str, *, app_key: str, app_token: str, seed: int = 1) -> None:
        self.account = account
        self.app_key = app_key
        self.app_token = app_token
        self.dispatcher = Dispatcher(self)
        self.reset(seed)

    def reset(self, seed: int = 1) -> None:
        """Forget everything: orders, feeds, ERP, switches, faults' randomness, audit and the moved clock."""
        self.rng = random.Random(seed)
        self.clock = VirtualClock()
        self.switches = Switches()
        self.keys = KeyRing(self.app_key, self.app_token)
        self.broadcast = Broadcast(self)
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
            self.broadcast.tell(Change(order.order_id, state, last, order.history[0][0], at))
            last = state
        return order

    def move(self, order: Order, status: str | None, at: float | None = None, *, domain: str | None = None) -> None:
        """Move an order to a status and tell feeds and hooks, in the name of one workflow or of all it has."""
        moment = self.now() if at is None else at
        last_change, last = order.history[-1]
        order.moving = False
        if status in (statuses.ASKED, statuses.WAITING):
            order.ask_cancellation(self.new_id().lower(), moment)
        set_status(order, status, moment)
        self.broadcast.tell(Change(order.order_id, status or "", last, last_change, moment, domain=domain))

    def change(self, order: Order, **parts: Any) -> None:
        """Change parts of an order's document other than its status, and tell those who look at the document."""
        order.patch.update(parts)
        now = self.now()
        self.broadcast.tell(Change(order.order_id, None, None, order.history[-1][0], now))

    def move_later(self, order: Order, *steps: str) -> None:
        """Move an order through statuses, the last one `async_delay_s` from now."""
        now, delay = self.now(), self.switches.async_delay_s
        order.moving = True
        for number, status in enumerate(steps, start=1):
            self.orders.later(now + delay * number / len(steps), self._step(order, status))
        self.orders.catch_up(now)

    def _step(self, order: Order, status: str) -> Any:
        return lambda at: self.move(order, status, at)

    def new_id(self) -> str:
        """Make 32 hexadecimal digits in upper case, as eventId."""
        return f"{self.rng.getrandbits(128):032X}"

    def new_uuid(self) -> str:
        """Make a UUID, as MessageId."""
        return str(uuid.UUID(int=self.rng.getrandbits(128), version=4))
