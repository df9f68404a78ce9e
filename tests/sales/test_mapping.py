from __future__ import annotations

from datetime import datetime, timezone
from decimal import Decimal

import pytest

from tests.sales.checks import assert_exact
from tests.sales.orders import address, item, logistics, mapped, order, payment, profile, totals
from vtex_erp.errors import ParkError


def test_the_source_and_the_dates():
    document = order(
        origin="Fulfillment", orderGroup=None, sequence=None, affiliateId="ABC", marketplaceOrderId="ML-77"
    )
    sales_order = mapped(document)
    assert sales_order.external_id == "store:1409990000001-01"
    assert sales_order.source.model_dump() == {
        "system": "vtex",
        "account": "store",
        "order_id": "1409990000001-01",
        "order_group": None,
        "sequence": None,
        "sales_channel": "1",
        "origin": "Fulfillment",
        "affiliate_id": "ABC",
        "marketplace_order_id": "ML-77",
    }
    assert sales_order.placed_at == datetime(2024, 3, 1, 9, 30, 0, 123456, tzinfo=timezone.utc)
    assert sales_order.authorized_at is None
    assert '"placed_at":"2024-03-01T09:30:00.123456Z"' in sales_order.to_json()


@pytest.mark.parametrize(
    ("changed", "cause", "named"),
    [
        ({"items": []}, "no-items", "no items"),
        ({"items": None}, "no-items", "no items"),
        ({"storePreferencesData": None}, "currency-unknown", "currencyCode"),
        ({"storePreferencesData": {"currencyCode": " "}}, "currency-unknown", "currencyCode"),
        ({"creationDate": None}, "order-malformed", "creationDate"),
        ({"creationDate": "0001-01-01T00:00:00"}, "order-malformed", "creationDate"),
        ({"clientProfileData": profile(firstName="Q***")}, "masked-data", "clientProfileData.firstName"),
        ({"clientProfileData": profile(email="q***@m***.e***")}, "masked-data", "clientProfileData.email"),
        ({"clientProfileData": profile(document="*****")}, "masked-data", "clientProfileData.document"),
        ({"shippingData": {"address": address(street="A***")}}, "masked-data", "shippingData.address.street"),
        (
            {"shippingData": {"selectedAddresses": [address(receiverName="Z***")]}},
            "masked-data",
            "shippingData.selectedAddresses.0.receiverName",
        ),
        (
            {"invoiceData": {"address": address(postalCode="*****")}},
            "masked-data",
            "invoiceData.address.postalCode",
        ),
        (
            {"paymentData": {"transactions": [{"payments": [payment(billingAddress=address(number="***"))]}]}},
            "masked-data",
            "paymentData.transactions.0.payments.0.billingAddress.number",
        ),
    ],
)
def test_what_a_person_must_look_at_is_parked(changed, cause, named):
    document = order() | changed
    with pytest.raises(ParkError) as caught:
        mapped(document)
    assert caught.value.cause == cause
    assert named in str(caught.value)
    assert "1409990000001-01" in str(caught.value)
    assert "***" not in str(caught.value)


def test_a_person():
    customer = mapped(order()).customer
    assert (customer.type, customer.name) == ("person", "Quirina Zambrota Ávila")
    assert (customer.document, customer.document_type) == ("84513427019", "cpf")
    assert (customer.email, customer.email_is_alias) == ("quirina.z@mail.example", False)
    assert customer.company is None


def test_a_company_whose_document_type_is_a_persons():
    company = {
        "isCorporate": True,
        "corporateName": " Papelaria  Inventada LTDA",
        "tradeName": "Papel",
        "corporateDocument": "12.345.678/0001-95",
        "stateInscription": "Isento",
    }
    customer = mapped(order(clientProfileData=profile(**company))).customer
    assert (customer.type, customer.name) == ("company", "Papelaria Inventada LTDA")
    assert customer.company is not None
    assert customer.company.document == "12345678000195"
    assert (customer.document, customer.document_type) == ("84513427019", "cpf")


@pytest.mark.parametrize(
    ("email", "alias"),
    [
        ("0123456789abcdef0123456789abcdef@ct.vtex.com.br", True),
        ("quirina@mail.example-123456789012b.ct.vtex.com.br", True),
        ("quirina@mail.example-123456789012b.CT.VTEX.COM", True),
        ("quirina@direct.vtex.com.br", False),
        ("quirina@ct.vtex.com.br.example", False),
        (None, False),
        ("", False),
    ],
)
def test_alias_emails_are_kept_and_flagged(email, alias):
    customer = mapped(order(clientProfileData=profile(email=email))).customer
    assert customer.email == (email or None)
    assert customer.email_is_alias is alias


@pytest.mark.parametrize("blank", [None, {}, profile(firstName=" ", lastName="", document="", email=None, phone="Q/D")])
def test_missing_customer_data_is_no_error(blank):
    customer = mapped(order(clientProfileData=blank)).customer
    assert (customer.name, customer.document, customer.type) == (None, None, "person")


def test_addresses_are_cleaned_and_invoice_data_comes_first():
    document = order(invoiceData={"address": address(street="Rua da Nota")})
    document["shippingData"]["address"]["number"] = " 14 "
    document["paymentData"]["transactions"][0]["payments"][0]["billingAddress"] = address(street="Rua do Cartao")
    sales_order = mapped(document)
    assert sales_order.shipping_address is not None
    assert sales_order.shipping_address.number == "14"
    assert sales_order.billing_address is not None
    assert sales_order.billing_address.street == "Rua da Nota"
    document["invoiceData"] = {"address": None}
    assert mapped(document).billing_address.street == "Rua do Cartao"
    document["paymentData"] = None
    assert mapped(document).billing_address is None


def test_payments_carry_no_card_acquirer_gift_card_or_slip():
    text = mapped(order()).to_json()
    for secret in ("444433", "3333222", '"987"', "GIFT-CODE", "REDEEM", "boleto", "TID-1", "SomeAcquirer"):
        assert secret not in text
    (paid,) = mapped(order()).payments
    assert paid.model_dump(mode="json") == {
        "group": "creditCard",
        "system": "2",
        "name": "Visa",
        "value": "15.00",
        "installments": 3,
        "transaction_id": "T1",
        "may_be_shared": False,
    }


def test_a_payment_of_the_whole_group_is_flagged_and_changes_no_total():
    document = order()
    inactive = {"isActive": False, "transactionId": "T0", "payments": [payment(99999)]}
    document["paymentData"]["transactions"] = [
        inactive,
        {"transactionId": "T1", "payments": [payment(58246)]},
    ]
    sales_order = mapped(document)
    assert [(p.transaction_id, p.value, p.may_be_shared) for p in sales_order.payments] == [
        ("T1", Decimal("582.46"), True)
    ]
    assert_exact(sales_order, value=1500)


def two_ways(first_share: int, second_share: int) -> dict:
    pickup = {
        "selectedDeliveryChannel": "pickup-in-point",
        "deliveryChannel": None,
        "selectedSla": "Store",
        "addressId": "store",
        "pickupPointId": "1_77",
        "pickupStoreInfo": {
            "isPickupStore": True,
            "friendlyName": "Loja Um",
            "address": address(street="Rua da Loja"),
        },
    }
    document = order([item(), item(1), item(2)])
    document["shippingData"]["logisticsInfo"] = [
        logistics(2, second_share, **pickup),
        logistics(1, first_share, shippingEstimateDate="2024-03-09T12:00:00.123Z"),
        logistics(0, 100),
    ]
    return document


def test_deliveries_group_lines_by_way_and_join_on_item_index():
    pickup, home = mapped(two_ways(150, 250)).deliveries
    assert (pickup.channel, pickup.line_ids, pickup.shipping) == (
        "pickup-in-point",
        ("UID0002",),
        Decimal("2.50"),
    )
    assert (pickup.pickup_point_id, pickup.pickup_point_name) == ("1_77", "Loja Um")
    assert pickup.address is not None
    assert pickup.address.street == "Rua da Loja"
    assert (home.channel, home.line_ids, home.shipping) == (
        "delivery",
        ("UID0000", "UID0001"),
        Decimal("2.50"),
    )
    assert home.estimated_at == datetime(2024, 3, 9, 12, 0, 0, 123000, tzinfo=timezone.utc)
    assert home.docks[0].model_dump() == {"dock_id": "d1", "warehouse_id": "w1", "courier_id": "c1"}


def test_shares_that_do_not_add_up_are_left_open():
    sales_order = mapped(two_ways(150, 777))
    assert [delivery.shipping for delivery in sales_order.deliveries] == [None, None]
    assert_exact(sales_order, value=3500)


def test_the_chosen_option_tells_the_channel_where_nothing_else_does():
    document = order()
    slas = [
        {"id": "Other", "deliveryChannel": "delivery"},
        {"id": "Standard", "deliveryChannel": "pickup-in-point"},
    ]
    document["shippingData"]["logisticsInfo"] = [logistics(0, 500, deliveryChannel=None, slas=slas)]
    assert mapped(document).deliveries[0].channel == "pickup-in-point"


def test_lines_go_to_different_addresses_and_docks():
    document = order([item(), item(1), item(2)])
    document["shippingData"]["selectedAddresses"] = [address(addressId="work", street="Rua do Trabalho")]
    document["shippingData"]["logisticsInfo"] = [
        logistics(0, 500),
        logistics(1, 0, addressId="work"),
        logistics(2, 0, deliveryIds=None),
    ]
    deliveries = mapped(document).deliveries
    assert [delivery.line_ids for delivery in deliveries] == [("UID0000",), ("UID0001",), ("UID0002",)]
    assert [delivery.address.street for delivery in deliveries if delivery.address] == [
        "Alameda Inventada",
        "Rua do Trabalho",
        "Alameda Inventada",
    ]
    assert deliveries[2].docks == ()


def test_no_shipping_data_at_all():
    document = order(value=1000, totals=totals(("Items", 1000)), shippingData=None)
    sales_order = mapped(document)
    assert (sales_order.deliveries, sales_order.shipping_address) == ((), None)
