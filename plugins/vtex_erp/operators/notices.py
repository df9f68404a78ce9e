"""Tells people and partners what has happened, by Airflow's own notifiers."""

from __future__ import annotations

import json
import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

from vtex_erp.errors import ConfigurationError
from vtex_erp.ledger import notices
from vtex_erp.stores.notices import NOTIFIERS, TITLES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from airflow.sdk import BaseNotifier, Context

    from vtex_erp.ledger.ledger import Ledger
    from vtex_erp.ledger.notices import Notice
    from vtex_erp.stores.model import Store
    from vtex_erp.stores.notices import Told

_log = logging.getLogger(__name__)


def tell_everybody(ledger: Ledger, store: Store, account: str, context: Context) -> list[str]:
    """Tell everybody of the store's settings what they have not been told of. The ledger keeps what went out.

    The answer are the troubles that notifiers had; what they were to tell is told later, and all others have been told.
    """
    troubles = []
    for name, told in store.notify.items():
        target = f"{store.name}/{name}"
        for notice in notices.claim(ledger, account, target, told.of):
            trouble = _tell(ledger, store, account, name, notice, context)
            if trouble is None:
                notices.sent(ledger, notice, target)
                _log.info("%s is told of %s: %s", name, notice.about, notice.kind.value)
                continue
            again = "it is tried again" if notices.failed(ledger, notice, target, trouble) else "it is not tried again"
            troubles.append(f"{name} was not told of {notice.about} ({notice.kind.value}), {again}: {trouble}")
            _log.error("%s", troubles[-1])
    return troubles


def _tell(ledger: Ledger, store: Store, account: str, name: str, notice: Notice, context: Context) -> str | None:
    """Send; the trouble in words, None when there was none."""
    told = store.notify[name]
    try:
        _notifier(name, told)({**context, "notice": _shown(ledger, store, account, told, notice)})
    except ConfigurationError as error:
        return error.message
    except Exception as error:  # noqa: BLE001 - whatever a notifier raises, the others are told all the same
        return type(error).__name__  # its message may quote what it was to send
    return None


def _shown(ledger: Ledger, store: Store, account: str, told: Told, notice: Notice) -> dict[str, Any]:
    """What templates see as `notice`."""
    return {
        "kind": notice.kind.value,
        "store": store.name,
        "account": account,
        "about": notice.about,
        "title": TITLES[notice.kind].format(about=notice.about),
        "text": notice.text,
        "at": notice.at.isoformat(timespec="seconds") if notice.at else "",
        "personal": _personal(ledger, told, notice) if told.personal_data else {},
    }


def _personal(ledger: Ledger, told: Told, notice: Notice) -> dict[str, Any]:
    text = notices.personal(ledger, notice)
    order = json.loads(text) if text else {}
    return {path: _value(order, path) for path in told.personal_data}


def _value(part: Any, path: str) -> Any:
    for name in path.split("."):
        part = part.get(name) if isinstance(part, dict) else None
    return part


def _notifier(name: str, told: Told) -> BaseNotifier:
    path, settings = NOTIFIERS.get(told.notifier, (told.notifier, {}))
    module, _, kind = path.rpartition(".")
    arguments: Mapping[str, Any] = {**settings, **told.settings}
    try:
        notifier: BaseNotifier = getattr(import_module(module), kind)(**arguments)
    except (ImportError, AttributeError, TypeError) as error:
        raise ConfigurationError(
            f"notify.{name} in the stores file: {path} cannot be used ({error}). Install its provider, and give it the "
            "settings that it takes.",
            cause="notifier",
        ) from error
    return notifier
