"""Tells feeds and hooks of the orders' changes, in VTEX's forms."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sandbox.vtex.clock import to_vtex
from sandbox.vtex.feed import Event, Feed
from sandbox.vtex.pii import pii_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.vtex.hook import Hook
    from sandbox.vtex.orders import Order
    from sandbox.vtex.simulator import Simulator

MIN_VALUE = "0001-01-01T00:00:00"
CHANGED = "OrdersDocumentUpdated"
UNKNOWN = "unknow"  # sic
OWN_SELLER = "1"


@dataclass(frozen=True, slots=True)
class Change:
    """What happened to an order; `state` is None where something else than its status changed.

    `domain` is the workflow that it happened in; None: whichever the account has.
    """

    order_id: str
    state: str | None
    last_state: str | None
    last_change: float
    at: float
    copies: int = 1
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """An event and who is to have it."""

    subscriber: Feed | Hook
    event: Event
    copies: int = 1


class Broadcast:
    """The account's feeds and hooks, one of each for an app key. What is held back is told later, in any order."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self.feeds: dict[str, Feed] = {}
        self.kept_feeds: dict[str, Feed] = {}
        self.hooks: dict[str, Hook] = {}
        self._held: list[list[Told]] | None = None

    def feed(self, app_key: str) -> Feed | None:
        """Find the key's feed; VTEX removes it after a whole retention period without a new event."""
        feed = self.feeds.get(app_key)
        if feed is not None and feed.is_abandoned(self._simulator.now()):
            del self.feeds[app_key]
            return None
        return feed

    def hook(self, app_key: str) -> Hook | None:
        """Find the key's hook; VTEX removes it after three days with nothing to tell."""
        hook = self.hooks.get(app_key)
        if hook is not None and hook.is_abandoned(self._simulator.now()):
            del self.hooks[app_key]
            return None
        return hook

    def tell(self, change: Change, *, degenerate: bool = False) -> None:
        """Tell every subscriber whose filter takes the change; `degenerate` says nothing of the status to anyone."""
        told = list(self._told(change, degenerate=degenerate))
        if self._held is None:
            self._queue(told)
        elif told:
            self._held.append(told)

    def hold(self) -> None:
        """Hold back what is told from now on."""
        self._held = self._held or []

    def release(self, order: Sequence[int] | None = None) -> int:
        """Tell what was held back, in the given order of its numbers (from 0), and how many changes that are.

        Raises ValueError, and holds on, for an order that does not name each of them once.
        """
        held = self._held or []
        numbers = range(len(held)) if order is None else order
        if sorted(numbers) != list(range(len(held))):
            raise ValueError(
                f"{len(held)} changes are held back: the order must name each of 0 to {len(held) - 1} once"
            )
        self._held = None
        for number in numbers:
            self._queue(held[number])
        return len(held)

    def _told(self, change: Change, *, degenerate: bool) -> Iterator[Told]:
        subscribers: list[Feed | Hook] = [*self.feeds.values(), *self.hooks.values()]
        for subscriber in subscribers:
            if subscriber.filter.from_orders:
                if self._takes_document(subscriber, change):
                    yield Told(subscriber, self._document_event(change), change.copies)
            elif change.state is not None and (degenerate or subscriber.filter.takes(change.state)):
                events = [self._document_event(change)] if degenerate else self._events(change)
                yield from (Told(subscriber, event, change.copies) for event in events)

    def _takes_document(self, subscriber: Feed | Hook, change: Change) -> bool:
        switches = self._simulator.switches
        if self._simulator.chance(switches.from_orders_skip_p):
            return False
        order = self._simulator.orders.find(change.order_id)
        if order is None or (switches.from_orders_misses_own_payments and _is_own_payment(order, change)):
            return False
        return subscriber.filter.takes_document(change.order_id, lambda: pii_document(order))

    def _events(self, change: Change) -> list[Event]:
        every = ("Fulfillment", "Marketplace") if self._simulator.switches.both_domains else ("Fulfillment",)
        domains = (change.domain,) if change.domain else every
        dates = to_vtex(change.last_change, suffix="Z"), to_vtex(change.at, suffix="Z")
        state, last = change.state or "", change.last_state
        return [Event(self._simulator.new_id(), domain, state, last, change.order_id, *dates) for domain in domains]

    def _document_event(self, change: Change) -> Event:
        changed = to_vtex(change.at, suffix="")
        states: tuple[str, str | None] = (UNKNOWN, None)
        dates = (changed, MIN_VALUE)
        if self._simulator.switches.from_orders_item == "full":
            states, dates = (change.state or "", change.last_state), (changed, changed)
        return Event(self._simulator.new_id(), CHANGED, *states, change.order_id, *dates)

    def _queue(self, told: Sequence[Told]) -> None:
        simulator, switches = self._simulator, self._simulator.switches
        for each in told:
            events = [each.event] * (each.copies + simulator.chance(switches.duplicate_p))
            if simulator.chance(switches.duplicate_new_id_p):
                events.append(replace(each.event, event_id=simulator.new_id()))
            for event in events:
                each.subscriber.put(event, message_id=simulator.new_uuid(), now=simulator.now())
        simulator.dispatcher.wake()


def _is_own_payment(order: Order, change: Change) -> bool:
    sellers = order.source().get("sellers") or ()
    return change.state == "payment-approved" and any(seller.get("id") == OWN_SELLER for seller in sellers)
