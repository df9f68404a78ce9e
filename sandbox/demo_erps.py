"""The two ERPs of the demo: a real Tryton, or the simulated REST ERP. What each holds, in the same words."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Protocol

from sandbox.orders import generate
from sandbox.tryton.server import SHOP, on_sqlite
from vtex_erp.errors import ParkError
from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.order import VtexOrder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sandbox.client import PlacedOrder, Sandbox
    from sandbox.tryton.server import Tryton
    from vtex_erp.sales.model import SalesOrder


@dataclass(frozen=True)
class Held:
    """An order in the ERP: the numbers of its sales (one, if all is well), their state and total."""

    numbers: tuple[str, ...]
    total: Decimal
    state: str = ""


class DemoErp(Protocol):
    """What the demo needs of an ERP."""

    name: str
    connection: dict[str, Any]

    def get_ready(self, good: Sequence[SalesOrder], refused: PlacedOrder) -> None:
        """Know the products of the good orders, and refuse the other one."""

    def count(self) -> int:
        """How many orders the ERP holds."""

    def held(self) -> dict[str, Held]:
        """Everything that the ERP holds, by external id."""


class RestErp:
    """The REST ERP of the sandbox, which refuses what it is told to."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.name = f"REST ERP at {sandbox.erp_url}"
        self.connection: dict[str, Any] = {"conn_type": "http", "host": sandbox.erp_url}
        self._sandbox = sandbox

    def get_ready(self, good: Sequence[SalesOrder], refused: PlacedOrder) -> None:  # noqa: ARG002 - it has no products
        """Refuse one order."""
        external_id = f"{self._sandbox.account}:{refused.order_id}"
        self._sandbox.refuse(external_id=external_id, status=422, message="The product is not known.")

    def count(self) -> int:
        """Count the orders."""
        return len(self._sandbox.erp_orders())

    def held(self) -> dict[str, Held]:
        """Read the orders."""
        orders = self._sandbox.erp_orders().items()
        return {name: Held(tuple(order["ids"]), Decimal(order["total"])) for name, order in orders}


class TrytonErp:
    """A Tryton, which does not know the product of one order."""

    def __init__(self, tryton: Tryton) -> None:
        self.name = f"Tryton at {tryton.base_url}"
        self.connection: dict[str, Any] = {
            "conn_type": "tryton",
            "host": tryton.base_url,
            "schema": tryton.database,
            "password": tryton.key,
            "extra": {"web_shops": SHOP, "concurrency": 2},
        }
        self._tryton = tryton

    def get_ready(self, good: Sequence[SalesOrder], refused: PlacedOrder) -> None:  # noqa: ARG002 - its product is left out
        """Make the products of the good orders."""
        self._tryton.add_products(good)

    def count(self) -> int:
        """Count the confirmed sales."""
        domain = [["web_shop.name", "=", SHOP], ["state", "=", "confirmed"]]
        return len(self._tryton.admin.search("sale.sale", domain, [], "count the sales"))

    def held(self) -> dict[str, Held]:
        """Read the sales."""
        found: dict[str, Held] = {}
        for sale in self._tryton.sales():
            numbers = found[sale["web_id"]].numbers if sale["web_id"] in found else ()
            number = sale["number"] or f"draft {sale['id']}"
            found[sale["web_id"]] = Held((*numbers, number), sale["total_amount"], sale["state"])
        return found


@contextmanager
def running(kind: str, sandbox: Sandbox, home: Path) -> Iterator[DemoErp]:
    """Run the ERP, `tryton` or `rest`, for the length of the block."""
    if kind == "rest":
        yield RestErp(sandbox)
        return
    with on_sqlite(home, worker=True) as tryton:
        yield TrytonErp(tryton)


def sales_orders(account: str, count: int, seed: int) -> list[SalesOrder]:
    """The sales orders of what the sandbox generates for the same arguments; those that nobody can map are left out."""
    found = []
    for each in generate(count, seed, account=account)[:count]:
        try:
            found.append(map_order(VtexOrder.from_json(json.dumps(each.document)), account=account))
        except ParkError:  # noqa: PERF203
            continue
    return found
