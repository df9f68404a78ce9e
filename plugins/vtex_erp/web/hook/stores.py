"""Whose call it is: the stores, their accounts and secrets, read again every few seconds."""

from __future__ import annotations

import asyncio
import hmac
import secrets
import time
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from vtex_erp.errors import ConfigurationError, VtexErpError
from vtex_erp.stores.load import Served, load_stores
from vtex_erp.stores.model import DEFAULT_NAME, EVENTS_ASSET, Store
from vtex_erp.vtex.settings import MOST_HOOK_SECRETS
from vtex_erp.web.hook.troubles import Troubles

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from vtex_erp.vtex.settings import VtexSettings

_KNOWN_SECONDS = 10.0
_DOUBTED_SECONDS = 1.0
_NOBODYS = tuple(secrets.token_bytes(32) for _ in range(MOST_HOOK_SECRETS))


class BrokenStoreError(Exception):
    """The store cannot be served now; the log says why."""


@dataclass(frozen=True)
class HookStore:
    """A store as its calls see it.

    `digests` are those of its secrets, always as many. `asset` wakes its DAG; None where its settings have no hook.
    """

    name: str
    account: str
    digests: tuple[bytes, ...] = field(repr=False)
    asset: str | None


@dataclass(frozen=True)
class _Known:
    """All stores at one moment: None where one is broken. `file_is_broken`: nobody knows which stores there are."""

    stores: Mapping[str, HookStore | None]
    read_at: float
    file_is_broken: bool = False

    def proven(self, name: str, digest: bytes) -> HookStore | None:
        """The store whose secret that is. What costs time is the same for a store that does not exist."""
        store = self.stores.get(name)
        if self.file_is_broken or (store is None and name in self.stores):
            raise BrokenStoreError
        proofs = [hmac.compare_digest(digest, each) for each in (store.digests if store else _NOBODYS)]
        return store if any(proofs) else None


class HookStores:
    """The stores of the file at `path`; without that file there is one with all the defaults.

    `settings_of` gives the settings of a connection of type `vtex`, or raises VtexErpError.
    """

    def __init__(
        self,
        path: Path,
        settings_of: Callable[[str], VtexSettings],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._settings_of, self._clock = path, settings_of, clock
        self._troubles = Troubles()
        self._known: _Known | None = None
        self._reading: asyncio.Task[_Known] | None = None
        self._file: tuple[object, tuple[Served, ...]] | None = None

    async def find(self, name: str, secret: str) -> HookStore | None:
        """Give the store that the secret proves the call to be for; None for a wrong secret and for an unknown store.

        A secret that does not fit is looked at again with what is true now: it may have been changed just now. Raises
        BrokenStoreError.
        """
        digest = sha256(secret.encode()).digest()
        store = (await self._known_since(_KNOWN_SECONDS)).proven(name, digest)
        return store or (await self._known_since(_DOUBTED_SECONDS)).proven(name, digest)

    def has(self, name: str) -> bool:
        """Whether such a store was there when the file was last read."""
        return self._known is not None and name in self._known.stores

    async def _known_since(self, seconds: float) -> _Known:
        if self._known and self._clock() - self._known.read_at <= seconds:
            return self._known
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read_again())
        return await asyncio.shield(self._reading)  # whoever gives up waiting must not stop it for the others

    async def _read_again(self) -> _Known:
        self._known = await asyncio.to_thread(self._read)
        return self._known

    def _read(self) -> _Known:
        now = self._clock()
        try:
            served = self._load()
        except ConfigurationError as error:
            self._troubles.tell("the stores file", error.message)
            return _Known({}, now, file_is_broken=True)
        self._troubles.tell("the stores file", None)
        return _Known({each.name: self._hook_store(each) for each in served}, now)

    def _load(self) -> tuple[Served, ...]:
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return (Served(DEFAULT_NAME, alone=True, store=Store()),)
        except OSError as error:
            raise ConfigurationError(f"{self._path} cannot be read ({type(error).__name__})") from None
        version = (status.st_mtime_ns, status.st_size, status.st_ino)
        if self._file is None or self._file[0] != version:
            self._file = (version, load_stores(self._path, for_dags=False))
        return self._file[1]

    def _hook_store(self, served: Served) -> HookStore | None:
        about = f"store {served.name}"
        if served.store is None:
            self._troubles.tell(about, served.mistake.message if served.mistake else "it has a mistake")
            return None
        try:
            settings = self._settings_of(served.store.vtex)
        except VtexErpError as error:
            self._troubles.tell(about, error.message)
            return None
        except Exception as error:  # noqa: BLE001 - whatever is wrong with one connection, the other stores are served
            # Its message may hold a secret.
            kind = type(error).__name__
            self._troubles.tell(about, f"connection {served.store.vtex!r} cannot be read ({kind})")
            return None
        self._troubles.tell(about, _lack_of_secret(served.store, settings))
        asset = served.dag_id(EVENTS_ASSET) if served.store.hook else None
        return HookStore(served.name, settings.account, _digests(settings.hook_secrets), asset)


def _digests(hook_secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    digests = tuple(sha256(each.encode()).digest() for each in hook_secrets)
    return (*digests, *_NOBODYS[len(digests) :])


def _lack_of_secret(store: Store, settings: VtexSettings) -> str | None:
    if settings.hook_secrets or not store.hook:
        return None
    return f"connection {store.vtex!r} has no hook_secret in Extra, so every call of the hook is refused"
