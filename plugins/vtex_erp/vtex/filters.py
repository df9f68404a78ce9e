"""What a store wants of its feed and its hook: checked before VTEX sees it, and compared with what VTEX has.

VTEX takes a misspelt status and never matches it, so nothing here is sent that VTEX's filters do not know
(guide "Set up order integration": "the feed configuration does not validate the inserted values").
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, overload
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from vtex_erp.vtex.schemas import FeedConfiguration, HookConfiguration

FILTER_STATUSES = (
    "order-created",
    "on-order-completed",
    "on-order-completed-ffm",
    "order-accepted",
    "payment-pending",
    "waiting-for-order-authorization",
    "approve-payment",
    "payment-approved",
    "request-cancel",
    "waiting-for-seller-decision",
    "waiting-ffmt-authorization",
    "waiting-for-authorization",
    "waiting-for-manual-authorization",
    "waiting-for-mkt-authorization",
    "waiting-seller-handling",
    "authorize-fulfillment",
    "order-create-error",
    "order-creation-error",
    "window-to-cancel",
    "window-to-change-seller",
    "ready-for-handling",
    "start-handling",
    "handling",
    "invoice-after-cancellation-deny",
    "invoice",
    "invoiced",
    "replaced",
    "cancellation-requested",
    "cancel",
    "canceled",
)
"""The statuses that a FromWorkflow filter matches (Orders API, Create or update feed configuration)."""

ORDER_STATUSES = frozenset(FILTER_STATUSES) | {
    "waiting-for-fulfillment",
    "ready-for-invoicing",
    "window-to-change-payment",
    "cancellation-request-denied-ffm",
}
"""What an order may be in: those, and a few that no filter knows (help article "Order flow and status")."""

VISIBILITY_SECONDS = (1, 43_200)
"""The help article "Feed v3" gives the default, 30 seconds, and the maximum, 12 hours; no minimum is published."""

RETENTION_SECONDS = (345_600, 1_209_600)
"""4 to 14 days (guide "Feed v3")."""

# Words of VTEX's own documents, its admin and its list of orders that its filters do not know. What can only be
# guessed from the letters is left to difflib.
_RIGHT_WORD = {
    "order-completed": "on-order-completed",  # guide "Feed v3"
    "cancelation-request": "cancellation-requested",  # guide "Set up order integration", FAQ
    "cancellation-request": "cancellation-requested",
    "waiting-for-sellers-confirmation": "waiting-for-authorization",  # Orders API, List orders
    "waiting-for-seller-confirmation": "waiting-for-authorization",
    "release-to-fulfillment": "authorize-fulfillment",
    "payment-denied": "cancel",
    "request-cancellation": "request-cancel",
    "waiting-for-the-seller-decision": "waiting-for-seller-decision",
    "waiting-for-fulfillment-authorization": "waiting-for-manual-authorization",
    "cancellation-window": "window-to-cancel",
    "handling-shipping": "handling",
    "preparing-delivery": "handling",
    "verifying-invoice": "invoice",
    "canceling": "cancel",
    # Real statuses for which the filters have no word: the one that comes before or instead.
    "waiting-for-fulfillment": "handling",
    "ready-for-invoicing": "handling",
    "window-to-change-payment": "payment-pending",
    "cancellation-request-denied-ffm": "cancellation-requested",
    "shipped": "invoiced",
}

_CHANGING = frozenset(
    {
        *("status", "state", "workflowData", "workflowIsInError", "lastChange", "timeZoneLastChange"),
        *("authorizedDate", "invoicedDate", "isCompleted", "lastMessage", "isAllDelivered", "isAnyDelivered"),
        *("cancelReason", "cancellationData", "cancellationRequests", "packageAttachment", "changesAttachment"),
        *("receiptData", "handlingData", "finished"),
    }
)
_TEXT_OR_PATTERN = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|/\*.*?\*/|~>\s*/(?:[^/\\]|\\.)+/', re.DOTALL)
_NAME = re.compile(r"`[^`]*`|[A-Za-z_]\w*")
_Headers = Mapping[str, str]
_NONE = "none"
_HIDDEN = "a value (hidden)"
_HEADER = "hook.headers."
_TYPOGRAPHIC_QUOTES = frozenset("\u201c\u201d\u2018\u2019")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def nearest_status(word: str) -> str | None:
    """Find the filter's status that a word means; itself if it is one, None if nothing is near."""
    plain = re.sub(r"[\s_]+", "-", word.strip().lower())
    if plain in FILTER_STATUSES:
        return plain
    near = difflib.get_close_matches(plain, (*FILTER_STATUSES, *_RIGHT_WORD), n=1)
    return _RIGHT_WORD.get(plain) or (_RIGHT_WORD.get(near[0], near[0]) if near else None)


def _known(status: str) -> str:
    if status in FILTER_STATUSES:
        return status
    nearest = nearest_status(status)
    advice = f"put '{nearest}'" if nearest else f"choose from {', '.join(FILTER_STATUSES)}"
    raise _refusal(
        "unknown_status", f"'{status}' is no status of VTEX's filters: VTEX would take it and never match it; {advice}"
    )


def _refusal(kind: Literal["unknown_status", "mixed_filter", "wrong_setting"], message: str) -> PydanticCustomError:
    return PydanticCustomError(kind, "{message}", {"message": message})


class Wanted(BaseModel):
    """A part of the wanted configuration: immutable, and without settings that nobody declared."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class EventFilter(Wanted):
    """Which changes VTEX tells of: changes of status, or any change of the document that an expression takes.

    `status` without an entry means every status; their order does not matter. `expression` is JSONata, written plainly:
    escaping it for JSON is not its author's business.

    Raises pydantic's ValidationError for unknown statuses, naming the right one, and for a mixture of the two
    types, to which VTEX answers 409 (guide "Feed v3").
    """

    type: Literal["FromWorkflow", "FromOrders"] = "FromWorkflow"
    status: tuple[Annotated[str, AfterValidator(_known)], ...] = ()
    expression: str | None = None
    disable_single_fire: bool = False

    @model_validator(mode="after")
    def _unmixed(self) -> EventFilter:
        by_expression = self.type == "FromOrders"
        if self.status if by_expression else (self.expression is not None or self.disable_single_fire):
            raise _refusal(
                "mixed_filter",
                "status belongs to type FromWorkflow, expression and disable_single_fire belong to FromOrders: "
                "VTEX answers 409 to a mixture; keep one kind",
            )
        if by_expression:
            _check_expression(self.expression or "")
        return self

    @property
    def statuses(self) -> tuple[str, ...]:
        """The statuses that match, spelt out; none for FromOrders."""
        return () if self.type == "FromOrders" else self.status or FILTER_STATUSES

    def document(self) -> dict[str, Any]:
        """Write the filter as VTEX takes it."""
        if self.type == "FromWorkflow":
            return {"type": self.type, "status": list(self.statuses)}
        return {"type": self.type, "expression": self.expression, "disableSingleFire": self.disable_single_fire}

    def warnings(self) -> list[str]:
        """Say which known defects of VTEX this filter walks into."""
        if self.type == "FromWorkflow":
            return []
        expression = self.expression or ""
        changing = ", ".join(sorted(_CHANGING & _names(expression)))
        found = {
            f"The expression names what changes over an order's life ({changing}): VTEX skips versions of the order's "
            "document, so events get lost (known issue 832400). Name only what stays and let the order's status "
            "decide here, or use FromWorkflow.": bool(changing),
            "VTEX never fires payment-approved under FromOrders for orders that the store itself sells, seller 1 "
            "(known issue 640925). Use FromWorkflow.": "payment-approved" in expression,
            "With disable_single_fire off, each order comes once: ready-for-handling after a denied cancellation, or "
            "any later change, is not told.": not self.disable_single_fire,
        }
        return [warning for warning, applies in found.items() if applies]


def _check_expression(expression: str) -> None:
    if not expression.strip():
        raise _refusal("wrong_setting", 'FromOrders needs an expression in JSONata, such as salesChannel = "1"')
    if _TYPOGRAPHIC_QUOTES.intersection(expression):
        raise _refusal("wrong_setting", "the expression has typographic quotes, as VTEX's guide prints: put \" instead")
    if '\\"' in _TEXT_OR_PATTERN.sub("", expression):
        raise _refusal("wrong_setting", 'the expression is escaped: put " instead of \\"')


def _names(expression: str) -> set[str]:
    """List the fields that an expression names: what is neither text, nor a pattern, nor a variable."""
    bare = re.sub(r"\$\w+", " ", _TEXT_OR_PATTERN.sub(" ", expression))
    return {name.strip("`") for name in _NAME.findall(bare)}


class WantedFeed(Wanted):
    """The feed that a store wants, with VTEX's bounds.

    The visibility timeout is how long a run may take from reading an event to committing it; the retention how
    long an outage may last before events are gone.
    """

    filter: EventFilter = EventFilter(status=("ready-for-handling",))
    visibility_timeout_seconds: Annotated[int, Field(ge=VISIBILITY_SECONDS[0], le=VISIBILITY_SECONDS[1])] = 240
    retention_seconds: Annotated[int, Field(ge=RETENTION_SECONDS[0], le=RETENTION_SECONDS[1])] = RETENTION_SECONDS[1]

    def document(self) -> dict[str, Any]:
        """Write the configuration as VTEX takes it, in the casing of the Orders API's schema."""
        return {
            "filter": self.filter.document(),
            "queue": {
                "visibilityTimeoutInSeconds": self.visibility_timeout_seconds,
                "MessageRetentionPeriodInSeconds": self.retention_seconds,
            },
        }


def _https(url: str) -> str:
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not (secure and parts.hostname and "@" not in parts.netloc and not any(map(str.isspace, url))):
        raise _refusal(
            "wrong_setting", "VTEX calls https only: put an address like https://airflow.example.com/vtex/hook/mystore"
        )
    return url


HookUrl = Annotated[str, AfterValidator(_https)]
"""An address that VTEX calls."""


class WantedHook(Wanted):
    """The hook that a store wants. The headers are the only thing that proves a call to be VTEX's: they are secret.

    Plain http is taken for this machine only, where a simulated VTEX may call.
    """

    filter: EventFilter = EventFilter(status=("ready-for-handling",))
    url: HookUrl
    headers: _Headers = Field(default={}, repr=False)

    def document(self) -> dict[str, Any]:
        """Write the configuration as VTEX takes it."""
        return {"filter": self.filter.document(), "hook": {"url": self.url, "headers": dict(self.headers)}}


@dataclass(frozen=True)
class Setting:
    """One field as it is wanted and as VTEX has it, under VTEX's name of it. Neither value is a secret."""

    field: str
    wanted: str
    actual: str
    differs: bool = True

    def __str__(self) -> str:
        """Say it in one line."""
        return f"{self.field}: wanted {self.wanted}, VTEX has {self.actual}"


@overload
def side_by_side(wanted: WantedFeed, actual: FeedConfiguration | None) -> list[Setting]: ...


@overload
def side_by_side(wanted: WantedHook, actual: HookConfiguration | None) -> list[Setting]: ...


def side_by_side(
    wanted: WantedFeed | WantedHook, actual: FeedConfiguration | HookConfiguration | None
) -> list[Setting]:
    """List every field with what is wanted and what VTEX has. `actual` is None where VTEX has no configuration.

    The order of statuses does not count, and a filter that VTEX does not tell, or one without a status, is
    FromWorkflow with every status (guide "Feed v3"). Values of headers stay hidden.
    """
    kind = FeedConfiguration if isinstance(wanted, WantedFeed) else HookConfiguration
    ours, theirs = _shown(kind.from_document(wanted.document())), _shown(actual) if actual else {}
    rows = ((field, ours.get(field, _NONE), theirs.get(field, _NONE)) for field in dict.fromkeys([*ours, *theirs]))
    return [Setting(field, _hidden(field, one), _hidden(field, other), one != other) for field, one, other in rows]


@overload
def compare(wanted: WantedFeed, actual: FeedConfiguration | None) -> list[Setting]: ...


@overload
def compare(wanted: WantedHook, actual: HookConfiguration | None) -> list[Setting]: ...


def compare(wanted: Any, actual: Any) -> list[Setting]:
    """List what differs; nothing when all is as wanted, and one line where VTEX has no configuration."""
    if actual is None:
        return [Setting("configuration", "one", _NONE)]
    return [setting for setting in side_by_side(wanted, actual) if setting.differs]


def _shown(configuration: FeedConfiguration | HookConfiguration) -> dict[str, str]:
    """Write every field as text that is equal where VTEX does the same."""
    if isinstance(configuration, FeedConfiguration):
        rest = {
            "queue.visibilityTimeoutInSeconds": str(configuration.visibility_timeout_seconds),
            "queue.MessageRetentionPeriodInSeconds": str(configuration.retention_seconds or _NONE),
        }
    else:
        headers = sorted(configuration.headers.items())
        rest = {"hook.url": configuration.url, **{f"{_HEADER}{name.lower()}": value for name, value in headers}}
    return {**_shown_filter(configuration), **rest}


def _shown_filter(configuration: FeedConfiguration | HookConfiguration) -> dict[str, str]:
    if configuration.filter_type == "FromOrders":
        return {
            "filter.type": "FromOrders",
            "filter.expression": configuration.expression or _NONE,
            "filter.disableSingleFire": str(configuration.disable_single_fire).lower(),
        }
    statuses = sorted(set(configuration.statuses or FILTER_STATUSES))
    every = set(FILTER_STATUSES).issubset(statuses)
    return {"filter.type": "FromWorkflow", "filter.status": "every status" if every else ", ".join(statuses)}


def _hidden(field: str, value: str) -> str:
    """Somebody else's address may hold a key, as the headers do."""
    if field == "hook.url":
        address, question, _ = value.partition("?")
        return f"{address}?{_HIDDEN}" if question else address
    return _HIDDEN if field.startswith(_HEADER) and value != _NONE else value
