"""Free words of an order: what the shopper wrote, and what apps and the marketplace left."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from vtex_erp.sales.text import clean

if TYPE_CHECKING:
    from vtex_erp.vtex.order import VtexOrder

OWN_WORDS = "openTextField.value"
"""Where VTEX keeps what the shopper wrote at the checkout."""
_MOST_CHARACTERS = 1000


def words_at(order: VtexOrder, path: str) -> str | None:
    """Read a text or a number at a JSON path of VTEX's order, such as `marketingData.coupon` or `customFields.0`."""
    part: Any = order
    for name in path.split("."):
        part = _step(part, name)
    plain = isinstance(part, (str, int)) and not isinstance(part, bool)
    return clean(str(part)[:_MOST_CHARACTERS]) if plain else None


def _step(part: Any, name: str) -> Any:
    if isinstance(part, BaseModel):
        fields = {field.alias or key: key for key, field in type(part).model_fields.items()}
        return getattr(part, fields[name], None) if name in fields else (part.model_extra or {}).get(name)
    if isinstance(part, dict):
        return part.get(name)
    if isinstance(part, (list, tuple)) and name.isdigit() and int(name) < len(part):
        return part[int(name)]
    return None
