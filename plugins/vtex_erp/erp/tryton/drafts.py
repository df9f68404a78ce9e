"""Makes drafts of orders: many customers in one call, many sales in one call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from vtex_erp.erp.tryton.api import Record, RefusedError
from vtex_erp.erp.tryton.catalogue import first
from vtex_erp.erp.tryton.parties import Party
from vtex_erp.erp.tryton.people import address_id, buyer_of
from vtex_erp.errors import ParkError, UnclearError, VtexErpError, attempt

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from vtex_erp.erp.tryton.api import TrytonApi
    from vtex_erp.erp.tryton.catalogue import Catalogue, Product, Shop
    from vtex_erp.erp.tryton.parties import Parties
    from vtex_erp.erp.tryton.products import Products
    from vtex_erp.erp.tryton.sale import Sale, SaleLine
    from vtex_erp.erp.tryton.settings import TrytonSettings
    from vtex_erp.sales.model import SalesOrder

DRAFT = "draft"
_WRITTEN = (
    *("comment", "currency", "web_shop", "warehouse", "create_uid", "write_uid", "party.name"),
    *(
        f"{which}_address.{name}"
        for which in ("invoice", "shipment")
        for name in ("street", "postal_code", "city", "attn")
    ),
    *(f"lines.{name}" for name in ("product", "unit", "quantity", "unit_price", "sequence", "create_uid", "write_uid")),
)

Draft = Record | VtexErpError
"""A sale as it stands after it was made, or why it was not."""


@dataclass(frozen=True)
class Drafts:
    """Makes drafts. Threads share it."""

    api: TrytonApi
    settings: TrytonSettings
    catalogue: Catalogue
    parties: Parties
    products: Products

    def make(self, sales: Mapping[str, Sale], orders: Mapping[str, SalesOrder]) -> dict[str, Draft]:
        """Make a draft of each sale, by external id."""
        lines = {name: attempt(self.lines, sale) for name, sale in sales.items()}
        buyers = {name: buyer_of(orders[name]) for name, made in lines.items() if not isinstance(made, VtexErpError)}
        parties = self.parties.ensure_all(buyers, task_of(buyers)) if buyers else {}
        drafts: dict[str, Draft] = {}
        values: dict[str, Record] = {}
        for name, sale in sales.items():
            made = attempt(self._with_party, sale, parties.get(name), lines[name])
            if isinstance(made, VtexErpError):
                drafts[name] = made
            else:
                values[name] = made
        for company in sorted({each["company"] for each in values.values()}):
            drafts |= self._create({k: v for k, v in values.items() if v["company"] == company}, company)
        return drafts

    def _with_party(self, sale: Sale, party: Party | VtexErpError | None, lines: list[Record] | VtexErpError) -> Record:
        if isinstance(lines, VtexErpError):
            raise lines
        if party is None or isinstance(party, VtexErpError):
            raise party or UnclearError(f"Nobody has looked for the customer of order {sale.web_id}.")
        return self.values(sale, party, lines)

    def values(self, sale: Sale, party: Party, lines: list[Record]) -> Record:
        """A sale as values to create."""
        return {**self._head(sale, party), "lines": [["create", lines]]}

    def is_outdated(self, sale_id: int, sale: Sale, order: SalesOrder, task: str) -> bool:
        """Whether a sale that nobody else has touched says something else than would be written now.

        A worker may have died at it before the rules, or the order in VTEX, were changed.
        """
        rows = self.api.search("sale.sale", [["id", "=", sale_id]], _WRITTEN, task)
        made = [*rows, *(line for row in rows for line in row["lines"])]
        authors = {each[name] for each in made for name in ("create_uid", "write_uid") if each[name] is not None}
        return len(authors) == 1 and self._differs(rows[0], sale, order)

    def _differs(self, row: Record, sale: Sale, order: SalesOrder) -> bool:
        head, buyer = self._head(sale, Party(0, 0, 0)), buyer_of(order)
        places = (("invoice_address", buyer.invoice), ("shipment_address", buyer.shipment))
        return (
            any(row[name] != head[name] for name in ("web_shop", "currency", "warehouse") if name in head)
            or (row["comment"] or "").split() != sale.comment.split()
            or any(
                address_id(self.parties.address(place), {**row["party"], "addresses": [row[name]]}) is None
                for name, place in places
                if place
            )
            or list(map(_sold, sorted(row["lines"], key=lambda line: line["sequence"] or 0)))
            != list(map(_sold, self.lines(sale)))
        )

    def _create(self, values: Mapping[str, Record], company: int) -> dict[str, Draft]:
        """Create drafts in one call, which makes all or none; where one is refused, both halves are tried."""
        try:
            ids = self.api.create_many("sale.sale", list(values.values()), task_of(values), company=company)
        except RefusedError as error:
            names = list(values)
            if len(names) == 1:
                return {names[0]: error}
            half = len(names) // 2
            parts = ({name: values[name] for name in part} for part in (names[:half], names[half:]))
            return {name: draft for part in parts for name, draft in self._create(part, company).items()}
        except VtexErpError as error:
            return dict.fromkeys(values, error)
        return {name: _draft(made, name, company) for name, made in zip(values, ids, strict=True)}

    def lines(self, sale: Sale) -> list[Record]:
        """The lines of a sale, as values to create. Raises ParkError for what Tryton does not know."""
        self._warehouse(sale, self._shop(sale))  # before a customer is made for it
        products = self.catalogue.products({code for line in sale.lines for code in line.products})
        return [
            self._line(line, _product(line, products) or self._other_product(line, sale), index)
            for index, line in enumerate(sale.lines, 1)
        ]

    def _head(self, sale: Sale, party: Party) -> Record:
        shop = self._shop(sale)
        warehouse = self._warehouse(sale, shop)
        term = self.catalogue.payment_term()
        return {
            "company": shop.company,
            "web_shop": shop.id,
            "web_id": sale.web_id,
            "reference": sale.reference,
            "currency": self.catalogue.currency(sale.currency),
            "party": party.id,
            "invoice_address": party.invoice_address,
            "shipment_address": party.shipment_address,
            "sale_date": _date(sale.placed_at, shop.time_zone),
            "comment": sale.comment,
            **({} if warehouse is None else {"warehouse": warehouse}),
            **({} if term is None else {"payment_term": term}),
        }

    def _shop(self, sale: Sale) -> Shop:
        shop = self.catalogue.shops.get(sale.web_shop)
        if shop is None:
            raise ParkError(
                f"Order {sale.web_id} is to go to web shop {sale.web_shop!r}, which is not in `web_shops` of the "
                "connection. Correct `sales_channels` in the rules file and clear map_orders with downstream, or name "
                "it there and clear submit_orders.",
                cause=f"web-shop-not-named:{sale.web_shop}",
            )
        return shop

    def _warehouse(self, sale: Sale, shop: Shop) -> int | None:
        """The warehouse by its code; where there is no choice, the shop's own."""
        codes = [code for code in shop.warehouses if code]
        if sale.warehouse and len(codes) > 1 and sale.warehouse not in codes:
            raise ParkError(
                f"Order {sale.web_id} leaves from warehouse {sale.warehouse!r}, and web shop {shop.name!r} has "
                f"{', '.join(sorted(codes))}. Correct `warehouses` in the rules file and clear map_orders with "
                "downstream, or the codes in Tryton and clear submit_orders.",
                cause=f"warehouse-not-mapped:{sale.warehouse}",
            )
        return shop.warehouses.get(sale.warehouse or "", shop.warehouses.get(""))

    def _other_product(self, line: SaleLine, sale: Sale) -> Product:
        """The product of a line whose codes Tryton does not know."""
        if line.own_product:
            return self.catalogue.own_product(line.own_product)
        if self.settings.create_products and line.products:
            company = self.catalogue.shops[sale.web_shop].company
            return self.products.make(line, f"create order {sale.web_id}", company=company)
        raise ParkError(
            f"{self.api.server} has no product for SKU {line.sku} of order {sale.web_id} (looked for the codes "
            f"{', '.join(line.products) or 'of nothing'}). Create it there, or put its code into `skus` of the rules "
            "file, then clear submit_orders (or map_orders with downstream).",
            cause=f"sku-not-mapped:{line.sku}",
        )

    def _line(self, line: SaleLine, product: Product, index: int) -> Record:
        return {
            "type": "line",
            "sequence": index,
            "product": product.id,
            "unit": self.catalogue.unit(line.unit, product),
            "quantity": float(line.quantity),
            "unit_price": line.unit_price,
            "description": line.description,
            "note": line.note,
            **({"taxes": [["add", [self.catalogue.tax(line.tax_name)]]]} if line.tax_name else {}),
        }


def _sold(line: Record) -> tuple[Any, ...]:
    return tuple(line[name] for name in ("product", "unit", "quantity", "unit_price"))


def _product(line: SaleLine, products: Mapping[str, Product]) -> Product | None:
    """The product of a line's codes. A charge's id may by chance be the code of an article, which is not shipped."""
    if line.own_product:
        products = {code: product for code, product in products.items() if product.is_service}
    return first(products, line.products)


def task_of(names: Collection[str]) -> str:
    """Say what is to be done, for messages."""
    return f"create order {next(iter(names))}" if len(names) == 1 else f"create {len(names)} orders"


def _draft(made: int, external_id: str, company: int) -> Record:
    return {"id": made, "web_id": external_id, "company": company, "state": DRAFT, "number": None}


def _date(moment: datetime, time_zone: str) -> dict[str, Any]:
    day = moment.astimezone(ZoneInfo(time_zone))
    return {"__class__": "date", "year": day.year, "month": day.month, "day": day.day}
