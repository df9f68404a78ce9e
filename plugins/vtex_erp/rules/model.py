"""The mapping rules: what a rules file may say. Without a file, and with an empty one, nothing is translated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from vtex_erp.functions import FunctionName
from vtex_erp.settings_file import Section

Code = Annotated[str, Field(min_length=1)]
Table = Mapping[Code, Code]
NotePath = Annotated[str, Field(pattern=r"^[A-Za-z]\w*(\.\w+)*$")]


class Codes(Section):
    """A table from VTEX's word to the ERP's."""

    codes: Table = Field(default={}, description="VTEX's word: the ERP's word. Case counts.")
    unknown: Literal["keep", "park"] = Field(
        default="keep",
        description="What becomes of an order with a word that is not in `codes`: `keep` sends VTEX's word, "
        "`park` stops the order with a cause that names the word.",
    )


class CustomerRules(Section):
    """Who the customer is in the ERP."""

    document_types: Codes = Field(
        default=Codes(),
        description="VTEX's documentType (cpf, rut, …; here case does not count) to the ERP's word, in "
        "`customer.document_type`.",
    )
    default_document_type: Code | None = Field(
        default=None, description="`customer.document_type` where VTEX gives a document without its kind."
    )
    without_document: Literal["keep", "park"] = Field(
        default="keep",
        description="A guest with no document, neither a person's nor a company's: `park` stops the order with "
        "cause `customer-without-document`.",
    )
    company_without_document: Literal["keep", "person", "park"] = Field(
        default="keep",
        description="A company whose document is missing: `person` sells to its contact instead, `park` stops the "
        "order with cause `company-without-document`.",
    )


class Rules(Section):
    """How the merchant's ERP calls what VTEX names otherwise."""

    skus: Codes = Field(default=Codes(), description="SKU id to the ERP's product code, in `ref_id`. `sku` stays.")
    units: Codes = Field(default=Codes(), description="measurementUnit (un, kg, …), in `unit_of_measure`.")
    payments: Codes = Field(
        default=Codes(), description="Payment system id to payment method, in `payments[].system`. `name` stays."
    )
    carriers: Codes = Field(default=Codes(), description="Carrier (deliveryCompany), in `deliveries[].carrier`.")
    couriers: Codes = Field(default=Codes(), description="Courier id, in `deliveries[].docks[].courier_id`.")
    warehouses: Codes = Field(default=Codes(), description="Warehouse id, in `deliveries[].docks[].warehouse_id`.")
    docks: Codes = Field(default=Codes(), description="Dock id, in `deliveries[].docks[].dock_id`.")
    sales_channels: Codes = Field(
        default=Codes(), description="Sales channel (trade policy), in `source.sales_channel`."
    )
    charges: Codes = Field(
        default=Codes(), description="Charge id (Change, Interest, a service's SKU, …), in `charges[].id`."
    )
    taxes: Codes = Field(
        default=Codes(),
        description="An item's taxCode to the ERP's tax, in `lines[].tax_code`. One that is not in `codes` stays null "
        "under `keep`: the amount that VTEX computed is sent for itself.",
    )
    kits: Literal["kit", "components"] = Field(
        default="kit",
        description="`kit` sends a kit as one line; `components` sends its components as lines that share its money.",
    )
    notes: tuple[NotePath, ...] = Field(
        default=(),
        description="Fields of VTEX's order whose text is added to `note`, such as `marketingData.coupon`.",
    )
    customers: CustomerRules = Field(default=CustomerRules(), description="Who the customer is in the ERP.")
    hook: FunctionName | None = Field(
        default=None,
        description="`module:function` for what no table can say: called last, with the sales order and the VTEX "
        "order; gives the sales order to send.",
    )
