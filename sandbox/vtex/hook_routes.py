"""The hook's configuration over HTTP (Orders API, Order hook)."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from sandbox.vtex.filters import EventFilter
from sandbox.vtex.hook import OK, Hook
from sandbox.web import Answer, BadRequestError, json_answer, oms_error

if TYPE_CHECKING:
    from sandbox.vtex.simulator import Simulator
    from sandbox.web import Call


class HookRoutes:
    """The handlers of /api/orders/hook/config."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def get_config(self, call: Call) -> Answer:
        """Answer the configuration, in the form of the request; no document shows another one."""
        hook = self._simulator.broadcast.hook(call.app_key)
        if hook is None:
            return _no_hook() if self._simulator.switches.config_missing == "404" else json_answer({})
        return json_answer({"filter": hook.filter.raw, "hook": {"url": hook.url, "headers": hook.headers}})

    async def put_config(self, call: Call) -> Answer:
        """Create the hook or change it, if the address answers the ping with 200."""
        chosen, url, headers = _read(call)
        if EventFilter.is_mixed(chosen):
            return oms_error(409, "409", "status cannot be combined with expression or disableSingleFire")
        if self._simulator.switches.hook_https_only and not url.startswith("https://"):
            return oms_error(400, "400", "Only https scheme is accepted")
        with_ping = headers if self._simulator.switches.hook_ping_headers else {}
        if await asyncio.to_thread(self._simulator.dispatcher.ping, url, with_ping) != str(OK):
            return oms_error(400, "400", "Unable to check address")
        self._store(call.app_key, chosen, url, headers)
        return Answer(200, effect=True)

    def delete_config(self, call: Call) -> Answer:
        """Remove the configuration, with what it still had to tell."""
        if self._simulator.broadcast.hook(call.app_key) is None:
            return _no_hook()
        del self._simulator.broadcast.hooks[call.app_key]
        return Answer(200, effect=True)

    def _store(self, app_key: str, chosen: dict[str, Any], url: str, headers: dict[str, str]) -> None:
        now = self._simulator.now()
        hook = self._simulator.broadcast.hook(app_key) or Hook(now)
        if chosen != hook.filter.raw:
            hook.filter = EventFilter(chosen)
        hook.url, hook.headers, hook.quiet_since = url, headers, now
        self._simulator.broadcast.hooks[app_key] = hook
        self._simulator.dispatcher.start()


def _read(call: Call) -> tuple[dict[str, Any], str, dict[str, str]]:
    body = call.json()
    chosen, hook = (body.get(name) for name in ("filter", "hook")) if isinstance(body, dict) else (None, None)
    if not isinstance(chosen, dict) or not isinstance(hook, dict) or not isinstance(hook.get("url"), str):
        raise BadRequestError("filter and hook.url are required")
    by_expression = chosen.get("type") == "FromOrders"
    required = ("expression", "disableSingleFire") if by_expression else ("status",)
    if any(chosen.get(name) in (None, []) for name in required):
        raise BadRequestError(f"the filter needs {' and '.join(required)}")
    headers = hook.get("headers") or {}
    return chosen, hook["url"], {str(name): str(value) for name, value in headers.items()}


def _no_hook() -> Answer:
    return oms_error(404, "404", "Value not found")
