"""Makes products that Tryton does not have, where the connection says so."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from vtex_erp.erp.claims import alone

if TYPE_CHECKING:
    from vtex_erp.erp.claims import Claims
    from vtex_erp.erp.tryton.api import TrytonApi
    from vtex_erp.erp.tryton.catalogue import Catalogue, Product
    from vtex_erp.erp.tryton.sale import SaleLine
    from vtex_erp.transport import Sleep


@dataclass(frozen=True)
class Products:
    """Makes products, once, whoever else meets the same one at the same time. Threads share it."""

    api: TrytonApi
    catalogue: Catalogue
    claims: Claims
    sleep: Sleep

    def make(self, line: SaleLine, task: str, *, company: int) -> Product:
        """Make the product of a line, under the best of its codes."""
        code = line.products[0]
        with alone(self.claims, [f"product:{code}"], task, self.sleep) as held, self.api.hurried():
            found = self.catalogue.look_again(code)
            if found is None:
                with held.creating():
                    self._create(line, code, task, company)
                found = self.catalogue.look_again(code)
        if found is None:
            raise self.catalogue.wrong("product_category", f"product {code!r} was made, and cannot be sold")
        return found

    def _create(self, line: SaleLine, code: str, task: str, company: int) -> None:
        unit = self.catalogue.unit(line.unit, None)
        values = {
            "name": line.description or code,
            "type": "goods",
            "salable": True,
            "default_uom": unit,
            "sale_uom": unit,
            "list_price": Decimal(0),
            "account_category": self.catalogue.product_category(),
            "products": [["create", [{"suffix_code": code}]]],
        }
        self.api.create("product.template", values, [], f"{task}: make product {code}", company=company)
