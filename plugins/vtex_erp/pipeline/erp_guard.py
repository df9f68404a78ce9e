"""Between the steps and the ERP: counts what fails, and lets nothing through while the ERP is down."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from vtex_erp.erp.protocol import CLAIMED, Cancellation, EnsuresMany, LooksUpMany, Lookup, Unknown
from vtex_erp.errors import ErpDownError, RateLimitedError, RetryableError, UnclearError, VtexErpError, attempt
from vtex_erp.ledger import breaker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vtex_erp.erp.protocol import ErpClient
    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.sales.model import SalesOrder

_log = logging.getLogger(__name__)

DEFAULT_CONNECTION = "erp_default"
_LOOK_EVERY = timedelta(seconds=1)
_LOOKUPS_AT_ONCE = 100

_Answer = TypeVar("_Answer")


class ErpGuard:
    """An `ErpClient` that obeys the breaker of its connection. Threads share it.

    The ERP has failed when it could not be reached, or gave no clear answer; a refusal or a 429 is an answer. While
    the breaker is open every method raises ErpDownError, and calls nobody.
    """

    def __init__(self, ledger: Ledger, erp: ErpClient, connection: str) -> None:
        self.guarantee, self.settle_seconds, self.concurrency = erp.guarantee, erp.settle_seconds, erp.concurrency
        self.at_once = erp.at_once if isinstance(erp, EnsuresMany) else 1
        self.lookups_at_once = _LOOKUPS_AT_ONCE if isinstance(erp, LooksUpMany) else 1
        self.probing = False
        self._ledger, self._erp, self._connection = ledger, erp, connection
        self._lock = threading.Lock()
        self._standing = breaker.look(ledger, connection)
        self._looked_at = ledger.clock()
        self._uncounted = self._answers = 0

    @property
    def down(self) -> ErpDownError | None:
        """Why no call may be made; None when calls may be made."""
        standing = self._standing
        if standing.opened_at is None or self.probing:
            return None
        return ErpDownError(
            f"The ERP (connection {self._connection!r}) is down since {standing.opened_at:%Y-%m-%d %H:%M} UTC "
            f"({standing.trouble}). One order a minute tries it; the others wait in the ledger, and go by themselves, "
            "oldest first, when it is back."
        )

    def begin_probe(self) -> bool:
        """Whether this task is the one that may try the ERP now."""
        self.probing = breaker.win_probe(self._ledger, self._connection)
        return self.probing

    def end_probe(self) -> None:
        """Close the breaker if the ERP answered; if it was not called at all, let another task try."""
        if not self.probing:
            return
        self.probing = False
        if self._answers:
            breaker.close(self._ledger, self._connection)
            self._look()
            _log.info("The ERP (connection %r) is back.", self._connection)
        else:
            breaker.give_probe_back(self._ledger, self._connection)

    def lookup(self, external_id: str) -> Lookup:
        """Look up as the ERP client does."""
        return self._call(lambda: self._erp.lookup(external_id), lambda answer: _of_lookups([answer]))

    def lookup_many(self, external_ids: Sequence[str]) -> Mapping[str, Lookup]:
        """Look up as the ERP client does, in one call where it can."""
        erp = self._erp
        if not isinstance(erp, LooksUpMany):
            return {each: self.lookup(each) for each in external_ids}
        return self._call(lambda: erp.lookup_many(external_ids), lambda answers: _of_lookups(answers.values()))

    def ensure(self, sales_order: SalesOrder) -> str:
        """Ensure as the ERP client does."""
        return self._call(lambda: self._erp.ensure(sales_order))

    def ensure_many(self, sales_orders: Sequence[SalesOrder]) -> list[str | VtexErpError]:
        """Ensure as the ERP client does, in one call where it can. One failure counts once, whoever shares it."""
        erp = self._erp
        if not isinstance(erp, EnsuresMany):
            return [attempt(self.ensure, each) for each in sales_orders]
        return self._call(lambda: list(erp.ensure_many(sales_orders)), _of_outcomes)

    def cancel(self, external_id: str, *, reason: str) -> Cancellation:
        """Cancel as the ERP client does."""
        return self._call(lambda: self._erp.cancel(external_id, reason=reason))

    def _call(
        self, call: Callable[[], _Answer], troubles: Callable[[_Answer], Iterable[str | None]] = lambda _: [None]
    ) -> _Answer:
        """Call the ERP, and count: a failure, or what `troubles` says of the answer, with None for all that is well."""
        self._admit()
        try:
            answer = call()
        except VtexErpError as error:
            self._count(_trouble(error))
            raise
        for trouble in troubles(answer):
            self._count(trouble)
        return answer

    def _admit(self) -> None:
        with self._lock:
            if not self.probing and self._ledger.clock() - self._looked_at >= _LOOK_EVERY:
                self._look()
        if self.down:
            raise self.down

    def _look(self) -> None:
        # Answers count only against failures of the same minute; without those, nothing is written.
        self._looked_at = self._ledger.clock()
        self._standing = breaker.look(self._ledger, self._connection)
        if self._standing.failures and self._uncounted:
            self._write(0, None)

    def _count(self, trouble: str | None) -> None:
        with self._lock:
            self._uncounted += 1
            if trouble is None:
                self._answers += 1
                return
            self.probing = False
            self._write(1, trouble)

    def _write(self, failures: int, trouble: str | None) -> None:
        was_open = self._standing.opened_at
        self._standing = breaker.count(
            self._ledger, self._connection, calls=self._uncounted, failures=failures, trouble=trouble
        )
        self._uncounted = 0
        if self._standing.opened_at and not was_open:
            _log.error("The ERP (connection %r) is down (%s).", self._connection, self._standing.trouble)


def _of_lookups(answers: Iterable[Lookup]) -> Iterable[str | None]:
    unknown = any(isinstance(each, Unknown) for each in answers)
    return ["lookup without an answer" if unknown else None]


def _of_outcomes(outcomes: Sequence[str | VtexErpError]) -> Iterable[str | None]:
    failures = {id(each): each for each in outcomes if isinstance(each, VtexErpError)}
    return [*map(_trouble, failures.values()), *(None for each in outcomes if isinstance(each, str))]


def _trouble(error: VtexErpError) -> str | None:
    """What to remember of a failure; None of an error that is an answer."""
    if not isinstance(error, RetryableError) or isinstance(error, RateLimitedError) or error.cause == CLAIMED:
        return None
    if isinstance(error, UnclearError):
        conflict = error.status is not None and 400 <= error.status < 500
        return None if conflict else f"{error.cause} {error.status or ''}".strip()
    return error.cause
