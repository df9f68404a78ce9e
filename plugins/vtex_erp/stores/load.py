"""Reads the stores file. A mistake in one store's block leaves the other stores alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from vtex_erp.errors import ConfigurationError
from vtex_erp.rules.load import load_rules
from vtex_erp.settings_file import MistakesError, SettingsFile, read_text
from vtex_erp.stores.model import DEFAULT_NAME, WITHOUT_FUNCTIONS, Store, Stores

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Served:
    """A store of the file: `store` is None where its block, or its rules file, has a mistake, which `mistake` tells.

    `alone`: it is the only one, so its DAGs keep their plain ids.
    """

    name: str
    alone: bool
    store: Store | None
    mistake: ConfigurationError | None = None

    def dag_id(self, plain: str) -> str:
        """`vtex_orders` for a single store, `vtex_orders__NAME` for one of several."""
        return plain if self.alone else f"{plain}__{self.name}"


def load_stores(path: str | Path, *, for_dags: bool = True) -> tuple[Served, ...]:
    """Read the stores in `path`; an empty file is one store with all the defaults.

    Only where DAGs are parsed can the modules beside them be imported: elsewhere, with `for_dags` off, neither the
    functions that stores name are looked for, nor are their mapping rules read.

    Raises ConfigurationError with cause `stores`, one line for each mistake, when the file as a whole cannot be read.
    """
    try:
        file = SettingsFile(read_text(path), name=str(path))
        blocks = _blocks(file)
    except MistakesError as error:
        raise _wrong(str(error)) from None
    beside = Path(path).parent if for_dags else None
    served = [_served(file, name, block, beside, alone=len(blocks) == 1) for name, block in blocks.items()]
    return tuple(_alone_on_its_feed(each, served[:index]) for index, each in enumerate(served))


def _blocks(file: SettingsFile) -> dict[str, object]:
    stores = file.document.get("stores") or {}
    rest = {name: part for name, part in file.document.items() if name != "stores"}
    file.model(Stores, rest)
    if not isinstance(stores, dict):
        raise MistakesError(f"{file.place(('stores',))}: must be a table of stores by name")
    return {name: {} if block is None else block for name, block in stores.items()} or {DEFAULT_NAME: {}}


def _served(file: SettingsFile, name: str, block: object, beside: Path | None, *, alone: bool) -> Served:
    try:
        store = _store(file, name, block, beside)
    except MistakesError as error:
        return Served(name, alone, None, _wrong(str(error)))
    except ConfigurationError as error:
        return Served(name, alone, None, error)
    return Served(name, alone, store)


def _store(file: SettingsFile, name: str, block: object, beside: Path | None) -> Store:
    at = ("stores", name)
    if not isinstance(block, dict):
        raise MistakesError(f"{file.place(at)}: must be a table of settings")
    if "name" in block:
        raise MistakesError(f"{file.place((*at, 'name'))}: the store's name is its key, {name!r}")
    if beside is None:
        return file.model(Store, {**block, "name": name}, at, context=WITHOUT_FUNCTIONS)
    store = file.model(Store, {**block, "name": name}, at)
    rules = str(beside / store.rules) if store.rules else None
    load_rules(rules)
    return store.model_copy(update={"rules": rules})


def _alone_on_its_feed(served: Served, earlier: Sequence[Served]) -> Served:
    for other in earlier:
        if served.store and other.store and served.store.vtex == other.store.vtex:
            trouble = f"{served.name} reads the feed of connection {served.store.vtex!r}, which {other.name} reads too"
            return replace(served, store=None, mistake=_wrong(f"{trouble}: give each store a connection of its own"))
    return served


def _wrong(message: str) -> ConfigurationError:
    return ConfigurationError(f"Stores: {message}", cause="stores")
