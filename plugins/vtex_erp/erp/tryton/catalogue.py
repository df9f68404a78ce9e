"""What is looked up in Tryton once for a task: web shops, products, units, currencies, countries, taxes."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vtex_erp.errors import ConfigurationError, ParkError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from vtex_erp.erp.tryton.api import Record, TrytonApi
    from vtex_erp.erp.tryton.settings import TrytonSettings

_PIECE = "un"
_TRYTON_PIECE = "u"
"""VTEX's unit of goods that are counted: whatever unit Tryton sells the product in."""


@dataclass(frozen=True)
class Shop:
    """A web shop. `warehouses` are ids by code, the shop's first one under the empty code."""

    id: int
    name: str
    company: int
    time_zone: str
    warehouses: Mapping[str, int]


@dataclass(frozen=True)
class Product:
    """A product that can be sold."""

    id: int
    code: str
    unit: int
    is_service: bool


@dataclass
class Catalogue:
    """Looks things up, and remembers them. Threads share it."""

    api: TrytonApi
    settings: TrytonSettings
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _known: dict[Any, Any] = field(default_factory=dict)

    @property
    def shops(self) -> Mapping[str, Shop]:
        """The connection's web shops by name. Raises ConfigurationError naming those that Tryton does not have."""
        shops: Mapping[str, Shop] = self._once("shops", self._read_shops)
        return shops

    def currency(self, code: str) -> int:
        """The id of a currency. Raises ParkError (`currency-not-in-erp:<code>`)."""
        found = self._one("currency.currency", "code", code)
        if found is None:
            raise ParkError(
                f"{self.api.server} has no currency {code}. Create it there, then clear submit_orders.",
                cause=f"currency-not-in-erp:{code}",
            )
        return found

    def payment_term(self) -> int | None:
        """The id of the connection's payment term. Raises ConfigurationError when Tryton does not have it."""
        name = self.settings.payment_term
        found = self._one("account.invoice.payment_term", "name", name) if name else None
        if name and found is None:
            raise self.wrong("payment_term", f"Tryton has no payment term {name!r}")
        return found

    def tax(self, name: str) -> int:
        """The id of a customer tax. Raises ParkError (`tax-not-mapped:<name>`)."""
        found = self._one("account.tax", "name", name)
        if found is None:
            raise ParkError(
                f"{self.api.server} has no tax {name!r}. Correct `taxes` in the rules file, then clear map_orders with "
                "downstream.",
                cause=f"tax-not-mapped:{name}",
            )
        return found

    def country(self, code3: str | None) -> int | None:
        """The id of a country by its three letters; None for one that Tryton does not have."""
        return self._one("country.country", "code3", code3) if code3 else None

    def subdivision(self, country: int | None, state: str | None) -> int | None:
        """The id of a state by its code (`SP` for BR-SP) or name."""
        if country is None or not state:
            return None
        names: Mapping[str, int] = self._once(("states", country), lambda: self._read_states(country))
        return names.get(state.casefold())

    def unit(self, word: str, product: Product | None) -> int:
        """The id of a unit by symbol or name. Raises ParkError (`unit-not-mapped:<word>`)."""
        units: Mapping[str, int] = self._once("units", self._read_units)
        found = units.get(word) or units.get(word.casefold())
        if found is None and word == _PIECE:
            found = product.unit if product else units.get(_TRYTON_PIECE)
        if found is None:
            raise ParkError(
                f"{self.api.server} has no unit {word!r}. Put Tryton's symbol into `units` of the rules file, then "
                "clear map_orders with downstream.",
                cause=f"unit-not-mapped:{word}",
            )
        return found

    def products(self, codes: Collection[str]) -> Mapping[str, Product]:
        """The products that can be sold, by code or EAN; what Tryton does not have is not in the answer."""
        with self._lock:
            unknown = sorted(code for code in set(codes) if ("product", code) not in self._known)
            if unknown:
                read = self._read_products(unknown)
                self._known |= {("product", code): read.get(code) for code in unknown}
            found = {code: self._known[("product", code)] for code in codes}
        return {code: product for code, product in found.items() if product}

    def look_again(self, code: str) -> Product | None:
        """The product, where another worker, or we, may have made it meanwhile."""
        with self._lock:
            self._known.pop(("product", code), None)
            return self.products([code]).get(code)

    def product_category(self) -> int:
        """The id of the accounting category for new products. Raises ConfigurationError."""
        name = self.settings.product_category
        found = self._one("product.category", "name", name) if name else None
        if found is None:
            raise self.wrong("product_category", f"Tryton has no product category {name!r}")
        return found

    def own_product(self, field_name: str) -> Product:
        """The product for an amount that is no article. Raises ConfigurationError naming the connection's field."""
        code: str = getattr(self.settings, field_name)
        found = self.products([code]).get(code)
        if found is None:
            raise self.wrong(field_name, f"Tryton has no product with code {code!r} that can be sold")
        return found

    def wrong(self, field_name: str, trouble: str) -> ConfigurationError:
        """Make the error for a field of the connection that does not fit what Tryton holds."""
        return ConfigurationError(
            f"Connection {self.settings.connection_id!r}, field {field_name}: {trouble}. Create it in Tryton, or "
            "correct the field."
        )

    def _once(self, key: Any, read: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._known:
                self._known[key] = read()
            return self._known[key]

    def _one(self, model: str, field_name: str, word: str) -> int | None:
        """The id of the record whose field is the word; only what is there is remembered."""
        key = (model, word)
        with self._lock:
            if key not in self._known:
                rows = self.api.search(model, [[field_name, "=", word]], [], f"look up {model} {word!r}")
                if not rows:
                    return None
                self._known[key] = rows[0]["id"]
            found: int = self._known[key]
            return found

    def _read_shops(self) -> Mapping[str, Shop]:
        names = list(self.settings.web_shops)
        fields = ["name", "company", "company.timezone", "warehouses.code"]
        rows = self.api.search("web.shop", [["name", "in", names]], fields, "look up the web shops")
        shops = {row["name"]: _shop(row) for row in rows}
        missing = [name for name in names if name not in shops]
        if missing:
            raise self.wrong("web_shops", f"Tryton has no web shop {', '.join(map(repr, missing))}")
        return shops

    def _read_states(self, country: int) -> Mapping[str, int]:
        rows = self.api.search(
            "country.subdivision", [["country", "=", country]], ["code", "name"], "look up the states of a country"
        )
        by_name = {row["name"].casefold(): row["id"] for row in rows}
        return by_name | {row["code"].partition("-")[2].casefold(): row["id"] for row in rows}

    def _read_units(self) -> Mapping[str, int]:
        rows = self.api.search("product.uom", [], ["symbol", "name"], "look up the units")
        names = {row["name"].casefold(): row["id"] for row in reversed(rows)}
        return names | {row["symbol"]: row["id"] for row in reversed(rows)}

    def _read_products(self, codes: list[str]) -> Mapping[str, Product]:
        domain = [["salable", "=", True], ["OR", ["code", "in", codes], ["identifiers.code", "in", codes]]]
        fields = ["code", "identifiers.code", "sale_uom", "type"]
        rows = self.api.search("product.product", domain, fields, "look up products")
        by_ean = {each["code"]: _product(row) for row in reversed(rows) for each in row.get("identifiers") or ()}
        return by_ean | {row["code"]: _product(row) for row in reversed(rows) if row["code"]}


def first(products: Mapping[str, Product], codes: Iterable[str]) -> Product | None:
    """The product of the first code that is known."""
    return next((products[code] for code in codes if code in products), None)


def _shop(row: Record) -> Shop:
    warehouses = {each["code"]: each["id"] for each in reversed(row.get("warehouses") or ()) if each.get("code")}
    first_one = {"": row["warehouses"][0]["id"]} if row.get("warehouses") else {}
    company = row["company"]
    return Shop(row["id"], row["name"], company["id"], company.get("timezone") or "UTC", {**warehouses, **first_one})


def _product(row: Record) -> Product:
    return Product(row["id"], row["code"] or "", row["sale_uom"], row["type"] == "service")
