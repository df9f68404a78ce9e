"""Runs a prepared Tryton on a free port, and speaks to it as its administrator."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, make_url, text

from sandbox.airflow import free_port
from sandbox.tryton import prepare
from sandbox.tryton.prepare import DATABASE, KEY, TrytonError
from vtex_erp.erp.tryton.api import TrytonApi
from vtex_erp.erp.tryton.settings import TrytonSettings
from vtex_erp.errors import VtexErpError
from vtex_erp.transport import pooled_session

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from vtex_erp.sales.model import Component, Line, SalesOrder

SHOP, TAX = "Loja Modelo", "Sales tax 10%"
"""The web shop and the tax that `inside.py` makes."""
_START_SECONDS = 120
_PRODUCTS_AT_ONCE = 50  # SQLite bears no more


@dataclass(frozen=True)
class Tryton:
    """A running Tryton. `base_url` and `database` are for the connection; `pid` is its process."""

    base_url: str
    pid: int
    database: str = DATABASE
    key: str = KEY
    admin: TrytonApi = field(init=False, repr=False)

    def __post_init__(self) -> None:  # noqa: D105
        settings = TrytonSettings(self.base_url, self.database, f"admin{KEY}", (SHOP,))
        session = pooled_session(self.base_url, concurrency=8)
        api = TrytonApi(settings, session=session, clock=time.monotonic, sleep=time.sleep)
        object.__setattr__(self, "admin", api)

    def sales(self, shop: str = SHOP) -> list[dict[str, Any]]:
        """All sales of a web shop, in the order of their making."""
        fields = ["web_id", "number", "state", "total_amount", "party", "comment"]
        return self.admin.search("sale.sale", [["web_shop.name", "=", shop]], fields, "list the sales")

    def add_shop(self, name: str) -> None:
        """Make a web shop, an empty one for one test."""
        (like,) = self.admin.search("web.shop", [["name", "=", SHOP]], ["company", "currency", "warehouses"], "read it")
        values = {"name": name, "company": like["company"], "currency": like["currency"]}
        values["warehouses"] = [["add", like["warehouses"]]]
        self.admin.create("web.shop", values, [], "make a web shop", company=1)

    def forget_web_ids(self) -> None:
        """Let no sale be of an order any more, so that the next test may use the same orders."""
        for sale in self.admin.search("sale.sale", [["web_id", "like", "%:%"]], [], "find the orders"):
            self.admin.write("sale.sale", sale["id"], {"web_id": f"old {sale['id']}"}, "forget an order", company=1)

    def add_key(self, key: str) -> int:
        """Make another application key for the integration's user."""
        (user,) = self.admin.search("res.user", [["login", "=", "vtex"]], [], "find the user")
        values = {"user": user["id"], "application": "rest", "key": key}
        return int(self.admin.create("res.user.application", values, [], "make a key")["id"])

    def add_user(self, login: str) -> tuple[int, str]:
        """Make a user who may do nothing, and a key for him."""
        user = int(self.admin.create("res.user", {"name": login, "login": login}, [], "make a user")["id"])
        key = f"{user:064}"
        values = {"user": user, "application": "rest", "key": key}
        self.admin.create("res.user.application", values, [], "make a key")
        return user, key

    def withdraw_key(self, key_id: int) -> None:
        """Cancel an application key."""
        self.admin.press("res.user.application", key_id, "cancel", [], "withdraw a key")

    def add_products(self, orders: Iterable[SalesOrder]) -> int:
        """Make the products of the orders that Tryton does not have; the number of them."""
        sold: list[Line | Component] = [line for order in orders for line in order.lines]
        sold += [part for order in orders for line in order.lines for part in line.components]
        wanted = {
            code: (each.description or code, each.unit_of_measure) for each in sold if (code := each.ref_id or each.sku)
        }
        rows = self.admin.search("product.product", [["code", "in", list(wanted)]], ["code"], "find products")
        missing = [code for code in wanted if code not in {row["code"] for row in rows}]
        templates = {unit: self._template(unit) for unit in sorted({wanted[code][1] for code in missing})}
        values = [
            # A variant costs Tryton a fraction of what a template costs; the lines have the names.
            {"template": templates[wanted[code][1]], "suffix_code": code, "description": wanted[code][0]}
            for code in missing
        ]
        for start in range(0, len(values), _PRODUCTS_AT_ONCE):
            part = values[start : start + _PRODUCTS_AT_ONCE]
            self.admin.create_many("product.product", part, "make products", company=1)
        return len(missing)

    def _template(self, unit: str) -> int:
        """Find or make the template of the goods that are sold in a unit."""
        name = f"Goods by {unit}"
        found = self.admin.search("product.template", [["name", "=", name]], [], "find the template")
        if found:
            return int(found[0]["id"])
        units = {row["symbol"]: row["id"] for row in self.admin.search("product.uom", [], ["symbol"], "read units")}
        (category,) = self.admin.search("product.category", [["name", "=", "Merchandise"]], [], "find the category")
        unit_id = units.get(unit, units["u"])
        values = {
            "name": name,
            "type": "goods",
            "salable": True,
            "account_category": category["id"],
            "default_uom": unit_id,
            "sale_uom": unit_id,
            "list_price": Decimal(0),
        }
        return int(self.admin.create("product.template", values, [], "make the template", company=1)["id"])

    def process(self, sale_id: int) -> None:
        """Let a confirmed sale be processed, as Tryton's worker does: a shipment and an invoice come of it."""
        self.admin.press("sale.sale", sale_id, "process", [], "process a sale", company=1)

    def ship(self, sale_id: int) -> None:
        """Process a sale and ship its goods."""
        self.process(sale_id)
        (sale,) = self.admin.search("sale.sale", [["id", "=", sale_id]], ["shipments"], "find the shipments")
        for shipment in sale["shipments"]:
            for button in ("assign_force", "pick", "pack", "do"):
                self.admin.press("stock.shipment.out", shipment, button, [], f"{button} the goods", company=1)


@contextmanager
def on_sqlite(folder: Path, *, worker: bool = False) -> Iterator[Tryton]:
    """Run on a copy of the prepared SQLite file. `worker`: as `running`.

    Tryton answers one request after the other: on SQLite, two at a time would take the same number of a sequence.
    """
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(prepare.sqlite(), folder / f"{DATABASE}.sqlite")
    settings = {"TRYTOND_DATABASE__URI": "sqlite://", "TRYTOND_DATABASE__PATH": str(folder)}
    with running(settings, folder / "tryton.log", worker=worker, threads=1) as tryton:
        yield tryton


@contextmanager
def on_postgres(server: str, name: str, log: Path, *, worker: bool = False, processes: int = 1) -> Iterator[Tryton]:
    """Run on a copy of the prepared database of a PostgreSQL server (`prepare.postgres`)."""
    engine = create_engine(make_url(server).set(drivername="postgresql+psycopg2"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {DATABASE}"))
    engine.dispose()
    settings = {"TRYTOND_DATABASE__URI": prepare.tryton_uri(server)}
    with running(settings, log, worker=worker, database=name, processes=processes) as tryton:
        yield tryton


@contextmanager
def running(
    settings: Mapping[str, str],
    log: Path,
    *,
    worker: bool = False,
    database: str = DATABASE,
    processes: int = 1,
    threads: int = 8,
) -> Iterator[Tryton]:
    """Run Tryton under gunicorn for the length of the block.

    With `worker`, confirmed sales wait for a worker that does not run, as they wait in an installation with a delay;
    else Tryton processes a sale in the request that confirms it.
    """
    port = free_port()
    address = f"127.0.0.1:{port}"
    variables = {
        **settings,
        "TRYTOND_QUEUE__WORKER": str(worker),
        "TRYTOND_DATABASE_NAMES": database,
    }
    with log.open("ab") as output:
        process = subprocess.Popen(
            _command(address, processes, threads),
            env=prepare.environment(variables),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        tryton = Tryton(f"http://{address}", process.pid, database)
        _wait(process, tryton, log)
        yield tryton
    finally:
        _stop(process)


def _command(address: str, processes: int, threads: int) -> Sequence[str]:
    options = ["--bind", address, "--workers", str(processes), "--threads", str(threads), "--timeout", "300"]
    return [str(prepare.python().with_name("gunicorn")), *options, "trytond.application:app"]


def _wait(process: subprocess.Popen[bytes], tryton: Tryton, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(VtexErpError):
            tryton.admin.search("web.shop", [], [], "see whether it is up")
            return
        time.sleep(0.2)
    raise TrytonError(f"Tryton did not start:\n{log.read_text(errors='replace')[-3000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
