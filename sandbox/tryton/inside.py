"""Fills an empty Tryton database with a company that sells. Runs in Tryton's own environment, not in this project's.

python inside.py DATABASE APPLICATION_KEY
"""

from __future__ import annotations

import datetime as dt
import sys
from decimal import Decimal
from typing import Any

from proteus import Model, Wizard, config  # type: ignore[import-not-found]

CURRENCIES = {"BRL": ("R$", "0.01"), "COP": ("$", "0.01"), "CLP": ("$", "1"), "USD": ("US$", "0.01")}
COUNTRIES = {
    "BRA": (
        "BR",
        "Brazil",
        {"SP": "São Paulo", "RJ": "Rio de Janeiro", "MG": "Minas Gerais", "RS": "Rio Grande do Sul"},
    ),
    "COL": ("CO", "Colombia", {"ANT": "Antioquia"}),
    "CHL": ("CL", "Chile", {"RM": "Región Metropolitana"}),
}
SERVICES = {"SHIPPING": "Shipping", "TAX": "Taxes that VTEX computed", "CHARGES": "Charges and corrections"}
TAX = "Sales tax 10%"
SHOPS = ("Loja Modelo", "Outlet")
LOGIN = "vtex"
GROUPS = ("Sales",)
"""All that the adapter's user needs."""
YEARS = (2024, 2028)


def main(database: str, key: str) -> None:
    """Make everything, as a consultant would by hand."""
    config.set_trytond(database, user="admin")
    currencies = {code: _currency(code, *rest) for code, rest in CURRENCIES.items()}
    for code3, country in COUNTRIES.items():
        _country(code3, *country)
    company = _company(currencies["BRL"])
    accounts = _chart(company)
    for year in range(*YEARS):
        _fiscal_year(company, year)
    _products(accounts)
    _tax()
    _web_shops(company, currencies["BRL"])
    _user(company, key)


def _new(model: str, **values: Any) -> Any:
    record = Model.get(model)()
    for name, value in values.items():
        setattr(record, name, value)
    return record


def _saved(model: str, **values: Any) -> Any:
    record = _new(model, **values)
    record.save()
    return record


def _one(model: str, *domain: tuple[str, str, Any]) -> Any:
    found: list[Any] = Model.get(model).find(list(domain), limit=1)
    return found[0]


def _currency(code: str, symbol: str, rounding: str) -> Any:
    digits = -Decimal(rounding).as_tuple().exponent  # type: ignore[operator]
    currency = _new("currency.currency", code=code, name=code, symbol=symbol, digits=digits, rounding=Decimal(rounding))
    currency.rates.new(date=dt.date(YEARS[0], 1, 1), rate=Decimal(1))
    currency.save()
    return currency


def _country(code3: str, code: str, name: str, subdivisions: dict[str, str]) -> None:
    country = _saved("country.country", code=code, code3=code3, name=name)
    for part, part_name in subdivisions.items():
        _saved("country.subdivision", code=f"{code}-{part}", name=part_name, country=country, type="state")


def _company(currency: Any) -> Any:
    wizard = Wizard("company.company.config")
    wizard.execute("company")
    wizard.form.party = _saved("party.party", name="Loja Modelo Ltda")
    wizard.form.currency = currency
    wizard.form.timezone = "America/Sao_Paulo"
    wizard.execute("add")
    config.get_config()._context = Model.get("res.user").get_preferences(True, {})  # noqa: SLF001 - as proteus wants it
    return _one("company.company")


def _chart(company: Any) -> dict[str, Any]:
    wizard = Wizard("account.create_chart")
    wizard.execute("account")
    template = Model.get("ir.model.data").get_id("account.account_template_root_en", {})
    wizard.form.account_template = Model.get("account.account.template")(template)
    wizard.form.company = company
    wizard.execute("create_account")
    accounts = {
        kind: _one(
            "account.account", (f"type.{kind}", "=", True), ("closed", "!=", True), ("party_required", "=", party)
        )
        for kind, party in (("receivable", True), ("payable", True), ("revenue", False), ("expense", False))
    }
    wizard.form.account_receivable = accounts["receivable"]
    wizard.form.account_payable = accounts["payable"]
    wizard.form.category_account_expense = accounts["expense"]
    wizard.form.category_account_revenue = accounts["revenue"]
    wizard.execute("create_properties")
    return accounts


def _fiscal_year(company: Any, year: int) -> None:
    start, end = dt.date(year, 1, 1), dt.date(year, 12, 31)
    fiscal_year = _new("account.fiscalyear", name=str(year), start_date=start, end_date=end, company=company)
    fiscal_year.move_sequence = _sequence("Account Move", company, year)
    invoices = _sequence("Invoice", company, year)
    (row,) = fiscal_year.invoice_sequences
    for kind in ("in_invoice", "in_credit_note", "out_invoice", "out_credit_note"):
        setattr(row, f"{kind}_sequence", invoices)
    fiscal_year.save()
    fiscal_year.click("create_period")


def _sequence(kind: str, company: Any, year: int) -> Any:
    sequence_type = _one("ir.sequence.type", ("name", "=", kind))
    return _saved("ir.sequence.strict", name=f"{kind} {year}", sequence_type=sequence_type, company=company)


def _products(accounts: dict[str, Any]) -> None:
    category = _new("product.category", name="Merchandise", accounting=True)
    category.account_revenue = accounts["revenue"]
    category.account_expense = accounts["expense"]
    category.save()
    for code, name in SERVICES.items():
        _product(category, code, name, kind="service")


def _product(category: Any, code: str, name: str, *, kind: str) -> None:
    template = _new("product.template", name=name, type=kind, salable=True, account_category=category)
    template.default_uom = _one("product.uom", ("symbol", "=", "u"))
    template.list_price = Decimal(0)
    template.code = code
    template.save()


def _tax() -> None:
    tax = _new("account.tax", name=TAX, description=TAX, type="percentage", rate=Decimal("0.10"))
    tax.invoice_account = tax.credit_note_account = _one("account.account", ("code", "=", "6.3.6"))
    tax.save()


def _web_shops(company: Any, currency: Any) -> None:
    warehouse = _one("stock.location", ("type", "=", "warehouse"))
    warehouse.code = "1_1"
    warehouse.save()
    for name in SHOPS:
        shop = _new("web.shop", name=name, company=company, currency=currency)
        shop.warehouses.append(Model.get("stock.location")(warehouse.id))
        shop.save()
    term = _new("account.invoice.payment_term", name="Paid")
    term.lines.new(type="remainder")
    term.save()


def _user(company: Any, key: str) -> None:
    user = _new("res.user", name="VTEX integration", login=LOGIN)
    for group in GROUPS:
        user.groups.append(_one("res.group", ("name", "=", group)))
    user.companies.append(company)
    user.company = company
    user.save()
    _saved("res.user.application", user=user, application="rest", key=key)
    _saved(
        "res.user.application", user=_one("res.user", ("login", "=", "admin")), application="rest", key=f"admin{key}"
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
