"""How fast orders get into a real Tryton, and whose the time is: `python -m sandbox.bench.into_tryton`.

Tryton runs under gunicorn with a process for each core, on PostgreSQL; confirmed sales wait for its worker. Three ways
take turns, each with new customers: one REST call after the other; this package; and the least that Tryton must be
asked for, in the same batches and threads, by requests that were made beforehand.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from sandbox.bench.deployment import postgres
from sandbox.orders import generate
from sandbox.tryton import prepare
from sandbox.tryton.server import SHOP, on_postgres
from vtex_erp.erp.claims import OwnClaims
from vtex_erp.erp.tryton.client import TrytonErpClient
from vtex_erp.erp.tryton.parties import Party
from vtex_erp.erp.tryton.people import buyer_of
from vtex_erp.erp.tryton.sale import sale_of
from vtex_erp.erp.tryton.settings import TrytonSettings
from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.order import VtexOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.tryton.server import Tryton
    from vtex_erp.sales.model import SalesOrder

ROUNDS, ONE_BY_ONE, AT_ONCE = 6, 8, 48
"""How often each way has its turn, and with how many orders: what else the machine does hits all of them."""
THREADS = 8
_TICKS = os.sysconf("SC_CLK_TCK")

console = Console(highlight=False)


@dataclass
class Speed:
    """What one way took so far, in seconds: on the clock, of Tryton's processors, of ours."""

    orders: int = 0
    seconds: float = 0.0
    theirs: float = 0.0
    ours: float = 0.0

    @property
    def per_minute(self) -> float:
        """Orders a minute."""
        return 60 * self.orders / self.seconds

    @contextmanager
    def measured(self, tryton: Tryton, orders: int) -> Iterator[None]:
        """Add what the block takes."""
        theirs, ours, began = _processor_seconds(tryton.pid), time.process_time(), time.monotonic()
        yield
        self.seconds += time.monotonic() - began
        self.theirs += _processor_seconds(tryton.pid) - theirs
        self.ours += time.process_time() - ours
        self.orders += orders

    def __str__(self) -> str:
        """For a line of a table."""
        theirs, ours = (1000 * seconds / self.orders for seconds in (self.theirs, self.ours))
        return (
            f"{self.per_minute:6.0f} orders a minute; an order takes Tryton {theirs:4.0f} ms, the client {ours:3.0f} ms"
        )


def measure(server: str) -> dict[str, float]:
    """Measure on a PostgreSQL server that has no Tryton yet."""
    prepare.postgres(server)
    cores = os.cpu_count() or 1
    with tempfile.TemporaryDirectory(prefix="bench") as folder:
        log = Path(folder) / "tryton.log"
        with on_postgres(server, "bench", log, worker=True, processes=cores) as tryton:
            return _measure(tryton)


def _measure(tryton: Tryton) -> dict[str, float]:
    count = THREADS + ROUNDS * (ONE_BY_ONE + 2 * AT_ONCE)
    made = (VtexOrder.from_json(json.dumps(each.document)) for each in generate(count, 2026))
    orders = [map_order(each, account="bench") for each in made]
    tryton.add_products(orders)
    settings = TrytonSettings(tryton.base_url, tryton.database, tryton.key, (SHOP,), concurrency=THREADS)
    client = TrytonErpClient(settings, claims=OwnClaims())
    waiting = iter(orders)
    _in_threads(client.ensure, list(islice(waiting, THREADS)))
    slowly, ours, alone = Speed(), Speed(), Speed()
    for _ in range(ROUNDS):
        with slowly.measured(tryton, ONE_BY_ONE):
            for order in islice(waiting, ONE_BY_ONE):
                client.ensure(order)
        batches = _batches(list(islice(waiting, AT_ONCE)), client)
        with ours.measured(tryton, AT_ONCE):
            _in_threads(client.ensure_many, batches)
        requests = [_Requests.of(client, batch) for batch in _batches(list(islice(waiting, AT_ONCE)), client)]
        with alone.measured(tryton, AT_ONCE):
            _in_threads(_Requests.send, requests)
    console.print(
        f"one call after the other  {slowly}\nthis package              {ours}\nTryton alone              {alone}"
    )
    return {
        "tryton_per_minute": ours.per_minute,
        "tryton_one_by_one_per_minute": slowly.per_minute,
        "tryton_alone_per_minute": alone.per_minute,
        "tryton_part_of_the_best": ours.per_minute / alone.per_minute,
        "tryton_share_of_processor_time": ours.theirs / (ours.theirs + ours.ours),
    }


def _batches(orders: Sequence[SalesOrder], client: TrytonErpClient) -> list[Sequence[SalesOrder]]:
    return [orders[start : start + client.at_once] for start in range(0, len(orders), client.at_once)]


def _in_threads(act: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(act, parts))


@dataclass(frozen=True)
class _Requests:
    """What Tryton must be asked for at least, for a batch of orders of new customers."""

    client: TrytonErpClient
    parties: list[dict[str, Any]]
    sales: list[dict[str, Any]]

    @classmethod
    def of(cls, client: TrytonErpClient, orders: Sequence[SalesOrder]) -> _Requests:
        """Make them, as the client does."""
        drafts, nobody = client.drafts, Party(0, 0, 0)
        sales = [sale_of(order, client.settings) for order in orders]
        return cls(
            client,
            [drafts.parties.values(buyer_of(order)) for order in orders],
            [drafts.values(sale, nobody, drafts.lines(sale)) for sale in sales],
        )

    def send(self) -> None:
        """Make customers and drafts in a call each, then quote and confirm each sale."""
        api = self.client.api
        ids = api.create_many("party.party", self.parties, "bench")
        rows = {row["id"]: row for row in api.search("party.party", [["id", "in", ids]], ["addresses"], "bench")}
        for party, sale in zip(ids, self.sales, strict=True):
            where = rows[party]["addresses"]
            sale |= {"party": party, "invoice_address": where[0], "shipment_address": where[-1]}
        company = self.sales[0]["company"]
        for sale_id in api.create_many("sale.sale", self.sales, "bench", company=company):
            for button in ("quote", "confirm"):
                api.press("sale.sale", sale_id, button, [], "bench", company=company)


def _processor_seconds(pid: int) -> float:
    """User and system time of a process and its children, by /proc."""
    stats = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        stats[int(file.parent.name)] = (int(fields[1]), (int(fields[11]) + int(fields[12])) / _TICKS)
    return sum(seconds for each, (parent, seconds) in stats.items() if pid in (each, parent))


def main() -> None:
    """Measure and print."""
    with ExitStack() as stack:
        results = measure(postgres(stack))
    console.print({name: round(value, 2) for name, value in results.items()})


if __name__ == "__main__":
    main()
