"""The small HTTP vocabulary that the simulated VTEX and the simulated ERP share.

A handler is a function from a `Call` to an `Answer`. It runs to its end on the one event loop, so what it changes
needs no lock; what waits (latency, faults) happens around it, in `app.py`. Only the ping of a hook has to be awaited.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

if TYPE_CHECKING:
    import re
    from collections.abc import Awaitable, Callable
    from typing import TypeAlias

    Handler: TypeAlias = Callable[["Call"], "Answer | Awaitable[Answer]"]

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"


@dataclass(slots=True)
class Call:
    """One request. `path` is as sent (percent-encoded), `params` are decoded, query names are lower case."""

    method: str
    path: str
    family: str = ""
    params: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    app_key: str = ""

    @property
    def subject(self) -> str | None:
        """The order id or ERP external id that the path names."""
        return self.params.get("order_id") or self.params.get("external_id")

    @property
    def reason(self) -> str | None:
        """The reason that the call gives for seeing clear data."""
        return self.query.get("reason") or None

    def json(self) -> Any:
        """Parse the body; raises `BadRequestError` when it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            raise BadRequestError("the body is not JSON") from None


@dataclass(slots=True)
class Answer:
    """One response. `effect` tells whether the request changed something that matters (for the audit)."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)
    effect: bool = False


class BadRequestError(Exception):
    """The request is not understood; its text goes into the 400 answer."""


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path. `family` is the name that faults and the audit use for it.

    `resources` are the License Manager resources of which the key needs one; None: the route belongs to
    the ERP and VTEX's keys and rate limit do not apply.
    """

    family: str
    method: str
    pattern: re.Pattern[str]
    handler: Handler
    resources: frozenset[str] | None = None

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Return the decoded path parameters, or None when the request is for another route."""
        found = self.pattern.fullmatch(path) if method == self.method else None
        if found is None:
            return None
        return {name: unquote(value) for name, value in found.groupdict().items()}


def to_json(payload: Any) -> bytes:
    """Compact JSON in UTF-8, as the servers send it."""
    return json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()


def json_answer(payload: Any, status: int = 200, *, effect: bool = False) -> Answer:
    """Answer with a JSON body."""
    return Answer(status, to_json(payload), effect=effect)


def oms_error(status: int, code: str, message: str) -> Answer:
    """VTEX's documented error envelope (Orders API, Start handling order)."""
    return json_answer({"error": {"code": code, "message": message, "exception": None}}, status)


def html_answer(status: int, title: str) -> Answer:
    """Answer with a web page, as gateways and login forms do in place of JSON."""
    page = f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1></body></html>"
    return Answer(status, page.encode(), HTML)
