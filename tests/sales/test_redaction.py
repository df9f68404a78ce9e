from __future__ import annotations

import pytest

from tests.sales.orders import address, mapped, order, profile
from vtex_erp.sales.redaction import redact


@pytest.mark.parametrize(
    "personal",
    [
        "Quirina Zambrota Ávila",
        "QUIRINA",
        "zambrota   avila",
        "quirina.z@mail.example",
        "84513427019",
        "845.134.270-19",
        "+5511987650000",
        "55 (11) 98765-0000",
        "8765-0000",
        "Alameda Inventada",
        "Alameda Inventada, 4711",
        "4711 alameda inventada",
        "98765-432",
        "98765432",
        "Zambrota \\u00c1vila",
        "11111111-2222-3333-4444-555555555555",
    ],
)
def test_personal_values_are_hidden_however_they_are_written(personal):
    text = redact(f"field customer: <{personal}> is not valid (code 17)", mapped(order()))
    assert text == "field customer: <***> is not valid (code 17)"


def test_the_real_address_inside_an_alias_is_hidden():
    alias = "quirina@mail.example-123456789012b.ct.vtex.com.br"
    sales_order = mapped(order(clientProfileData=profile(email=alias)))
    assert redact("no mail to quirina@mail.example", sales_order) == "no mail to ***"
    assert redact(f"no mail to {alias}.", sales_order) == "no mail to ***."


def test_companies_receivers_and_other_addresses():
    company = {
        "isCorporate": True,
        "corporateName": "Papelaria Inventada",
        "corporateDocument": "12345678000195",
    }
    document = order(
        clientProfileData=profile(**company),
        invoiceData={"address": address(street="Rua da Nota", receiverName="Otacilio Brum")},
    )
    text = redact("12.345.678/0001-95 papelaria; OTACILIO, rua da nota", mapped(document))
    assert text == "***; ***, ***".replace("***;", "*** ***;")


def test_short_values_and_everything_else_stay():
    sales_order = mapped(order(clientProfileData=profile(firstName="Ana", lastName="Li")))
    assert redact("analyse the list: SKU 500 unknown", sales_order) == "analyse the list: SKU 500 unknown"


def test_the_text_is_cut():
    assert len(redact("x" * 5000, mapped(order()))) == 300
