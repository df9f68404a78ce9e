"""Feed v3 over HTTP (Orders API: feed configuration, Retrieve feed items, Commit feed items)."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from sandbox.vtex import handles
from sandbox.vtex.clock import from_vtex
from sandbox.vtex.feed import DEFAULT_RETENTION, DEFAULT_VISIBILITY, MOST_ITEMS, Feed
from sandbox.vtex.filters import EventFilter
from sandbox.web import Answer, BadRequestError, json_answer, oms_error

if TYPE_CHECKING:
    from sandbox.vtex.feed import Message
    from sandbox.vtex.simulator import Simulator
    from sandbox.web import Call

RETENTION_BOUNDS = (345_600, 1_209_600)
VISIBILITY_BOUNDS = (1, 43_200)


class FeedRoutes:
    """The handlers of /api/orders/feed."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def get_config(self, call: Call) -> Answer:
        """Answer the configuration and the queue's counters."""
        feed = self._simulator.broadcast.feed(call.app_key)
        if feed is None:
            missing = self._simulator.switches.config_missing == "404"
            return _no_feed() if missing else json_answer({})
        now, switches = self._simulator.now(), self._simulator.switches
        return json_answer(
            {
                "filter": feed.filter.raw,
                "queue": {
                    "visibilityTimeoutInSeconds": _plain(feed.visibility),
                    f"{switches.retention_spelling}RetentionPeriodInSeconds": _plain(feed.retention),
                },
                "quantity": feed.total(now),
                f"{switches.age_spelling}AgeOfOldestMessageInSeconds": feed.oldest_age(now),
            }
        )

    def put_config(self, call: Call) -> Answer:
        """Create the feed, or change its settings and keep what is queued."""
        body = _config_body(call)
        chosen = body["filter"]
        if EventFilter.is_mixed(chosen):
            return oms_error(409, "409", "status cannot be combined with expression or disableSingleFire")
        visibility, retention = _queue_settings(body["queue"])
        if self._simulator.switches.queue_bounds == "400":
            _check_bounds(visibility, retention)
        now = self._simulator.now()
        kept = self._simulator.broadcast.kept_feeds.pop(call.app_key, None)
        feed = self._simulator.broadcast.feed(call.app_key) or kept or Feed(now)
        if chosen != feed.filter.raw:
            feed.filter = EventFilter(chosen)
        feed.visibility, feed.retention, feed.quiet_since = visibility, retention, now
        self._simulator.broadcast.feeds[call.app_key] = feed
        return Answer(200, effect=True)

    def delete_config(self, call: Call) -> Answer:
        """Remove the configuration."""
        feed = self._simulator.broadcast.feeds.pop(call.app_key, None)
        if feed is None:
            return _no_feed()
        if not self._simulator.switches.delete_drops_queue:
            self._simulator.broadcast.kept_feeds[call.app_key] = feed
        return Answer(200, effect=True)

    def retrieve(self, call: Call) -> Answer:
        """Deliver up to ten items, each with a new handle."""
        simulator, switches = self._simulator, self._simulator.switches
        feed = simulator.broadcast.feed(call.app_key)
        if feed is None:
            return _no_feed()
        count = self._count(call.query.get("maxlot"))
        if simulator.chance(switches.empty_read_p):
            count = 0
        elif count > 1 and simulator.chance(switches.partial_read_p):
            count = simulator.rng.randint(1, count - 1)
        taken = feed.take(count, now=simulator.now(), rng=simulator.rng, shuffle=switches.shuffle)
        return json_answer([self._deliver(message, call.app_key) for message in taken], effect=bool(taken))

    def commit(self, call: Call) -> Answer:
        """Delete items by their handles."""
        given = self._given_handles(call)
        if isinstance(given, Answer):
            return given
        feed = self._simulator.broadcast.feed(call.app_key)
        if feed is None:
            return _no_feed()
        switches = self._simulator.switches
        checked = [self._check(handle, feed, call.app_key) for handle in given]
        refusals = [result for result in checked if isinstance(result, Answer)]
        good = [result for result in checked if not isinstance(result, Answer)]
        if refusals and switches.bad_handle_spoils_commit:
            return refusals[0]
        if self._simulator.chance(switches.partial_commit_p):
            good = good[: self._simulator.rng.randint(0, max(0, len(good) - 1))]
        removed = sum(feed.remove(claims["MessageId"]) for claims in good)
        answer = next((refusal for refusal in refusals if refusal.status != 200), Answer(200))
        answer.effect = removed > 0
        return answer

    def _given_handles(self, call: Call) -> list[Any] | Answer:
        body = call.json()
        given = body.get("handles") if isinstance(body, dict) else None
        if not isinstance(given, list):
            return oms_error(400, "400", "handles must be a list")
        if not given:
            return Answer(int(self._simulator.switches.empty_commit))
        most = self._simulator.switches.max_handles
        return oms_error(400, "400", f"more than {most} handles") if most and len(given) > most else given

    def _check(self, handle: Any, feed: Feed, app_key: str) -> dict[str, Any] | Answer:
        """Return the claims of a good handle, or the answer that a bad one gets."""
        simulator, switches = self._simulator, self._simulator.switches
        claims = handles.read(handle)
        if claims is None:
            return _by_mode(switches.malformed_handle, "malformed handle")
        if claims["aud"] != f"{simulator.account}_{app_key}":
            return _by_mode(switches.foreign_handle, "handle of another app key")
        if not feed.holds(claims["MessageId"], claims["Handle"], now=simulator.now()):
            return _by_mode(switches.expired_handle, "expired handle")
        return claims

    def _count(self, maxlot: str | None) -> int:
        try:
            asked = MOST_ITEMS if maxlot is None else int(maxlot)
        except ValueError:
            raise BadRequestError("maxlot must be a number") from None
        if not 1 <= asked <= MOST_ITEMS and self._simulator.switches.maxlot_out_of_range == "400":
            raise BadRequestError("maxlot must be between 1 and 10")
        return min(max(asked, 1), MOST_ITEMS)

    def _deliver(self, message: Message, app_key: str) -> dict[str, Any]:
        simulator, event = self._simulator, message.event
        if message.receipt is not None and not simulator.switches.stable_event_id:
            event = replace(event, event_id=simulator.new_id())
        message.receipt = "AQEB" + base64.b64encode(simulator.rng.randbytes(240)).decode()
        claims = {
            "Handle": message.receipt,
            "OrderId": event.order_id,
            "MessageId": message.message_id,
            "Domain": event.domain,
            "State": event.state,
            "LastState": event.last_state,
            "LastChange": _us_date(from_vtex(event.last_change)),
            "CurrentChange": _us_date(from_vtex(event.current_change)),
            "CreatedAt": _us_date(simulator.now()),
        }
        return {
            "eventId": event.event_id,
            "handle": handles.mint(claims, account=simulator.account, app_key=app_key),
            "domain": event.domain,
            "state": event.state,
            "lastState": event.last_state,
            "orderId": event.order_id,
            "lastChange": event.last_change,
            "currentChange": event.current_change,
        }


def _no_feed() -> Answer:
    return oms_error(404, "404", "Value not found")


def _by_mode(mode: str, message: str) -> Answer:
    return Answer(200) if mode == "ok_noop" else oms_error(int(mode), mode, message)


def _plain(seconds: float) -> float:
    return int(seconds) if seconds == int(seconds) else seconds


def _us_date(moment: float | None) -> str:
    if moment is None or moment < 0:
        return "01/01/0001 00:00:00"
    return datetime.fromtimestamp(moment, timezone.utc).strftime("%m/%d/%Y %H:%M:%S")


def _config_body(call: Call) -> dict[str, dict[str, Any]]:
    """Read the two parts of a configuration; a part that is left out is empty."""
    body = call.json()
    parts = {name: body.get(name) or {} for name in ("filter", "queue")} if isinstance(body, dict) else {}
    if not parts or not all(isinstance(part, dict) for part in parts.values()):
        raise BadRequestError("the configuration, its filter and its queue must be objects")
    return parts


def _check_bounds(visibility: float, retention: float) -> None:
    for name, seconds, (least, most) in (
        ("visibilityTimeoutInSeconds", visibility, VISIBILITY_BOUNDS),
        ("messageRetentionPeriodInSeconds", retention, RETENTION_BOUNDS),
    ):
        if not least <= seconds <= most:
            raise BadRequestError(f"{name} must be between {least} and {most}")


def _queue_settings(queue: dict[str, Any]) -> tuple[float, float]:
    """Read the two times of the queue. VTEX writes the second one in both casings."""
    times = {name.lower(): value for name, value in queue.items()}
    try:
        visibility = float(times.get("visibilitytimeoutinseconds", DEFAULT_VISIBILITY))
        retention = float(times.get("messageretentionperiodinseconds", DEFAULT_RETENTION))
    except (TypeError, ValueError):
        raise BadRequestError("the times of the queue must be numbers") from None
    return visibility, retention
