"""What Airflow shows of this package as a provider: the connection types `vtex` and `tryton` and their forms."""

from __future__ import annotations

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Describe the provider. Airflow calls it by the entry point in pyproject.toml."""
    return {
        "package-name": "vtex-erp",
        "name": "VTEX to ERP",
        "description": "Brings every VTEX order into the merchant's ERP exactly once.",
        "connection-types": [
            {
                "connection-type": "vtex",
                "hook-class-name": "vtex_erp.hooks.vtex.VtexHook",
                "hook-name": "VTEX",
                "ui-field-behaviour": {
                    "hidden-fields": ["port", "schema"],
                    "relabeling": {"host": "Base URL", "login": "App key", "password": "App token"},
                    "placeholders": {
                        "host": "empty for https://{account}.vtexcommercestable.com.br",
                        "login": "vtexappkey-mystore-ABCDEF",
                        "password": "shown once by VTEX, when the key was made",
                    },
                },
                "conn-fields": _FIELDS,
            },
            {
                "connection-type": "tryton",
                "hook-class-name": "vtex_erp.hooks.tryton.TrytonHook",
                "hook-name": "Tryton",
                "ui-field-behaviour": {
                    "hidden-fields": ["port", "login"],
                    "relabeling": {"host": "Server", "schema": "Database", "password": "Application key"},
                    "placeholders": {
                        "host": "https://tryton.example.com",
                        "password": "of a validated user application with the application REST",
                    },
                },
                "conn-fields": _TRYTON_FIELDS,
            },
        ],
    }


_FIELDS: dict[str, Any] = {
    "account": {
        "label": "Account",
        "description": "The VTEX account name, such as mystore. Required.",
        "schema": {"type": "string", "minLength": 1},
    },
    "timeout_seconds": {
        "label": "Timeout (seconds)",
        "description": "The longest silence of VTEX in one call.",
        "schema": {"type": ["number", "null"], "exclusiveMinimum": 0, "default": 30},
    },
    "concurrency": {
        "label": "Concurrency",
        "description": "How many calls a task makes at the same time.",
        "schema": {"type": ["integer", "null"], "minimum": 1, "default": 32},
    },
    "requests_per_minute": {
        "label": "Requests per minute",
        "description": "VTEX's limit for the whole account. All tasks together stay below it.",
        "schema": {"type": ["number", "null"], "exclusiveMinimum": 0, "default": 6000},
    },
    "data_protection": {
        "label": "Data protection",
        "description": "On for an account with VTEX's Data Protection Plus (PII data architecture). Needs a reason.",
        "schema": {"type": ["boolean", "null"], "default": False},
    },
    "reason": {
        "label": "Reason for clear data",
        "description": "With data protection: why this integration reads shoppers' data. VTEX audits it.",
        "schema": {"type": ["string", "null"]},
    },
    "hook_secret": {
        "label": "Hook secret",
        "description": "What calls of VTEX's hook prove themselves with. Empty: no call is taken. To change it, put "
        "the new one, a comma, and the old one, until VTEX has the new one.",
        "schema": {"type": ["string", "null"], "format": "password"},
    },
}


def _text(label: str, description: str, *, default: str | None = None) -> dict[str, Any]:
    schema = {"type": ["string", "null"], **({"default": default} if default else {})}
    return {"label": label, "description": description, "schema": schema}


_TRYTON_FIELDS: dict[str, Any] = {
    "web_shops": {
        "label": "Web shops",
        "description": "Names in Tryton, separated by commas. The first is for every sales channel that, after the "
        "rules, is still a number. Required.",
        "schema": {"type": "string", "minLength": 1},
    },
    "product_codes": _text(
        "Product codes", "By which of a line's words a product is found, the best first.", default="ref_id, sku, ean"
    ),
    "shipping_product": _text("Shipping product", "Code of the product for shipping.", default="SHIPPING"),
    "tax_product": _text("Tax product", "Code of the product for taxes that VTEX computed.", default="TAX"),
    "charge_product": _text(
        "Charge product", "Code of the product for charges whose id is no product code.", default="CHARGES"
    ),
    "payment_term": _text("Payment term", "Name in Tryton; empty for the company's own."),
    "create_products": {
        "label": "Create products",
        "description": "Make products that Tryton does not have; otherwise their orders are parked.",
        "schema": {"type": ["boolean", "null"], "default": False},
    },
    "product_category": _text("Product category", "The accounting category of products that are made."),
    "timeout_seconds": {
        "label": "Timeout (seconds)",
        "description": "The longest silence of Tryton in one call.",
        "schema": {"type": ["number", "null"], "exclusiveMinimum": 0, "maximum": 300, "default": 60},
    },
    "concurrency": {
        "label": "Concurrency",
        "description": "How many calls a task makes at the same time: two for each of Tryton's processes.",
        "schema": {"type": ["integer", "null"], "minimum": 1, "default": 8},
    },
}
