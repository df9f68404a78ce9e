"""Claims: who may create what an ERP has no unique key for, such as a customer."""

from __future__ import annotations

import threading
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from vtex_erp.erp.protocol import CLAIMED
from vtex_erp.errors import RetryableError, UnclearError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

CLAIM_SECONDS = 600.0
"""How long an ERP may be at work on a request that we have lost: longer than any web server lets one live."""
_TRIES, _NAP_SECONDS = 40, 0.25
_MAY_BE_AT_WORK = frozenset({None, 502, 503, 504})
"""No answer at all, or one of a proxy. Whoever answers anything else has ended."""


class Claims(Protocol):
    """Gives the right to create what the keys name to one worker at a time, wherever it runs. Threads share it."""

    def take(self, keys: Collection[str], *, seconds: float) -> str | float:
        """Claim all the keys, or none, for at most `seconds`.

        The answer is the name of the claim; a number is the seconds until those who hold one of them must let go.
        """

    def release(self, keys: Collection[str], claim: str) -> None:
        """Give them back. Keys that another has claimed since, because the claim had run out, stay the other's."""


class OwnClaims:
    """Claims among the threads of this process alone."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: dict[str, tuple[str, float]] = {}

    def take(self, keys: Collection[str], *, seconds: float) -> str | float:
        """Claim as the protocol says."""
        now, claim = self._clock(), uuid.uuid4().hex
        with self._lock:
            left = max((self._held[key][1] - now for key in keys if key in self._held), default=0.0)
            if left > 0:
                return left
            self._held.update(dict.fromkeys(keys, (claim, now + seconds)))
        return claim

    def release(self, keys: Collection[str], claim: str) -> None:
        """Release as the protocol says."""
        with self._lock:
            for key in keys:
                if self._held.get(key, ("", 0.0))[0] == claim:
                    del self._held[key]


@dataclass
class Held:
    """A claim that is held."""

    runs_out: bool = False

    @contextmanager
    def creating(self) -> Iterator[None]:
        """Around the call that creates. When its answer is lost the ERP may still be at it: the claim must run out."""
        try:
            yield
        except UnclearError as error:
            self.runs_out = error.status in _MAY_BE_AT_WORK
            raise


@contextmanager
def alone(
    claims: Claims, keys: Collection[str], task: str, sleep: Callable[[float], None], *, tries: int = _TRIES
) -> Iterator[Held]:
    """Hold the keys for the length of the block.

    After a create whose answer was lost (`Held.creating`), and when the process dies, the claim is not released, but
    runs out. Raises RetryableError (`claimed-by-another`) when others hold them for longer than
    `tries`, four a second.
    """
    claim = _wait(claims, keys, task, sleep, tries)
    held = Held()
    try:
        yield held
    except Exception:
        if not held.runs_out:
            claims.release(keys, claim)
        raise
    claims.release(keys, claim)


def _wait(claims: Claims, keys: Collection[str], task: str, sleep: Callable[[float], None], tries: int) -> str:
    left = 0.0
    for number in range(tries):
        if number:
            sleep(_NAP_SECONDS)
        answer = claims.take(keys, seconds=CLAIM_SECONDS)
        if isinstance(answer, str):
            return answer
        left = answer
    raise RetryableError(
        f"Another worker is at the customer or product that is needed to {task}, or has died at it.",
        cause=CLAIMED,
        retry_after=left,
    )
