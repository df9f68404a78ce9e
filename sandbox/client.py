"""A client of the sandbox's admin API, for tests and demos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar
from urllib.parse import quote

import requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_Value = TypeVar("_Value")


class PlacedOrder(NamedTuple):
    """An order in the sandbox."""

    order_id: str
    kind: str
    status: str | None


class SandboxError(Exception):
    """The sandbox refused a request; the text says why."""


class Sandbox:
    """One running sandbox. `account`, `app_key` and `app_token` are those it was started with."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url.rstrip("/")
        self.erp_url = f"{self.base_url}/erp"
        self._session = requests.Session()
        self._session.trust_env = False
        started = self._call("GET", "account")
        self.account: str = started["account"]
        self.app_key: str = started["app_key"]
        self.app_token: str = started["app_token"]

    @property
    def vtex_headers(self) -> dict[str, str]:
        """The headers that authenticate a call to the simulated VTEX."""
        return {"X-VTEX-API-AppKey": self.app_key, "X-VTEX-API-AppToken": self.app_token}

    def close(self) -> None:
        """Close the connections."""
        self._session.close()

    def reset(self, seed: int = 1) -> None:
        """Forget everything: orders, feeds, ERP, faults, switches, audit, moved clock."""
        self._call("POST", "reset", params={"seed": seed})

    def switches(self, **changes: Any) -> dict[str, Any]:
        """Change switches and return them all. Raises SandboxError naming an unknown switch."""
        return self._dict("PATCH", "switches", json=changes)

    def key(self, app_key: str, *tokens: str, resources: Iterable[str] | None = None) -> None:
        """Add or replace a key; no resources: all of them."""
        body = {
            "app_key": app_key,
            "tokens": list(tokens),
            "resources": None if resources is None else list(resources),
        }
        self._call("PUT", "keys", json=body)

    def configure_feed(
        self,
        *,
        visibility_timeout: float = 30,
        retention: float = 345_600,
        statuses: Sequence[str] = (),
        feed_filter: dict[str, Any] | None = None,
    ) -> None:
        """Configure the key's feed as a merchant would, over VTEX's own API."""
        body = {
            "filter": feed_filter or {"type": "FromWorkflow", "status": list(statuses)},
            "queue": {
                "visibilityTimeoutInSeconds": visibility_timeout,
                "MessageRetentionPeriodInSeconds": retention,
            },
        }
        self._configure("feed", body)

    def delete_feed(self) -> None:
        """Remove the key's feed configuration."""
        self._vtex("DELETE", "/api/orders/feed/config")

    def configure_hook(
        self,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        statuses: Sequence[str] = ("ready-for-handling",),
        hook_filter: dict[str, Any] | None = None,
    ) -> None:
        """Configure the key's hook over VTEX's own API; it is pinged. See the switch `hook_https_only`."""
        chosen = hook_filter or {"type": "FromWorkflow", "status": list(statuses)}
        self._configure("hook", {"filter": chosen, "hook": {"url": url, "headers": headers or {}}})

    def delete_hook(self) -> None:
        """Remove the key's hook configuration."""
        self._vtex("DELETE", "/api/orders/hook/config")

    def generate(
        self,
        count: int,
        seed: int = 1,
        kinds: Iterable[str] | None = None,
        *,
        status: str | None = None,
        events: Iterable[str] | None = None,
        created_from: str | None = None,
        created_to: str | None = None,
    ) -> list[PlacedOrder]:
        """Generate and place orders. `events=()` places them silently, as an old store's orders."""
        body = {
            "count": count,
            "seed": seed,
            "kinds": _listed(kinds),
            "status": status,
            "events": _listed(events),
            "created_from": created_from,
            "created_to": created_to,
        }
        return [PlacedOrder(**each) for each in self._call("POST", "orders/generate", json=body)]

    def place(
        self,
        documents: Iterable[dict[str, Any]],
        *,
        kinds: Iterable[str] | None = None,
        events: Iterable[str] | None = None,
    ) -> list[PlacedOrder]:
        """Place raw VTEX documents; their statuses are emitted unless other events are given."""
        body = {"documents": list(documents), "kinds": _listed(kinds), "events": _listed(events)}
        return [PlacedOrder(**each) for each in self._call("POST", "orders", json=body)]

    def move(self, order_id: str, status: str | None) -> None:
        """Move an order to a status, with its event."""
        self._order("status", order_id, status=status)

    def move_at_next_get(self, order_id: str, status: str | None) -> None:
        """Move an order just before the next Get order answers."""
        self._order("race", order_id, status=status)

    def change(self, order_id: str, **parts: Any) -> None:
        """Change parts of an order's document; only FromOrders filters are told."""
        self._order("change", order_id, **parts)

    def ask_cancellation(self, order_id: str, *, by_marketplace: bool = False) -> str:
        """Let the shopper ask for a cancellation, in the seller's or the marketplace's workflow; the request's id."""
        return str(self._order("ask-cancellation", order_id, by_marketplace=by_marketplace)["request_id"])

    def deny_cancellation(self, order_id: str, request_id: str, *, reason: str = "it has left the house") -> None:
        """Deny a request over VTEX's own API, as the seller."""
        path = f"/api/orders/pvt/document/{quote(order_id, safe='')}/deny-cancellation-request"
        self._vtex("POST", path, json={"cancellationRequestId": request_id, "denyReason": reason})

    def replace(self, order_id: str, *, reuse_payment: bool = False) -> PlacedOrder:
        """Let the shopper replace the order by another one; that one."""
        return PlacedOrder(**self._order("replace", order_id, reuse_payment=reuse_payment))

    def emit(
        self, order_id: str, state: str, *, last_state: str | None = None, copies: int = 1, degenerate: bool = False
    ) -> None:
        """Emit an event; copies after the first are duplicates of it, a degenerate one is `unknow` in the year 1."""
        body = {"order_id": order_id, "state": state, "last_state": last_state}
        self._call("POST", "events", json={**body, "copies": copies, "degenerate": degenerate})

    def hold_events(self) -> None:
        """Hold back every event from now on, for feeds and hooks."""
        self._call("POST", "events/hold")

    def release_events(self, order: Sequence[int] | None = None) -> int:
        """Tell what was held back, in the given order of its numbers (from 0); how many changes that are.

        A feed keeps that order only with the switch `shuffle` off.
        """
        return int(self._call("POST", "events/release", json={"order": _listed(order)})["changes"])

    def steal_events(self, count: int) -> int:
        """Let somebody else read and commit visible events with our key; how many they got."""
        return int(self._call("POST", "feed/steal", json={"count": count})["removed"])

    def age_feed(self, seconds: float) -> None:
        """Make everything in the feed older, without moving the clock."""
        self._call("POST", "feed/age", json={"seconds": seconds})

    def add_fault(self, route: str, action: str = "status", *, times: int | None = None, **settings: Any) -> int:
        """Put a fault in force (see `sandbox.vtex.faults.Fault`) and return its id; no times: for ever."""
        body = {"route": route, "action": action, "remaining": times, **settings}
        return int(self._call("POST", "faults", json=body)["id"])

    def faults(self) -> list[dict[str, Any]]:
        """All faults, with their hits."""
        return self._list("GET", "faults")

    def clear_faults(self) -> None:
        """Lift all faults."""
        self._call("DELETE", "faults")

    def advance(self, seconds: float) -> None:
        """Move the virtual clock forward."""
        self._call("POST", "clock", json={"advance_seconds": seconds})

    def set_clock(self, moment: str) -> None:
        """Make a date and time (ISO 8601) the virtual now."""
        self._call("POST", "clock", json={"set": moment})

    def now(self) -> str:
        """Virtual time, as VTEX writes it."""
        return str(self._call("POST", "clock", json={})["now"])

    def audit(self, **filters: Any) -> list[dict[str, Any]]:
        """List the requests, oldest first; filters: family, order_id, method, key, status, effect, consumer."""
        return self._list("GET", "audit", params=filters)

    def clear_audit(self) -> None:
        """Forget the requests so far."""
        self._call("DELETE", "audit")

    def summary(self, *, orders: bool = True) -> dict[str, Any]:
        """Orders, feeds, hooks, limit and ERP in numbers."""
        return self._dict("GET", "summary", params={"orders": orders})

    def feed_counters(self) -> dict[str, int]:
        """Counters of the key's own feed: visible, in_flight, total, committed, expired."""
        counters: dict[str, int] = self.summary(orders=False)["feeds"][self.app_key]
        return counters

    def hook_counters(self) -> dict[str, Any]:
        """Counters of the key's own hook: events, delivered, waiting, in_flight, dropped, tries, retries, answers."""
        counters: dict[str, Any] = self.summary(orders=False)["hooks"][self.app_key]
        return counters

    def hook_deliveries(self) -> list[dict[str, Any]]:
        """Every notification of the key's own hook, with its tries, latest answer, seconds and outcome."""
        return self._list("GET", "hook/deliveries")

    def erp_orders(self) -> dict[str, dict[str, Any]]:
        """Everything that the ERP holds, by external id."""
        return self._dict("GET", "erp/orders")

    def refuse(self, **rule: Any) -> None:
        """Let the ERP refuse sales orders (fields of `sandbox.erp.orders.RefuseRule`)."""
        self._call("POST", "erp/refuse", json=rule)

    def accept_all(self) -> None:
        """Let the ERP refuse nothing any more."""
        self._call("DELETE", "erp/refuse")

    def forget(self, external_id: str) -> None:
        """Let the ERP lose a sales order."""
        self._call("DELETE", f"erp/orders/{quote(external_id, safe='')}")

    def ship(self, external_id: str, *, too_late: bool = True) -> None:
        """Let the ERP ship a sales order: it is too late to cancel it. False: the goods came back."""
        self._call("POST", "erp/too-late", json={"external_id": external_id, "too_late": too_late})

    def _order(self, action: str, order_id: str, **body: Any) -> dict[str, Any]:
        return self._dict("POST", f"orders/{quote(order_id, safe='')}/{action}", json=body)

    def _configure(self, name: str, body: dict[str, Any]) -> None:
        self._vtex("POST", f"/api/orders/{name}/config", json=body)

    def _vtex(self, method: str, path: str, **settings: Any) -> None:
        response = self._session.request(
            method, self.base_url + path, headers=self.vtex_headers, timeout=30, **settings
        )
        if not response.ok:
            raise SandboxError(f"{method} {path}: {response.status_code} {response.text}")

    def _call(self, method: str, path: str, **settings: Any) -> Any:
        response = self._session.request(method, f"{self.base_url}/admin/{path}", timeout=120, **settings)
        if not response.ok:
            raise SandboxError(f"{method} /admin/{path}: {response.status_code} {response.text}")
        return response.json()

    def _dict(self, method: str, path: str, **settings: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._call(method, path, **settings)
        return answer

    def _list(self, method: str, path: str, **settings: Any) -> list[dict[str, Any]]:
        answer: list[dict[str, Any]] = self._call(method, path, **settings)
        return answer


def _listed(values: Iterable[_Value] | None) -> list[_Value] | None:
    return None if values is None else list(values)
