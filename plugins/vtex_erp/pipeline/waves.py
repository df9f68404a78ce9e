"""How a step works through its batch: claim a wave of orders, act on them at once, write what became of them.

One transaction claims a wave and one writes its results, so the ledger is asked twice for dozens of orders, and a
killed process leaves at most one wave half done.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from vtex_erp.errors import ErpDownError, RetryableError, StopError, VtexErpError
from vtex_erp.ledger import documents, entries
from vtex_erp.ledger.stages import Stage
from vtex_erp.pipeline.report import FailedOrder, StepReport

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from datetime import datetime

    from vtex_erp.ledger.entries import Move, OrderEntry, TaskTry
    from vtex_erp.ledger.ledger import Ledger

    _Orders = Sequence[tuple[OrderEntry, str]]
    _Work = Callable[[ThreadPoolExecutor, _Orders], list["Result"]]

_log = logging.getLogger(__name__)

_WAVE_PER_THREAD = 2

_Part = TypeVar("_Part")


class Act(Protocol):
    """Does a step's work on one order, given its document (None where the step asked for none)."""

    def __call__(self, entry: OrderEntry, document: str, /) -> Move:
        """The order's next stage. Raises from the one error tree."""


class ActOnMany(Protocol):
    """Does a step's work on several orders at once, given their documents."""

    def __call__(self, orders: Sequence[tuple[OrderEntry, str]], /) -> Sequence[Move | VtexErpError]:
        """Each order's next stage, or its error."""


@dataclass(frozen=True)
class Result:
    """What became of one order of a wave."""

    move: Move
    error: VtexErpError | None = None


@dataclass(frozen=True)
class Waves:
    """Works through the orders of a batch that are in `stages`, `concurrency` of them at a time.

    `document` is the kind of document that the work needs; an order that has lost it (expired) is read again.
    `claim_as` and `claim_values`, made of the moment of the claim, change the order as it is claimed. `failed`
    makes the move for an error, where that is more than to wait in the stage in which the order was claimed. `most`
    bounds the number of orders, the oldest first.
    """

    ledger: Ledger
    task: TaskTry
    stages: Collection[Stage]
    concurrency: int
    document: str | None = None
    claim_as: Stage | None = None
    claim_values: Callable[[datetime], Mapping[str, Any]] | None = None
    failed: Callable[[OrderEntry, VtexErpError, datetime], Move] | None = None
    most: int | None = None

    def run(self, act: Act, report: StepReport) -> None:
        """Act on every order and note what became of it in the report.

        A `StopError` or `ErpDownError` ends the work early.
        """
        self._run(partial(self._one_by_one, act), _WAVE_PER_THREAD, report)

    def run_many(self, act: ActOnMany, report: StepReport, *, at_once: int) -> None:
        """Act on the orders, at most `at_once` at a time in a thread, as `run` does on each."""
        self._run(partial(self._together, act), at_once, report)

    def _run(self, work: _Work, per_thread: int, report: StepReport) -> None:
        waiting = entries.in_batch(self.ledger, self.task, self.stages)[: self.most]
        with ThreadPoolExecutor(self.concurrency) as pool:
            for ids in _chunks(waiting, self.concurrency * per_thread):
                self._write(self._work(pool, work, self._claim(ids)), report)
                if report.stopped_by:
                    return

    def _claim(self, ids: Sequence[int]) -> list[OrderEntry]:
        values = self.claim_values(self.ledger.clock()) if self.claim_values else None
        return entries.claim(self.ledger, self.task, ids, self.stages, to=self.claim_as, values=values)

    def _work(self, pool: ThreadPoolExecutor, work: _Work, claimed: Sequence[OrderEntry]) -> list[Result]:
        try:
            texts = self._documents(claimed)
        except StopError as error:  # the key is lost: give the orders back where they were
            return [self._failed(entry, error) for entry in claimed]
        there = {entry.id for entry in claimed if not self.document or entry.id in texts}
        expired = [_read_again(entry, self.ledger.clock()) for entry in claimed if entry.id not in there]
        return expired + work(pool, [(entry, texts.get(entry.id, "")) for entry in claimed if entry.id in there])

    def _one_by_one(self, act: Act, pool: ThreadPoolExecutor, orders: _Orders) -> list[Result]:
        return list(pool.map(partial(self._attempt, act), orders))

    def _together(self, act: ActOnMany, pool: ThreadPoolExecutor, orders: _Orders) -> list[Result]:
        # All threads work, on fewer orders each where there are not enough to go round.
        shares = _chunks(orders, max(1, -(-len(orders) // self.concurrency)))
        return [result for share in pool.map(partial(self._attempt_many, act), shares) for result in share]

    def _documents(self, claimed: Sequence[OrderEntry]) -> dict[int, str]:
        if not self.document or not claimed:
            return {}
        return documents.load(self.ledger, [entry.id for entry in claimed], self.document)

    def _attempt_many(self, act: ActOnMany, orders: _Orders) -> list[Result]:
        try:
            outcomes = act(orders)
        except VtexErpError as error:
            return [self._failed(entry, error) for entry, _ in orders]
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the other orders
            if len(orders) > 1:  # whose it is shows when each is alone
                return [result for order in orders for result in self._attempt_many(act, [order])]
            return [self._failed(entry, _unexpected(entry, error)) for entry, _ in orders]
        return [
            self._failed(entry, outcome) if isinstance(outcome, VtexErpError) else Result(outcome)
            for (entry, _), outcome in zip(orders, outcomes, strict=True)
        ]

    def _attempt(self, act: Act, order: tuple[OrderEntry, str]) -> Result:
        entry, document = order
        try:
            return Result(act(entry, document))
        except VtexErpError as error:
            return self._failed(entry, error)
        except Exception as error:  # noqa: BLE001 - whatever it is, it must not stop the other orders
            return self._failed(entry, _unexpected(entry, error))

    def _failed(self, entry: OrderEntry, error: VtexErpError) -> Result:
        now = self.ledger.clock()
        return Result(self.failed(entry, error, now) if self.failed else entries.failed(entry, error, now=now), error)

    def _write(self, results: Sequence[Result], report: StepReport) -> None:
        fenced_off = {entry.id for entry in entries.write(self.ledger, self.task, [result.move for result in results])}
        for result in results:
            if result.move.entry.id in fenced_off:
                report.fenced_off += 1
                _log.warning(
                    "Order %s: another worker has taken it over, or news of it came in; it is looked at again.",
                    result.move.entry.order_id,
                )
            else:
                _note(result, report)


def _note(result: Result, report: StepReport) -> None:
    entry, error = result.move.entry, result.error
    if error is None:
        report.reached[result.move.to.value] += 1
        return
    if isinstance(error, ErpDownError):  # said once, for all that wait
        report.stopped_by = error
        return
    if isinstance(error, StopError):
        report.stopped_by = error
    _log.error("%s [%s]", error.message, error.cause)
    values = result.move.values
    failure = FailedOrder(
        order_id=entry.order_id,
        cause=error.cause,
        message=error.message,
        value_cents=values.get("value_cents", entry.value_cents),
        currency=values.get("currency", entry.currency),
    )
    report.failures.append((failure, error))


def _read_again(entry: OrderEntry, now: datetime) -> Result:
    error = RetryableError(
        f"The ledger's copy of order {entry.order_id} has expired; it will be read from VTEX again.",
        cause="document-expired",
    )
    return Result(entries.failed(entry, error, now=now, stage=Stage.RECEIVED), error)


def _unexpected(entry: OrderEntry, error: Exception) -> VtexErpError:
    # The text of a foreign exception may quote a shopper's data; its type and place do not.
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    where = f"{place.tb_frame.f_code.co_filename}:{place.tb_lineno}" if place else "an unknown place"
    return RetryableError(
        f"Order {entry.order_id} met a defect: {type(error).__name__} at {where}. Please report it.",
        cause=f"defect:{type(error).__name__}",
    )


def _chunks(parts: Sequence[_Part], size: int) -> Iterator[Sequence[_Part]]:
    return (parts[start : start + size] for start in range(0, len(parts), size))
