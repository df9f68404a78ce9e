"""What a connection of type `tryton` says."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from vtex_erp.erp.claims import CLAIM_SECONDS

if TYPE_CHECKING:
    from vtex_erp.connection import ConnectionFields

WORDS = ("ref_id", "sku", "ean")
"""The words of a line that a product may be found by."""
_LONGEST_TIMEOUT = CLAIM_SECONDS / 2
"""Under a claim one call looks, and one creates: both must have ended before it runs out."""


@dataclass(frozen=True)
class TrytonSettings:
    """Where Tryton is, and what is called how there.

    `web_shops` are names of web shops: the first is for every sales channel that is still VTEX's number.
    `product_codes` are the words that a product is found by, the best first. `shipping_product`, `tax_product` and
    `charge_product` are codes of products for amounts that are no article. With `create_products` unknown products
    are made, in the accounting category `product_category`.
    """

    base_url: str
    database: str
    key: str = field(repr=False)
    web_shops: tuple[str, ...]
    connection_id: str = "erp_default"
    product_codes: tuple[str, ...] = WORDS
    shipping_product: str = "SHIPPING"
    tax_product: str = "TAX"
    charge_product: str = "CHARGES"
    payment_term: str | None = None
    create_products: bool = False
    product_category: str | None = None
    timeout_seconds: float = 60
    concurrency: int = 8

    @classmethod
    def from_connection(cls, fields: ConnectionFields) -> TrytonSettings:
        """Read a connection: Host, Schema (the database), Password (the application key), and Extra.

        Raises ConfigurationError naming the connection, the field and what to put there.
        """
        unknown = sorted(set(fields.extra) - _extra())
        if unknown:
            raise fields.wrong(
                unknown[0], f"Tryton's connection has no such field; it has {', '.join(sorted(_extra()))}"
            )
        shops = _listed(fields.extra.get("web_shops"))
        if not shops:
            raise fields.wrong("web_shops", "put the name of the web shop in Tryton; several are separated by commas")
        if not (fields.schema or "").strip():
            raise fields.wrong("Schema", "put the name of Tryton's database")
        return cls(
            # A Schema without scheme in Host would be taken for the scheme.
            base_url=replace(fields, schema=None).base_url(),
            database=(fields.schema or "").strip(),
            key=fields.secret("Password", fields.password, advice="put the application key, of the application REST"),
            web_shops=shops,
            connection_id=fields.connection_id,
            product_codes=_product_codes(fields),
            shipping_product=_text(fields, "shipping_product") or cls.shipping_product,
            tax_product=_text(fields, "tax_product") or cls.tax_product,
            charge_product=_text(fields, "charge_product") or cls.charge_product,
            payment_term=_text(fields, "payment_term"),
            create_products=_flag(fields, "create_products"),
            product_category=_category(fields),
            timeout_seconds=_timeout(fields, cls.timeout_seconds),
            concurrency=fields.whole_number("concurrency", default=cls.concurrency),
        )

    def shop_for(self, sales_channel: str | None) -> str:
        """The name of the web shop that an order of the sales channel goes to: a word that is no number of VTEX's."""
        is_name = sales_channel in self.web_shops or not (sales_channel or "0").isdecimal()
        return sales_channel if sales_channel and is_name else self.web_shops[0]


def _extra() -> set[str]:
    """The names of what Extra may have."""
    return {each.name for each in dataclasses.fields(TrytonSettings)} - {"base_url", "database", "key", "connection_id"}


def _text(fields: ConnectionFields, name: str) -> str | None:
    value = fields.extra.get(name)
    return str(value).strip() or None if value is not None else None


def _listed(value: Any) -> tuple[str, ...]:
    parts = value if isinstance(value, (list, tuple)) else str(value or "").split(",")
    return tuple(dict.fromkeys(text for text in (str(part).strip() for part in parts) if text))


def _product_codes(fields: ConnectionFields) -> tuple[str, ...]:
    words = _listed(fields.extra.get("product_codes")) or WORDS
    wrong = [word for word in words if word not in WORDS]
    if wrong:
        raise fields.wrong("product_codes", f"{wrong[0]!r} is not one of {', '.join(WORDS)}")
    return words


def _timeout(fields: ConnectionFields, default: float) -> float:
    seconds = fields.number("timeout_seconds", default=default)
    if seconds > _LONGEST_TIMEOUT:
        raise fields.wrong("timeout_seconds", f"put at most {_LONGEST_TIMEOUT:g}")
    return seconds


def _category(fields: ConnectionFields) -> str | None:
    category = _text(fields, "product_category")
    if _flag(fields, "create_products") and not category:
        raise fields.wrong("product_category", "put the accounting category that new products get")
    return category


def _flag(fields: ConnectionFields, name: str) -> bool:
    value = str(fields.extra.get(name) or "false").lower()
    if value not in ("true", "false"):
        raise fields.wrong(name, "put true or false")
    return value == "true"
