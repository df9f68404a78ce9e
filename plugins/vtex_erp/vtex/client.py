"""The client of VTEX's Orders API: one method per endpoint."""

from __future__ import annotations

import logging
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from vtex_erp.errors import (
    FeedNotConfiguredError,
    HookNotConfiguredError,
    OrderNotFoundError,
    RateLimitedError,
    RetryableError,
    UnclearError,
)
from vtex_erp.transport import Budget, Clock, Sleep, Transport, pooled_session
from vtex_erp.vtex import calls
from vtex_erp.vtex.answers import Call, raise_for_response, read_answer
from vtex_erp.vtex.calls import MAX_FEED_ITEMS
from vtex_erp.vtex.dates import parse_vtex_datetime
from vtex_erp.vtex.lenient import field_paths
from vtex_erp.vtex.schemas import FeedConfiguration, FeedEvent, HookConfiguration, OrderPage
from vtex_erp.vtex.settings import VtexSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import requests

    from vtex_erp.vtex.filters import WantedFeed, WantedHook

__all__ = ["CancelReceipt", "VtexClient", "VtexSettings"]

_log = logging.getLogger(__name__)

_DEFAULT_PAUSE_SECONDS = 60.0
_PAUSES_BETWEEN_TRIES = (0.5, 1.5)
_NO_CONTENT = 204

_Result = TypeVar("_Result")


@dataclass(frozen=True)
class CancelReceipt:
    """VTEX took the request. That is no cancellation yet: read the order (Orders API, Cancel order)."""

    order_id: str
    date: datetime | None
    receipt: str | None


class VtexClient:
    """Calls one VTEX account. Any number of threads may share it; they share one pool and one pause.

    `budget` is what all clients of the account share, wherever they run; without one only a 429 slows this client.

    Every method may raise, besides what it names itself:

    CredentialsError    401, 403, or a log-in page in place of an answer; says which permission is needed
    RateLimitedError    429 after three pauses of what Retry-After says (one minute without it: guide
                        "Orders feed"), or at once when a pause is longer than five minutes
    RetryableError      5xx, no connection, no answer or broken JSON. Reads and commits are tried three times
                        before; `start_handling` and `cancel` once, and they raise UnclearError where VTEX may
                        have acted
    """

    def __init__(
        self,
        settings: VtexSettings,
        *,
        session: requests.Session | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
        budget: Budget | None = None,
    ) -> None:
        self.settings = settings
        self._server = f"VTEX (connection {settings.connection_id!r})"
        self._sleep = sleep
        self._transport = Transport(
            settings.base_url,
            server=self._server,
            headers=request_headers(settings),
            timeout_seconds=settings.timeout_seconds,
            default_pause=_DEFAULT_PAUSE_SECONDS,
            session=session or pooled_session(settings.base_url, concurrency=settings.concurrency),
            clock=clock,
            sleep=sleep,
            budget=budget,
        )

    def feed_configuration(self) -> FeedConfiguration:
        """Get the configuration and fill of this app key's feed. Raises FeedNotConfiguredError."""
        document = self._read(calls.read_feed_configuration(), dict)
        if not document:
            raise FeedNotConfiguredError(
                f"{self._server} holds no feed for this app key. Configure one and bring in the gap by date."
            )
        return FeedConfiguration.from_document(document)

    def configure_feed(self, wanted: WantedFeed) -> None:
        """Create this app key's feed, or change it; what is queued stays (guide "Feed v3").

        One key has one feed: look first whose it is. Raises ConfigurationError where VTEX refuses the filter.
        """
        self._do(calls.write_feed_configuration(wanted))

    def delete_feed_configuration(self) -> None:
        """Delete this app key's feed, with what is queued; no matter if there is none."""
        with suppress(FeedNotConfiguredError):
            self._do(calls.delete_feed_configuration())

    def hook_configuration(self) -> HookConfiguration:
        """Get the configuration of this app key's hook. Raises HookNotConfiguredError."""
        document = self._read(calls.read_hook_configuration(), dict)
        if not document:
            raise HookNotConfiguredError(f"{self._server} holds no hook for this app key. Configure one.")
        return HookConfiguration.from_document(document)

    def configure_hook(self, wanted: WantedHook) -> None:
        """Create this app key's hook, or change it. VTEX pings the hook first, which must answer 200.

        One key has one hook: look first whose it is. Raises ConfigurationError where VTEX refuses the address or
        the filter.
        """
        self._do(calls.write_hook_configuration(wanted))

    def delete_hook_configuration(self) -> None:
        """Delete this app key's hook; no matter if there is none."""
        with suppress(HookNotConfiguredError):
            self._do(calls.delete_hook_configuration())

    def try_expression(self, expression: str, document: str) -> bool:
        """Let VTEX try a FromOrders expression on an order's document, the text of a JSON object.

        VTEX's filters see the document of `/api/orders/pvt/document`, which is not in all that of `get_order`.
        Raises ConfigurationError where VTEX refuses the expression.
        """
        return self._read(calls.try_expression(expression, document), bool)

    def retrieve_feed_items(self, limit: int = MAX_FEED_ITEMS) -> list[FeedEvent]:
        """Take up to `limit` (1 to 10) events; they are hidden from other reads for the visibility timeout.

        An empty or short list does not mean an empty feed: it is a standard SQS queue (ERP integration FAQ).
        An item that names no order is left where it is, with a warning. Raises FeedNotConfiguredError.
        """
        events = [_event(item) for item in self._read(calls.retrieve_items(limit), list)]
        return [event for event in events if event is not None]

    def commit_feed_items(self, handles: Sequence[str]) -> None:
        """Remove up to 10 delivered events from the feed for good; none at all makes no call.

        Raises HandleRefusedError if VTEX does not take one of the handles; others may be committed then.
        """
        if handles:
            self._do(calls.commit_items(handles))

    def get_order(self, order_id: str) -> str:
        """Get an order: the text of the JSON object as VTEX sent it, in the shape of the account's API.

        `VtexOrder` and `OrderHead` read both shapes. Raises OrderNotFoundError, and ParkError for what cannot be an
        order id or what VTEX refuses to read.
        """
        call = calls.read_order(order_id, reason=self.settings.reason)
        return self._patiently(lambda: self._order_text(call))

    def start_handling(self, order_id: str) -> None:
        """Tell VTEX that the merchant took the order over. To be called once: 204 and nothing else is a yes.

        Raises WrongStatusError where the order is not in ready-for-handling, so also for a second call;
        OrderNotFoundError; UnclearError where only reading the order can tell.
        """
        call = calls.start_handling_of(order_id, protected=self.settings.data_protection)
        status = self._ask(call).status_code
        if status != _NO_CONTENT:
            raise UnclearError(
                f"{self._server} answered {status} where 204 means yes, when asked to {call.task}. "
                "Read the order before trying again.",
                status=status,
            )

    def list_orders(
        self,
        *,
        created_from: datetime,
        created_to: datetime,
        page: int = 1,
        per_page: int = 100,
        statuses: Sequence[str] = (),
        order_by: str = "creationDate,asc",
        date_field: str = "creationDate",
    ) -> OrderPage:
        """List orders whose `date_field` lies between two aware moments, both included.

        `date_field` is creationDate, authorizedDate or invoicedDate. The list lags about four minutes, and
        page 30 of 100 rows is the last that VTEX gives: halve the window when `total` is above 3,000 (Orders
        API, List orders). Moments are widened to whole milliseconds.
        """
        call = calls.list_of_orders(
            date_field=date_field,
            window=(_utc(created_from), _utc(created_to) + timedelta(microseconds=999)),
            page=page,
            per_page=per_page,
            statuses=statuses,
            order_by=order_by,
            protected=self.settings.data_protection,
        )
        return OrderPage.from_document(self._read(call, dict))

    def cancel(self, order_id: str, *, reason: str) -> CancelReceipt:
        """Ask VTEX to cancel an order. Irreversible.

        Raises OrderNotFoundError; ParkError where the order cannot be cancelled any more (400: it is partly
        invoiced); WrongStatusError; UnclearError where only reading the order can tell.
        """
        call = calls.cancel_order(order_id, reason, protected=self.settings.data_protection)
        answer = read_answer(self._ask(call), dict, call, server=self._server)
        receipt = answer.get("receipt")
        return CancelReceipt(order_id, _date(answer.get("date")), str(receipt) if receipt else None)

    def _order_text(self, call: Call) -> str:
        response = self._ask(call)
        read_answer(response, dict, call, server=self._server)
        return response.content.decode("utf-8-sig")

    def _read(self, call: Call, kind: type[_Result]) -> _Result:
        return self._patiently(lambda: read_answer(self._ask(call), kind, call, server=self._server))

    def _do(self, call: Call) -> None:
        self._patiently(lambda: self._ask(call))

    def _patiently(self, attempt: Callable[[], _Result]) -> _Result:
        """Try three times in all. Only for what may be repeated without harm."""
        for pause in _PAUSES_BETWEEN_TRIES:
            try:
                return attempt()
            except (RateLimitedError, OrderNotFoundError):
                raise
            except RetryableError as error:
                _log.info("%s Trying again.", error.message)
            self._sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - it spreads load, it guards nothing
        return attempt()

    def _ask(self, call: Call) -> requests.Response:
        try:
            response = self._transport.send(
                call.method, call.path, params=call.params, body=call.body, family=call.family.value
            )
        except RateLimitedError:
            raise
        except RetryableError as error:
            raise call.without_answer(error) from error
        raise_for_response(response, call, server=self._server)
        return response


def request_headers(settings: VtexSettings) -> dict[str, str]:
    """Give the headers of every call. VTEX declares all four required on every operation, GET too."""
    return {
        "X-VTEX-API-AppKey": settings.app_key,
        "X-VTEX-API-AppToken": settings.app_token,
        "Accept": "application/json",
        "Content-Type": "application/json",
    }


def _event(item: Any) -> FeedEvent | None:
    try:
        return FeedEvent.model_validate(item)
    except ValidationError as error:
        _log.warning("An item of VTEX's feed cannot be read and stays there: %s", field_paths(error))
        return None


def _utc(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        raise ValueError("a moment needs a time zone: VTEX filters in UTC")
    return moment.astimezone(timezone.utc)


def _date(text: object) -> datetime | None:
    try:
        return parse_vtex_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return None
