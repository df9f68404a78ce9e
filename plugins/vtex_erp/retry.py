"""Turns the errors of the package into Airflow's retry or fail."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk import RetryDecision, RetryPolicy

from vtex_erp.errors import RetryableError, VtexErpError

if TYPE_CHECKING:
    from airflow.sdk import Context

LONGEST_DELAY = timedelta(hours=1)
"""A server that names a longer delay is asked again after this one."""


class VtexErpRetryPolicy(RetryPolicy):
    """Retries what may work later, after the delay that the server named; fails our other errors at once.

    Another try of a ParkError or StopError would fail again until a person acts. An AlreadyDoneError that
    gets as far as Airflow is one that no step could settle by reading the order: it stays so, and a person
    must see it. Errors that are not ours follow the task's own `retries` and `retry_delay`. A policy can
    shorten `retries`, never extend them.
    """

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002 - Airflow's signature
        max_tries: int,  # noqa: ARG002
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        """Decide by the class of the error; the reason in the UI is its class and cause."""
        if not isinstance(exception, VtexErpError):
            return RetryDecision.default()
        reason = f"{type(exception).__name__}: {exception.cause}"
        if isinstance(exception, RetryableError):
            return RetryDecision.retry(_delay(exception.retry_after), reason)
        return RetryDecision.fail(reason)


def _delay(seconds: float | None) -> timedelta | None:
    """Give the server's delay within bounds, or None for the task's own `retry_delay`."""
    if seconds is None:
        return None
    return timedelta(seconds=min(max(seconds, 0.0), LONGEST_DELAY.total_seconds()))
