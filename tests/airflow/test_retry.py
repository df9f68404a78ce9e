from __future__ import annotations

from datetime import timedelta

import pytest
from airflow.sdk import RetryAction

from vtex_erp import errors
from vtex_erp.retry import VtexErpRetryPolicy

HOUR = timedelta(hours=1)
RETRY, FAIL, DEFAULT = RetryAction.RETRY, RetryAction.FAIL, RetryAction.DEFAULT


@pytest.mark.parametrize(
    ("error", "action", "delay"),
    [
        (errors.RetryableError("later"), RETRY, None),
        (errors.RetryableError("later", retry_after=7.5), RETRY, timedelta(seconds=7.5)),
        (errors.RateLimitedError("later", retry_after=0), RETRY, timedelta(0)),
        (errors.RateLimitedError("later", retry_after=86_400), RETRY, HOUR),
        (errors.RateLimitedError("later", retry_after=float("inf")), RETRY, HOUR),
        (errors.UnclearError("who knows"), RETRY, None),
        (errors.OrderNotFoundError("not yet"), RETRY, None),
        (errors.ParkError("no"), FAIL, None),
        (errors.HandleRefusedError("no"), FAIL, None),
        (errors.ErpDownError("wait"), FAIL, None),
        (errors.StopError("no"), FAIL, None),
        (errors.CredentialsError("no"), FAIL, None),
        (errors.ConfigurationError("no"), FAIL, None),
        (errors.FeedNotConfiguredError("no"), FAIL, None),
        (errors.AlreadyDoneError("done"), FAIL, None),
        (errors.WrongStatusError("done"), FAIL, None),
        (ValueError("a bug"), DEFAULT, None),
        (KeyboardInterrupt(), DEFAULT, None),
    ],
)
def test_every_error_has_its_decision(error: BaseException, action: RetryAction, delay: timedelta | None) -> None:
    decision = VtexErpRetryPolicy().evaluate(error, try_number=1, max_tries=3)
    assert (decision.action, decision.retry_delay) == (action, delay)


def test_the_reason_groups_by_cause_and_holds_no_message() -> None:
    error = errors.ParkError("order 1 of Ana", cause="erp-refused:422")
    decision = VtexErpRetryPolicy().evaluate(error, try_number=1, max_tries=3)
    assert decision.reason == "ParkError: erp-refused:422"
