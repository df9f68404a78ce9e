"""Says what is missing in Tryton before the first order: rights, web shops, products for amounts, payment term."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.erp.tryton.rights import NEEDED, lacking
from vtex_erp.errors import VtexErpError, attempt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vtex_erp.erp.tryton.client import TrytonErpClient


def missing(client: TrytonErpClient) -> list[str]:
    """Everything that is missing, a sentence each; nothing is changed.

    Raises CredentialsError for a key that Tryton does not take, ConfigurationError for a database that is not there,
    and RetryableError when Tryton is not reached.
    """
    given = client.api.rights(list(NEEDED), "read the user's rights")
    return [*lacking(given), *_records(client)]


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
