"""An order in the shape of the PII data architecture (Orders API, PII version: GET document).

The same order as Get order answers, with other dates, other casing in places, and a workflow. FromOrders filters
look at this shape on every account.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from sandbox.vtex.clock import to_vtex

if TYPE_CHECKING:
    from sandbox.vtex.orders import Order

# The store's wall time, which VTEX writes with a Z all the same.
LOCAL_OFFSET_SECONDS = -3 * 3600

_OFFSET_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?([+-]\d\d:\d\d)", re.ASCII)
_CAMEL_PARTS = ("cancellationData", "subscriptionData", "itemMetadata")
_LOGICAL_STEPS = {
    "order-created": "creating",
    "on-order-completed": "creating",
    "payment-pending": "approving-transaction",
    "approve-payment": "approving-transaction",
    "payment-approved": "approving-transaction",
    "request-cancel": "accepting-cancel",
    "cancel": "canceling",
    "canceled": "canceled",
    "invoice": "invoice",
    "invoiced": "invoiced",
}


def pii_document(order: Order) -> dict[str, Any]:
    """Make the document, with nothing masked."""
    document = order.document()
    document.pop("statusDescription", None)
    for name in _CAMEL_PARTS:
        document[name] = _camel(document.get(name))
    _reshape_items(document)
    _reshape_parties(document)
    document.update(_only_here(order, document))
    made: dict[str, Any] = _with_z(document)
    return made


def local_with_z(moment: float) -> str:
    """Write local wall time as VTEX does in `timeZoneCreationDate`: with the Z of UTC."""
    return to_vtex(moment + LOCAL_OFFSET_SECONDS, suffix="Z")


def _only_here(order: Order, document: dict[str, Any]) -> dict[str, Any]:
    profile = document.get("clientProfileData")
    changed_at = order.history[-1][0]
    return {
        "id": order.order_id,
        "orderId": order.order_id,
        "state": order.status,
        "workflowData": workflow(order) if order.status else None,
        "workflowInstanceId": None,
        "receiptData": {"receiptCollection": _receipts(order)},
        "contextData": {
            "loggedIn": True,
            "hasAccessToOrderFormEnabledByLicenseManager": False,
            "userAgent": None,
            "userId": profile.get("userProfileId") if isinstance(profile, dict) else None,
        },
        "salesChannelData": {"id": document.get("salesChannel"), "name": None, "isActive": False},
        "documentVersion": "2.1.5",
        "appVersion": "1.130.7-api",
        "piiHidden": False,
        "creationEnvironment": "STABLE",
        "userType": "",
        "emailTracked": document.get("followUpEmail"),
        "fingerPrint": None,
        "approvedBy": document.get("approvedBy"),
        "cancelledBy": None,
        "canceledBy": None,
        "callCenterOperator": "",
        "handlingData": None,
        "timeZoneCreationDate": local_with_z(order.created_at),
        "timeZoneLastChange": local_with_z(changed_at),
        "cancellationRequests": document.get("cancellationRequests"),
    }


def workflow(order: Order) -> dict[str, Any]:
    """Tell the order's way through its statuses, as one instance of the workflow of its origin."""
    steps = [(at, status) for at, status in order.history if status]
    line = [
        {"stepName": status, "date": to_vtex(at, suffix="Z"), "parentStepName": _logical(status)}
        for at, status in steps
    ]
    instance = {
        "id": f"{order.order_id}-workflow",
        "name": "Marketplace",
        "currentStepName": order.status,
        "currentStepDescription": order.status,
        "lastChange": to_vtex(order.history[-1][0], suffix="Z"),
        "isInError": False,
        "isInAutomaticRetry": False,
        "creationDate": to_vtex(order.created_at, suffix="Z"),
        "owner": "",
        "version": "1.12",
        "timeLine": line,
        "logicTimeLine": [{"stepName": step["parentStepName"], "date": step["date"]} for step in line],
        "steps": [],
        "currentLogicalStep": _logical(order.status or ""),
    }
    return {"instances": [instance], "mainFlowIndex": 0}


def _logical(status: str) -> str:
    return _LOGICAL_STEPS.get(status, "authorizing")


def _receipts(order: Order) -> list[dict[str, Any]]:
    receipts = []
    if order.authorized_at is not None:
        receipts.append({"receiptType": "authorizePayment", "date": to_vtex(order.authorized_at, suffix="Z")})
    canceled = [at for at, status in order.history if status == "canceled"]
    return receipts + [{"receiptType": "marketPlaceCancellation", "date": to_vtex(at, suffix="Z")} for at in canceled]


def _reshape_items(document: dict[str, Any]) -> None:
    """Drop what the items of this shape do not have, and add what only they have. Price tags lose their cents."""
    items = document.get("items")
    for item in items if isinstance(items, list) else ():
        for name in ("manualPriceAppliedBy", "params", "itemAttachment", "serialNumbers"):
            item.pop(name, None)
        for tag in item.get("priceTags") or ():
            tag.pop("value", None)
        categories = (item.get("additionalInfo") or {}).get("categories") or ()
        item["productCategories"] = {str(each["id"]): each["name"] for each in categories}
        item["marketingData"] = None


def _reshape_parties(document: dict[str, Any]) -> None:
    for seller in document.get("sellers") or ():
        seller["subSellerId"] = "1"
    for name in ("shippingData", "marketingData", "ratesAndBenefitsData"):
        if isinstance(document.get(name), dict):
            document[name].pop("id", None)
    for transaction in (document.get("paymentData") or {}).get("transactions") or ():
        transaction.update(sharedTransaction=False, status=None)
    if isinstance(document.get("clientProfileData"), dict):
        document["clientProfileData"]["id"] = None


def _camel(part: Any) -> Any:
    """Begin every key with a small letter."""
    if isinstance(part, list):
        return [_camel(each) for each in part]
    if isinstance(part, dict):
        return {name[:1].lower() + name[1:]: _camel(value) for name, value in part.items()}
    return part


def _with_z(part: Any) -> Any:
    """Write every date in UTC with a Z."""
    if isinstance(part, list):
        return [_with_z(each) for each in part]
    if isinstance(part, dict):
        return {name: _with_z(value) for name, value in part.items()}
    found = _OFFSET_DATE.fullmatch(part) if isinstance(part, str) else None
    return part if found is None else _in_utc(found)


def _in_utc(found: re.Match[str]) -> str:
    """Convert without touching the fraction, which has more digits than a float can hold."""
    local = datetime.fromisoformat(found[1]).replace(tzinfo=timezone.utc)
    distance = timedelta(hours=int(found[3][1:3]), minutes=int(found[3][4:]))
    moment = local + distance if found[3][0] == "-" else local - distance
    return f"{moment:%Y-%m-%dT%H:%M:%S}{found[2] or ''}Z"
