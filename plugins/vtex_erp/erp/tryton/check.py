"""Says what is missing in Tryton before the first order: rights, web shops, products for amounts, payment term."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.erp.tryton.drafts import attempt
from vtex_erp.errors import VtexErpError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vtex_erp.erp.tryton.client import TrytonErpClient

_NEEDED = {
    "sale.sale": ("read", "write", "create", "delete"),
    "sale.line": ("read", "create"),
    "party.party": ("read", "write", "create"),
    "party.identifier": ("read", "create"),
    "party.address": ("read", "create"),
    "party.contact_mechanism": ("read", "create"),
    "web.shop": ("read",),
    "product.product": ("read",),
    "product.uom": ("read",),
    "account.tax": ("read",),
    "currency.currency": ("read",),
    "country.country": ("read",),
    "country.subdivision": ("read",),
}


def missing(client: TrytonErpClient) -> list[str]:
    """Everything that is missing, a sentence each; nothing is changed.

    Raises CredentialsError for a key that Tryton does not take, ConfigurationError for a database that is not there,
    and RetryableError when Tryton is not reached.
    """
    return [*_rights(client), *_records(client)]


def _rights(client: TrytonErpClient) -> Iterator[str]:
    given = client.api.rights(list(_NEEDED), "read the user's rights")
    for model, rights in _NEEDED.items():
        lacking = [right for right in rights if not given.get(model, {}).get(right)]
        if lacking:
            yield f"The key's user may not {' and '.join(lacking)} {model}: put him into the group Sales."


def _records(client: TrytonErpClient) -> Iterator[str]:
    catalogue, settings = client.catalogue, client.settings
    checks = [
        attempt(lambda: catalogue.shops),
        *(attempt(catalogue.own_product, name) for name in ("shipping_product", "tax_product", "charge_product")),
        attempt(catalogue.payment_term),
        *([attempt(catalogue.product_category)] if settings.create_products else []),
    ]
    for outcome in checks:
        if isinstance(outcome, VtexErpError):
            yield outcome.message
