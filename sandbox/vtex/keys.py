"""App keys, their tokens and License Manager resources (Orders API, "Permissions" of each operation)."""

from __future__ import annotations

from dataclasses import dataclass, field

FEED_VIEW = "Feed v3 and Hook view only"
FEED_ADMIN = "Feed v3 and Hook Admin"
VIEW_ORDER = "View order"
LIST_ORDERS = "List Orders"
CHANGE_STATUS = "Change order workflow status"
CANCEL_ORDER = "Cancel order"
NOTIFY_INVOICE = "Notify invoice"
FULL_ACCESS = "Orders Full Access"
PROFILE_ITEM = "Get Item"  # of the product Profile System: guide "Profile System integration"

RESOURCES = frozenset(
    {
        *(FEED_VIEW, FEED_ADMIN, VIEW_ORDER, LIST_ORDERS, CHANGE_STATUS),
        *(CANCEL_ORDER, NOTIFY_INVOICE, FULL_ACCESS, PROFILE_ITEM),
    }
)


@dataclass(slots=True)
class Key:
    """One app key. During a rotation it has two valid tokens."""

    app_key: str
    tokens: list[str]
    resources: frozenset[str] = field(default=RESOURCES)


class KeyRing:
    """The keys of the account."""

    def __init__(self, app_key: str, token: str) -> None:
        self._keys = {app_key: Key(app_key, [token])}

    def put(self, key: Key) -> None:
        """Add a key, or replace the one of the same name."""
        self._keys[key.app_key] = key

    def find(self, app_key: str, token: str) -> Key | None:
        """Find the key, if the token is one of its valid ones."""
        key = self._keys.get(app_key)
        return key if key is not None and token in key.tokens else None

    def resources(self, app_key: str) -> frozenset[str]:
        """Tell what a key may do; nothing for one that does not exist."""
        key = self._keys.get(app_key)
        return key.resources if key is not None else frozenset()
