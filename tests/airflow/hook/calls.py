"""The hook's endpoint in the test's own process, and what VTEX sends to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vtex_erp.errors import ConfigurationError
from vtex_erp.ledger.tables import events
from vtex_erp.stores.model import SECRET_HEADER
from vtex_erp.vtex.settings import VtexSettings

if TYPE_CHECKING:
    from pathlib import Path

    from fastapi.testclient import TestClient
    from httpx import Response

    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.web.hook.app import Hook

ACCOUNT, SECRET = "mystore", "a-secret-of-the-hook"
PING = {"hookConfig": "ping"}
HOOK = "{url: 'https://airflow.example.com/vtex/hook/main'}"


def notification(order_id: str = "1-01", **fields: Any) -> dict[str, Any]:
    return {
        "Domain": "Fulfillment",
        "OrderId": order_id,
        "State": "ready-for-handling",
        "LastState": "window-to-cancel",
        "LastChange": "2026-03-01T11:00:00Z",
        "CurrentChange": "2026-03-01T12:00:00.7153839Z",
        "Origin": {"Account": ACCOUNT, "Key": "vtexappkey-mystore-ABCDEF"},
        **fields,
    }


@dataclass
class Clock:
    """Stands still but for `seconds`."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@dataclass
class Connections:
    """Connections of type vtex by id, each with the secrets in its `hook_secret`."""

    secrets: dict[str, str] = field(default_factory=dict)
    account: str = ACCOUNT

    def settings(self, connection_id: str) -> VtexSettings:
        if connection_id not in self.secrets:
            raise ConfigurationError(f"Connection {connection_id!r} does not exist")
        extra = {"account": self.account, "hook_secret": self.secrets[connection_id]}
        return VtexSettings.from_connection(connection_id, None, "KEY", "TOKEN", extra)


@dataclass
class Caller:
    """Calls the endpoint, as VTEX does. `stores` is the stores file, `hints` are the assets that got an event."""

    client: TestClient
    hook: Hook
    stores: Path
    connections: Connections
    clock: Clock
    hints: list[str]

    def post(self, body: Any = None, *, store: str = "main", secret: str | None = SECRET, **settings: Any) -> Response:
        headers = {} if secret is None else {SECRET_HEADER.encode(): secret.encode("latin-1")}
        if "content" not in settings:
            settings["json"] = notification() if body is None else body
        answer: Response = self.client.post(f"/{store}", headers=headers, **settings)
        return answer

    def later(self, seconds: float = 11) -> None:
        """Let what is known become old."""
        self.clock.seconds += seconds


def recorded(ledger: Ledger) -> list[Any]:
    """The ledger's events, oldest first."""
    with ledger.read() as connection:
        return list(connection.execute(events.select().order_by(events.c.id)))
