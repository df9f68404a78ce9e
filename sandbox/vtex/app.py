"""The ASGI application: admission (keys, limit), faults, latency and the audit around the route handlers."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from sandbox.erp.routes import routes as erp_routes
from sandbox.vtex.admin import admin_app
from sandbox.vtex.audit import Entry
from sandbox.vtex.faults import FaultList
from sandbox.vtex.limits import too_many
from sandbox.vtex.routes import routes as vtex_routes
from sandbox.web import Answer, BadRequestError, Call, html_answer, oms_error, to_json

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from sandbox.vtex.faults import Fault
    from sandbox.vtex.simulator import Simulator
    from sandbox.web import Route

    Message = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[Message]]
    Send = Callable[[Message], Awaitable[None]]

OMS_PATH = "/api/oms/"
LOGIN_PAGE = "/_v/admin-login"
# The server puts the connection's transport here, so that a fault can cut it.
TRANSPORT = "sandbox.transport"


class SandboxApp:
    """VTEX under /api, the admin API under /admin and, if wanted, the ERP under /erp, in one application."""

    def __init__(self, simulator: Simulator, *, with_erp: bool = True) -> None:
        self._simulator = simulator
        self._routes: list[Route] = [*vtex_routes(simulator), *(erp_routes(simulator) if with_erp else ())]
        self.faults = FaultList({route.family for route in self._routes}, simulator)
        self._admin = admin_app(simulator, self.faults)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            raise NotImplementedError(f"the sandbox serves HTTP only, not {scope['type']}")
        if scope["path"].startswith("/admin"):
            await self._admin(scope, receive, send)
            return
        answer = await self.serve(_call(scope, await _body(receive)))
        if answer is None:
            await _cut(scope, receive)
        else:
            await _send(answer, send)

    async def serve(self, call: Call) -> Answer | None:
        """Answer and log one request to VTEX or the ERP. None: the connection is to be cut."""
        self._simulator.catch_up()
        if call.path == LOGIN_PAGE:
            return html_answer(200, "VTEX ID: please sign in")
        route = self._match(call)
        if route is None:
            return oms_error(404, "404", "no such route in the sandbox")
        refused = self._admit(call, route)
        if refused is not None:
            self._log(call, refused, None, effect=False)
            return refused
        await self._wait(route)
        fault = self.faults.pick(call)
        if fault is not None:
            return await self._serve_faulty(call, route, fault)
        answer = await self._handle(call, route)
        self._log(call, answer, None, effect=answer.effect)
        return answer

    async def _serve_faulty(self, call: Call, route: Route, fault: Fault) -> Answer | None:
        if fault.effect == "late":
            await asyncio.sleep(fault.delay_s)
            self._simulator.catch_up()
        if fault.effect == "half":
            call.body = _half(call.body)
        real = await self._handle(call, route) if fault.carries_out else None
        effect = real is not None and real.effect
        answer = fault.strike(real)
        self._log(call, answer, fault, effect=effect)
        if fault.effect != "late":
            await asyncio.sleep(fault.delay_s)
        return answer

    def _match(self, call: Call) -> Route | None:
        for route in self._routes:
            params = route.match(call.method, call.path)
            if params is not None:
                call.family, call.params = route.family, params
                return route
        return None

    def _admit(self, call: Call, route: Route) -> Answer | None:
        """Refuse a call to VTEX without a valid key, room in the minute's limit, or the permission."""
        if route.resources is None:
            return None
        simulator, switches = self._simulator, self._simulator.switches
        call.app_key = call.headers.get("x-vtex-api-appkey", "")
        key = simulator.keys.find(call.app_key, call.headers.get("x-vtex-api-apptoken", ""))
        if key is None:
            return oms_error(401, "1", "Unauthorized access")
        if not simulator.limit.allow(simulator.now(), switches.rate_limit_per_minute):
            return too_many(simulator.now(), switches.retry_after)
        if switches.data_protection and call.path.startswith(OMS_PATH):
            return oms_error(403, "1", "This account uses the PII data architecture")
        if route.resources & key.resources:
            return None
        if switches.missing_permission == "403":
            return oms_error(403, "1", "Access denied")
        return Answer(302, headers={"Location": LOGIN_PAGE})

    async def _wait(self, route: Route) -> None:
        switches = self._simulator.switches
        latency = switches.erp_latency_s if route.resources is None else switches.vtex_latency_s
        if latency:
            await asyncio.sleep(latency)
            self._simulator.catch_up()

    async def _handle(self, call: Call, route: Route) -> Answer:
        try:
            answer = route.handler(call)
            return answer if isinstance(answer, Answer) else await answer
        except BadRequestError as error:
            return oms_error(400, "400", str(error))

    def _log(self, call: Call, answer: Answer | None, fault: Fault | None, *, effect: bool) -> None:
        self._simulator.audit.add(
            Entry(
                at=self._simulator.now(),
                method=call.method,
                path=call.path,
                family=call.family,
                key=call.app_key,
                order_id=call.subject,
                status=0 if answer is None else answer.status,
                effect=effect,
                fault=None if fault is None else f"{fault.id}:{fault.action}",
                consumer=call.headers.get("user-agent", ""),
                reason=call.reason,
            )
        )


def _call(scope: Message, body: bytes) -> Call:
    """Leave the path percent-encoded until its parts are known: an order id may hold an encoded slash."""
    query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return Call(
        method=scope["method"],
        path=scope["raw_path"].decode("latin-1").partition("?")[0],
        query={name.lower(): value for name, value in query},
        headers={name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
    )


async def _body(receive: Receive) -> bytes:
    parts = []
    more = True
    while more:
        message = await receive()
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _send(answer: Answer, send: Send) -> None:
    headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
    if answer.status != 204:
        headers.append((b"content-length", str(len(answer.body)).encode()))
    if answer.body:
        headers.append((b"content-type", answer.content_type.encode()))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})


async def _cut(scope: Message, receive: Receive) -> None:
    """Close the connection without an answer, and wait until the server has noticed."""
    scope["extensions"][TRANSPORT]["transport"].abort()
    while (await receive())["type"] != "http.disconnect":
        pass


def _half(body: bytes) -> bytes:
    """Make it a commit of the first half of the handles."""
    try:
        given = json.loads(body)["handles"]
        return to_json({"handles": given[: len(given) // 2]})
    except (ValueError, KeyError, TypeError):
        return body
