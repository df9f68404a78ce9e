from __future__ import annotations

import json
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.orders.generator import generate
from sandbox.orders.kinds import KINDS
from tests.sales import orders
from tests.sales.checks import assert_exact
from vtex_erp.errors import ParkError
from vtex_erp.rules.apply import apply
from vtex_erp.rules.load import parse_rules
from vtex_erp.rules.model import Rules
from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.order import VtexOrder

if TYPE_CHECKING:
    from vtex_erp.sales.model import SalesOrder


def applied(text: str, document: dict[str, Any] | None = None) -> SalesOrder:
    order = VtexOrder.from_json(json.dumps(document or orders.order()))
    return apply(map_order(order, account="store"), parse_rules(text, name="rules.yaml"), order=order)


def parked(text: str, document: dict[str, Any] | None = None) -> ParkError:
    with pytest.raises(ParkError) as caught:
        applied(text, document)
    assert "1409990000001-01" in caught.value.message
    return caught.value


def codes(section: str, word: str) -> str:
    return f"{section}:\n  unknown: park\n  codes:\n    {word}: OURS"


def test_without_rules_every_kind_of_order_stays_as_it_is() -> None:
    kinds = [name for name, kind in KINDS.items() if not kind.poison and name != "no-items"]
    for made in generate(len(kinds), 7, kinds):
        order = VtexOrder.from_json(json.dumps(made.document))
        plain = map_order(order, account="store")
        assert apply(plain, Rules(), order=order).to_json() == plain.to_json()
        idle = parse_rules("units:\n  codes: {nothing: x}", name="rules.yaml")
        assert apply(plain, idle, order=order).to_json() == plain.to_json()


CHARGED = orders.order(
    totals=orders.totals(("Items", 1000), ("Discounts", 0), ("Shipping", 500), ("Tax", 0), ("Change", 100)), value=1600
)


@pytest.mark.parametrize(
    ("section", "word", "what", "read"),
    [
        ("skus", "500", "sku", lambda order: order.lines[0].ref_id),
        ("units", "un", "unit", lambda order: order.lines[0].unit_of_measure),
        ("payments", "2", "payment", lambda order: order.payments[0].system),
        ("carriers", "Carrier A", "carrier", lambda order: order.deliveries[0].carrier),
        ("couriers", "c1", "courier", lambda order: order.deliveries[0].docks[0].courier_id),
        ("docks", "d1", "dock", lambda order: order.deliveries[0].docks[0].dock_id),
        ("warehouses", "w1", "warehouse", lambda order: order.deliveries[0].docks[0].warehouse_id),
        ("sales_channels", "1", "sales-channel", lambda order: order.source.sales_channel),
        ("charges", "Change", "charge", lambda order: order.charges[0].id),
    ],
)
def test_a_table_translates_or_parks(section: str, word: str, what: str, read: Any) -> None:
    translated = applied(codes(section, word), CHARGED)
    assert read(translated) == "OURS"
    assert (translated.lines[0].line_id, translated.lines[0].sku) == ("UID0000", "500")
    assert parked(codes(section, "another"), CHARGED).cause == f"{what}-not-mapped:{word}"
    assert applied(f"{section}: {{codes: {{another: x}}}}", CHARGED) == applied("", CHARGED)


def test_every_section_of_codes_is_tested_above() -> None:
    tables = {
        name for name, field in Rules.model_fields.items() if getattr(field.annotation, "__name__", "") == "Codes"
    }
    tested = {mark[0] for mark in test_a_table_translates_or_parks.pytestmark[0].args[1]}
    assert tables == tested | {"taxes"}


TAXED = orders.order(
    [orders.item(tax=100, taxCode="62044200")],
    totals=orders.totals(("Items", 1000), ("Discounts", 0), ("Shipping", 500), ("Tax", 100)),
    value=1600,
)


def test_a_tax_code_is_the_erp_s_or_none() -> None:
    assert applied("taxes: {codes: {62044200: VAT}}", TAXED).lines[0].tax_code == "VAT"
    assert applied("taxes: {codes: {1: VAT}}", TAXED).lines[0].tax_code is None
    assert parked("taxes: {unknown: park}", TAXED).cause == "tax-not-mapped:62044200"
    untaxed = orders.order([orders.item(taxCode="62044200")])
    assert applied("taxes: {unknown: park}", untaxed).lines[0].tax_code is None


def test_notes_are_added_to_what_the_shopper_wrote() -> None:
    document = orders.order(openTextField={"value": " Ring\n twice "}, marketingData={"coupon": "TEN", "utm": None})
    assert applied("", document).note == "Ring twice"
    text = "notes: [marketingData.coupon, marketingData.utm, customData.customApps.0.fields.po, openTextField]"
    assert applied(text, document).note == "Ring twice\nmarketingData.coupon: TEN"
    assert applied(text).note is None


def test_a_kit_becomes_its_components_with_exact_shares() -> None:
    kinds = ["kit"] * 40
    for made in generate(len(kinds), 5, kinds):
        document = made.document
        kit = applied("skus: {}", document)
        parts = applied("kits: components", document)
        assert_exact(parts, value=document["value"])
        assert [line.sku for line in parts.lines] == [part.sku for part in kit.lines[0].components]
        assert [line.quantity for line in parts.lines] == [part.quantity for part in kit.lines[0].components]
        assert parts.totals == kit.totals
        assert parts.deliveries[0].line_ids == tuple(line.line_id for line in parts.lines)
        assert min(line.total for line in parts.lines) > 0


def test_components_without_prices_share_by_quantity() -> None:
    kit = orders.item(components=[orders.item(1, price=0, quantity=3), orders.item(2, price=0)])
    parts = applied("kits: components", orders.order([kit]))
    assert [str(line.total) for line in parts.lines] == ["7.50", "2.50"]


def test_components_are_translated_too() -> None:
    kit = orders.item(components=[orders.item(1)])
    component = (
        applied("skus: {codes: {501: PART}}\nunits: {codes: {un: EA}}", orders.order([kit])).lines[0].components[0]
    )
    assert (component.sku, component.ref_id, component.unit_of_measure) == ("501", "PART", "EA")


def customer(text: str, **fields: Any) -> Any:
    document = orders.order(clientProfileData=orders.profile(**fields))
    return applied(f"customers: {{{text}}}", document).customer


COMPANY = {"isCorporate": True, "corporateName": "Inventada SA", "corporateDocument": None}


def test_who_the_customer_is() -> None:
    assert customer("document_types: {codes: {cpf: CPF}}").document_type == "CPF"
    assert customer("document_types: {codes: {CPF: x}, unknown: park}", documentType="Cpf").document_type == "x"
    assert customer("default_document_type: RUT", documentType=None).document_type == "RUT"
    assert customer("default_document_type: RUT").document_type == "cpf"
    assert customer("default_document_type: RUT", documentType=None, document=None).document_type is None
    person = customer("company_without_document: person", **COMPANY)
    assert (person.type, person.name, person.company) == ("person", "Quirina Zambrota Ávila", None)
    with_document = customer("company_without_document: person", **COMPANY | {"corporateDocument": "1"})
    assert with_document.type == "company"


@pytest.mark.parametrize(
    ("text", "fields", "cause"),
    [
        ("without_document: park", {"document": None}, "customer-without-document"),
        ("company_without_document: park", COMPANY, "company-without-document"),
        ("document_types: {unknown: park}", {}, "document-type-not-mapped:cpf"),
    ],
)
def test_a_customer_that_the_rules_refuse(text: str, fields: dict[str, Any], cause: str) -> None:
    document = orders.order(clientProfileData=orders.profile(**fields))
    assert parked(f"customers: {{{text}}}", document).cause == cause


def hook(name: str) -> str:
    return f"hook: tests.rules.hooks:{name}"


def test_the_hook_has_the_last_word() -> None:
    assert applied(f"skus: {{codes: {{500: ABC}}}}\n{hook('prefixed')}").lines[0].ref_id == "Marketplace-ABC"


@pytest.mark.parametrize(
    ("name", "cause", "said"),
    [
        ("raising", "KeyError", "raised KeyError"),
        ("dearer", "totals-mismatch", "line 0: unit_price * quantity"),
        ("all_dearer", "totals-mismatch", "totals.total 16.00 is not the order's value 15.00"),
        ("renamed", "totals-mismatch", "gave another order"),
        ("malformed", "ValidationError", "gave wrong fields: currency"),
        ("nothing", "ValidationError", "gave NoneType, not a sales order"),
    ],
)
def test_a_hook_that_goes_wrong_parks_the_order_without_personal_data(name: str, cause: str, said: str) -> None:
    error = parked(hook(name))
    assert error.cause == f"hook:{cause}"
    assert said in error.message
    assert "Quirina" not in "".join(traceback.format_exception(error))
