"""What a step, or a run, made of its orders: counts, causes and money, in words for the log and the error."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING

from vtex_erp.erp.protocol import CLAIMED
from vtex_erp.errors import ErpDownError, ParkError, RetryableError, StopError, VtexErpError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta

_NAMED_ORDERS = 5


@dataclass(frozen=True)
class FailedOrder:
    """An order that did not get through, with the money that waits."""

    order_id: str
    cause: str
    message: str
    value_cents: int | None
    currency: str | None


@dataclass
class StepReport:
    """What a step did: orders by the stage they reached, the failures, and what stopped everything."""

    step: str
    reached: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[FailedOrder, VtexErpError]] = field(default_factory=list)
    stopped_by: StopError | ErpDownError | None = None
    fenced_off: int = 0

    def counts(self) -> dict[str, int]:
        """Counts by stage, and `failed`, fit for XCom."""
        return {**self.reached, "failed": len(self.failures)}

    def raise_failures(self) -> None:
        """Raise one error for all failed orders; nothing when there are none.

        A `StopError` or `ErpDownError` as it came; `RetryableError` if any order may pass on a second try; else
        `ParkError`.
        """
        if self.stopped_by:
            raise self.stopped_by
        if not self.failures:
            return
        total = len(self.failures) + sum(self.reached.values())
        message = f"{self.step}: {len(self.failures)} of {total} orders failed. " + in_words(
            failure for failure, _ in self.failures
        )
        retryable = [error for _, error in self.failures if isinstance(error, RetryableError)]
        if retryable:
            # Who meets another's claim waits by itself in the ledger; the task has no reason to.
            delays = [error.retry_after for error in retryable if error.retry_after and error.cause != CLAIMED]
            raise RetryableError(message, cause="orders-failed", retry_after=max(delays, default=None))
        raise ParkError(message, cause="orders-parked")


def in_words(failures: Iterable[FailedOrder]) -> str:
    """Failures grouped by cause, most frequent first: how many, how much money, which orders, and what to do."""
    by_cause: dict[str, list[FailedOrder]] = {}
    for failure in failures:
        by_cause.setdefault(failure.cause, []).append(failure)
    groups = sorted(by_cause.values(), key=len, reverse=True)
    return "\n".join(_group(group) for group in groups)


def _group(group: Sequence[FailedOrder]) -> str:
    named = ", ".join(failure.order_id for failure in group[:_NAMED_ORDERS])
    more = f" and {len(group) - _NAMED_ORDERS} more" if len(group) > _NAMED_ORDERS else ""
    return f"  {len(group)} x {group[0].cause} ({money(group)}): {named}{more}. {group[0].message}"


def span(time: timedelta) -> str:
    """A time such as "2 days 5 hours", "1 hour 20 minutes" or "4 days"."""
    hours, minutes = divmod(int(time.total_seconds()) // 60, 60)
    days, rest = divmod(hours, 24)
    parts = [(days, "day"), (rest, "hour")] if days else [(hours, "hour"), (minutes, "minute")]
    said = [f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in parts if number]
    return " ".join(said) or "less than a minute"


def money(orders: Iterable[FailedOrder]) -> str:
    """The orders' value by currency, such as "BRL 123.40"; orders not read yet are counted apart."""
    sums: Counter[str] = Counter()
    unread = 0
    for order in orders:
        if order.value_cents is None:
            unread += 1
        else:
            sums[order.currency or "?"] += order.value_cents
    parts = [f"{currency} {Decimal(cents) / 100:.2f}" for currency, cents in sorted(sums.items())]
    return ", ".join([*parts, *([f"{unread} of unknown value"] if unread else [])])
