"""What becomes of an order in a real Tryton: its customer, its products, its money, and every half-made state."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.tryton.server import TAX
from tests.erp.orders import sales_order
from tests.erp.tryton import BUTTON, CREATE_PARTY, CREATE_SALE
from tests.fake_http import FakeTime
from vtex_erp import errors
from vtex_erp.erp.claims import CLAIM_SECONDS, OwnClaims
from vtex_erp.erp.protocol import Cancellation, Found
from vtex_erp.sales.model import Address, Charge, Company, Customer, Delivery, Dock, SalesOrder, Totals

if TYPE_CHECKING:
    from collections.abc import Collection

    from sandbox.tryton.proxy import Proxy
    from sandbox.tryton.server import Tryton
    from tests.erp.tryton import TrytonRig
    from vtex_erp.ledger.ledger import Ledger

pytestmark = pytest.mark.xdist_group("tryton")

ZERO = Decimal("0.00")
HOME = Address(
    type="residential",
    receiver_name="Ana Exemplo",
    street="Rua das Amostras",
    number="827",
    complement="Apto 12",
    reference=None,
    neighborhood="Bairro Modelo",
    city="Vila Exemplo",
    state="SP",
    postal_code="00123-456",
    country="BRA",
)


@pytest.fixture
def rig(tryton_on_sqlite: tuple[Tryton, Proxy]) -> TrytonRig:
    from tests.erp.tryton import TrytonRig

    return TrytonRig(*tryton_on_sqlite)


def an_order(
    order_id: str, address: Address | None = HOME, company: Company | None = None, **customer: Any
) -> SalesOrder:
    order = sales_order(order_id)
    buyer = order.customer.model_copy(update={"company": company, "type": "company" if company else "person"})
    buyer = Customer.model_validate(buyer.model_copy(update=customer).model_dump())
    return order.model_copy(update={"customer": buyer, "billing_address": None, "shipping_address": address})


def with_money(order: SalesOrder, *, tax: str = "0.00", tax_code: str | None = None, **charges: str) -> SalesOrder:
    (line,) = order.lines
    line = line.model_copy(update={"tax": Decimal(tax), "tax_code": tax_code})
    extra = tuple(Charge(id=name, name=None, amount=Decimal(amount), line_id=None) for name, amount in charges.items())
    other = sum((charge.amount for charge in extra), ZERO)
    total = line.total + line.tax + other
    totals = Totals(items=line.total, discounts=ZERO, shipping=ZERO, tax=line.tax, other=other, total=total)
    return order.model_copy(update={"lines": (line,), "charges": extra, "totals": totals})


# The customer


def test_a_customer_is_found_by_document_and_completed_and_nothing_of_him_is_changed(rig: TrytonRig) -> None:
    who = {"document": "10000000001", "phone": "+5511900000001", "email": "ana@example.com"}
    elsewhere = HOME.model_copy(update={"street": "Avenida do Exemplo", "city": "Porto", "state": "XX"})
    rig.client.ensure(an_order("1", **who))
    rig.client.ensure(an_order("2", **{**who, "name": "Ana E.", "email": "ana@example.org", "user_profile_id": "p1"}))
    rig.client.ensure(an_order("3", elsewhere, document="10000000001"))
    (party,) = rig.parties("10000000001")
    assert party["name"] == "Ana Exemplo"
    assert [each["code"] for each in party["identifiers"]] == ["10000000001", "vtex:shop:p1"]
    assert sorted(each["city"] for each in party["addresses"]) == ["Porto (XX)", "Vila Exemplo"]
    assert party["addresses"][0]["street"] == "Rua das Amostras 827\nApto 12\nBairro Modelo"
    contacts = sorted(each["value"] for each in party["contact_mechanisms"])
    assert contacts == ["+5511900000001", "ana@example.com", "ana@example.org"]
    assert {sale["party"] for sale in rig.sales()} == {party["id"]}


def test_a_customer_without_document_is_found_by_user_profile(rig: TrytonRig) -> None:
    for name in ("1", "2"):
        rig.client.ensure(an_order(name, user_profile_id="p2"))
    rig.client.ensure(an_order("3", user_profile_id="p2", document="10000000002"))
    (party,) = rig.parties("10000000002")
    assert {sale["party"] for sale in rig.sales()} == {party["id"]}


def test_another_document_is_another_customer_whatever_the_user_profile(rig: TrytonRig) -> None:
    rig.client.ensure(an_order("1", user_profile_id="p3", document="10000000003"))
    rig.client.ensure(an_order("2", user_profile_id="p3", document="10000000004"))
    assert len({sale["party"] for sale in rig.sales()}) == 2


def test_a_document_whose_kind_nobody_told_is_not_added_to_a_customer_who_has_another(rig: TrytonRig) -> None:
    account = {"user_profile_id": f"{rig.shop}-p"}
    rig.client.ensure(an_order("1", **account, document="11144477735", document_type="br_cpf"))
    rig.client.ensure(an_order("2", **account, document="10000000014"))
    rig.client.ensure(an_order("3", **account, document="10000000015", document_type="cpf"))
    rig.client.ensure(an_order("4", **account, document="12531015K", document_type="cl_vat"))
    sales = {sale["web_id"]: sale["party"] for sale in rig.sales()}
    assert len({sales[f"shop:{name}"] for name in "123"}) == 3
    assert sales["shop:4"] == sales["shop:1"]  # one person may have documents of two kinds


def test_a_company_is_not_its_contact(rig: TrytonRig) -> None:
    company = Company(name="Empresa", trade_name=None, document="20000000000100", state_inscription=None, phone=None)
    who = {"document": "10000000005", "user_profile_id": "p5"}
    rig.client.ensure(an_order("1", **who))
    rig.client.ensure(an_order("2", company=company, **{**who, "name": "Empresa"}))
    rig.client.ensure(an_order("3", company=company, **{**who, "name": "Empresa", "document": "10000000006"}))
    sales = {sale["web_id"]: sale for sale in rig.sales()}
    (firm,) = rig.parties("20000000000100")
    assert firm["name"] == "Empresa"
    assert [sales[f"shop:{name}"]["party"] == firm["id"] for name in "123"] == [False, True, True]
    assert "Contact: Ana Exemplo" in sales["shop:2"]["comment"]


def test_guests_of_whom_nothing_is_known_are_not_one(rig: TrytonRig) -> None:
    for name in ("1", "2", "2"):
        rig.client.ensure(an_order(name, None, email=f"{name}@ct.vtex.com.br", email_is_alias=True))
    assert len({sale["party"] for sale in rig.sales()}) == 2
    assert "E-mail for this order: 1@ct.vtex.com.br" in rig.sale("shop:1")["comment"]


def test_a_document_of_a_kind_that_tryton_knows_is_checked_there(rig: TrytonRig) -> None:
    rig.client.ensure(an_order("1", document="52998224725", document_type="br_cpf"))
    rig.client.ensure(an_order("2", document="52998224725", document_type="br_cpf"))
    assert [each["type"] for each in rig.parties("529.982.247-25")[0]["identifiers"]] == ["br_cpf"]
    assert len({sale["party"] for sale in rig.sales()}) == 1
    with pytest.raises(errors.ParkError, match="not valid") as caught:
        rig.client.ensure(an_order("3", document="52998224726", document_type="br_cpf"))
    assert caught.value.cause == "erp-refused:400"


SPELLED_ANEW = {"cl_vat": "12531905k", "es_vat": "54362315k", "mx_vat": "gode561231gr8", "be_vat": "403019261"}
"""Documents that Tryton keeps in another spelling: upper case, with points, with a zero before."""


@pytest.mark.parametrize("kind", SPELLED_ANEW)
def test_a_document_that_tryton_spells_in_another_way_is_one_customer(rig: TrytonRig, kind: str) -> None:
    typed = SPELLED_ANEW[kind]
    orders = [an_order(str(number), document=typed, document_type=kind) for number in range(4)]
    other = an_order("other", document=f"{kind}1")
    rig.client.ensure(orders[0])
    for order in (
        orders[1].model_copy(update={"customer": orders[1].customer.model_copy(update={"document": typed.upper()})}),
        orders[2],
    ):
        rig.new_client().ensure(order)
    rig.client.ensure_many([other, orders[3]])
    parties = {sale["party"] for sale in rig.sales() if sale["web_id"] != other.external_id}
    assert len(parties) == 1
    (party,) = rig.tryton.admin.search("party.party", [["id", "in", list(parties)]], ["identifiers.code"], "read it")
    assert len(party["identifiers"]) == 1


def test_new_customers_with_documents_that_tryton_spells_in_another_way_are_made_in_one_call(rig: TrytonRig) -> None:
    orders = [an_order("1", document="12531001k", document_type="cl_vat"), an_order("2", document="7608642x8")]
    for _ in range(2):
        assert [type(outcome) for outcome in rig.new_client().ensure_many(orders)] == [str, str]
    assert len([call for call in rig.proxy.calls if re.search(CREATE_PARTY, call)]) == 1


def test_contacts_that_tryton_does_not_take_stop_no_order(rig: TrytonRig) -> None:
    body = '{"status": 400, "message": "The phone number is not valid.", "description": ""}'
    rig.proxy.fail(CREATE_PARTY, status=400, body=body, times=1)
    rig.client.ensure(an_order("1", document="10000000007", phone="none"))
    (party,) = rig.parties("10000000007")
    assert party["contact_mechanisms"] == []


def test_two_workers_and_one_new_customer_make_one_party(tryton_on_postgres: Any, ledger: Ledger) -> None:
    from tests.erp.tryton import TrytonRig
    from vtex_erp.ledger.claims import LedgerClaims

    rig = TrytonRig(*tryton_on_postgres, claims=LedgerClaims(ledger))
    document = rig.shop.rpartition("-")[2]
    workers = [rig.new_client(), rig.new_client()]
    orders = [an_order(f"{number}", document=document, user_profile_id=document) for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda pair: pair[1].ensure(pair[0]), zip(orders, workers * 5, strict=True)))
    (party,) = rig.parties(document)
    assert len(party["identifiers"]) == 2
    assert len(party["addresses"]) == 1
    assert [sale["party"] for sale in rig.sales()] == [party["id"]] * 10


def test_after_a_lost_answer_nobody_makes_the_customer_until_tryton_must_have_ended(rig: TrytonRig) -> None:
    """Tryton makes the party long after we gave up: whoever comes meanwhile waits, and then finds it."""
    passing = FakeTime()
    rig.claims = OwnClaims(passing.clock)
    rig.proxy.fail(CREATE_PARTY, "drop", effect="late", times=1)
    with pytest.raises(errors.UnclearError):
        rig.new_client().ensure(an_order("1", document="10000000008"))
    waiting = rig.new_client(sleep=lambda _seconds: None)
    with pytest.raises(errors.RetryableError) as caught:
        waiting.ensure(an_order("2", document="10000000008"))
    assert caught.value.cause == "claimed-by-another"
    assert caught.value.retry_after == CLAIM_SECONDS
    rig.proxy.let_late_ones_through()
    assert waiting.ensure(an_order("2", document="10000000008"))
    assert len(rig.parties("10000000008")) == 1


def test_a_hiccup_while_the_customer_is_looked_for_keeps_nobody_waiting(rig: TrytonRig) -> None:
    class Claims(OwnClaims):
        def take(self, keys: Collection[str], *, seconds: float) -> str | float:
            if not faults:
                faults.append(rig.proxy.fail(r"/party\.party/search_read$", status=503, times=1))
            return super().take(keys, seconds=seconds)

    faults: list[Any] = []
    rig.claims, naps = Claims(), list[float]()
    client, order = rig.new_client(sleep=naps.append), an_order("1", document="10000000101")
    with pytest.raises(errors.UnclearError):
        client.ensure(order)
    rig.proxy.heal()
    assert client.ensure(order)
    assert naps == []


def test_a_429_is_given_back_by_whoever_holds_the_customer_s_claim(rig: TrytonRig) -> None:
    passing, naps = FakeTime(), list[float]()
    rig.claims = OwnClaims(passing.clock)
    rig.proxy.fail(CREATE_PARTY, status=429, headers={"Retry-After": "300"}, times=1)
    with pytest.raises(errors.RateLimitedError):
        rig.new_client(sleep=naps.append).ensure(an_order("1", document="10000000102"))
    assert naps == []
    assert rig.new_client(sleep=naps.append).ensure(an_order("1", document="10000000102"))
    assert naps == []  # the claim was released


def test_a_claim_runs_out(rig: TrytonRig) -> None:
    passing = FakeTime()
    rig.claims = OwnClaims(passing.clock)
    rig.proxy.fail(CREATE_PARTY, "drop", times=1)
    with pytest.raises(errors.UnclearError):
        rig.new_client().ensure(an_order("1", document="10000000011"))
    passing.now += CLAIM_SECONDS
    rig.new_client().ensure(an_order("1", document="10000000011"))
    assert len(rig.parties("10000000011")) == 1


# Products


def test_an_unknown_product_parks_the_order_and_leaves_nothing(rig: TrytonRig) -> None:
    order = an_order("1", document="10000000009")
    order = order.model_copy(
        update={"lines": (order.lines[0].model_copy(update={"sku": "NONE", "ref_id": "NEITHER"}),)}
    )
    with pytest.raises(errors.ParkError, match="NEITHER, NONE") as caught:
        rig.client.ensure(order)
    assert caught.value.cause == "sku-not-mapped:NONE"
    assert rig.sales() == []
    assert rig.parties("10000000009") == []


def test_a_product_is_found_by_the_words_that_the_merchant_prefers(rig: TrytonRig) -> None:
    order = an_order("1")
    order = order.model_copy(update={"lines": (order.lines[0].model_copy(update={"ref_id": "SHIPPING"}),)})
    for number, codes in enumerate((("ref_id", "sku"), ("sku", "ref_id"))):
        external_id = f"shop:{number}"
        named = order.model_copy(update={"external_id": external_id})
        rig.new_client(product_codes=codes).ensure(named)
        assert [line["product"]["code"] for line in rig.lines(external_id)] == [("SHIPPING", "SKU-1")[number]]


def test_products_are_made_only_where_the_merchant_says_so(rig: TrytonRig) -> None:
    code = f"NEW-{rig.shop}"
    admin = replace(rig.settings, key=f"admin{rig.tryton.key}", create_products=True, product_category="Merchandise")
    order = an_order("1")
    order = order.model_copy(update={"lines": (order.lines[0].model_copy(update={"ref_id": code}),) * 2})
    order = order.model_copy(
        update={"totals": order.totals.model_copy(update={"items": Decimal(25), "total": Decimal(25)})}
    )
    rig.settings = replace(admin, product_codes=("ref_id",))
    with ThreadPoolExecutor(4) as pool:
        orders = [order.model_copy(update={"external_id": f"shop:{number}"}) for number in range(4)]
        list(pool.map(lambda each: rig.new_client().ensure(each), orders))
    found = rig.tryton.admin.search("product.product", [["code", "=", code]], [], "count them")
    assert len(found) == 1


# Money


def test_taxes_and_charges_are_lines_of_their_own(rig: TrytonRig) -> None:
    rig.client.ensure(with_money(an_order("1"), tax="1.25", Change="-2.00", Interest="0.75"))
    lines = rig.lines("shop:1")
    codes = [(line["product"]["code"], line["amount"]) for line in lines]
    assert codes == [
        ("SKU-1", Decimal("12.50")),
        ("TAX", Decimal("1.25")),
        ("CHARGES", Decimal("-2.00")),
        ("CHARGES", Decimal("0.75")),
    ]


def test_a_charge_is_a_service_and_never_an_article(rig: TrytonRig) -> None:
    charges = {"SKU-1": "3.00", "SHIPPING": "2.00"}
    rig.client.ensure(with_money(an_order("1"), **charges))
    codes = [line["product"]["code"] for line in rig.lines("shop:1")]
    assert codes == ["SKU-1", "CHARGES", "SHIPPING"]


def test_a_tax_of_tryton_where_it_makes_the_same_amount(rig: TrytonRig) -> None:
    rig.client.ensure(with_money(an_order("1"), tax="1.25", tax_code=TAX))
    (line,) = rig.lines("shop:1")
    assert [tax["name"] for tax in line["taxes"]] == [TAX]
    assert rig.sale("shop:1")["total_amount"] == Decimal("13.75")


def test_a_total_that_differs_parks_the_order_and_keeps_the_draft(rig: TrytonRig) -> None:
    order = with_money(an_order("1"), tax="2.00", tax_code=TAX)
    for _ in range(2):
        with pytest.raises(errors.ParkError) as caught:
            rig.client.ensure(order)
        assert caught.value.cause == "erp-total-differs"
        assert "14.50 in VTEX" in str(caught.value)
        assert "13.75 in Tryton" in str(caught.value)
    assert [sale["state"] for sale in rig.sales()] == ["draft"]
    found = rig.client.lookup("shop:1")
    assert isinstance(found, Found)
    assert not found.finished


def test_a_draft_whose_total_a_person_has_made_right_is_taken_on(rig: TrytonRig) -> None:
    order = with_money(an_order("1"), tax="2.00", tax_code=TAX)
    with pytest.raises(errors.ParkError):
        rig.client.ensure(order)
    draft = rig.sale("shop:1")["id"]
    (line,) = rig.tryton.admin.search("sale.line", [["sale", "=", draft]], [], "find the line")
    rig.tryton.admin.write(
        "sale.line", line["id"], {"unit_price": Decimal("14.50"), "taxes": [["remove", [1]]]}, "mend"
    )
    assert rig.client.ensure(order) == rig.sale("shop:1")["number"]
    assert rig.sale("shop:1")["id"] == draft


def test_a_draft_that_may_not_be_deleted_holds_no_other_order(rig: TrytonRig) -> None:
    wrong = with_money(an_order("1"), tax="2.00", tax_code=TAX)
    with pytest.raises(errors.ParkError):
        rig.client.ensure(wrong)
    body = '{"status": 400, "message": "it is no draft any more", "description": ""}'
    rig.proxy.fail(r"/sale\.sale/\d+$", status=400, body=body)
    outcomes = rig.client.ensure_many([wrong, *(an_order(str(number)) for number in range(2, 6))])
    assert [type(outcome) for outcome in outcomes[1:]] == [str] * 4
    assert isinstance(outcomes[0], errors.ParkError)
    assert len([call for call in rig.proxy.calls if re.search(CREATE_SALE, call)]) == 2


def test_a_draft_is_made_anew_when_the_rules_were_mended(rig: TrytonRig) -> None:
    with pytest.raises(errors.ParkError):
        rig.client.ensure(with_money(an_order("1"), tax="2.00", tax_code=TAX))
    rig.client.ensure(with_money(an_order("1"), tax="2.00"))
    assert [(sale["state"], sale["total_amount"]) for sale in rig.sales()] == [("confirmed", Decimal("14.50"))]


def test_lines_that_tryton_makes_something_else_of_are_named(rig: TrytonRig) -> None:
    order = an_order("1").model_copy(update={"currency": "CLP"})  # a currency without cents
    with pytest.raises(errors.ParkError, match=r"line 1 SKU-1 12.50 became 12") as caught:
        rig.client.ensure(order)
    assert caught.value.cause == "erp-total-differs"


def test_a_currency_that_tryton_does_not_have(rig: TrytonRig) -> None:
    with pytest.raises(errors.ParkError) as caught:
        rig.client.ensure(an_order("1").model_copy(update={"currency": "XXX"}))
    assert caught.value.cause == "currency-not-in-erp:XXX"


# Half-made, refused, cancelled


@pytest.mark.parametrize("button", ["quote", "confirm"])
def test_what_tryton_refuses_to_quote_or_confirm_leaves_no_draft(rig: TrytonRig, button: str) -> None:
    body = '{"status": 400, "message": "no such day", "description": ""}'
    rig.proxy.fail(rf"/sale\.sale/\d+/{button}$", status=400, body=body)
    with pytest.raises(errors.ParkError, match="no such day") as caught:
        rig.client.ensure(an_order("1"))
    assert caught.value.cause == "erp-refused:400"
    assert rig.sales() == []


@pytest.mark.parametrize("button", ["quote", "confirm"])
@pytest.mark.parametrize("effect", ["none", "done"])
def test_a_sale_is_taken_on_from_where_it_stands(rig: TrytonRig, button: str, effect: str) -> None:
    rig.proxy.fail(rf"/sale\.sale/\d+/{button}$", "drop", effect=effect, times=1)
    with pytest.raises(errors.UnclearError):
        rig.client.ensure(an_order("1"))
    answer = rig.client.lookup("shop:1")
    assert isinstance(answer, Found)
    assert answer.finished == (button == "confirm" and effect == "done")
    number = rig.client.ensure(an_order("1"))
    assert [(sale["number"], sale["state"]) for sale in rig.sales()] == [(number, "confirmed")]


def changed(order: SalesOrder, what: str) -> SalesOrder:
    """The same order for the same money, with something else about it."""
    (line,) = order.lines
    place = HOME.model_copy(update={"street": "Rua Nova"})
    changes: dict[str, dict[str, Any]] = {
        "note": {"note": "Ring twice"},
        "address": {"shipping_address": place},
        "product": {"lines": (line.model_copy(update={"ref_id": "SHIPPING"}),)},
        "quantity": {"lines": (line.model_copy(update={"quantity": Decimal(2), "unit_price": Decimal("6.25")}),)},
    }
    return order.model_copy(update=changes[what])


@pytest.mark.parametrize("what", ["note", "address", "product", "quantity"])
@pytest.mark.parametrize("state", ["draft", "quotation"])
def test_a_half_made_sale_is_made_anew_when_the_order_has_changed(rig: TrytonRig, what: str, state: str) -> None:
    route = CREATE_SALE if state == "draft" else r"/sale\.sale/\d+/quote$"
    rig.proxy.fail(route, "drop", effect="done", times=1)
    with pytest.raises(errors.UnclearError):
        rig.client.ensure(an_order("1"))
    old = rig.sale("shop:1")
    assert old["state"] == state
    order = changed(an_order("1"), what)
    rig.client.ensure(order)
    sale = rig.sale("shop:1")
    assert (sale["state"], sale["id"] != old["id"]) == ("confirmed", True)
    (line,) = rig.lines("shop:1")
    assert (line["product"]["code"] == "SHIPPING") == (what == "product")
    assert line["quantity"] == (2 if what == "quantity" else 1)
    assert ("Ring twice" in sale["comment"]) == (what == "note")
    (read,) = rig.tryton.admin.search("sale.sale", [["id", "=", sale["id"]]], ["shipment_address.street"], "read it")
    assert read["shipment_address"]["street"].startswith("Rua Nova" if what == "address" else "Rua das Amostras")


def test_a_half_made_sale_is_taken_on_when_nothing_has_changed_or_a_person_is_at_it(rig: TrytonRig) -> None:
    rig.proxy.fail(CREATE_SALE, "drop", effect="done", times=2)
    for name in ("1", "2"):
        with pytest.raises(errors.UnclearError):
            rig.client.ensure(an_order(name))
    before = {sale["web_id"]: sale["id"] for sale in rig.sales()}
    rig.tryton.admin.write("sale.sale", before["shop:2"], {"comment": "gift wrap"}, "a person writes", company=1)
    rig.client.ensure_many([an_order("1"), an_order("2")])
    assert {sale["web_id"]: sale["id"] for sale in rig.sales()} == before
    assert rig.sale("shop:2")["comment"] == "gift wrap"


def test_a_draft_that_another_worker_has_made_anew_is_left_to_him(rig: TrytonRig) -> None:
    rig.proxy.fail(r"/sale\.sale/\d+/quote$", status=404, times=1)
    with pytest.raises(errors.UnclearError):
        rig.client.ensure(an_order("1"))
    assert [sale["state"] for sale in rig.sales()] == ["draft"]


def test_an_order_that_a_person_has_cancelled_is_not_sold_again(rig: TrytonRig) -> None:
    rig.client.ensure(an_order("1"))
    assert rig.client.cancel("shop:1", reason="asked") is Cancellation.CANCELLED
    with pytest.raises(errors.ParkError) as caught:
        rig.client.ensure(an_order("1"))
    assert caught.value.cause == "cancelled-in-erp"
    answer = rig.client.lookup("shop:1")
    assert isinstance(answer, Found)
    assert answer.cancelled


def test_a_processed_sale_is_too_late_to_cancel(rig: TrytonRig) -> None:
    rig.client.ensure(an_order("1"))
    rig.tryton.process(rig.sale("shop:1")["id"])
    assert rig.client.cancel("shop:1", reason="asked") is Cancellation.TOO_LATE
    assert rig.sale("shop:1")["state"] == "processing"


def test_a_draft_can_be_cancelled(rig: TrytonRig) -> None:
    rig.proxy.fail(BUTTON, "drop", times=1)
    with pytest.raises(errors.UnclearError):
        rig.client.ensure(an_order("1"))
    assert rig.client.cancel("shop:1", reason="asked") is Cancellation.CANCELLED


def test_a_sales_channel_with_a_web_shop_of_its_own(rig: TrytonRig) -> None:
    order = an_order("1")
    to_outlet = order.model_copy(update={"source": order.source.model_copy(update={"sales_channel": "Outlet"})})
    client = rig.new_client(web_shops=(rig.shop, "Outlet"))
    named = to_outlet.model_copy(update={"external_id": f"shop:{rig.shop}"})
    number = client.ensure(named)
    assert rig.sales() == []
    assert client.lookup(named.external_id) == Found(number, Decimal("12.50"), cancelled=False)


def test_a_web_shop_or_warehouse_that_is_not_there_parks_the_order_by_name(rig: TrytonRig) -> None:
    order = an_order("1", document="10000000103")
    mistyped = order.model_copy(update={"source": order.source.model_copy(update={"sales_channel": "Outlett"})})
    dock = Dock(dock_id="d", warehouse_id="nowhere", courier_id=None)
    delivery = Delivery.model_construct(**{**dict.fromkeys(Delivery.model_fields), "docks": (dock,)})
    away = order.model_copy(update={"deliveries": (delivery,)})
    with pytest.raises(errors.ParkError) as caught:
        rig.client.ensure(mistyped)
    assert caught.value.cause == "web-shop-not-named:Outlett"
    shop = rig.client.catalogue.shops[rig.shop]
    rig.client.catalogue.__dict__["_known"]["shops"] = {
        rig.shop: replace(shop, warehouses={**shop.warehouses, "second": 99})
    }
    with pytest.raises(errors.ParkError) as caught:
        rig.client.ensure(away)
    assert caught.value.cause == "warehouse-not-mapped:nowhere"
    assert rig.sales() == []
    assert rig.parties("10000000103") == []
    assert rig.new_client().ensure(away)  # where the shop has one warehouse, there is no choice


def test_a_sale_of_a_web_shop_that_the_connection_no_longer_names_is_found(rig: TrytonRig) -> None:
    order = an_order("1")
    order = order.model_copy(update={"source": order.source.model_copy(update={"sales_channel": "Outlet"})})
    order = order.model_copy(update={"external_id": f"shop:{rig.shop}-late"})
    number = rig.new_client(web_shops=(rig.shop, "Outlet")).ensure(order)
    later = rig.new_client(web_shops=(rig.shop,))
    assert later.ensure(order) == number
    assert rig.sales() == []
    assert later.lookup(order.external_id) == Found(number, Decimal("12.50"), cancelled=False)
    assert later.cancel(order.external_id, reason="asked") is Cancellation.CANCELLED


def test_nothing_of_the_shopper_is_in_an_address(rig: TrytonRig) -> None:
    rig.client.ensure(an_order("1", document="10000000010", phone="+5511900000010"))
    assert not [call for call in rig.proxy.calls if "1000000001" in call or "Ana" in call]
    assert any(re.search(CREATE_SALE, call) for call in rig.proxy.calls)
