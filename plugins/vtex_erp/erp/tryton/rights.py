"""What the key's user must be allowed to do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

NEEDED = {
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


def lacking(given: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What the user lacks, a sentence for each model."""
    for model, rights in NEEDED.items():
        missing = [right for right in rights if not given.get(model, {}).get(right)]
        if missing:
            yield f"The key's user may not {' and '.join(missing)} {model}: put him into the group Sales."
