"""Kinds whose form is odd, and kinds that nobody can make a right sales order of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.orders.goods import plain, promotion, several_lines
from sandbox.vtex.clock import to_vtex

if TYPE_CHECKING:
    from sandbox.orders.document import Draft

_DIGITS = (0, 3, 6, 7)


def date_forms(draft: Draft) -> None:
    """Dates with 0, 3, 6 or 7 fraction digits, with Z or an offset other than zero."""
    plain(draft)
    draft.edits.append(lambda document: _rewrite_dates(document, draft))


def _rewrite_dates(document: dict[str, Any], draft: Draft) -> None:
    for name, moved in (("creationDate", 0.0), ("lastChange", 1830.0), ("authorizedDate", 14.0)):
        digits = draft.rng.choice(_DIGITS)
        local = draft.rng.choice((True, False))
        text = to_vtex(draft.created_at + moved - (5 * 3600 if local else 0), suffix="")
        seconds, fraction = text.split(".")
        zone = "-05:00" if local else "Z"
        document[name] = f"{seconds}.{fraction[:digits]}{zone}" if digits else f"{seconds}{zone}"


def reserialised(draft: Draft) -> None:
    """As another program would have written it: whole floats as integers, unknown keys, the schema's name."""
    promotion(draft)
    draft.edits.append(_reserialise)


def _reserialise(document: dict[str, Any]) -> None:
    document["somethingNew"] = {"sinceWhen": "tomorrow", "values": [1, 2.5, None]}
    document["approvedBy"] = document["budgetData"] = None
    document["authorizationPolicyData"] = {"status": "Accepted", "deniedPolicies": [], "pendingPolicies": []}
    for item in document["items"]:
        item["unitMultiplier"] = int(item["unitMultiplier"])
        item["priceDefinitions"] = item.pop("priceDefinition")
        item["costPrice"] = item["lockId"] = item["refId"] = None
    document["packageAttachment"] = None


def package(draft: Draft) -> None:
    """A package with an invoice of nothing: that does not make the order invoiced."""
    plain(draft)
    draft.edits.append(_pack)


def _pack(document: dict[str, Any]) -> None:
    document["packageAttachment"]["packages"].append(
        {
            "items": [],
            "courier": "Transportadora Modelo 1",
            "invoiceNumber": "12345",
            "invoiceValue": 0,
            "invoiceUrl": None,
            "issuanceDate": document["lastChange"],
            "trackingNumber": None,
            "invoiceKey": None,
            "trackingUrl": "https://sandboxstore.example/track",
            "embeddedInvoice": "",
            "type": "Output",
            "courierStatus": None,
            "cfop": None,
            "restitutions": {},
            "volumes": None,
            "EnableInferItems": None,
        }
    )


def canceled(draft: Draft) -> None:
    """A canceled order, with the PascalCase that VTEX uses for it."""
    plain(draft)
    draft.edits.append(_cancel)


def _cancel(document: dict[str, Any]) -> None:
    document["cancellationData"] = {
        "RequestedByUser": True,
        "RequestedBySystem": False,
        "RequestedBySellerNotification": None,
        "RequestedByPaymentNotification": None,
        "Reason": None,
        "CancellationDate": document["lastChange"],
    }


def masked(draft: Draft) -> None:
    """Personal data replaced by asterisks, as a key without the right gets them; valid JSON all the same."""
    plain(draft)
    draft.edits.append(_mask)


def _mask(document: dict[str, Any]) -> None:
    document["clientProfileData"] |= {
        "email": "a***.e****@e******.c**",
        "firstName": "A**",
        "lastName": "E******",
        "document": "***********",
        "phone": "+55***********",
    }
    document["shippingData"]["address"] |= {
        "receiverName": "A** E******",
        "street": "R** ********",
        "number": "***",
    }


def totals_mismatch(draft: Draft) -> None:
    """The value is a cent more than the sum of the totals."""
    several_lines(draft)
    draft.edits.append(lambda document: document.update(value=document["value"] + 1))


def items_missing(draft: Draft) -> None:
    """No items at all, although the totals count some."""
    plain(draft)
    draft.edits.append(lambda document: document.pop("items"))


def items_type(draft: Draft) -> None:
    """Items are a text, and a quantity is a word."""
    plain(draft)
    draft.edits.append(lambda document: document.update(items="see attachment", totals={"Items": 1}))


def value_type(draft: Draft) -> None:
    """The value is a text, and prices are no numbers."""
    plain(draft)
    draft.edits.append(_spoil_value)


def _spoil_value(document: dict[str, Any]) -> None:
    document["value"] = "R$ 10,00"
    document["items"][0]["price"] = {"amount": 1000}
    document["items"][0]["quantity"] = "two"
