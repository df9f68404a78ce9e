"""The admin API: it arranges the store's world and tells what happened in it. No keys, no limit, no audit.

Its own pages are at /admin/docs.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI, HTTPException
from pydantic import Field, ValidationError

from sandbox.erp.orders import RefuseRule  # noqa: TC001  FastAPI reads the annotation
from sandbox.orders import plan
from sandbox.vtex import flows
from sandbox.vtex.admin_events import Body, add_events
from sandbox.vtex.clock import from_vtex, to_vtex
from sandbox.vtex.faults import Fault  # noqa: TC001  FastAPI reads the annotation
from sandbox.vtex.keys import RESOURCES, Key
from sandbox.vtex.orders import make_order

if TYPE_CHECKING:
    from sandbox.vtex.faults import FaultList
    from sandbox.vtex.orders import Order
    from sandbox.vtex.simulator import Simulator


class KeyBody(Body):
    """A key to add or replace."""

    app_key: str
    tokens: list[str] = Field(description="Two during a rotation; none: the key is revoked.")
    resources: list[str] | None = Field(default=None, description="License Manager resources; None: all.")


class PlaceBody(Body):
    """Raw documents to place."""

    documents: list[dict[str, Any]]
    kinds: list[str] | None = Field(default=None, description="Labels, one for each document.")
    events: list[str] | None = Field(default=None, description="States to emit; None: the order's own status.")


class GenerateBody(Body):
    """Orders to generate and place."""

    count: int = Field(ge=1, le=1_000_000)
    seed: int = 1
    kinds: list[str] | None = None
    status: str | None = Field(default=None, description="Status for all; None: what the kind has.")
    events: list[str] | None = None
    created_from: str | None = Field(default=None, description="Spread the creation dates from here,")
    created_to: str | None = Field(default=None, description="to here. Without: they end now.")


class MoveBody(Body):
    """A status to move to; null makes the order an incomplete one."""

    status: str | None


class AskBody(Body):
    """In whose workflow the wish shows."""

    by_marketplace: bool = Field(default=False, description="True: the marketplace's; False: the seller's.")


class ReplaceBody(Body):
    """How the new order is paid."""

    reuse_payment: bool = Field(default=False, description="With the transaction of the old one.")


class ClockBody(Body):
    """Either."""

    advance_seconds: float | None = None
    set: str | None = Field(default=None, description="A date and time in ISO 8601.")


class TooLateBody(Body):
    """Whether a sales order has shipped."""

    external_id: str
    too_late: bool = True


def admin_app(simulator: Simulator, faults: FaultList) -> FastAPI:
    """Make the application that serves /admin."""
    app = FastAPI(title="Sandbox admin", docs_url="/admin/docs", openapi_url="/admin/openapi.json", redoc_url=None)
    _add_world(app, simulator, faults)
    _add_settings(app, simulator)
    _add_orders(app, simulator)
    add_events(app, simulator)
    _add_faults(app, faults)
    _add_reports(app, simulator)
    _add_erp(app, simulator)
    return app


def _add_world(app: FastAPI, simulator: Simulator, faults: FaultList) -> None:
    @app.post("/admin/reset")
    async def reset(seed: int = 1) -> dict[str, Any]:
        """Forget everything and start anew."""
        simulator.reset(seed)
        faults.faults.clear()
        return {"account": simulator.account}

    @app.get("/admin/account")
    async def account() -> dict[str, str]:
        """Tell the account and the key that it was started with."""
        return {
            "account": simulator.account,
            "app_key": simulator.app_key,
            "app_token": simulator.app_token,
        }


def _add_settings(app: FastAPI, simulator: Simulator) -> None:
    @app.get("/admin/switches")
    async def get_switches() -> dict[str, Any]:
        """All switches."""
        return simulator.switches.model_dump()

    @app.patch("/admin/switches")
    async def patch_switches(changes: dict[str, Any]) -> dict[str, Any]:
        """Change some switches; all or none."""
        merged = {**simulator.switches.model_dump(), **changes}
        try:
            simulator.switches = type(simulator.switches).model_validate(merged)
        except ValidationError as error:
            problems = [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
            raise HTTPException(400, f"switches refused: {'; '.join(problems)}") from None
        return simulator.switches.model_dump()

    @app.post("/admin/clock")
    async def clock(body: ClockBody) -> dict[str, Any]:
        """Move the virtual time."""
        moment = from_vtex(body.set)
        if body.set is not None and moment is None:
            raise HTTPException(400, "set is no date in ISO 8601")
        if moment is not None:
            simulator.clock.set(moment)
        simulator.clock.advance(body.advance_seconds or 0.0)
        simulator.catch_up()
        simulator.dispatcher.wake()
        return {"now": to_vtex(simulator.now()), "offset_seconds": simulator.clock.offset}

    @app.put("/admin/keys")
    async def put_key(body: KeyBody) -> dict[str, Any]:
        """Add or replace a key."""
        unknown = set(body.resources or ()) - RESOURCES
        if unknown:
            raise HTTPException(400, f"unknown resources {sorted(unknown)}; there are {sorted(RESOURCES)}")
        resources = RESOURCES if body.resources is None else frozenset(body.resources)
        simulator.keys.put(Key(body.app_key, list(body.tokens), resources))
        return {"app_key": body.app_key, "resources": sorted(resources)}


def _add_orders(app: FastAPI, simulator: Simulator) -> None:
    @app.post("/admin/orders")
    async def place(body: PlaceBody) -> list[dict[str, Any]]:
        """Place raw VTEX documents."""
        kinds = body.kinds or ["raw"] * len(body.documents)
        if len(kinds) != len(body.documents) or not all(each.get("orderId") for each in body.documents):
            raise HTTPException(400, "each document needs an orderId, and kinds one label for each")
        pairs = zip(kinds, body.documents, strict=True)
        return [_label(simulator.place(document, kind=kind, states=body.events)) for kind, document in pairs]

    @app.post("/admin/orders/generate")
    async def generate(body: GenerateBody) -> list[dict[str, Any]]:
        """Generate orders and place them."""
        try:
            return [_label(order) for order in generate_into(simulator, body)]
        except ValueError as error:
            raise HTTPException(400, str(error)) from None

    @app.post("/admin/orders/{order_id:path}/status")
    async def move(order_id: str, body: MoveBody) -> dict[str, Any]:
        """Move an order to a status, with its event."""
        order = _order(simulator, order_id)
        simulator.move(order, body.status)
        return _label(order)

    @app.post("/admin/orders/{order_id:path}/race")
    async def race(order_id: str, body: MoveBody) -> dict[str, Any]:
        """Move the order at the next Get order, just before it is answered."""
        simulator.race[_order(simulator, order_id).order_id] = body.status
        return {"order_id": order_id, "status": body.status}

    @app.post("/admin/orders/{order_id:path}/change")
    async def change(order_id: str, parts: dict[str, Any]) -> dict[str, Any]:
        """Change parts of an order's document; only those are told who look at the document."""
        order = _order(simulator, order_id)
        simulator.change(order, **parts)
        return _label(order)

    @app.post("/admin/orders/{order_id:path}/ask-cancellation")
    async def ask(order_id: str, body: AskBody) -> dict[str, Any]:
        """Let the shopper ask for a cancellation."""
        order = _order(simulator, order_id)
        request_id = flows.ask_cancellation(simulator, order, by_marketplace=body.by_marketplace)
        return {**_label(order), "request_id": request_id}

    @app.post("/admin/orders/{order_id:path}/replace")
    async def replace(order_id: str, body: ReplaceBody) -> dict[str, Any]:
        """Let the shopper replace the order by another one, which is answered."""
        order = _order(simulator, order_id)
        return _label(flows.replace_order(simulator, order, reuse_payment=body.reuse_payment))


def _add_faults(app: FastAPI, faults: FaultList) -> None:
    @app.post("/admin/faults")
    async def add_fault(fault: Fault) -> dict[str, Any]:
        """Put a fault in force."""
        try:
            return faults.add(fault).model_dump()
        except (ValueError, re.error) as error:
            raise HTTPException(400, str(error)) from None

    @app.get("/admin/faults")
    async def list_faults() -> list[dict[str, Any]]:
        """All faults, with how often each has struck."""
        return [fault.model_dump() for fault in faults.faults]

    @app.delete("/admin/faults")
    async def clear_faults() -> dict[str, int]:
        """Lift all faults."""
        count = len(faults.faults)
        faults.faults.clear()
        return {"cleared": count}


def _add_reports(app: FastAPI, simulator: Simulator) -> None:
    @app.get("/admin/audit")
    async def audit(
        family: str | None = None,
        order_id: str | None = None,
        method: str | None = None,
        key: str | None = None,
        status: int | None = None,
        effect: bool | None = None,
        consumer: str | None = None,
    ) -> list[dict[str, Any]]:
        """List the requests that VTEX and the ERP got, oldest first."""
        return simulator.audit.find(
            family=family,
            order_id=order_id,
            method=method,
            key=key,
            status=status,
            effect=effect,
            consumer=consumer,
        )

    @app.delete("/admin/audit")
    async def clear_audit() -> dict[str, Any]:
        """Forget the requests so far."""
        simulator.audit.clear()
        return {}

    @app.get("/admin/summary")
    async def summary(orders: bool = True) -> dict[str, Any]:
        """Tell everything in numbers; `orders=false` leaves out the entry of each order."""
        simulator.catch_up()
        now = simulator.now()
        return {
            "now": to_vtex(now),
            "orders": {each.order_id: _entry(each) for each in simulator.orders.all()} if orders else {},
            "order_count": len(simulator.orders),
            "feeds": {key: feed.counters(now) for key, feed in simulator.broadcast.feeds.items()},
            "hooks": {key: hook.counters() for key, hook in simulator.broadcast.hooks.items()},
            "limit": simulator.limit.counters(),
            "erp": simulator.erp.counters(),
        }


def _add_erp(app: FastAPI, simulator: Simulator) -> None:
    @app.get("/admin/erp/orders")
    async def erp_orders() -> dict[str, dict[str, Any]]:
        """Everything that the ERP holds, by external id."""
        return simulator.erp.report()

    @app.post("/admin/erp/refuse")
    async def refuse(rule: RefuseRule) -> dict[str, int]:
        """Refuse the sales orders that the rule describes."""
        simulator.erp.rules.append(rule)
        return {"rules": len(simulator.erp.rules)}

    @app.delete("/admin/erp/refuse")
    async def accept() -> dict[str, int]:
        """Refuse nothing any more."""
        simulator.erp.rules.clear()
        return {"rules": 0}

    @app.delete("/admin/erp/orders/{external_id:path}")
    async def forget(external_id: str) -> dict[str, int]:
        """Lose a sales order, as an ERP that was restored from a backup does."""
        if simulator.erp.orders.pop(external_id, None) is None:
            raise HTTPException(404, f"the ERP has no sales order {external_id}")
        return {"orders": len(simulator.erp.orders)}

    @app.post("/admin/erp/too-late")
    async def too_late(body: TooLateBody) -> dict[str, Any]:
        """Let a sales order be shipped, so that it cannot be cancelled."""
        order = simulator.erp.orders.get(body.external_id)
        if order is None:
            raise HTTPException(404, f"the ERP has no sales order {body.external_id}")
        order.too_late = body.too_late
        return {"external_id": body.external_id, "too_late": body.too_late}


def generate_into(simulator: Simulator, body: GenerateBody) -> list[Order]:
    """Generate and place; the documents themselves are only made when somebody asks for them."""
    now = simulator.now()
    start, end = from_vtex(body.created_from), from_vtex(body.created_to)
    drafts = plan(body.count, body.seed, kinds=body.kinds, account=simulator.account, now=now, span=(start, end))
    placed = []
    for draft in drafts:
        order = make_order(
            draft.order_id,
            kind=draft.kind,
            source=draft.document,
            status=draft.status if body.status is None else body.status,
            created_at=draft.created_at,
            authorized_at=draft.authorized_at,
            sequence=draft.sequence,
            group=draft.group,
            now=now,
        )
        if body.status is not None:
            order.patch["status"] = body.status
        placed.append(simulator.place_order(order, states=body.events))
    return placed


def _order(simulator: Simulator, order_id: str) -> Order:
    order = simulator.orders.find(order_id)
    if order is None:
        raise HTTPException(404, f"no order {order_id}")
    return order


def _label(order: Order) -> dict[str, Any]:
    return {"order_id": order.order_id, "kind": order.kind, "status": order.status}


def _entry(order: Order) -> dict[str, Any]:
    return {
        "status": order.status,
        "kind": order.kind,
        "value": order.value,
        "start_handling_effects": order.start_handling_effects,
        "cancel_effects": order.cancel_effects,
        "gets": order.gets,
    }
