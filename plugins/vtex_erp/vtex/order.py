"""The VTEX order as `GET /api/oms/pvt/orders/{orderId}` gives it, or `GET /api/orders/pvt/document/{orderId}`.

The second shape, of accounts with data protection, has the same names for what is modelled here. Its price tags lack
`value`; its dates end with Z, and `timeZoneCreationDate`, which is local time with a Z all the same, is never read.

Modelled is what a sales order is made from; every other field is kept as it came. Money is in cents.
Types follow what the OMS really sends, which is wider than the published schema (null strings,
`priceDefinition` for `priceDefinitions`, a number as `sequence`, floats as `unitMultiplier`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from vtex_erp.errors import ParkError
from vtex_erp.vtex.lenient import (
    Cents,
    Flag,
    Listed,
    Moment,
    Number,
    Text,
    VtexModel,
    Whole,
    field_paths,
    read_json,
)

_MULTIPLIER_WHEN_MISSING = Decimal(1)
_MAX_NAMED_PATHS = 300


OrderModel = TypeVar("OrderModel", bound=VtexModel)


def _one_for_null(value: object) -> object:
    return _MULTIPLIER_WHEN_MISSING if value is None else value


class Total(VtexModel):
    """One entry of `totals`. Ids may repeat and may be ones that VTEX does not document."""

    id: Text | None = None
    name: Text | None = None
    value: Cents


class PriceTag(VtexModel):
    """A discount or a tax on an item; `value` is cents for the whole line, not for one unit."""

    name: Text | None = None
    value: Cents | None = None
    raw_value: Number | None = None
    is_percentual: Flag = False


class SellingPrice(VtexModel):
    """How many units of a line sell at which price, in cents."""

    value: Cents
    quantity: Whole


class PriceDefinition(VtexModel):
    """The line's exact price: `total` == sum of `sellingPrices` value * quantity."""

    selling_prices: Listed[SellingPrice] = ()
    calculated_selling_price: Cents | None = None
    total: Cents | None = None


class Item(VtexModel):
    """A line; kit components and bundle items have the same shape.

    `quantity` counts packs of `unit_multiplier` units; `price` is of one unit, before promotions.
    """

    unique_id: Text | None = None
    id: Text | None = None
    product_id: Text | None = None
    ean: Text | None = None
    ref_id: Text | None = None
    name: Text | None = None
    seller: Text | None = None
    seller_sku: Text | None = None
    quantity: Annotated[Whole, Field(ge=0)]
    measurement_unit: Text | None = None
    unit_multiplier: Annotated[Number, Field(gt=0), BeforeValidator(_one_for_null)] = _MULTIPLIER_WHEN_MISSING
    price: Cents | None = None
    list_price: Cents | None = None
    selling_price: Cents | None = None
    tax: Cents | None = None
    is_gift: Flag = False
    price_tags: Listed[PriceTag] = ()
    price_definition: PriceDefinition | None = None
    price_definitions: PriceDefinition | None = None
    components: Listed[Item] = ()
    bundle_items: Listed[Item] = ()
    parent_item_index: Whole | None = None
    parent_assembly_binding: Text | None = None

    @property
    def definition(self) -> PriceDefinition | None:
        """The price definition under either of its two names."""
        return self.price_definition or self.price_definitions


class ClientProfile(VtexModel):
    """Who bought."""

    email: Text | None = None
    first_name: Text | None = None
    last_name: Text | None = None
    document_type: Text | None = None
    document: Text | None = None
    phone: Text | None = None
    is_corporate: Flag = False
    corporate_name: Text | None = None
    trade_name: Text | None = None
    corporate_document: Text | None = None
    corporate_phone: Text | None = None
    state_inscription: Text | None = None
    user_profile_id: Text | None = None
    customer_class: Text | None = None
    customer_code: Text | None = None


class PostalAddress(VtexModel):
    """An address. Coordinates, of which VTEX puts the longitude first, are left as they came."""

    address_type: Text | None = None
    address_id: Text | None = None
    receiver_name: Text | None = None
    street: Text | None = None
    number: Text | None = None
    complement: Text | None = None
    reference: Text | None = None
    neighborhood: Text | None = None
    city: Text | None = None
    state: Text | None = None
    postal_code: Text | None = None
    country: Text | None = None


class DeliveryId(VtexModel):
    """Where a part of a line is taken from and who carries it."""

    courier_id: Text | None = None
    courier_name: Text | None = None
    dock_id: Text | None = None
    warehouse_id: Text | None = None
    quantity: Whole | None = None


class DeliveryWindow(VtexModel):
    """The window that the shopper chose; `price` is in cents and already part of the shipping price."""

    start_date_utc: Moment = None
    end_date_utc: Moment = None
    price: Cents | None = None


class PickupStoreInfo(VtexModel):
    """The pickup point of a line, if it has one."""

    is_pickup_store: Flag = False
    friendly_name: Text | None = None
    address: PostalAddress | None = None


class Sla(VtexModel):
    """One shipping option that was offered for a line, not necessarily the chosen one."""

    id: Text | None = None
    name: Text | None = None
    delivery_channel: Text | None = None
    pickup_point_id: Text | None = None


class Logistics(VtexModel):
    """How one item is delivered. Join by `item_index`, never by position."""

    item_index: Whole | None = None
    selected_sla: Text | None = None
    selected_delivery_channel: Text | None = None
    delivery_channel: Text | None = None
    address_id: Text | None = None
    price: Cents | None = None
    list_price: Cents | None = None
    selling_price: Cents | None = None
    delivery_company: Text | None = None
    delivery_window: DeliveryWindow | None = None
    shipping_estimate: Text | None = None
    shipping_estimate_date: Moment = None
    delivery_ids: Listed[DeliveryId] = ()
    pickup_store_info: PickupStoreInfo | None = None
    pickup_point_id: Text | None = None
    slas: Listed[Sla] = ()


class ShippingData(VtexModel):
    """Where the order goes and how."""

    address: PostalAddress | None = None
    selected_addresses: Listed[PostalAddress] = ()
    logistics_info: Listed[Logistics] = ()


class Payment(VtexModel):
    """One payment of a transaction. Its value may be the whole cart's, not this order's."""

    id: Text | None = None
    payment_system: Text | None = None
    payment_system_name: Text | None = None
    group: Text | None = None
    value: Cents | None = None
    reference_value: Cents | None = None
    installments: Whole | None = None
    billing_address: PostalAddress | None = None


class Transaction(VtexModel):
    """A payment transaction, shared by all orders of one group."""

    is_active: bool | None = None
    transaction_id: Text | None = None
    merchant_name: Text | None = None
    payments: Listed[Payment] = ()


class PaymentData(VtexModel):
    """How the cart was paid."""

    transactions: Listed[Transaction] = ()


class StorePreferences(VtexModel):
    """The store's country and currency. `timeZone` is a Windows name."""

    country_code: Text | None = None
    currency_code: Text | None = None
    time_zone: Text | None = None


class InvoiceData(VtexModel):
    """Whom to invoice, where the shopper chose another address."""

    address: PostalAddress | None = None


class VtexOrder(VtexModel):
    """One order of VTEX's OMS."""

    order_id: Annotated[Text, Field(min_length=1)]
    sequence: Text | None = None
    order_group: Text | None = None
    seller_order_id: Text | None = None
    marketplace_order_id: Text | None = None
    affiliate_id: Text | None = None
    origin: Text | None = None
    sales_channel: Text | None = None
    status: Text | None = None
    hostname: Text | None = None
    is_completed: bool | None = None
    creation_date: Moment = None
    last_change: Moment = None
    authorized_date: Moment = None
    value: Cents
    rounding_error: Cents | None = None
    totals: Listed[Total] = ()
    items: Listed[Item]
    client_profile_data: ClientProfile | None = None
    shipping_data: ShippingData | None = None
    payment_data: PaymentData | None = None
    invoice_data: InvoiceData | None = None
    store_preferences_data: StorePreferences | None = None

    @classmethod
    def from_json(cls, text: str | bytes) -> VtexOrder:
        """Read the document as VTEX sent it.

        Raises ParkError with cause `order-malformed`; the message names the order id, where it can be
        read, and the fields' paths, never a value.
        """
        return parse_order_document(cls, text)


def parse_order_document(model: type[OrderModel], text: str | bytes) -> OrderModel:
    """Read an order document into `model`. Raises ParkError with cause `order-malformed`."""
    try:
        document = read_json(text)
    except ValueError:
        raise _malformed("unknown", "the document is not JSON") from None
    try:
        return model.model_validate(document)
    except ValidationError as error:
        paths = field_paths(error)[:_MAX_NAMED_PATHS]
        raise _malformed(_order_id_of(document), f"these fields cannot be read: {paths}") from None


def _order_id_of(document: Any) -> str:
    order_id = document.get("orderId") if isinstance(document, dict) else None
    return order_id if isinstance(order_id, str) and order_id.isprintable() else "unknown"


def _malformed(order_id: str, trouble: str) -> ParkError:
    return ParkError(
        f"VTEX order {order_id}: {trouble}. Look at the order in the VTEX admin; if it is sound there, "
        "report the field paths to the maintainers of this package, and retry the order after the fix.",
        cause="order-malformed",
    )
