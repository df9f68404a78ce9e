"""Faults on demand: error answers, web pages, broken JSON, slowness and cut connections."""

from __future__ import annotations

import itertools
import re
from typing import TYPE_CHECKING, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field

from sandbox.web import Answer, html_answer, oms_error

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.web import Call


class Fault(BaseModel):
    """One fault. It applies to a request when its route, order id and probability say so."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    id: int = 0
    """Given by the sandbox."""

    route: str
    """A family (`get-order`), or a regular expression with a slash that is searched in the path."""

    method: str | None = None
    """Only requests with this method, such as POST."""

    order_id: str | None = None
    """Only requests for this order id, or at the ERP this external id."""

    action: Literal["status", "html", "truncated", "slow", "drop"]
    """status: an error envelope; html: a web page; truncated: the real answer, cut in half; slow: the real
    answer after `delay_s`; drop: the connection is closed without an answer."""

    effect: Literal["none", "done", "late", "half"] = "none"
    """What the request does: nothing; all of it, at once; all of it, after `delay_s`; or, for a feed commit,
    the first half of the handles. truncated and slow do all of it at once unless told late."""

    status: int = Field(default=503, ge=100, le=599)
    """HTTP status of status and html."""

    body: str | None = None
    """Body in place of the usual one."""

    headers: dict[str, str] = Field(default_factory=dict)
    """Headers to add, such as Retry-After."""

    delay_s: float = Field(default=0.0, ge=0)
    """Real seconds to wait before the answer or the cut."""

    probability: float = Field(default=1.0, ge=0, le=1)
    """How likely it applies to each request that it is meant for."""

    remaining: int | None = None
    """How often it still applies; None: always."""

    hits: int = 0
    """How often it has applied."""

    @property
    def carries_out(self) -> bool:
        """Whether the request does anything."""
        return self.effect != "none" or self.action in ("slow", "truncated")

    def matches(self, call: Call) -> bool:
        """Whether the fault is meant for this request."""
        if self.order_id not in (None, call.subject) or self.method not in (None, call.method):
            return False
        return self.route == call.family or ("/" in self.route and re.search(self.route, call.path) is not None)

    def strike(self, real: Answer | None) -> Answer | None:
        """Make the answer that the caller gets of the real one. None: the connection is cut."""
        if self.action == "drop":
            return None
        if real is not None and self.action == "slow":
            return real
        if real is not None and self.action == "truncated":
            real.body = real.body[: len(real.body) // 2] or b'{"'
            return real
        faulty = (
            html_answer(self.status, "Bad gateway")
            if self.action == "html"
            else oms_error(self.status, "1", "Simulated fault")
        )
        if self.body is not None:
            faulty.body = self.body.encode()
        faulty.headers = dict(self.headers)
        return faulty


class Dice(Protocol):
    """What rolls for a fault's probability."""

    def chance(self, probability: float) -> bool:
        """Roll once."""


class FaultList:
    """The faults in force; the first that applies wins."""

    def __init__(self, families: Iterable[str], dice: Dice) -> None:
        self._families = frozenset(families)
        self._dice = dice
        self._ids = itertools.count(1)
        self.faults: list[Fault] = []

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force. Raises ValueError for a route that is no family and no path expression."""
        if fault.route not in self._families and "/" not in fault.route:
            known = ", ".join(sorted(self._families))
            raise ValueError(f"no route family {fault.route!r}; families are {known}; a path contains a slash")
        re.compile(fault.route)
        fault.id = next(self._ids)
        self.faults.append(fault)
        return fault

    def pick(self, call: Call) -> Fault | None:
        """Pick the fault that applies to this request, and use it up by one."""
        for fault in self.faults:
            if fault.remaining == 0 or not fault.matches(call) or not self._dice.chance(fault.probability):
                continue
            fault.hits += 1
            if fault.remaining is not None:
                fault.remaining -= 1
            return fault
        return None
