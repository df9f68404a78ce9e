"""Calls the hooks' endpoints from threads of its own, so that a slow endpoint holds up nobody."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import urllib3

from sandbox.web import to_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.vtex.feed import Event
    from sandbox.vtex.hook import Delivery, Hook
    from sandbox.vtex.simulator import Simulator

ANSWER_SECONDS = 5.0
THREADS = 64
_LONGEST_NAP = 1.0
_OPTIONAL_IN_GUIDE = ("LastState", "CurrentChange")
_TIMEOUT = urllib3.Timeout(total=ANSWER_SECONDS)


class Dispatcher:
    """Delivers what is due, by the virtual clock. Its threads start with the first hook and end with the process."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._pool = urllib3.PoolManager(maxsize=THREADS, block=True, retries=False, timeout=_TIMEOUT)
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="hook")
        self._free = threading.Semaphore(THREADS)
        self._wake = threading.Event()
        self._started = False

    def start(self) -> None:
        """Start, if that has not happened yet."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._run, name="dispatcher", daemon=True).start()

    def wake(self) -> None:
        """Look at once: there is something new, or the clock has moved."""
        self._wake.set()

    def ping(self, url: str, headers: dict[str, str]) -> str:
        """Ask the endpoint whether it is there; its answer."""
        return self._post(url, headers, {"hookConfig": "ping"})[0]

    def _run(self) -> None:
        while True:
            self._wake.clear()
            hooks = list(self._simulator.broadcast.hooks.items())
            if not sum(self._deliver_due(key, hook) for key, hook in hooks):
                self._wake.wait(self._nap(hook for _, hook in hooks))

    def _nap(self, hooks: Iterable[Hook]) -> float:
        now = self._simulator.now()
        due = [moment - now for moment in (hook.next_due() for hook in hooks) if moment is not None]
        return max(0.0, min([_LONGEST_NAP, *due]))

    def _deliver_due(self, key: str, hook: Hook) -> int:
        due = hook.take_due(self._simulator.now(), THREADS)
        for delivery in due:
            self._free.acquire()
            self._threads.submit(self._try, key, hook, delivery)
        return len(due)

    def _try(self, key: str, hook: Hook, delivery: Delivery) -> None:
        switches = self._simulator.switches
        try:
            body = self._notification(delivery.event, key, form=switches.hook_body)
            answer, seconds = self._post(hook.url, hook.headers, body)
            wait = switches.hook_retry_s * switches.hook_retry_factor**delivery.tries
            hook.settle(delivery, answer, seconds=seconds, now=self._simulator.now(), wait=wait)
        finally:
            self._free.release()
            self.wake()

    def _post(self, url: str, headers: dict[str, str], body: dict[str, Any]) -> tuple[str, float]:
        started = time.monotonic()
        sent = {"Content-Type": "application/json", **headers}
        try:
            answer = str(self._pool.request("POST", url, body=to_json(body), headers=sent, redirect=False).status)
        except urllib3.exceptions.TimeoutError:
            answer = "timeout"
        except urllib3.exceptions.HTTPError:
            answer = "unreachable"
        return answer, time.monotonic() - started

    def _notification(self, event: Event, key: str, *, form: str) -> dict[str, Any]:
        body = {
            "Domain": event.domain,
            "OrderId": event.order_id,
            "State": event.state,
            "LastState": event.last_state,
            "LastChange": event.last_change,
            "CurrentChange": event.current_change,
            "Origin": {"Account": self._simulator.account, "Key": key},
        }
        dropped = _OPTIONAL_IN_GUIDE if form == "guide" and event.last_state is not None else ()
        return {name: value for name, value in body.items() if name not in dropped}
