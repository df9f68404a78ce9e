"""The stores: what dags/stores.yaml may say. An empty file is one store with all the defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from vtex_erp.errors import ConfigurationError
from vtex_erp.functions import function_named
from vtex_erp.settings_file import Section
from vtex_erp.stores.actions import Action, Actions
from vtex_erp.stores.notices import Told
from vtex_erp.vtex.filters import ORDER_STATUSES, EventFilter, HookUrl, WantedFeed, WantedHook, nearest_status

DEFAULT_NAME = "main"

WITHOUT_FUNCTIONS: Mapping[str, bool] = {"functions": False}
"""The context of a validation that does not look for the functions that `actions` names."""

SECRET_HEADER = "X-Vtex-Erp-Secret"  # noqa: S105 - the name of the header

EVENTS_ASSET = "vtex_events"
"""The asset that wakes `vtex_orders`; of one of several stores `vtex_events__NAME`."""

EVENTS = ("ready-for-handling", "cancellation-requested", "request-cancel", "canceled", "replaced")
"""What a feed or a hook tells of, if its store wants nothing else: what has to be acted on."""

_CRON = re.compile(r"(\S+\s+){4}\S+|@\w+")
_VALUES = tuple(action.value for action in Action)


def _schedule(text: str) -> str:
    if not _CRON.fullmatch(text):
        raise ValueError(f"{text!r} is no cron expression; every minute is '* * * * *'")
    return text


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; put a name such as America/Sao_Paulo") from None
    return name


ConnectionId = Annotated[str, Field(pattern=r"^[\w.-]+$", max_length=250)]
StoreName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$", max_length=40)]


def _feed_or_none(given: object) -> object:
    return None if str(given).lower() == "false" else given


FeedOrFalse = Annotated[
    WantedFeed | None, BeforeValidator(_feed_or_none, json_schema_input_type=WantedFeed | Literal[False])
]
"""What the file says of the feed. `false` is none: a key without a value is one that was left out."""

TargetName = Annotated[str, Field(pattern=r"^[\w-]+$", max_length=40)]


class Budget(Section):
    """Requests a minute that the store's VTEX account may make. What is left out is as the connection says."""

    account: float | None = Field(default=None, gt=0, description="All requests together (VTEX allows 6000).")
    feed: float | None = Field(default=None, gt=0, description="Reads and commits of the feed.")
    read: float | None = Field(default=None, gt=0, description="Reads of orders.")
    list: float | None = Field(default=None, gt=0, description="Pages of the order list (VTEX allows 5000).")
    action: float | None = Field(default=None, gt=0, description="Start handling, and cancel.")


class Hook(Section):
    """VTEX's hook, which tells of events at once. Its secret is `hook_secret` in Extra of the `vtex` connection."""

    url: HookUrl = Field(description="Where VTEX calls: the address of Airflow's web server, then /vtex/hook/STORE.")
    filter: EventFilter = Field(default=EventFilter(status=EVENTS), description="Of which events VTEX tells.")

    def wanted(self, secret: str) -> WantedHook:
        """The hook's configuration at VTEX."""
        return WantedHook(filter=self.filter, url=self.url, headers={SECRET_HEADER: secret})


class Guard(Section):
    """What `vtex_feed_guard` may do by itself."""

    recreate: bool = Field(
        default=True, description="Create a feed or hook again, as it stands here, that VTEX has removed."
    )


class Store(Section):
    """One store: its connections, and how it is served. `name` is its key in the file."""

    name: SkipJsonSchema[StoreName] = DEFAULT_NAME
    vtex: ConnectionId = Field(default="vtex_default", description="Connection of type `vtex`.")
    erp: ConnectionId = Field(default="erp_default", description="Connection of the ERP; its type picks the client.")
    rules: str | None = Field(
        default="rules.yaml", description="The mapping rules: a file beside this one; empty for none."
    )
    schedule: Annotated[str, AfterValidator(_schedule)] = Field(
        default="* * * * *", description="When `vtex_orders` reads the feed: a cron expression, in UTC."
    )
    time_zone: Annotated[str, AfterValidator(_time_zone)] | None = Field(
        default=None, description="Where a day of `vtex_orders_by_date` begins at midnight; Airflow's own without it."
    )
    actions: Mapping[str, str] = Field(
        default={},
        description="By status in VTEX: `bring-in`, `hold`, `cancel`, `close`, `note`, or `module:function`. "
        "What is left out is done as docs/stores.md says.",
    )
    feed: FeedOrFalse = Field(
        default=WantedFeed(filter=EventFilter(status=EVENTS)),
        description="The feed as `vtex_feed_config` sets it up: of which events, and how long VTEX keeps them; `false` "
        "for a store with a hook only.",
    )
    hook: Hook | None = Field(default=None, description="The hook as `vtex_feed_config` sets it up; none without it.")
    guard: Guard = Guard()
    notify: Mapping[TargetName, Told] = Field(default={}, description="Who is told of what happens, by any name.")
    budget: Budget = Budget()

    @field_validator("actions")
    @classmethod
    def _actions_exist(cls, actions: Mapping[str, str], info: ValidationInfo) -> Mapping[str, str]:
        for status, action in actions.items():
            if status not in ORDER_STATUSES:
                nearest = nearest_status(status)
                raise ValueError(f"{status!r} is no status of VTEX's orders{f'; put {nearest!r}' if nearest else ''}")
            if ":" in action:
                _find(action, info)
            elif action not in _VALUES:
                raise ValueError(f"{status}: {action!r} is no action; choose one of: {', '.join(_VALUES)}")
        return actions

    @model_validator(mode="after")
    def _events_come(self) -> Store:
        if self.feed is None and self.hook is None:
            raise ValueError("the store has neither a feed nor a hook, so nothing would tell of its orders")
        return self

    @property
    def what_to_do(self) -> Actions:
        """The store's actions by status."""
        return Actions(self.actions)


def _find(function: str, info: ValidationInfo) -> None:
    if info.context == WITHOUT_FUNCTIONS:
        return
    try:
        function_named(function)
    except ConfigurationError as error:
        raise ValueError(error.message) from error


class Stores(Section):
    """The file."""

    stores: Mapping[StoreName, Store] = Field(default={}, description="The stores by name.")
