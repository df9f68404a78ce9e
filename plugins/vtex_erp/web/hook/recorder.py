"""Writes what VTEX's hook brings into the ledger, all that waits in one transaction."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vtex_erp.errors import VtexErpError
from vtex_erp.ledger import events
from vtex_erp.web.hook.troubles import Troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.vtex.schemas import FeedEvent

MOST_WAITING = 1000
"""More than these could not be written before VTEX stops waiting, and each takes memory."""

_GATHER_SECONDS = 0.05
"""VTEX has five seconds; a transaction for twenty events costs little more than one for a single event."""


class NotRecordedError(Exception):
    """The event is not known to be in the ledger."""


@dataclass(frozen=True)
class _Waiting:
    event: FeedEvent
    recorded: asyncio.Future[None]


class Recorder:
    """The ledger's one writer in this process: a thread, which opens the ledger with the first event.

    Whoever brings an event waits for the commit of its transaction, which takes all that came within `gather` seconds
    or while the one before it was written. After a failure the ledger is opened again, by its connection as it is then.
    """

    def __init__(self, open_ledger: Callable[[], Ledger], *, gather: float = _GATHER_SECONDS) -> None:
        self._open_ledger, self._gather = open_ledger, gather
        self._ledger: Ledger | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vtex-hook")
        self._troubles = Troubles()
        self._waiting: dict[str, list[_Waiting]] = {}
        self._writing: asyncio.Task[None] | None = None

    async def record(self, account: str, event: FeedEvent) -> None:
        """Return when the event is in the ledger, committed. Raises NotRecordedError."""
        if sum(map(len, self._waiting.values())) >= MOST_WAITING:
            raise NotRecordedError
        recorded = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(account, []).append(_Waiting(event, recorded))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write_all())
        await recorded

    def close(self) -> None:
        """Write what is being written, and give the ledger back."""
        self._thread.shutdown()
        if self._ledger:
            self._ledger.close()

    async def _write_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(self._gather)
            waiting, self._waiting = self._waiting, {}
            for account, batch in waiting.items():
                _tell(batch, written=await self._write_in_thread(account, [each.event for each in batch]))

    def _write_in_thread(self, account: str, arrived: Sequence[FeedEvent]) -> asyncio.Future[bool]:
        return asyncio.get_running_loop().run_in_executor(self._thread, self._write, account, arrived)

    def _write(self, account: str, arrived: Sequence[FeedEvent]) -> bool:
        try:
            self._ledger = self._ledger or self._open_ledger()
            events.record(self._ledger, account, arrived, source=events.HOOK)
        except Exception as error:  # noqa: BLE001 - whatever it is, VTEX tries again
            self._troubles.tell("the ledger", _in_words(error))
            if self._ledger:
                self._ledger.close()
            self._ledger = None
            return False
        self._troubles.tell("the ledger", None)
        return True


def _tell(batch: Sequence[_Waiting], *, written: bool) -> None:
    for each in batch:
        if each.recorded.done():  # its caller has given up
            continue
        if written:
            each.recorded.set_result(None)
        else:
            each.recorded.set_exception(NotRecordedError())


def _in_words(error: Exception) -> str:
    """What a database says comes first, and then the statement with what was to be written."""
    said = error.message if isinstance(error, VtexErpError) else (str(error).splitlines() or [""])[0]
    return f"it cannot be written, VTEX is asked to try again ({type(error).__name__}: {said})"
