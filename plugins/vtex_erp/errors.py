"""Every error of the package, grouped by what to do about it.

VtexErpError
├── RetryableError            try again, after `retry_after` seconds where the server named a delay
│   ├── RateLimitedError        the server asked for a pause (429)
│   ├── UnclearError            the request may have taken effect: look before trying again
│   └── OrderNotFoundError      VTEX does not know the order (yet: reads may lag behind events)
├── ParkError                 the same input would fail again: stop this order for a person
│   └── HandleRefusedError      VTEX will not take this handle any more; a redelivery brings a new one
├── ErpDownError             the ERP is down for everyone: the order waits in the ledger, nobody retries
├── StopError                 nothing will work until a person changes something
│   ├── CredentialsError        a key is wrong, or lacks a permission
│   └── ConfigurationError      a connection, a setting or the feed itself is not as it must be
│       ├── FeedNotConfiguredError  VTEX holds no feed configuration for this app key
│       └── HookNotConfiguredError  VTEX holds no hook configuration for this app key
└── AlreadyDoneError          what we asked for is no longer open
    └── WrongStatusError        VTEX's OMS003: the order is not in the status that the action needs

Messages name the order and what to do. They never hold a shopper's data or a secret.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_Answer = TypeVar("_Answer")
_Given = ParamSpec("_Given")


class VtexErpError(Exception):
    """Base of the tree.

    `cause` is a short stable key that groups failures with the same trouble (`erp-refused:422`);
    `status` is the HTTP status behind the error, if there was one.
    """

    default_cause = "error"

    def __init__(self, message: str, *, cause: str | None = None, status: int | None = None) -> None:
        # It may quote a server; half a surrogate pair would break whoever logs or stores it.
        message = message.encode(errors="replace").decode()
        super().__init__(message)
        self.message = message
        self.cause = cause or self.default_cause
        self.status = status

    def __reduce__(self) -> tuple[Any, ...]:
        """Rebuild from the instance's attributes: errors cross process boundaries in Airflow."""
        return (_rebuild, (type(self), dict(self.__dict__)))


def _rebuild(kind: type[VtexErpError], attributes: dict[str, Any]) -> VtexErpError:
    error = kind.__new__(kind)
    Exception.__init__(error, attributes["message"])
    error.__dict__.update(attributes)
    return error


class RetryableError(VtexErpError):
    """The same request may work later. `retry_after` is in seconds, None where nobody named a delay."""

    default_cause = "temporary"

    def __init__(
        self,
        message: str,
        *,
        cause: str | None = None,
        status: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, cause=cause, status=status)
        self.retry_after = retry_after


class RateLimitedError(RetryableError):
    """The server asked us to pause (HTTP 429)."""

    default_cause = "rate-limited"


class UnclearError(RetryableError):
    """No answer, or one that does not say whether the request took effect."""

    default_cause = "unclear-answer"


class OrderNotFoundError(RetryableError):
    """VTEX answers 404 for an order. Shortly after its event that may be a lag of the read side."""

    default_cause = "order-not-found"


class ParkError(VtexErpError):
    """The order stops here until a person has acted on `cause`. `learned` is for its row in the ledger all the same.

    `occasion` tells one request for a cancellation from the next.
    """

    default_cause = "parked"
    learned: Mapping[str, Any] = {}
    occasion: str = ""


class HandleRefusedError(ParkError):
    """VTEX refused a commit: a handle is expired, foreign or malformed (400 or 404)."""

    default_cause = "handle-refused"


class ErpDownError(VtexErpError):
    """The breaker of the ERP's connection is open. A later run takes the order up by itself; a retry would not."""

    default_cause = "erp-down"


class StopError(VtexErpError):
    """No order can pass until a person has changed a key, a permission or a setting."""

    default_cause = "stopped"


class CredentialsError(StopError):
    """The remote system does not accept the key, or the key lacks a permission."""

    default_cause = "credentials"


class ConfigurationError(StopError):
    """A connection, a setting or a remote configuration is missing or wrong."""

    default_cause = "configuration"


class FeedNotConfiguredError(ConfigurationError):
    """VTEX holds no feed configuration for the app key (404 on the feed)."""

    default_cause = "feed-not-configured"


class HookNotConfiguredError(ConfigurationError):
    """VTEX holds no hook configuration for the app key."""

    default_cause = "hook-not-configured"


class AlreadyDoneError(VtexErpError):
    """The action is not open any more; somebody did it, or did something else."""

    default_cause = "already-done"


class WrongStatusError(AlreadyDoneError):
    """OMS003: the order is not in the status that the action needs. Read the order to see where it is."""

    default_cause = "wrong-status"


def attempt(act: Callable[_Given, _Answer], *given: _Given.args, **named: _Given.kwargs) -> _Answer | VtexErpError:
    """Give what the act gives, or the error of ours that it raises."""
    try:
        return act(*given, **named)
    except VtexErpError as error:
        return error
