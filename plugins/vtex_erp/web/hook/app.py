"""`POST /vtex/hook/{store}`: what VTEX's hook tells is in the ledger before it is answered 200.

VTEX waits five seconds, and tries again what was not answered 200 (guide "Feed v3", Hook).
"""

from __future__ import annotations

import asyncio
import logging
import math
import uuid
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from airflow.configuration import conf
from fastapi import FastAPI, HTTPException, Request, Response
from starlette.requests import ClientDisconnect

from vtex_erp.hooks.fields import vtex_settings
from vtex_erp.hooks.ledger import LedgerHook
from vtex_erp.stores.model import SECRET_HEADER
from vtex_erp.vtex.notifications import HookNotification, NotANotificationError
from vtex_erp.web.hook.recorder import NotRecordedError, Recorder
from vtex_erp.web.hook.stores import BrokenStoreError, HookStores
from vtex_erp.web.hook.traffic import Limit, Traffic
from vtex_erp.web.hook.wake import Waker, send_asset_event

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from vtex_erp.vtex.schemas import FeedEvent
    from vtex_erp.web.hook.stores import HookStore

_log = logging.getLogger(__name__)

ANSWER_SECONDS = 4.0
MOST_BYTES = 64 * 1024
_PING_BYTES = 256

_WORDS = {
    200: "recorded",
    400: "malformed",
    401: "refused",
    403: "of_another_account",
    413: "too_large",
    429: "too_many",
    503: "unavailable",
}


@dataclass
class Hook:
    """What the endpoint works with."""

    stores: HookStores
    recorder: Recorder
    waker: Waker = field(default_factory=lambda: Waker(send_asset_event))
    limit: Limit = field(default_factory=Limit)
    traffic: Traffic = field(default_factory=Traffic)


def create_app(hook: Hook | None = None) -> FastAPI:
    """Make the app: without `hook`, the one for Airflow's own connections and DAGs folder.

    It asks for no log-in: VTEX has none. Calls prove themselves with the secret that VTEX sends in a header.
    """
    hook = hook or Hook(HookStores(_stores_file(), vtex_settings), Recorder(lambda: LedgerHook().get_ledger()))

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        hook.traffic.say()
        await asyncio.to_thread(hook.recorder.close)

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=lifespan)

    @app.post("/{store}")
    async def notify(store: str, request: Request) -> Response:
        return await _answer(hook, store, request)

    return app


def _stores_file() -> Path:
    return Path(conf.get_mandatory_value("core", "dags_folder")) / "stores.yaml"


async def _answer(hook: Hook, name: str, request: Request) -> Response:
    try:
        word = await asyncio.wait_for(_take(hook, name, request), ANSWER_SECONDS)
    except HTTPException as error:
        _count(hook, name, _WORDS[error.status_code])
        raise
    except (asyncio.TimeoutError, NotRecordedError, BrokenStoreError, ClientDisconnect):
        _count(hook, name, _WORDS[503])
        raise HTTPException(503, "This cannot be taken now: try again later.") from None
    _count(hook, name, word)
    return Response()


def _count(hook: Hook, name: str, word: str) -> None:
    hook.traffic.count(name if hook.stores.has(name) else "unknown", word)


async def _take(hook: Hook, name: str, request: Request) -> str:
    """Do what a call asks for; what was done, in a word."""
    store = await hook.stores.find(name, request.headers.get(SECRET_HEADER, ""))
    if store is None:
        if SECRET_HEADER not in request.headers and await _is_bare_ping(request):
            return "pinged"
        raise HTTPException(401, f"The header {SECRET_HEADER} must have the secret of a store.")
    if seconds := hook.limit.take(store.name):
        raise HTTPException(429, "Too many calls.", headers={"Retry-After": str(math.ceil(seconds))})
    event = _event(store, await _body(request, MOST_BYTES))
    if event is None:
        return "pinged"
    await hook.recorder.record(store.account, event)
    if store.asset:
        hook.waker.wake(store.asset)
    return _WORDS[200]


async def _is_bare_ping(request: Request) -> bool:
    """Whether it is VTEX's ping, which may come without the headers of the hook. It tells nothing and does nothing."""
    try:
        return HookNotification.from_json(await _body(request, _PING_BYTES)).event is None
    except (HTTPException, NotANotificationError):
        return False


async def _body(request: Request, most: int) -> bytes:
    read = bytearray()
    async for part in request.stream():
        read += part
        if len(read) > most:
            raise HTTPException(413, f"The body has more than {most} bytes.")
    return bytes(read)


def _event(store: HookStore, body: bytes) -> FeedEvent | None:
    """The event that the body tells of, None for the ping."""
    try:
        notification = HookNotification.from_json(body)
    except NotANotificationError as error:
        _log.warning("VTEX's hook, store %s: a call is no notification: %s.", store.name, error)
        raise HTTPException(400, f"This is no notification of VTEX's hook: {error}.") from None
    if notification.account and notification.account.lower() != store.account.lower():
        _log.warning(
            "VTEX's hook, store %s: a notification of account %.70r was refused; its connection says %s.",
            store.name,
            notification.account,
            store.account,
        )
        raise HTTPException(403, f"Notifications of account {store.account} are taken here.")
    event = notification.event
    # Without a date it could not be told from another one of the same order.
    return event if event is None or event.change_key else event.model_copy(update={"event_id": uuid.uuid4().hex})
