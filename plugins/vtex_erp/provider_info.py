"""What Airflow shows of this package as a provider: the connection type `vtex` and its form."""

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
            }
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
