"""What the hook's endpoint answers, and what is in the ledger by then."""

from __future__ import annotations

import json
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.airflow.hook.calls import ACCOUNT, HOOK, PING, SECRET, notification, recorded
from vtex_erp.ledger import events
from vtex_erp.vtex.notifications import HookNotification
from vtex_erp.vtex.schemas import FeedEvent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.airflow.hook.calls import Caller
    from vtex_erp.ledger.ledger import Ledger

FORMS = {
    "the Orders API's": notification(),
    "the guide's": {k: v for k, v in notification().items() if k not in ("LastState", "CurrentChange")},
    "FromOrders": notification(
        Domain="OrdersDocumentUpdated", State="unknow", LastState=None, CurrentChange="0001-01-01T00:00:00"
    ),
    "of no account": {k: v for k, v in notification().items() if k != "Origin"},
    "of the account in capitals": notification(Origin={"Account": ACCOUNT.upper()}),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_notification_is_in_the_ledger_when_it_is_answered(vtex: Caller, ledger: Ledger, form: str) -> None:
    answer = vtex.post(FORMS[form])
    assert (answer.status_code, answer.content) == (200, b"")
    [event] = recorded(ledger)
    assert (event.account, event.order_id, event.source, event.deduplicated_at) == (ACCOUNT, "1-01", "hook", None)


def test_a_notification_that_comes_again_is_one_event(vtex: Caller, ledger: Ledger) -> None:
    assert [vtex.post().status_code for _ in range(3)] == [200] * 3
    [event] = recorded(ledger)
    assert event.deliveries == 3


def test_feed_and_hook_tell_of_the_same_event(vtex: Caller, ledger: Ledger) -> None:
    vtex.post()
    document = {name[0].lower() + name[1:]: value for name, value in notification().items() if name != "Origin"}
    item = FeedEvent.model_validate({**document, "eventId": "E1", "handle": "H1"})
    assert HookNotification.from_document(notification()).event != item
    events.record(ledger, ACCOUNT, [item])
    [event] = recorded(ledger)
    assert (event.source, event.deliveries) == ("hook", 2)


def test_without_a_date_each_notification_counts(vtex: Caller, ledger: Ledger) -> None:
    bare = {"OrderId": "1-01", "State": "ready-for-handling", "CurrentChange": "0001-01-01T00:00:00"}
    assert [vtex.post(bare).status_code for _ in range(2)] == [200, 200]
    assert len(recorded(ledger)) == 2


@pytest.mark.parametrize(
    ("secret", "store", "status"),
    [(SECRET, "main", 200), (None, "main", 200), (None, "nowhere", 200), ("", "main", 401)],
)
def test_the_ping_may_come_without_the_header(
    vtex: Caller, ledger: Ledger, secret: str | None, store: str, status: int
) -> None:
    answer = vtex.post(PING, secret=secret, store=store)
    assert (answer.status_code, answer.content == b"") == (status, status == 200)
    assert recorded(ledger) == []


@pytest.mark.parametrize("body", [notification(), PING | {"x": "x" * 300}, {}, []])
def test_nothing_else_may_come_without_the_header(vtex: Caller, ledger: Ledger, body: Any) -> None:
    assert vtex.post(body, secret=None).status_code == 401
    assert recorded(ledger) == []


def test_every_refusal_is_the_same(vtex: Caller, ledger: Ledger) -> None:
    vtex.stores.write_text(f"stores: {{main: {{hook: {HOOK}}}, silent: {{vtex: vtex_silent, hook: {HOOK}}}}}")
    vtex.connections.secrets["vtex_silent"] = ""
    calls = [
        {"store": store, "secret": secret}
        for store in ("main", "nowhere", "silent")
        for secret in (None, "", "wrong", SECRET[:-1], f"{SECRET}x", SECRET.upper(), f"{SECRET},{SECRET}", "\xe9")
    ]
    calls += [{"store": store, "secret": SECRET} for store in ("nowhere", "silent")]
    answers = [vtex.post(**call) for call in calls]
    assert {(answer.status_code, answer.content, str(answer.headers)) for answer in answers} == {
        (401, answers[0].content, str(answers[0].headers))
    }
    assert recorded(ledger) == []
    assert vtex.post().status_code == 200


def test_as_much_is_compared_for_a_store_that_does_not_exist(vtex: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    from vtex_erp.web.hook import stores

    compared: list[tuple[int, int]] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((len(one), len(other)))
        return False

    monkeypatch.setattr(stores.hmac, "compare_digest", compare)
    for store in ("main", "nowhere"):
        vtex.post(store=store, secret="x" * 100)
    assert len(compared) == 8
    assert compared[:4] == compared[4:]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "the body is not JSON"),
        (b"{", "the body is not JSON"),
        (b"\xff\xfe", "the body is not JSON"),
        (b"[" * 60_000, "the body is not JSON"),
        (b"[]", "the body is no JSON object"),
        (b"{}", "these fields cannot be read: orderId"),
        (b'{"hookConfig": "pong"}', "these fields cannot be read: orderId"),
        (json.dumps(notification(OrderId="")).encode(), "orderId"),
        (json.dumps(notification(OrderId=None, Email="ana@example.com")).encode(), "orderId"),
        (json.dumps(notification(State={"of": "Ana"})).encode(), "state"),
    ],
)
def test_what_is_no_notification_is_told_what_is_wrong(
    vtex: Caller, ledger: Ledger, caplog: pytest.LogCaptureFixture, content: bytes, said: str
) -> None:
    answer = vtex.post(content=content)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]
    assert said in caplog.text
    assert "ana" not in f"{answer.text}{caplog.text}".lower()
    assert recorded(ledger) == []


def test_another_account_is_refused(vtex: Caller, ledger: Ledger, caplog: pytest.LogCaptureFixture) -> None:
    answer = vtex.post(notification(Origin={"Account": "theirs\nstore" + "x" * 500}))
    assert (answer.status_code, answer.json()["detail"]) == (403, "Notifications of account mystore are taken here.")
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "account 'theirs\\nstore" in line
    assert len(line) < 250
    assert recorded(ledger) == []


def test_a_body_that_is_too_large_is_not_read_to_its_end(vtex: Caller, ledger: Ledger) -> None:
    size = 64 * 1024
    fits = json.dumps(notification()).encode().ljust(size)
    assert vtex.post(content=fits).status_code == 200
    assert vtex.post(content=fits + b" ").status_code == 413
    assert vtex.post(content=_in_parts(fits + b" ")).status_code == 413
    assert len(recorded(ledger)) == 1


def _in_parts(content: bytes) -> Iterator[bytes]:
    """Without a Content-Length."""
    yield from (content[start : start + 1000] for start in range(0, len(content), 1000))


def test_a_store_that_calls_too_often_is_told_when_to_come_again(vtex: Caller) -> None:
    vtex.stores.write_text("stores: {main: {}, other: {vtex: vtex_other}}")
    vtex.connections.secrets["vtex_other"] = SECRET
    vtex.hook.limit._left["main"] = (0.5, 0.0)
    answer = vtex.post()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")
    assert vtex.post(store="other").status_code == 200
    assert vtex.post(secret="wrong").status_code == 401
    vtex.clock.seconds = 1
    assert [vtex.post().status_code for _ in range(2)] == [200, 429]


def test_who_does_not_know_the_secret_uses_nothing_up(vtex: Caller) -> None:
    before = dict(vtex.hook.limit._left)
    for _ in range(3):
        vtex.post(secret="wrong")
    assert vtex.hook.limit._left == before


def test_vtex_is_asked_to_try_again_while_the_ledger_is_away(
    vtex: Caller, ledger: Ledger, caplog: pytest.LogCaptureFixture
) -> None:
    there = vtex.hook.recorder._open_ledger

    def away() -> Ledger:
        raise RuntimeError("no such server\nINSERT INTO … ana@example.com")

    caplog.set_level("INFO")
    vtex.hook.recorder._open_ledger = away
    assert [vtex.post().status_code for _ in range(3)] == [503] * 3
    [line] = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert "the ledger: it cannot be written" in line
    assert "no such server" in line
    assert "ana" not in caplog.text
    vtex.hook.recorder._open_ledger = there
    assert vtex.post().status_code == 200
    assert len(recorded(ledger)) == 1
    assert "VTEX's hook: the ledger is right again." in caplog.messages


def test_a_ledger_that_is_slow_is_not_waited_for(vtex: Caller, ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """VTEX would give up after five seconds; its next try finds the event recorded."""
    from vtex_erp.web.hook import app

    assert app.ANSWER_SECONDS < 5
    monkeypatch.setattr(app, "ANSWER_SECONDS", 0.01)
    on = threading.Event()
    there = vtex.hook.recorder._open_ledger

    def slow() -> Ledger:
        on.wait(30)
        return there()

    vtex.hook.recorder._open_ledger = slow
    assert vtex.post().status_code == 503
    monkeypatch.undo()
    on.set()
    assert vtex.post().status_code == 200
    [event] = recorded(ledger)
    assert event.deliveries == 2


def test_the_dag_is_woken_when_it_has_a_hook(vtex: Caller) -> None:
    vtex.post()
    vtex.post(PING)
    vtex.post({})
    vtex.client.__exit__(None, None, None)  # lets what is under way come to its end
    assert vtex.hints == ["vtex_events"]


def test_what_happened_is_counted(
    vtex: Caller, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from vtex_erp.web.hook import traffic

    metrics: dict[tuple[str, str], int] = {}
    monkeypatch.setattr(traffic, "incr", lambda name, number, tags: metrics.update({(name, tags["store"]): number}))
    for body in (None, None, PING, {}, notification(Origin={"Account": "theirs"})):
        vtex.post(body)
    vtex.post(secret="wrong")
    vtex.post(store="made-up-by-somebody", secret="wrong")
    caplog.set_level("INFO")
    vtex.hook.traffic.say()
    assert "store main, within a minute: 1 malformed, 1 of_another_account, 1 pinged, 2 recorded, 1 ref" in caplog.text
    assert "made-up" not in caplog.text
    assert metrics == {
        ("vtex.hook.recorded", "main"): 2,
        ("vtex.hook.pinged", "main"): 1,
        ("vtex.hook.malformed", "main"): 1,
        ("vtex.hook.of_another_account", "main"): 1,
        ("vtex.hook.refused", "main"): 1,
        ("vtex.hook.refused", "unknown"): 1,
    }
    caplog.clear()
    vtex.hook.traffic.say()
    assert caplog.text == ""
