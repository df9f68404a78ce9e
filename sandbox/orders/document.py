"""From a draft to a document as Get order answers it (Orders API, Get order)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.orders.lines import Line, item
from sandbox.orders.people import address, customer, hashed_alias
from sandbox.vtex.clock import to_vtex
from sandbox.vtex.statuses import DESCRIPTIONS, UNPAID

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

TOTAL_NAMES = {
    "Items": "Total dos Itens",
    "Discounts": "Total dos Descontos",
    "Shipping": "Total do Frete",
    "Tax": "Total da Taxa",
}


@dataclass(frozen=True)
class Currency:
    """A store's currency. `digits` is a display setting: amounts have two decimals whatever it says."""

    code: str
    digits: int
    symbol: str
    country: str
    locale: int
    time_zone: str


REAL = Currency("BRL", 2, "R$", "BRA", 1046, "E. South America Standard Time")


@dataclass
class Draft:
    """An order in the making: the kinds change it, `render` turns it into a document that adds up.

    `rng` is the order's own, `purchase_rng` that of the purchase, so that an order and its siblings have the
    same shopper and payment. `payment_shares` are the parts that each payment covers of the order's value,
    or of `group_value` where the shopper paid another amount in all; `extra_totals` are (id, name, cents)
    beyond the four usual ones; `metadata_lines` are described in itemMetadata, which may know the siblings'
    lines; `edits` change the finished document.
    """

    rng: random.Random
    purchase_rng: random.Random
    account: str
    order_id: str
    group: str | None
    sequence: str
    status: str | None
    created_at: float
    lines: list[Line] = field(default_factory=list)
    currency: Currency = REAL
    payment_shares: tuple[int, ...] = (1,)
    group_value: int | None = None
    extra_totals: list[tuple[str, str, int]] = field(default_factory=list)
    origin: str = "Marketplace"
    seller: str = "1"
    seller_order_id: str | None = None
    metadata_lines: list[Line] = field(default_factory=list)
    edits: list[Callable[[dict[str, Any]], None]] = field(default_factory=list)

    @property
    def value(self) -> int:
        """The order's value: the sum of its totals."""
        return sum(total["value"] for total in self.totals())

    def totals(self) -> list[dict[str, Any]]:
        """List the totals, in VTEX's order, the unusual ones last."""
        amounts = {
            "Items": sum(line.gross + line.services for line in self.lines),
            "Discounts": sum(line.discount for line in self.lines),
            "Shipping": sum(line.shipping for line in self.lines),
            "Tax": sum(line.tax for line in self.lines),
        }
        usual = [{"id": name, "name": TOTAL_NAMES[name], "value": amount} for name, amount in amounts.items()]
        return usual + [{"id": each, "name": name, "value": value} for each, name, value in self.extra_totals]


def render(draft: Draft) -> dict[str, Any]:
    """Make the document."""
    rng = draft.rng
    shopper = customer(draft.purchase_rng, alias_rng=rng)
    home = address(draft.purchase_rng, f"{shopper['firstName']} {shopper['lastName']}")
    value, status = draft.value, draft.status
    paid = bool(status) and status not in UNPAID
    lock_id = draft.seller_order_id or f"00-{draft.order_id}"
    endpoint = f"http://oms.vtexinternal.com.br/api/oms?an={draft.account}"
    document: dict[str, Any] = {
        "orderId": draft.order_id,
        "sequence": draft.sequence,
        "marketplaceOrderId": "",
        "marketplaceServicesEndpoint": endpoint,
        "sellerOrderId": lock_id,
        "origin": draft.origin,
        "affiliateId": "",
        "salesChannel": "1",
        "merchantName": None,
        "status": status,
        "workflowIsInError": False,
        "statusDescription": DESCRIPTIONS.get(status or "", ""),
        "value": value,
        "creationDate": to_vtex(draft.created_at),
        "lastChange": to_vtex(draft.created_at + 1830.4),
        "orderGroup": draft.group,
        "totals": draft.totals(),
        "items": [item(line, rng, lock_id=lock_id) for line in draft.lines],
        "marketplaceItems": [],
        "clientProfileData": shopper,
        "giftRegistryData": None,
        "marketingData": None,
        "ratesAndBenefitsData": {"id": "ratesAndBenefitsData", "rateAndBenefitsIdentifiers": []},
        "shippingData": shipping(draft, home),
        "paymentData": {"giftCards": [], "transactions": [transaction(draft, value)]},
        "packageAttachment": {"packages": []},
        "sellers": [seller(draft)],
        "callCenterOperatorData": None,
        "followUpEmail": hashed_alias(rng),
        "lastMessage": None,
        "hostname": draft.account,
        "invoiceData": None,
        "changesAttachment": None,
        "openTextField": None,
        "roundingError": 0,
        "orderFormId": f"{rng.getrandbits(128):032x}",
        "commercialConditionData": None,
        "isCompleted": bool(status),
        "customData": None,
        "storePreferencesData": store_preferences(draft.currency),
        "allowCancellation": True,
        "allowEdition": False,
        "isCheckedIn": False,
        "marketplace": {"baseURL": endpoint, "isCertified": None, "name": draft.account},
        "authorizedDate": to_vtex(draft.created_at + 14.8) if paid else None,
        "invoicedDate": None,
        "cancelReason": None,
        "itemMetadata": {"Items": [metadata(line) for line in draft.metadata_lines or draft.lines]},
        "subscriptionData": None,
        "taxData": None,
        "checkedInPickupPointId": None,
        "cancellationData": None,
        "clientPreferencesData": {"locale": "pt-BR", "optinNewsLetter": False},
    }
    for edit in draft.edits:
        edit(document)
    return document


def seller(draft: Draft) -> dict[str, Any]:
    """Render the one seller of the order."""
    return {
        "id": draft.seller,
        "name": "Loja Modelo",
        "logo": "",
        "fulfillmentEndpoint": f"http://fulfillment.vtexcommerce.com.br/api/fulfillment?an={draft.account}",
    }


def metadata(line: Line) -> dict[str, Any]:
    """One entry of itemMetadata, in its PascalCase."""
    return {
        "Id": line.sku,
        "Seller": line.seller,
        "Name": line.name,
        "SkuName": line.name,
        "ProductId": "1",
        "RefId": f"REF-{line.sku}",
        "Ean": None,
        "ImageUrl": f"https://sandboxstore.example/arquivos/ids/{line.sku}.jpg",
        "DetailUrl": f"/{line.sku}/p",
        "AssemblyOptions": [],
    }


def store_preferences(currency: Currency) -> dict[str, Any]:
    """Render the store's currency and time zone; the zone has a Windows name."""
    return {
        "countryCode": currency.country,
        "currencyCode": currency.code,
        "currencyFormatInfo": {
            "CurrencyDecimalDigits": currency.digits,
            "CurrencyDecimalSeparator": ",",
            "CurrencyGroupSeparator": ".",
            "CurrencyGroupSize": 3,
            "StartsWithCurrencySymbol": True,
        },
        "currencyLocale": currency.locale,
        "currencySymbol": currency.symbol,
        "timeZone": currency.time_zone,
    }


def shipping(draft: Draft, home: dict[str, Any]) -> dict[str, Any]:
    """shippingData, with one entry of logisticsInfo for each line."""
    return {
        "id": "shippingData",
        "address": home,
        "logisticsInfo": [logistics(line, index, home["addressId"], draft) for index, line in enumerate(draft.lines)],
        "trackingHints": None,
        "selectedAddresses": [dict(home)],
    }


def logistics(line: Line, index: int, address_id: str, draft: Draft) -> dict[str, Any]:
    """How one line is delivered."""
    list_price = line.shipping + line.shipping_discount
    return {
        "itemIndex": index,
        "selectedSla": line.sla,
        "lockTTL": "12d",
        "price": line.shipping,
        "listPrice": list_price,
        "sellingPrice": line.shipping,
        "deliveryWindow": None,
        "deliveryCompany": f"Transportadora Modelo {line.dock}",
        "shippingEstimate": "5bd",
        "shippingEstimateDate": to_vtex(draft.created_at + 5 * 86_400) if draft.status else None,
        "slas": [sla(line.sla, line.shipping, line.channel), sla("Econômica", list_price + 100, "delivery")],
        "shipsTo": ["BRA"],
        "deliveryIds": [
            {
                "courierId": f"courier-{line.dock}",
                "courierName": f"Transportadora Modelo {line.dock}",
                "dockId": line.dock,
                "quantity": line.quantity,
                "warehouseId": f"1_{line.dock}",
                "accountCarrierName": draft.account,
                "kitItemDetails": [],
            }
        ],
        "deliveryChannels": [{"id": line.channel, "stockBalance": 0}],
        "deliveryChannel": line.channel,
        "pickupStoreInfo": dict(NO_PICKUP),
        "addressId": address_id,
        "versionId": None,
        "entityId": None,
        "polygonName": "",
        "pickupPointId": None,
        "transitTime": "3bd",
    }


NO_PICKUP = {
    "additionalInfo": None,
    "address": None,
    "dockId": None,
    "friendlyName": None,
    "isPickupStore": False,
}


def sla(name: str, price: int, channel: str) -> dict[str, Any]:
    """One delivery option, chosen or not."""
    return {
        "id": name,
        "name": name,
        "shippingEstimate": "5bd",
        "deliveryWindow": None,
        "price": price,
        "deliveryChannel": channel,
        "pickupStoreInfo": dict(NO_PICKUP),
        "polygonName": None,
        "lockTTL": "12d",
        "pickupPointId": None,
        "transitTime": "3bd",
        "pickupDistance": 0.0,
    }


def transaction(draft: Draft, value: int) -> dict[str, Any]:
    """Render the transaction, its amount spread over the payments."""
    amount = value if draft.group_value is None else draft.group_value
    whole = sum(draft.payment_shares)
    parts = [amount * share // whole for share in draft.payment_shares]
    parts[-1] += amount - sum(parts)
    return {
        "isActive": True,
        "transactionId": f"{draft.purchase_rng.getrandbits(128):032X}",
        "merchantName": draft.account.upper(),
        "payments": [payment(draft.purchase_rng, part) for part in parts],
    }


def payment(rng: random.Random, value: int) -> dict[str, Any]:
    """One payment, by card or Pix."""
    system, name, group = rng.choice((("4", "Mastercard", "creditCard"), ("125", "Pix", "instantPayment")))
    card = group == "creditCard"
    return {
        "id": f"{rng.getrandbits(128):032X}",
        "paymentSystem": system,
        "paymentSystemName": name,
        "value": value,
        "installments": rng.choice((1, 1, 3, 10)) if card else 1,
        "referenceValue": value,
        "cardHolder": None,
        "cardNumber": None,
        "firstDigits": "000000" if card else None,
        "lastDigits": "0000" if card else None,
        "cvv2": None,
        "expireMonth": None,
        "expireYear": None,
        "url": None,
        "giftCardId": None,
        "giftCardName": None,
        "giftCardCaption": None,
        "redemptionCode": None,
        "group": group,
        "tid": f"{rng.randrange(10**9):09d}",
        "dueDate": None,
        "connectorResponses": {"Tid": f"{rng.randrange(10**9):09d}", "Message": None, "acquirer": "Exemplo"},
        "giftCardProvider": None,
        "giftCardAsDiscount": None,
        "koinUrl": None,
        "accountId": f"{rng.getrandbits(128):032X}",
        "parentAccountId": None,
        "bankIssuedInvoiceIdentificationNumber": None,
        "bankIssuedInvoiceIdentificationNumberFormatted": None,
        "bankIssuedInvoiceBarCodeNumber": None,
        "bankIssuedInvoiceBarCodeType": None,
        "billingAddress": None,
    }
