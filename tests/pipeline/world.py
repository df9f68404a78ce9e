"""VTEX, the ERP, the ledger and the time that passes for all of them, for tests of the pipeline."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from sqlalchemy import select, update

from tests.pipeline.loop import STATUSES, Loop
from vtex_erp.connection import ConnectionFields
from vtex_erp.erp.rest import RestErpClient, RestErpSettings
from vtex_erp.ledger.entries import Run, TaskTry
from vtex_erp.ledger.ledger import utc_now
from vtex_erp.ledger.plans import BatchSizes
from vtex_erp.ledger.tables import history, order_entries
from vtex_erp.vtex.client import VtexClient
from vtex_erp.vtex.settings import VtexSettings
from vtex_erp.vtex.windows import Window

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.client import PlacedOrder, Sandbox
    from vtex_erp.errors import VtexErpError
    from vtex_erp.ledger.ledger import Ledger

VISIBILITY = 120
ONE_BATCH = BatchSizes(at_once=1, smallest=1000)


@dataclass
class Time:
    """The clock of everything: it runs, and a sleep moves it on at once, at VTEX and in the ERP too."""

    sandbox: Sandbox
    passed: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> datetime:
        return utc_now() + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return time.monotonic() + self.passed

    def sleep(self, seconds: float) -> None:
        with self._lock:
            self.passed += seconds
            self.sandbox.advance(seconds)


@dataclass
class World:
    """One account, its ERP, its ledger and the loop between them."""

    sandbox: Sandbox
    ledger: Ledger
    time: Time
    loop: Loop
    runs: int = 0

    @cached_property
    def yesterday(self) -> Window:
        """A day that is over, and listed."""
        end = self.time.now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
        return Window.between(end - timedelta(days=1), end)

    @classmethod
    def make(cls, ledger: Ledger, sandbox: Sandbox, *, visibility: int = VISIBILITY, **options: Any) -> World:
        sandbox.configure_feed(visibility_timeout=visibility, statuses=STATUSES)
        moved = Time(sandbox)
        ledger = replace(ledger, clock=moved.now)
        vtex, erp = vtex_client(sandbox, moved, **options), erp_client(sandbox, moved, **options)
        loop = Loop(ledger, vtex, erp, sandbox.account, sleep=moved.sleep, sizes=ONE_BATCH)
        return cls(sandbox, ledger, moved, loop)

    def run(self, *, tries: int = 1) -> dict[str, VtexErpError]:
        """One run more, under an id of its own."""
        self.runs += 1
        return self.loop.run(f"run {self.runs}", tries=tries)

    def later(self, seconds: float = 3700) -> dict[str, VtexErpError]:
        """One run more, when all retries are due and all events have come back."""
        self.time.sleep(seconds)
        return self.run()

    def task(self, task_id: str, *, batch: int | None = 0, run_id: str | None = None) -> TaskTry:
        """A try of a task of the latest run."""
        return TaskTry(Run("vtex_orders", run_id or f"run {self.runs}", self.sandbox.account), task_id, batch)

    def begin(self) -> None:
        """Pull and plan a new run, and leave its batch to the test."""
        self.runs += 1
        run = self.task("pull_feed").run
        self.loop.pull(run)
        self.loop.deduplicate(run)

    def external_id(self, order: PlacedOrder | str) -> str:
        return f"{self.sandbox.account}:{order if isinstance(order, str) else order.order_id}"

    def creations(self) -> dict[str, int]:
        """How many sales orders the ERP made of each external id."""
        return {name: order["creations"] for name, order in self.sandbox.erp_orders().items() if order["creations"]}

    def handling_effects(self) -> dict[str, int]:
        """How often the handling of each order was started."""
        orders = self.sandbox.summary()["orders"]
        return {name: order["start_handling_effects"] for name, order in orders.items()}

    def requests(self, family: str, **filters: Any) -> int:
        """How many requests of a family VTEX or the ERP got."""
        return len(self.sandbox.audit(family=family, **filters))

    def entry(self, order_id: str) -> Any:
        """The order's row in the ledger."""
        with self.ledger.read() as connection:
            return connection.execute(select(order_entries).where(order_entries.c.order_id == order_id)).one()

    def stages(self) -> Counter[str]:
        """How many orders stand in each stage."""
        with self.ledger.read() as connection:
            return Counter(connection.execute(select(order_entries.c.stage)).scalars())

    def history(self, order_id: str) -> list[Any]:
        """The order's history, oldest first."""
        query = select(history).join(order_entries).where(order_entries.c.order_id == order_id)
        with self.ledger.read() as connection:
            return list(connection.execute(query.order_by(history.c.id)))

    def set_entry(self, order_id: str, **values: Any) -> None:
        """Change the order's row behind the pipeline's back."""
        with self.ledger.write() as connection:
            connection.execute(update(order_entries).where(order_entries.c.order_id == order_id).values(values))

    def assert_each_once(self, placed: Sequence[PlacedOrder]) -> None:
        """Each order is in the ERP once, its handling was started once, and nothing is left in the feed."""
        assert self.creations() == {self.external_id(order): 1 for order in placed}
        effects = self.handling_effects()
        assert {order.order_id: effects[order.order_id] for order in placed} == dict.fromkeys(
            (order.order_id for order in placed), 1
        )
        assert self.sandbox.feed_counters()["total"] == 0


def vtex_client(
    sandbox: Sandbox, moved: Time, *, host: str | None = None, token: str | None = None, **options: Any
) -> VtexClient:
    """A client of the sandbox's VTEX, or of a broken one."""
    extra = {"account": sandbox.account, **options}
    settings = VtexSettings.from_connection(
        "vtex_default", host or sandbox.base_url, sandbox.app_key, token or sandbox.app_token, extra
    )
    return VtexClient(settings, clock=moved.monotonic, sleep=moved.sleep)


def erp_client(sandbox: Sandbox, moved: Time, *, host: str | None = None, **options: Any) -> RestErpClient:
    """A client of the sandbox's ERP, or of a broken one."""
    fields = ConnectionFields("erp_default", "http", host=host or sandbox.erp_url, extra=options)
    return RestErpClient(RestErpSettings.from_connection(fields), clock=moved.monotonic, sleep=moved.sleep)
