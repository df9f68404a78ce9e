"""Masks a shopper's data as VTEX's data protection does: `j***.d**@e******.c**`, `1**********`.

The two samples are from its guide "Profile System integration"; which fields of an order are masked is not published.
"""

from __future__ import annotations

import re
from typing import Any

_PERSONAL = {
    "clientProfileData": frozenset(
        {
            *("email", "firstName", "lastName", "document", "phone"),
            *("corporateName", "tradeName", "corporateDocument", "corporatePhone", "stateInscription"),
        }
    ),
    "address": frozenset(
        {"receiverName", "street", "number", "complement", "neighborhood", "reference", "postalCode", "geoCoordinates"}
    ),
    "row": frozenset({"clientName", "clientEmail", "clientDocument", "clientCorporateDocument", "clientCorporateName"}),
}
_ADDRESSES = frozenset({"address", "billingAddress", "selectedAddresses", "availableAddresses"})
_WORD = re.compile(r"[^\W_]+")


def mask_document(document: dict[str, Any]) -> dict[str, Any]:
    """Mask the shopper in an order document; pickup points are nobody's."""
    masked = {name: _walk(name, part) for name, part in document.items()}
    if isinstance(masked.get("clientProfileData"), dict):
        masked["clientProfileData"] = _mask_fields(masked["clientProfileData"], "clientProfileData")
    return {**masked, "piiHidden": True}


def mask_row(row: dict[str, Any]) -> dict[str, Any]:
    """Mask the shopper in a row of the list."""
    return _mask_fields(row, "row")


def mask(text: str) -> str:
    """Keep the first character of each word, and the signs between them."""
    return _WORD.sub(lambda word: word[0][:1] + "*" * (len(word[0]) - 1) if len(word[0]) > 1 else "*", text)


def _walk(name: str, part: Any) -> Any:
    if name == "pickupStoreInfo":
        return part
    if isinstance(part, list):
        return [_walk(name, each) for each in part]
    if not isinstance(part, dict):
        return part
    walked = {inner: _walk(inner, value) for inner, value in part.items()}
    return _mask_fields(walked, "address") if name in _ADDRESSES else walked


def _mask_fields(part: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: _masked(value) if name in _PERSONAL[kind] else value for name, value in part.items()}


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask(value)
    return [] if isinstance(value, list) else value
