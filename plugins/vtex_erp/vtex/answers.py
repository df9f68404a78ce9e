"""Turns VTEX's answers into results or into the errors of `vtex_erp.errors`. Nothing else does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from vtex_erp.errors import (
    ConfigurationError,
    CredentialsError,
    FeedNotConfiguredError,
    HandleRefusedError,
    HookNotConfiguredError,
    OrderNotFoundError,
    ParkError,
    RetryableError,
    UnclearError,
    VtexErpError,
    WrongStatusError,
)
from vtex_erp.transport import is_html, redirect_host, retry_after
from vtex_erp.vtex.budget import Family
from vtex_erp.vtex.lenient import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    import requests

WRONG_STATUS = "OMS003"
"""The order is not in the status that the action needs: 409 by the specification, 400 on live accounts."""

_UNAUTHORIZED, _FORBIDDEN = 401, 403
_TIMEOUT_STATUSES = (408, 425)
_MAX_REASON = 200

_ADVICE: Mapping[type[VtexErpError], str] = {
    OrderNotFoundError: "Right after its event that can be a lag; if it stays, the order belongs to another "
    "account, or is older than the two years that VTEX keeps orders.",
    FeedNotConfiguredError: "VTEX holds no feed for this app key: it removes a feed without events for its "
    "retention period. Configure the feed and bring in the gap by date.",
    HookNotConfiguredError: "VTEX holds no hook for this app key: it removes one that had nothing to tell for three "
    "days. Configure the hook.",
    HandleRefusedError: "A handle is expired or belongs to another key. VTEX delivers the event again, "
    "with a new handle.",
    WrongStatusError: "The order is not in the status that this needs. Read it to see where it is.",
    UnclearError: "It may have taken effect: read the order before trying again.",
    RetryableError: "Try again later.",
    ParkError: "The same request would be refused again.",
    ConfigurationError: "The same request would be refused again: check Host and account.",
}


@dataclass(frozen=True)
class Call:
    """One request to VTEX, and what its refusals mean.

    `task` completes "when asked to …" in messages; `resource` is the License Manager resource that the key
    needs; `effect` is True where the call changes an order, so that it is never repeated blindly; `refused`
    is the error of a 4xx that `by_status` does not name; `advice` says what to do about those better than the class
    of the error can.
    """

    method: str
    path: str
    task: str
    resource: str
    refused: type[VtexErpError]
    by_status: Mapping[int, type[VtexErpError]] = field(default_factory=dict)
    params: Mapping[str, str] | None = None
    body: bytes | None = None
    effect: bool = False
    family: Family = Family.READ
    advice: str | None = None

    @property
    def uncertain(self) -> type[RetryableError]:
        """The error of an answer that says nothing about the outcome."""
        return UnclearError if self.effect else RetryableError

    def without_answer(self, error: RetryableError) -> RetryableError:
        """Make the error for a request that got no answer, from what the transport knows of it."""
        kind = self.uncertain if isinstance(error, UnclearError) else RetryableError
        return kind(f"{error.message} It was asked to {self.task}. {_ADVICE[kind]}", cause=error.cause)


def raise_for_response(response: requests.Response, call: Call, *, server: str) -> None:
    """Return if VTEX did what was asked (2xx, and no log-in page); else raise the fitting error."""
    status = response.status_code
    if 200 <= status < 300 and not is_html(response):
        return
    if status < 400:
        raise _turned_away(response, call, server)
    kind = _kind(response, call)
    said = _said(response)
    message = f"{server} answered {status}{said} when asked to {call.task}."
    if kind is CredentialsError:
        raise CredentialsError(f"{message} {_key_advice(status, call.resource)}", status=status)
    advice = (call.advice if kind is call.refused else None) or _ADVICE[kind]
    error = kind(f"{message} {advice}", status=status, cause=_cause(kind, status))
    if isinstance(error, RetryableError):
        error.retry_after = retry_after(response)
    raise error


def _kind(response: requests.Response, call: Call) -> type[VtexErpError]:
    status = response.status_code
    if status in (_UNAUTHORIZED, _FORBIDDEN):
        return CredentialsError
    if status >= 500 or status in _TIMEOUT_STATUSES:
        return call.uncertain
    if status in (400, 409) and error_code(response) == WRONG_STATUS:
        return WrongStatusError
    return call.by_status.get(status, call.refused)


def _cause(kind: type[VtexErpError], status: int) -> str | None:
    """Name the status where the class alone groups too much together."""
    return f"vtex-refused:{status}" if kind in (ParkError, ConfigurationError) else None


def _turned_away(response: requests.Response, call: Call, server: str) -> CredentialsError:
    page = f"a redirect to {redirect_host(response)}" if response.is_redirect else "an HTML page"
    return CredentialsError(
        f"{server} answered {response.status_code} with {page} when asked to {call.task}. "
        "VTEX does so when a key is not accepted or lacks a permission: check Host, App key and App token, "
        f"and give the key the License Manager resource {call.resource}.",
        status=response.status_code,
    )


def _key_advice(status: int, resource: str) -> str:
    if status == _UNAUTHORIZED:
        return "Check App key and App token in the connection."
    return f"Give the app key the License Manager resource {resource}."


def _said(response: requests.Response) -> str:
    """Give VTEX's error code and message, or what kind of body came instead; never the body."""
    if is_html(response):
        return " with an HTML page"
    error = _error(response)
    parts = [str(error[key]) for key in ("code", "message") if isinstance(error.get(key), (str, int))]
    return f" ({' '.join(': '.join(parts).split())[:_MAX_REASON]})" if parts else ""


def error_code(response: requests.Response) -> str | None:
    """Give `error.code` of VTEX's error envelope. Texts change and are translated; codes stay."""
    code = _error(response).get("code")
    return str(code) if code is not None else None


def _error(response: requests.Response) -> dict[str, Any]:
    try:
        document = read_json(response.content)
    except ValueError:
        return {}
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else {}


_Kind = TypeVar("_Kind")


def read_answer(response: requests.Response, kind: type[_Kind], call: Call, *, server: str) -> _Kind:
    """Parse a good answer; `broken-json` is the cause of the error if it is not that kind of JSON."""
    try:
        document = read_json(response.content.decode("utf-8-sig"))
    except ValueError:
        document = None
    if isinstance(document, kind):
        return document
    raise call.uncertain(
        f"{server} answered {response.status_code} with broken JSON when asked to {call.task}. "
        f"{_ADVICE[call.uncertain]}",
        cause="broken-json",
        status=response.status_code,
    )
