"""What the pipeline asks of any ERP: look an order up, make sure that it is there once, cancel it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from vtex_erp.errors import VtexErpError
    from vtex_erp.sales.model import SalesOrder


CLAIMED = "claimed-by-another"
NOT_CREATED = frozenset({"unreachable", CLAIMED})
"""Causes of a RetryableError from `ensure` that say: the order was not created."""


class Guarantee(str, Enum):
    """How an ERP keeps an order from being created twice."""

    UNIQUE = "unique"
    """The ERP itself refuses or merges a second order with the same external id."""
    RESERVABLE = "reservable"
    """The ERP has a place to reserve the external id before the order is created."""
    SEARCH_ONLY = "search-only"
    """The external id can only be searched for; what was just created may not be found yet."""


@dataclass(frozen=True)
class Found:
    """The ERP holds the order, under this id of its own. `total` and `cancelled` are None where it does not say.

    One that is not `finished` is a draft: `ensure` takes it on from where it stands. One that is cancelled parks an
    order that was in doubt.
    """

    erp_id: str
    total: Decimal | None = None
    cancelled: bool | None = None
    finished: bool = True


@dataclass(frozen=True)
class Absent:
    """The ERP holds no order with that external id."""


@dataclass(frozen=True)
class Unknown:
    """The ERP could not tell. That is no leave to create the order."""

    reason: str


Lookup = Found | Absent | Unknown


class Cancellation(str, Enum):
    """What became of a cancellation."""

    CANCELLED = "cancelled"
    UNKNOWN_ORDER = "unknown-order"
    TOO_LATE = "too-late"


class ErpClient(Protocol):
    """The adapter for one kind of ERP. Threads share it; `external_id` is `account:orderId`.

    `settle_seconds` is how long after a create without an answer a lookup may still miss the order;
    `concurrency` how many threads may call at the same time.
    """

    guarantee: Guarantee
    settle_seconds: float
    concurrency: int

    def lookup(self, external_id: str) -> Lookup:
        """Tell whether the ERP holds the order. Trouble is Unknown; only CredentialsError is raised."""

    def ensure(self, sales_order: SalesOrder) -> str:
        """Have the order in the ERP, once, and give the ERP's id; repeating it gives the same id.

        Raises ParkError (`erp-refused:<status>`) when refused for good: nothing was created;
        UnclearError when it may have been created; RateLimitedError, and RetryableError with a cause of
        `NOT_CREATED`, when nothing was; CredentialsError when the ERP does not accept the credentials.
        """

    def cancel(self, external_id: str, *, reason: str) -> Cancellation:
        """Cancel the order. Repeating it is harmless.

        Raises UnclearError when it may have been cancelled, and RateLimitedError, RetryableError and
        CredentialsError as `ensure` does.
        """


@runtime_checkable
class EnsuresMany(Protocol):
    """What an ERP client may have besides: many orders in one call, where that is faster.

    It is not used with `SEARCH_ONLY`: after an exception that is none of ours each order is sent again at once, alone.
    """

    at_once: int
    """How many orders are worth while in one call."""

    def ensure_many(self, sales_orders: Sequence[SalesOrder]) -> Sequence[str | VtexErpError]:
        """Do for each of the orders, which are different ones, what `ensure` does: its id, or its error.

        Orders that share a failure get the same error.
        """


@runtime_checkable
class LooksUpMany(Protocol):
    """What an ERP client may have besides: many lookups in one call."""

    def lookup_many(self, external_ids: Sequence[str]) -> Mapping[str, Lookup]:
        """Answer for each external id as `lookup` does."""
