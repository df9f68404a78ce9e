"""The sales order: what an ERP is asked to create for one VTEX order.

Money and quantities are decimal strings in JSON. Money has two places; a unit price has more where the
exact amount of a line needs them. The order's amounts hold, to the cent:

- a line: `total` == `unit_price` * `quantity` rounded to the cent (half away from zero) - `discount`;
- the order: `totals.total` == `items` - `discounts` + `shipping` + `tax` + `other`, where `items` is the
  lines' gross, `discounts` and `tax` are the sums over the lines, and `other` is the sum of the charges;
- hence `totals.total` == sum of the lines' `total` + `tax`, + `totals.shipping` + the charges' `amount`.

Signs: `discount` and `totals.discounts` are amounts off and never negative. A charge's `amount` adds to
the order's total and is negative where it takes off. `tax` comes on top of a line's `total`.
"""

from __future__ import annotations

import hashlib
import json
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from vtex_erp.vtex.dates import iso_utc

Moment = Annotated[
    AwareDatetime,
    PlainSerializer(iso_utc, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
Money = Annotated[
    Decimal,
    PlainSerializer(lambda amount: format(amount, ".2f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+\.\d{2}$"}),
]
AmountOff = Annotated[
    Decimal,
    Field(ge=0),
    PlainSerializer(lambda amount: format(amount, ".2f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+\.\d{2}$"}),
]
UnitPrice = Annotated[
    Decimal,
    PlainSerializer(lambda price: format(price, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+\.\d{2,}$"}),
]
Quantity = Annotated[
    Decimal,
    Field(ge=0),
    PlainSerializer(lambda quantity: format(quantity, "f"), return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?$"}),
]


class Part(BaseModel):
    """A part of a sales order: immutable, and without fields that nobody declared."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        json_schema_serialization_defaults_required=True,
    )


class Source(Part):
    """Where the order comes from. `origin` is Marketplace, Fulfillment, Chain or what VTEX adds later."""

    system: Literal["vtex"] = "vtex"
    account: str
    order_id: str
    order_group: str | None
    sequence: str | None
    sales_channel: str | None
    origin: str | None
    affiliate_id: str | None
    marketplace_order_id: str | None


class Company(Part):
    """The company that buys."""

    name: str | None
    trade_name: str | None
    document: str | None
    state_inscription: str | None
    phone: str | None


class Customer(Part):
    """Who buys.

    `name` is the company's for a company, else the person's. `first_name`, `last_name`, `document` and
    `document_type` are always the person's, who is the contact of a company; the company's own document
    is in `company`. Documents hold letters and digits only; `document_type` is VTEX's word for its kind.
    `email_is_alias`: the address is VTEX's forwarding alias, another one for each order. Never key a
    customer by it: use the documents or `user_profile_id`.
    """

    type: Literal["person", "company"]
    name: str | None
    first_name: str | None
    last_name: str | None
    document: str | None
    document_type: str | None
    email: str | None
    email_is_alias: bool
    phone: str | None
    user_profile_id: str | None
    customer_code: str | None
    company: Company | None


class Address(Part):
    """A postal address. `country` is ISO 3166 alpha-3; `type` is VTEX's word (residential, pickup, …)."""

    type: str | None
    receiver_name: str | None
    street: str | None
    number: str | None
    complement: str | None
    reference: str | None
    neighborhood: str | None
    city: str | None
    state: str | None
    postal_code: str | None
    country: str | None


class Component(Part):
    """What a kit is packed from. Its money is the kit's; `quantity` is for the whole line."""

    sku: str | None
    ref_id: str | None
    ean: str | None
    description: str | None
    quantity: Quantity
    unit_of_measure: str


class Line(Part):
    """One article. `quantity` is in `unit_of_measure`: 3 packs of 0.3 kg are 0.9 kg, priced per kg.

    `parent_line_id` is the line that this one was chosen as an option of (VTEX's assembly options). `tax_code` is
    the ERP's tax for the line, where the rules name one; the amount is VTEX's all the same.
    """

    line_id: str
    sku: str
    ref_id: str | None
    ean: str | None
    description: str | None
    quantity: Quantity
    unit_of_measure: str
    unit_price: UnitPrice
    discount: AmountOff
    tax: Money
    total: Money
    seller_id: str | None
    is_gift: bool
    parent_line_id: str | None
    components: tuple[Component, ...]
    tax_code: str | None = None


class Dock(Part):
    """Where goods leave from, and who carries them."""

    dock_id: str | None
    warehouse_id: str | None
    courier_id: str | None


class Delivery(Part):
    """Lines that go together: same shipping option, channel, place and docks.

    `shipping` is this delivery's part of `totals.shipping`. Either all deliveries have one and they add
    up to the cent, or VTEX's own shares did not add up and none has one. `estimated_at` is the latest of
    the lines'. `channel` is `delivery`, `pickup-in-point` or null where VTEX does not say.
    """

    channel: str | None
    sla: str | None
    carrier: str | None
    pickup_point_id: str | None
    pickup_point_name: str | None
    address: Address | None
    docks: tuple[Dock, ...]
    window_start: Moment | None
    window_end: Moment | None
    estimated_at: Moment | None
    shipping: Money | None
    line_ids: tuple[str, ...]


class Charge(Part):
    """An amount of the order that is neither an article, nor shipping, nor a line's tax.

    `id` is VTEX's: an entry of its totals (`Change`, a marketplace's surcharge, `Tax` that no line
    explains, `Discounts` that no line carries), a service's SKU (gift wrapping, with its `line_id`), or
    `roundingError`.
    """

    id: str
    name: str | None
    amount: Money
    line_id: str | None


class Payment(Part):
    """How the cart was paid; for information only, never a part of the totals.

    `may_be_shared`: the payments are more than this order's value. Orders of one group each repeat the
    whole cart's payment, so such a `value` must not be booked against one order.
    """

    group: str | None
    system: str | None
    name: str | None
    value: Money
    installments: int | None
    transaction_id: str | None
    may_be_shared: bool


class Totals(Part):
    """The order's amounts; the module says how they add up. `total` is VTEX's order value, to the cent."""

    items: Money
    discounts: AmountOff
    shipping: Money
    tax: Money
    other: Money
    total: Money


class SalesOrder(Part):
    """A sales order. `external_id` is `account:orderId` and names the order in the ERP for ever.

    `note` is what the shopper wrote; the rules may add to it.
    """

    external_id: str
    source: Source
    placed_at: Moment
    authorized_at: Moment | None
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    customer: Customer
    billing_address: Address | None
    shipping_address: Address | None
    lines: tuple[Line, ...]
    deliveries: tuple[Delivery, ...]
    charges: tuple[Charge, ...]
    payments: tuple[Payment, ...]
    totals: Totals
    note: str | None = None

    def to_json(self) -> str:
        """Write the canonical JSON: fields in the schema's order, no blanks, decimals as plain strings."""
        return json.dumps(self.model_dump(mode="json"), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> SalesOrder:
        """Read what `to_json` wrote. Raises pydantic's ValidationError for anything else."""
        return cls.model_validate_json(text)

    @property
    def digest(self) -> str:
        """The SHA-256 of the canonical JSON, in hex: equal for equal sales orders."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()
