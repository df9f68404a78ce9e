"""A client of the sandbox's admin API, for tests and demos."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

import requests

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


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
        url = f"{self.base_url}/api/orders/feed/config"
        response = self._session.post(url, json=body, headers=self.vtex_headers, timeout=30)
        if not response.ok:
            raise SandboxError(f"feed configuration: {response.status_code} {response.text}")

    def delete_feed(self) -> None:
        """Remove the key's feed configuration."""
        url = f"{self.base_url}/api/orders/feed/config"
        self._session.delete(url, headers=self.vtex_headers, timeout=30)

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
        self._call("POST", f"orders/{quote(order_id, safe='')}/status", json={"status": status})

    def move_at_next_get(self, order_id: str, status: str | None) -> None:
        """Move an order just before the next Get order answers."""
        self._call("POST", f"orders/{quote(order_id, safe='')}/race", json={"status": status})

    def emit(self, order_id: str, state: str, *, last_state: str | None = None, copies: int = 1) -> None:
        """Emit an event; copies after the first are duplicates of it."""
        body = {"order_id": order_id, "state": state, "last_state": last_state, "copies": copies}
        self._call("POST", "events", json=body)

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
        """List the requests, oldest first; filters: family, order_id, method, key, status, effect."""
        return self._list("GET", "audit", params=filters)

    def clear_audit(self) -> None:
        """Forget the requests so far."""
        self._call("DELETE", "audit")

    def summary(self, *, orders: bool = True) -> dict[str, Any]:
        """Orders, feeds, limit and ERP in numbers."""
        return self._dict("GET", "summary", params={"orders": orders})

    def feed_counters(self) -> dict[str, int]:
        """Counters of the key's own feed: visible, in_flight, total, committed, expired."""
        counters: dict[str, int] = self.summary(orders=False)["feeds"][self.app_key]
        return counters

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

    def ship(self, external_id: str) -> None:
        """Let the ERP ship a sales order: it is too late to cancel it."""
        self._call("POST", "erp/too-late", json={"external_id": external_id})

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


def _listed(values: Iterable[str] | None) -> list[str] | None:
    return None if values is None else list(values)
