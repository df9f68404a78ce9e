"""The admin API of what feeds and hooks are told, and of who else works with the key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, ConfigDict, Field

from sandbox.vtex.audit import Entry
from sandbox.vtex.broadcast import Change

if TYPE_CHECKING:
    from sandbox.vtex.feed import Feed
    from sandbox.vtex.hook import Hook
    from sandbox.vtex.simulator import Simulator

SOMEBODY_ELSE = "somebody else"


class Body(BaseModel):
    """A request body that refuses names it does not know."""

    model_config = ConfigDict(extra="forbid")


class EmitBody(Body):
    """A raw event."""

    order_id: str
    state: str
    last_state: str | None = None
    copies: int = Field(default=1, ge=1)
    degenerate: bool = Field(default=False, description="As under FromOrders: state `unknow`, and the year 1.")


class ReleaseBody(Body):
    """The order in which to tell what was held back."""

    order: list[int] | None = Field(default=None, description="Each number from 0 once; None: as it happened.")


class StealBody(Body):
    """Events that somebody else reads and commits with our key."""

    count: int = Field(ge=1)
    app_key: str | None = Field(default=None, description="None: the key that the sandbox was started with.")


class AgeBody(Body):
    """How much older the queued events are to be."""

    seconds: float = Field(ge=0)
    app_key: str | None = None


def add_events(app: FastAPI, simulator: Simulator) -> None:
    """Add the routes."""
    _add_emission(app, simulator)
    _add_queue(app, simulator)


def _add_emission(app: FastAPI, simulator: Simulator) -> None:
    @app.post("/admin/events")
    async def emit(body: EmitBody) -> dict[str, Any]:
        """Emit an event, for an order that exists or not; copies after the first are duplicates of it."""
        now = simulator.now()
        change = Change(body.order_id, body.state, body.last_state, now, now, body.copies)
        simulator.broadcast.tell(change, degenerate=body.degenerate)
        return {"order_id": body.order_id, "copies": body.copies}

    @app.post("/admin/events/hold")
    async def hold() -> dict[str, Any]:
        """Hold back every event from now on."""
        simulator.broadcast.hold()
        return {}

    @app.post("/admin/events/release")
    async def release(body: ReleaseBody) -> dict[str, int]:
        """Tell what was held back, in any order, and hold nothing more."""
        try:
            return {"changes": simulator.broadcast.release(body.order)}
        except ValueError as error:
            raise HTTPException(400, str(error)) from None

    @app.get("/admin/hook/deliveries")
    async def deliveries(app_key: str | None = None) -> list[dict[str, Any]]:
        """List every notification with its tries and the latest answer, oldest first."""
        return _hook(simulator, app_key).report()


def _add_queue(app: FastAPI, simulator: Simulator) -> None:
    @app.post("/admin/feed/steal")
    async def steal(body: StealBody) -> dict[str, int]:
        """Let somebody else read and commit visible events; the audit names the consumer."""
        key, now = body.app_key or simulator.app_key, simulator.now()
        feed = _feed(simulator, key)
        taken = feed.take(body.count, now=now, rng=simulator.rng, shuffle=simulator.switches.shuffle)
        removed = sum(feed.remove(message.message_id) for message in taken)
        for method, family in (("GET", "feed-get"), ("POST", "feed-commit")):
            entry = Entry(now, method, "/api/orders/feed", family, key, None, 200, removed > 0, consumer=SOMEBODY_ELSE)
            simulator.audit.add(entry)
        return {"removed": removed}

    @app.post("/admin/feed/age")
    async def age(body: AgeBody) -> dict[str, float]:
        """Make everything in the queue older, without moving the clock."""
        feed = _feed(simulator, body.app_key or simulator.app_key)
        feed.age(body.seconds)
        return {"oldest_seconds": feed.oldest_age(simulator.now())}


def _feed(simulator: Simulator, app_key: str) -> Feed:
    feed = simulator.broadcast.feed(app_key)
    if feed is None:
        raise HTTPException(404, f"the key {app_key} has no feed")
    return feed


def _hook(simulator: Simulator, app_key: str | None) -> Hook:
    hook = simulator.broadcast.hook(app_key or simulator.app_key)
    if hook is None:
        raise HTTPException(404, "the key has no hook")
    return hook
