"""The calls that VTEX makes to a hook: the ping when the hook is configured, and one call for each event."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from vtex_erp.vtex.lenient import field_paths, read_json
from vtex_erp.vtex.schemas import FeedEvent

_PING = "ping"


class NotANotificationError(ValueError):
    """The body is nothing that VTEX sends. The message names fields, and holds none of their values."""


@dataclass(frozen=True)
class HookNotification:
    """One call of VTEX's hook. `event` is None for the ping, which only wants its 200.

    `account` and `key` are the `Origin` that the body claims, which proves nothing: "" where it claims none.
    """

    event: FeedEvent | None
    account: str = ""
    key: str = ""

    @classmethod
    def from_json(cls, body: str | bytes) -> HookNotification:
        """Read the body of a call. Raises NotANotificationError."""
        try:
            document = read_json(body)
        except ValueError:
            raise NotANotificationError("the body is not JSON") from None
        return cls.from_document(document)

    @classmethod
    def from_document(cls, document: object) -> HookNotification:
        """Read a body in any of the forms that VTEX documents: guide, Orders API and FromOrders, in any casing.

        Only `OrderId` must be there: the guide's own sample has neither `LastState` nor `CurrentChange`. Raises
        NotANotificationError.
        """
        if not isinstance(document, Mapping):
            raise NotANotificationError("the body is no JSON object")
        fields = {str(name).lower(): value for name, value in document.items()}
        if fields.get("hookconfig") == _PING:
            return cls(None)
        try:
            event = FeedEvent.model_validate(document)
        except ValidationError as error:
            raise NotANotificationError(f"these fields cannot be read: {field_paths(error)}") from None
        origin = _origin(fields.get("origin"))
        return cls(event, origin.get("account", ""), origin.get("key", ""))


def _origin(part: Any) -> dict[str, str]:
    if not isinstance(part, Mapping):
        return {}
    return {str(name).lower(): value for name, value in part.items() if isinstance(value, str)}
