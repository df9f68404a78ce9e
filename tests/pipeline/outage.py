"""An ERP that is down for an hour while orders arrive: the story for the test, and as a program.

`python -m tests.pipeline.outage [ORDERS]` tells it with 5,000 orders on a SQLite ledger and prints what happened.
"""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet

from sandbox.process import running
from tests.pipeline.world import World
from vtex_erp.errors import ErpDownError
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.ledger import open_ledger
from vtex_erp.ledger.plans import BatchSizes

if TYPE_CHECKING:
    from sandbox.client import PlacedOrder

RETENTION = timedelta(days=4)
NEW_AFTERWARDS = 3


@dataclass
class Story:
    """What is told: `backlog` is how many waiting orders a run takes on."""

    world: World
    orders: int
    runs: int = 60
    backlog: int = 1000
    placed: list[PlacedOrder] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)

    def tell(self) -> dict[str, Any]:
        """The whole hour, and what comes after it. Raises AssertionError where a promise is broken."""
        self.world.loop.sizes = BatchSizes(at_once=2, smallest=10, backlog=self.backlog)
        began = self.world.time.now()
        self._an_hour_without_the_erp()
        self._deadline_is_right(began)
        self.world.sandbox.clear_faults()
        self._the_backlog_goes_oldest_first()
        for _ in range(2):
            assert self.world.later(130) == {}
        self.world.assert_each_once(self.placed)
        return self.figures

    def _an_hour_without_the_erp(self) -> None:
        world = self.world
        world.sandbox.add_fault("erp-put", status=503)
        world.sandbox.add_fault("erp-get", action="drop")
        for number in range(self.runs):
            self._arrive(self.orders // self.runs, seed=100 + number)
            errors = world.run()
            assert isinstance(errors["submit_orders"], ErpDownError), errors
            assert errors["outcome"].cause == "erp-down"
            assert f"{len(self.placed)} orders wait" in errors["outcome"].message
            world.time.sleep(3600 / self.runs)
        self.message = errors["outcome"].message
        calls, reads = self._erp_calls(), world.requests("get-order")
        self.figures.update(orders=len(self.placed), erp_calls_in_the_hour=calls, reads_of_orders=reads)
        assert calls <= 20 + 60  # what it took to see that it is down, and a probe a minute
        assert reads <= len(self.placed) + self.runs
        assert world.creations() == {}
        assert world.sandbox.feed_counters()["total"] == len(self.placed)  # nothing is committed

    def _deadline_is_right(self, began: datetime) -> None:
        self.figures["message"] = self.message.splitlines()[0]
        told = self.message.partition("more, until ")[2][:16]
        deadline = datetime.strptime(told, "%Y-%m-%d %H:%M").replace(tzinfo=timezone.utc)
        assert abs(deadline - began - RETENTION) < timedelta(minutes=2), self.message
        assert "for 3 days 23 hours more" in self.message

    def _the_backlog_goes_oldest_first(self) -> None:
        waiting = [order.order_id for order in self.placed]
        self.figures["sent_by_run"] = []
        already: set[str] = set()
        number = 0
        while waiting:
            number += 1
            new = self._arrive(NEW_AFTERWARDS, seed=10_000 + number)
            assert self.world.run() == {}
            sent, already = self._sent() - already, self._sent()
            assert {order.order_id for order in new} <= sent  # a new order does not wait for the backlog
            old = sent - {order.order_id for order in new}
            assert old == set(waiting[: len(old)])
            assert 0 < len(old) <= self.backlog
            waiting = waiting[len(old) :]
            self.figures["sent_by_run"].append(len(sent))
            self.world.time.sleep(60)

    def _arrive(self, count: int, *, seed: int) -> list[PlacedOrder]:
        new = self.world.sandbox.generate(count, seed=seed, kinds=["plain"])
        self.placed += new
        return new

    def _sent(self) -> set[str]:
        return {external_id.partition(":")[2] for external_id in self.world.creations()}

    def _erp_calls(self) -> int:
        return self.world.requests("erp-put") + self.world.requests("erp-get")


def _main(orders: int) -> None:
    with tempfile.TemporaryDirectory() as folder, running() as sandbox:
        sandbox.switches(erp_unique=False)
        cipher = DocumentCipher([Fernet.generate_key().decode()])
        ledger = open_ledger(f"sqlite:///{Path(folder) / 'ledger.db'}", cipher=cipher)
        print(json.dumps(Story(World.make(ledger, sandbox), orders).tell(), indent=2))
        ledger.close()


if __name__ == "__main__":
    _main(int(sys.argv[1]) if len(sys.argv) > 1 else 5000)
