"""What VTEX sends: feed events, the configurations of feed and hook, orders and pages of orders.

Every schema takes VTEX's documents as they really come (facts.md's "Casing is mixed", null lists, floats
for integers) and refuses only what would have to be guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Annotated, Any, TypeVar

from pydantic import BeforeValidator, ConfigDict, Field, ValidationError

from vtex_erp.errors import RetryableError
from vtex_erp.vtex.dates import iso_utc, parse_vtex_datetime
from vtex_erp.vtex.lenient import Cents, Flag, Listed, Moment, Text, VtexModel, Whole, field_paths
from vtex_erp.vtex.order import (
    ClientProfile,
    Item,
    Logistics,
    Payment,
    PostalAddress,
    PriceTag,
    StorePreferences,
    Total,
    VtexOrder,
    parse_order_document,
)

__all__ = [
    "ClientProfile",
    "FeedConfiguration",
    "FeedEvent",
    "HookConfiguration",
    "Item",
    "Logistics",
    "OrderHead",
    "OrderPage",
    "OrderRow",
    "Payment",
    "PostalAddress",
    "PriceTag",
    "StorePreferences",
    "Total",
    "VtexOrder",
    "iso_utc",
    "parse_vtex_datetime",
]

_VISIBILITY_DEFAULT_SECONDS = 30


def _blank_for_null(value: object) -> object:
    return "" if value is None else value


def _moment_or_none(value: object) -> datetime | None:
    """Take a date that cannot be read for no date: no event may be lost over it."""
    try:
        if isinstance(value, datetime):
            return value.astimezone(timezone.utc)
        return parse_vtex_datetime(value) if isinstance(value, str) else None
    except ValueError:
        return None


_BlankableText = Annotated[Text, BeforeValidator(_blank_for_null)]
_EventMoment = Annotated[datetime | None, BeforeValidator(_moment_or_none)]


class FeedEvent(VtexModel):
    """One status change, as an item of the feed (camelCase) or the body of a hook call (PascalCase).

    `state` is "" or "unknow" (sic) under a FromOrders filter, whose events say nothing but that the order
    changed (facts: FromOrders + JSONata). A hook call has neither `event_id` nor `handle`.

    Raises pydantic's ValidationError for an event without an order id.
    """

    model_config = ConfigDict(extra="ignore")

    event_id: Text | None = None
    handle: Text | None = None
    domain: _BlankableText = ""
    state: _BlankableText = ""
    last_state: Text | None = None
    order_id: Annotated[Text, Field(min_length=1)]
    last_change: _EventMoment = None
    current_change: _EventMoment = None

    @property
    def change_key(self) -> str:
        """The text that tells this change from others of the order; equal in every redelivery.

        When the change happened, in UTC with microseconds; when that is missing or .NET's MinValue, when
        the change before it happened; else the event id, or "".
        """
        moment = self.current_change or self.last_change
        return iso_utc(moment) if moment else self.event_id or ""


class _Configuration(VtexModel):
    """The filter that the feed and the hook have in common; no type means FromWorkflow with every status."""

    model_config = ConfigDict(extra="ignore", alias_generator=None)

    filter_type: str | None = None
    statuses: Listed[str] = ()
    expression: str | None = None
    disable_single_fire: Flag = False


class FeedConfiguration(_Configuration):
    """The feed's configuration and fill: `GET /api/orders/feed/config`.

    `quantity` counts events in flight too; `age_of_oldest_seconds` is the age of the oldest event.
    """

    visibility_timeout_seconds: Whole = _VISIBILITY_DEFAULT_SECONDS
    retention_seconds: Whole | None = None
    quantity: Whole | None = None
    age_of_oldest_seconds: float | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> FeedConfiguration:
        """Read VTEX's answer. Both of its casings, both spellings of the age, and absent parts are fine.

        Raises RetryableError with cause `answer-malformed` for anything else.
        """
        top = _by_lower_case(document)
        queue = _by_lower_case(top.get("queue"))
        age = "mateageofoldestmessageinseconds"
        fields = {
            "visibility_timeout_seconds": queue.get("visibilitytimeoutinseconds"),
            "retention_seconds": queue.get("messageretentionperiodinseconds"),
            "quantity": top.get("quantity"),
            "age_of_oldest_seconds": top.get(f"approxi{age}", top.get(f"aproxi{age}")),
        }
        return _read(cls, {**_filter_fields(top), **_told(fields)})


class HookConfiguration(_Configuration):
    """The hook's configuration: `GET /api/orders/hook/config`.

    VTEX publishes no schema of the answer; it is read as the request of `POST` is written. `headers` are secret.
    """

    url: Text
    headers: Mapping[str, Text] = Field(default={}, repr=False)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> HookConfiguration:
        """Read VTEX's answer in any casing. Raises RetryableError with cause `answer-malformed`."""
        top = _by_lower_case(document)
        hook = _by_lower_case(top.get("hook"))
        return _read(cls, {**_filter_fields(top), **_told({"url": hook.get("url"), "headers": hook.get("headers")})})


def _filter_fields(top: Mapping[str, Any]) -> dict[str, Any]:
    chosen = _by_lower_case(top.get("filter"))
    fields = {
        "filter_type": chosen.get("type"),
        "statuses": chosen.get("status"),
        "expression": chosen.get("expression"),
        "disable_single_fire": chosen.get("disablesinglefire"),
    }
    return _told(fields)


def _told(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}


def _by_lower_case(part: object) -> dict[str, Any]:
    return {key.lower(): value for key, value in part.items()} if isinstance(part, Mapping) else {}


class _Shopper(VtexModel):
    model_config = ConfigDict(extra="ignore")

    user_profile_id: _BlankableText = ""


class _CancellationRequest(VtexModel):
    model_config = ConfigDict(extra="ignore")

    denied_by_seller: object = None
    cancellation_request_deny_date: object = None


def _tables(value: object) -> list[object]:
    return [part for part in value if isinstance(part, Mapping)] if isinstance(value, list) else []


class OrderHead(VtexModel):
    """What the pipeline decides on: identity, status, amount. `value` is in cents."""

    model_config = ConfigDict(extra="ignore")

    order_id: Annotated[Text, Field(min_length=1)]
    status: Text | None = None
    last_change: Moment = None
    creation_date: _EventMoment = None
    value: Cents | None = None
    client_profile_data: _Shopper | None = Field(default=None, repr=False)
    store_preferences_data: StorePreferences | None = None
    hostname: Text | None = None
    is_completed: bool | None = None
    cancellation_requests: Annotated[tuple[_CancellationRequest, ...], BeforeValidator(_tables)] = ()

    @property
    def cancellation_request(self) -> str:
        """What tells one request for a cancellation from the next, which comes after the first was denied.

        VTEX tells of one by several statuses, and may list it later than the first of them.
        """
        requests = self.cancellation_requests
        denied = [each for each in requests if each.denied_by_seller or each.cancellation_request_deny_date]
        return f"denied before: {len(denied)}"

    @property
    def currency(self) -> str | None:
        """The ISO 4217 code, where the document names one."""
        return self.store_preferences_data.currency_code if self.store_preferences_data else None

    @property
    def user_profile_id(self) -> str:
        """VTEX's id of the shopper, the same for all of their orders; "" for a guest."""
        return self.client_profile_data.user_profile_id if self.client_profile_data else ""

    @classmethod
    def from_json(cls, text: str | bytes) -> OrderHead:
        """Read the head of an order document.

        Raises ParkError with cause `order-malformed`, naming the order id and the fields' paths.
        """
        return parse_order_document(cls, text)


class OrderRow(VtexModel):
    """One row of the list. Its status may be minutes to weeks old: decide on the order itself."""

    model_config = ConfigDict(extra="ignore")

    order_id: Annotated[Text, Field(min_length=1)]
    status: Text | None = None
    origin: Text | None = None
    creation_date: _EventMoment = None
    authorized_date: _EventMoment = None
    total_value: Cents | None = None


class _Paging(VtexModel):
    total: Whole  # it proves that none is missing: a page without it proves nothing
    pages: Whole = 0


class OrderPage(VtexModel):
    """One page of `GET /api/oms/pvt/orders`.

    `total` and `pages` count all matches, also those beyond the 30 pages that VTEX lets one read.
    """

    model_config = ConfigDict(extra="ignore")

    rows: Annotated[Listed[OrderRow], Field(alias="list")] = ()
    paging: _Paging

    @property
    def total(self) -> int:
        """How many orders the query matches."""
        return self.paging.total

    @property
    def pages(self) -> int:
        """How many pages those fill."""
        return self.paging.pages

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> OrderPage:
        """Read VTEX's answer. Raises RetryableError with cause `answer-malformed`."""
        return _read(cls, document)


_Answer = TypeVar("_Answer", bound=VtexModel)


def _read(model: type[_Answer], document: Mapping[str, Any]) -> _Answer:
    try:
        return model.model_validate(document)
    except ValidationError as error:
        raise RetryableError(
            f"VTEX answered with a {model.__name__} whose fields cannot be read: {field_paths(error)}. "
            "It is asked again; if that keeps failing, VTEX has changed its format.",
            cause="answer-malformed",
        ) from None
