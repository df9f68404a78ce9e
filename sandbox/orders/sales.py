"""Kinds that differ in who sells, who buys and how it is paid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.orders.document import Currency
from sandbox.orders.goods import plain, several_lines
from sandbox.orders.people import hashed_alias, readable_alias

if TYPE_CHECKING:
    from sandbox.orders.document import Draft

COLOMBIAN_PESO = Currency("COP", 2, "$", "COL", 9226, "SA Pacific Standard Time")
CHILEAN_PESO = Currency("CLP", 0, "$", "CHL", 13322, "Pacific SA Standard Time")


def two_payments(draft: Draft) -> None:
    """One transaction, paid with two cards."""
    plain(draft)
    draft.payment_shares = (1, 3)


def gift_card(draft: Draft) -> None:
    """A third is paid with a gift card."""
    plain(draft)
    draft.payment_shares = (1, 2)
    draft.edits.append(_use_gift_card)


def _use_gift_card(document: dict[str, Any]) -> None:
    payment = document["paymentData"]["transactions"][0]["payments"][0]
    payment |= {
        "paymentSystem": "16",
        "paymentSystemName": "Vale",
        "group": "giftCard",
        "giftCardId": "9",
        "giftCardName": "vale-modelo",
        "installments": 1,
        "firstDigits": None,
        "lastDigits": None,
        "redemptionCode": "FAKE-CODE-0000",
    }
    document["paymentData"]["giftCards"] = [_card("9", payment["value"], used=True, provider="VtexGiftCard")]


def loyalty_wallet(draft: Draft) -> None:
    """A loyalty wallet that was not used; its id is the shopper's document."""
    plain(draft)
    draft.edits.append(_add_wallet)


def _add_wallet(document: dict[str, Any]) -> None:
    card_id = document["clientProfileData"]["document"]
    document["paymentData"]["giftCards"] = [_card(card_id, 0, used=False, provider="ClubeModelo")]


def _card(card_id: str, value: int, *, used: bool, provider: str) -> dict[str, Any]:
    return {
        "id": card_id,
        "redemptionCode": None,
        "name": "wallet",
        "caption": "Vale",
        "value": value,
        "balance": value,
        "provider": provider,
        "groupName": None,
        "inUse": used,
        "isSpecialCard": not used,
    }


def interest(draft: Draft) -> None:
    """Instalments with interest: the payment is more than the order's value."""
    plain(draft)
    draft.group_value = draft.value * 110 // 100


def marketplace(draft: Draft) -> None:
    """Sold by a marketplace through an affiliate, only delivered here; much is null."""
    plain(draft)
    draft.origin = "Fulfillment"
    draft.edits.append(_from_marketplace)


def _from_marketplace(document: dict[str, Any]) -> None:
    document |= {
        "affiliateId": "MLC",
        "marketplaceOrderId": document["orderId"].removeprefix("MLC-"),
        "sellerOrderId": None,
        "orderFormId": None,
        "clientPreferencesData": None,
        "customData": {
            "customApps": [{"id": "marketplace-integration", "major": 1, "fields": {"pack": "1", "note": None}}],
            "customFields": [],
        },
    }
    for logistics in document["shippingData"]["logisticsInfo"]:
        logistics |= {"slas": None, "shipsTo": None, "deliveryChannels": None}
    transaction = document["paymentData"]["transactions"][0]
    transaction |= {"transactionId": None, "merchantName": None}
    for payment in transaction["payments"]:
        payment |= {
            "id": None,
            "group": None,
            "tid": None,
            "paymentSystem": "0",
            "installments": 0,
            "paymentSystemName": "Assumed value by affiliate MLC",
        }


def franchise(draft: Draft) -> None:
    """Sold here, delivered by a franchise; VTEX leaves the marketplace fields null."""
    draft.seller, draft.seller_order_id = "franquia01", f"SCH-{draft.order_id}"
    plain(draft)
    for line in draft.lines:
        line.seller = draft.seller
    draft.edits.append(_by_franchise)


def _by_franchise(document: dict[str, Any]) -> None:
    document |= {"marketplaceServicesEndpoint": None, "marketplace": None}


def chain(draft: Draft) -> None:
    """The middle of a chain: priceDefinition ignores the discount, and one payment is of nothing."""
    plain(draft)
    draft.origin, draft.seller_order_id = "Chain", f"00-{draft.order_id}"
    draft.lines[0].discount = -draft.lines[0].price // 10 * draft.lines[0].quantity
    draft.edits.append(_in_chain)


def _in_chain(document: dict[str, Any]) -> None:
    document["affiliateId"] = "FRN"
    item = document["items"][0]
    price, quantity = item["price"], item["quantity"]
    item["priceDefinition"] = {
        "sellingPrices": [{"value": price, "quantity": quantity}],
        "calculatedSellingPrice": price,
        "total": price * quantity,
        "reason": None,
    }
    payments = document["paymentData"]["transactions"][0]["payments"]
    payments.append({**payments[0], "id": "0" * 32, "value": 0, "referenceValue": 0})


def repeated_total(draft: Draft) -> None:
    """A tax service that adds two totals of the same id."""
    plain(draft)
    draft.extra_totals += [("CustomTax", "Taxa estadual", 137), ("CustomTax", "Taxa municipal", 42)]


def surcharge(draft: Draft) -> None:
    """A marketplace's surcharge as one more total (known issue 1428531)."""
    plain(draft)
    draft.extra_totals.append(("MarketplaceSurcharge", "Acréscimo do marketplace", 250))


def changed(draft: Draft) -> None:
    """Changed after the sale (v1): a line was taken out, which only the totals and the attachment tell."""
    several_lines(draft)
    removed = draft.lines[-1]
    draft.group_value = draft.value
    draft.extra_totals.append(("Change", "Total de mudanças", -removed.price))
    change = {
        "reason": "Falta de estoque",
        "discountValue": removed.price,
        "incrementValue": 0,
        "itemsAdded": [],
        "itemsRemoved": [
            {
                "id": removed.sku,
                "name": removed.name,
                "quantity": 1,
                "price": removed.price,
                "unitMultiplier": None,
            }
        ],
        "receipt": {"date": "2026-01-01T00:00:00+00:00", "orderId": draft.order_id, "receipt": "0" * 32},
    }
    attachment = {"id": "changeAttachment", "changesData": [change]}
    draft.edits.append(lambda document: document.update(changesAttachment=attachment))


def pesos(draft: Draft) -> None:
    """Colombian pesos: integer cents here, too; the state is written out, the number missing."""
    several_lines(draft)
    draft.currency = COLOMBIAN_PESO
    for line in draft.lines:
        line.price *= 1000
    draft.edits.append(_in_colombia)


def _in_colombia(document: dict[str, Any]) -> None:
    document["clientProfileData"]["documentType"] = "cedulaCOL"
    document["clientProfileData"]["document"] = "00000001"
    place = {"country": "COL", "state": "Antioquia", "postalCode": "00000", "number": None}
    document["shippingData"]["address"] |= place
    document["shippingData"]["selectedAddresses"][0] |= place


def no_decimals(draft: Draft) -> None:
    """Chilean pesos: no decimals are shown, unit prices are whole pesos, amounts still in cents."""
    plain(draft)
    draft.currency = CHILEAN_PESO
    for line in draft.lines:
        line.price, line.shipping = line.price // 10 * 1000, line.shipping // 10 * 1000


def subscription(draft: Draft) -> None:
    """The order that starts a subscription: a null group, and a price that is a float."""
    plain(draft)
    content = {"vtex.subscription.key.frequency": "1 month"}
    draft.lines[0].edits["attachments"] = [{"name": "vtex.subscription.assinatura", "content": content}]
    first = {
        "ExecutionCount": 0,
        "PriceAtSubscriptionDate": draft.lines[0].price / 100,
        "ItemIndex": 0,
        "Plan": {"type": "RECURRING_PAYMENT", "frequency": {"periodicity": "MONTH", "interval": 1}},
    }
    data = {"SubscriptionGroupId": None, "Subscriptions": [first]}
    draft.edits.append(lambda document: document.update(subscriptionData=data))


def custom_data(draft: Draft) -> None:
    """Free-form fields of apps, a custom field, and an empty note."""
    plain(draft)
    data = {
        "customApps": [
            {
                "id": "fiscal",
                "major": 1,
                "fields": {"marketplacepaymentmethods": "Pix | Cartão", "empty": None},
            }
        ],
        "customFields": [{"linkedEntity": {"type": "cart", "id": "0"}, "fields": [{"name": "po", "value": "0001"}]}],
    }
    draft.edits.append(lambda document: document.update(customData=data, openTextField={"value": None}))


def corporate(draft: Draft) -> None:
    """A company buys; the person's document is filled in as well."""
    plain(draft)
    draft.edits.append(_for_company)


def _for_company(document: dict[str, Any]) -> None:
    document["clientProfileData"] |= {
        "isCorporate": True,
        "corporateName": "Empresa Fictícia Ltda",
        "tradeName": "Fictícia",
        "corporateDocument": "00000000000100",
        "stateInscription": "Isento",
        "corporatePhone": "+551130000000",
    }


def alias_readable(draft: Draft) -> None:
    """The e-mail alias has the shopper's own address in it."""
    plain(draft)
    draft.edits.append(lambda document: _set_email(document, readable_alias(draft.rng, "Ana")))


def alias_hashed(draft: Draft) -> None:
    """The e-mail alias is a number."""
    plain(draft)
    draft.edits.append(lambda document: _set_email(document, hashed_alias(draft.rng)))


def _set_email(document: dict[str, Any], email: str) -> None:
    document["clientProfileData"]["email"] = email


def blank_names(draft: Draft) -> None:
    """Names of blanks, an empty one, and a receiver with blanks around."""
    plain(draft)
    draft.edits.append(_blank)


def _blank(document: dict[str, Any]) -> None:
    document["clientProfileData"] |= {"firstName": "  ", "lastName": ""}
    document["shippingData"]["address"]["receiverName"] = " Ana Exemplo "


def no_document(draft: Draft) -> None:
    """No tax document: null, or empty as its type is."""
    plain(draft)
    document, kind = draft.rng.choice(((None, "cpf"), ("", "")))
    draft.edits.append(lambda order: order["clientProfileData"].update(document=document, documentType=kind))
