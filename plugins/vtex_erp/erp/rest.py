"""The REST ERP: for merchants whose ERP stands behind a middleware of their own.

    PUT  {host}/sales-orders/{external_id}               → 200 or 201 {"id": …}
    GET  {host}/sales-orders/{external_id}               → 200 {"id": …, "total": "1.00", "cancelled": false}, 404
    POST {host}/sales-orders/{external_id}/cancellation  → 2xx, 404, 409

`total` and `cancelled` may be left out: reconciliation compares what is there.

The external id is percent-encoded in the path. The PUT also sends it as Idempotency-Key.
"""

from __future__ import annotations

import json
import string
import time
from base64 import b64encode
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from vtex_erp.erp.protocol import Absent, Cancellation, Found, Guarantee, Lookup, Unknown
from vtex_erp.errors import CredentialsError, ParkError, RateLimitedError, RetryableError, UnclearError
from vtex_erp.transport import (
    TOO_MANY_REQUESTS,
    Clock,
    Sleep,
    Transport,
    is_html,
    pooled_session,
    redirect_host,
)

if TYPE_CHECKING:
    import requests

    from vtex_erp.connection import ConnectionFields
    from vtex_erp.sales.model import SalesOrder

_DEFAULT_PAUSE_SECONDS = 10.0
# The pipeline takes personal data out of the text before it cuts it; a name cut in half would not be found.
_MAX_REASON = 10_000
_REASON_FIELDS = ("message", "error", "detail", "title", "msg")
_NOT_FINAL = frozenset({408, 409, 425, TOO_MANY_REQUESTS})
_ASCII = string.punctuation + " "


@dataclass(frozen=True)
class RestErpSettings:
    """Where a REST ERP is, and how to log in.

    `authorization` is the header's value, None for an ERP without one. `timeout_seconds` is the longest
    silence in one call; `concurrency` the number of threads that call at the same time.
    """

    base_url: str
    authorization: str | None = field(default=None, repr=False)
    connection_id: str = "erp_default"
    timeout_seconds: float = 30
    concurrency: int = 16

    @classmethod
    def from_connection(cls, fields: ConnectionFields) -> RestErpSettings:
        """Read a connection of type `http`.

        Host with its scheme, or Schema, Host and Port, and a path if there is one. A password without a login
        is a bearer token; a login and a password are HTTP Basic. Extra may have `timeout_seconds` and
        `concurrency`. Raises ConfigurationError naming the connection, the field and what to put there.
        """
        return cls(
            base_url=fields.base_url(),
            authorization=_authorization(fields),
            connection_id=fields.connection_id,
            timeout_seconds=fields.number("timeout_seconds", default=cls.timeout_seconds),
            concurrency=fields.whole_number("concurrency", default=cls.concurrency),
        )


def _authorization(fields: ConnectionFields) -> str | None:
    if fields.login:
        return "Basic " + b64encode(f"{fields.login}:{fields.password or ''}".encode()).decode()
    if fields.password:
        advice = "put the bearer token: letters, digits and punctuation only"
        return "Bearer " + fields.secret("Password", fields.password, advice=advice)
    return None


class RestErpClient:
    """Speaks to a REST ERP, which itself holds one order per external id. Any number of threads may share it.

    A 429 stops them all for what Retry-After says, else ten seconds, three times at most. Nothing else is
    tried again here.
    """

    guarantee: Guarantee = Guarantee.UNIQUE
    settle_seconds: float = 0.0

    def __init__(
        self,
        settings: RestErpSettings,
        *,
        session: requests.Session | None = None,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        self.settings = settings
        self.concurrency: int = settings.concurrency
        self._server = f"The ERP (connection {settings.connection_id!r})"
        login = {"Authorization": settings.authorization} if settings.authorization else {}
        self._transport = Transport(
            settings.base_url,
            server=self._server,
            headers={"Accept": "application/json", "Content-Type": "application/json", **login},
            timeout_seconds=settings.timeout_seconds,
            default_pause=_DEFAULT_PAUSE_SECONDS,
            session=session or pooled_session(settings.base_url, concurrency=settings.concurrency),
            clock=clock,
            sleep=sleep,
        )

    def lookup(self, external_id: str) -> Lookup:
        """Ask for the order: 200 with an id is Found, 404 Absent, anything else Unknown (401 is raised)."""
        try:
            response = self._transport.send("GET", _path(external_id))
        except RetryableError as error:
            return Unknown(error.message)
        self._raise_for_credentials(response, f"look up order {external_id}")
        if response.status_code == 404:
            return Absent()
        erp_id = _erp_id(response) if response.status_code == 200 else None
        return Found(erp_id, **_state(response)) if erp_id else Unknown(f"{self._server} {_description(response)}")

    def ensure(self, sales_order: SalesOrder) -> str:
        """Put the order: 200 or 201 with an id is success. See ErpClient.ensure for the errors."""
        external_id = sales_order.external_id
        task = f"create order {external_id}"
        response = self._send(
            "PUT",
            _path(external_id),
            task,
            body=sales_order.to_json().encode(),
            headers={"Idempotency-Key": quote(external_id, safe=_ASCII)},
        )
        self._raise_for_credentials(response, task)
        if 400 <= response.status_code < 500 and response.status_code not in _NOT_FINAL:
            raise self._refusal(response, task)
        erp_id = _erp_id(response) if response.status_code in (200, 201) else None
        if not erp_id:
            raise self._unclear(response, task)
        return erp_id

    def cancel(self, external_id: str, *, reason: str) -> Cancellation:
        """Post the cancellation: 2xx is CANCELLED, 404 UNKNOWN_ORDER, 409 TOO_LATE, the rest unclear."""
        task = f"cancel order {external_id}"
        body = json.dumps({"reason": reason}).encode()
        response = self._send("POST", f"{_path(external_id)}/cancellation", task, body=body)
        self._raise_for_credentials(response, task)
        if 200 <= response.status_code < 300 and not is_html(response):
            return Cancellation.CANCELLED
        outcome = {404: Cancellation.UNKNOWN_ORDER, 409: Cancellation.TOO_LATE}.get(response.status_code)
        if outcome is None:
            raise self._unclear(response, task)
        return outcome

    def _send(
        self, method: str, path: str, task: str, *, body: bytes, headers: dict[str, str] | None = None
    ) -> requests.Response:
        try:
            return self._transport.send(method, path, body=body, headers=headers)
        except RateLimitedError:
            raise
        except UnclearError as error:
            message = f"{error.message} It was asked to {task} and may have done so: look before trying again."
            raise UnclearError(message, cause=error.cause) from error
        except RetryableError as error:
            raise RetryableError(f"{error.message} It was to {task}.", cause=error.cause) from error

    def _raise_for_credentials(self, response: requests.Response, task: str) -> None:
        if response.status_code == 401:
            raise CredentialsError(
                f"{self._server} answered 401 when asked to {task}: it does not accept the credentials. "
                "Check Login and Password of the connection (a password without a login is a bearer token).",
                status=401,
            )

    def _refusal(self, response: requests.Response, task: str) -> ParkError:
        status, reason = response.status_code, _reason(response)
        said = f": {reason}" if reason else ""
        return ParkError(
            f"{self._server} refused to {task} for good ({status}){said}",
            cause=f"erp-refused:{status}",
            status=status,
        )

    def _unclear(self, response: requests.Response, task: str) -> UnclearError:
        return UnclearError(
            f"{self._server} {_description(response)} when asked to {task}. "
            "It may have done so: look before trying again.",
            status=response.status_code,
        )


def _path(external_id: str) -> str:
    return f"/sales-orders/{quote(external_id, safe='')}"


def _document(response: requests.Response) -> Any:
    try:
        return json.loads(response.content)
    except (ValueError, RecursionError):
        return None


def _erp_id(response: requests.Response) -> str | None:
    """Give the id, text or whole number, as text; None where the answer holds none."""
    document = None if is_html(response) else _document(response)
    erp_id = document.get("id") if isinstance(document, dict) else None
    if isinstance(erp_id, bool) or not isinstance(erp_id, (str, int)):
        return None
    return str(erp_id).strip() or None


def _state(response: requests.Response) -> dict[str, Any]:
    """What the ERP may say of the order besides: `total`, a decimal string, and `cancelled`."""
    document = _document(response)
    said = document if isinstance(document, dict) else {}
    cancelled = said.get("cancelled")
    return {
        "total": _decimal(said.get("total")),
        "cancelled": cancelled if isinstance(cancelled, bool) else None,
    }


def _decimal(text: object) -> Decimal | None:
    try:
        amount = Decimal(text) if isinstance(text, str) else None
    except InvalidOperation:
        return None
    return amount if amount is not None and amount.is_finite() else None


def _description(response: requests.Response) -> str:
    """Say what came instead of what was expected; never the body."""
    status = response.status_code
    if response.is_redirect:
        return f"answered {status} with a redirect to {redirect_host(response)}: put the final address in Host"
    if is_html(response):
        return f"answered {status} with an HTML page"
    return f"answered {status} without an id" if status in (200, 201) else f"answered {status}"


def _reason(response: requests.Response) -> str:
    """Give the ERP's own words for a refusal, in one line of at most 10,000 characters."""
    return " ".join(_words(_document(response)).split())[:_MAX_REASON]


def _words(part: Any) -> str:
    """Find the text in {"message": …}, {"error": {"message": …}}, {"detail": [{"msg": …}]} and the like."""
    if isinstance(part, str):
        return part
    if isinstance(part, list):
        return _words(part[0]) if part else ""
    if isinstance(part, dict):
        return next((words for name in _REASON_FIELDS if (words := _words(part.get(name)))), "")
    return ""
