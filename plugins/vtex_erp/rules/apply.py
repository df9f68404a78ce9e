"""The sales order in the ERP's own words. Pure but for the merchant's hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.errors import ParkError
from vtex_erp.rules.hook import call_hook
from vtex_erp.rules.kits import in_components
from vtex_erp.rules.model import Rules
from vtex_erp.sales.notes import words_at

if TYPE_CHECKING:
    from vtex_erp.rules.model import Codes, CustomerRules
    from vtex_erp.sales.model import Charge, Customer, Delivery, Dock, Line, Payment, SalesOrder
    from vtex_erp.vtex.order import VtexOrder

_NO_RULES = Rules()


def apply(sales_order: SalesOrder, rules: Rules, *, order: VtexOrder) -> SalesOrder:
    """Translate `sales_order`, which `order` became. Without rules it stays as it is.

    Raises ParkError: `<what>-not-mapped:<word>` where a table must hold a word and does not,
    `customer-without-document`, `company-without-document`, and `hook:<error>`.
    """
    if rules == _NO_RULES:
        return sales_order
    translated = _Translation(rules, order).sales_order(sales_order)
    return call_hook(rules.hook, translated, order) if rules.hook else translated


class _Translation:
    """The translation of one order."""

    def __init__(self, rules: Rules, order: VtexOrder) -> None:
        self._rules = rules
        self._order = order
        self._order_id = order.order_id

    def sales_order(self, order: SalesOrder) -> SalesOrder:
        order = order.model_copy(update={"lines": tuple(map(self._taxed, order.lines, range(len(order.lines))))})
        if self._rules.kits == "components":
            order = in_components(order, self._order)
        channel = self._code("sales-channel", self._rules.sales_channels, order.source.sales_channel)
        return order.model_copy(
            update={
                "source": order.source.model_copy(update={"sales_channel": channel}),
                "customer": self._customer(order.customer, self._rules.customers),
                "lines": tuple(map(self._line, order.lines)),
                "deliveries": tuple(map(self._delivery, order.deliveries)),
                "charges": tuple(map(self._charge, order.charges)),
                "payments": tuple(map(self._payment, order.payments)),
                "note": self._note(order.note),
            }
        )

    def _note(self, own: str | None) -> str | None:
        found = ((path, words_at(self._order, path)) for path in self._rules.notes)
        return "\n".join(filter(None, (own, *(f"{path}: {words}" for path, words in found if words)))) or None

    def _taxed(self, line: Line, index: int) -> Line:
        word, table = words_at(self._order, f"items.{index}.taxCode"), self._rules.taxes
        if not line.tax or word is None or (word not in table.codes and table.unknown == "keep"):
            return line
        return line.model_copy(update={"tax_code": self._code("tax", table, word)})

    def _code(self, what: str, table: Codes, word: str | None) -> str | None:
        if word is None:
            return None
        code = table.codes.get(word)
        if code is None and table.unknown == "park":
            raise self._parked(f"{what}-not-mapped:{word}", f"the rules have no code for {what} {word!r}")
        return code or word

    def _product(self, sku: str | None, ref_id: str | None) -> str | None:
        table = self._rules.skus
        return (
            ref_id
            if sku is None or (sku not in table.codes and table.unknown == "keep")
            else self._code("sku", table, sku)
        )

    def _unit(self, unit: str) -> str:
        return self._code("unit", self._rules.units, unit) or unit

    def _line(self, line: Line) -> Line:
        parts = (
            part.model_copy(
                update={
                    "ref_id": self._product(part.sku, part.ref_id),
                    "unit_of_measure": self._unit(part.unit_of_measure),
                }
            )
            for part in line.components
        )
        return line.model_copy(
            update={
                "ref_id": self._product(line.sku, line.ref_id),
                "unit_of_measure": self._unit(line.unit_of_measure),
                "components": tuple(parts),
            }
        )

    def _delivery(self, delivery: Delivery) -> Delivery:
        carrier = self._code("carrier", self._rules.carriers, delivery.carrier)
        return delivery.model_copy(update={"carrier": carrier, "docks": tuple(map(self._dock, delivery.docks))})

    def _dock(self, dock: Dock) -> Dock:
        return dock.model_copy(
            update={
                "dock_id": self._code("dock", self._rules.docks, dock.dock_id),
                "warehouse_id": self._code("warehouse", self._rules.warehouses, dock.warehouse_id),
                "courier_id": self._code("courier", self._rules.couriers, dock.courier_id),
            }
        )

    def _charge(self, charge: Charge) -> Charge:
        return charge.model_copy(update={"id": self._code("charge", self._rules.charges, charge.id)})

    def _payment(self, payment: Payment) -> Payment:
        return payment.model_copy(update={"system": self._code("payment", self._rules.payments, payment.system)})

    def _customer(self, customer: Customer, rules: CustomerRules) -> Customer:
        if customer.company and not customer.company.document:
            customer = self._company_without_document(customer, rules)
        company_document = customer.company.document if customer.company else None
        if rules.without_document == "park" and not (customer.document or company_document):
            raise self._parked("customer-without-document", "the customer has no document, which the rules ask for")
        kind = customer.document_type or (rules.default_document_type if customer.document else None)
        if customer.document_type:
            # The shop's own field, in which VTEX keeps `cpf` as well as `CPF`.
            same = (word for word in rules.document_types.codes if word.casefold() == customer.document_type.casefold())
            kind = self._code("document-type", rules.document_types, next(same, customer.document_type))
        return customer.model_copy(update={"document_type": kind})

    def _company_without_document(self, customer: Customer, rules: CustomerRules) -> Customer:
        if rules.company_without_document == "park":
            raise self._parked("company-without-document", "the company has no document, which the rules ask for")
        if rules.company_without_document == "keep":
            return customer
        person = " ".join(name for name in (customer.first_name, customer.last_name) if name) or None
        return customer.model_copy(update={"type": "person", "name": person, "company": None})

    def _parked(self, cause: str, trouble: str) -> ParkError:
        return ParkError(
            f"VTEX order {self._order_id}: {trouble}. Complete the rules file (or the order in VTEX), then clear "
            "map_orders with downstream.",
            cause=cause,
        )
