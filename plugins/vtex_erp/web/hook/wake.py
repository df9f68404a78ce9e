"""Wakes a store's DAG by an asset event. It is a hint: a lost one costs a minute, a doubled one nothing."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

_log = logging.getLogger(__name__)

_EVERY_SECONDS = 5.0


class Waker:
    """Sends hints by `send`, for each asset one at once and the next one some seconds later at the earliest."""

    def __init__(
        self,
        send: Callable[[str], None],
        *,
        every: float = _EVERY_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._send, self._every, self._clock, self._sleep = send, every, clock, sleep
        self._next: dict[str, float] = {}
        self._coming: dict[str, asyncio.Task[None]] = {}

    def wake(self, asset: str) -> None:
        """Have a hint sent after this moment, if none is coming yet."""
        if asset not in self._coming:
            self._coming[asset] = asyncio.create_task(self._send_in_time(asset))

    async def _send_in_time(self, asset: str) -> None:
        await self._sleep(max(0.0, self._next.get(asset, 0.0) - self._clock()))
        self._next[asset] = self._clock() + self._every
        sending = asyncio.to_thread(self._send, asset)
        del self._coming[asset]  # what is recorded from here on may be too late for this hint
        try:
            await sending
        except Exception as error:  # noqa: BLE001 - the DAG's schedule does without
            _log.warning(
                "The hint %s could not be sent (%s): the DAG runs by its schedule.", asset, type(error).__name__
            )


def send_asset_event(asset: str) -> None:
    """Register an event of the asset in Airflow's own database, as its REST API does (`POST /assets/events`).

    Only the api-server may do that. A paused DAG is not woken.
    """
    from airflow.assets.manager import asset_manager
    from airflow.serialization.definitions.assets import SerializedAssetUniqueKey
    from airflow.utils.session import create_session

    with create_session() as session:
        asset_manager.register_asset_change(asset=SerializedAssetUniqueKey(name=asset, uri=asset), session=session)
