"""The client against the simulated VTEX: real sockets, real threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.endpoint import endpoint
from vtex_erp import errors
from vtex_erp.vtex.client import VtexClient, VtexSettings
from vtex_erp.vtex.filters import EventFilter, WantedFeed, WantedHook, compare
from vtex_erp.vtex.notifications import HookNotification
from vtex_erp.vtex.schemas import OrderHead

if TYPE_CHECKING:
    from sandbox.client import Sandbox

NO_WAIT: dict[str, Any] = {"sleep": lambda _seconds: None}


def client_of(sandbox: Sandbox, *, token: str | None = None, **settings: Any) -> VtexClient:
    keys = VtexSettings(sandbox.account, sandbox.app_key, token or sandbox.app_token, sandbox.base_url, **settings)
    return VtexClient(keys, **NO_WAIT)


def status_of(client: VtexClient, order_id: str) -> str | None:
    return OrderHead.from_json(client.get_order(order_id)).status


def test_from_the_feed_to_handling(sandbox: Sandbox) -> None:
    sandbox.switches(async_delay_s=0)
    sandbox.configure_feed(statuses=["ready-for-handling"], visibility_timeout=240)
    placed = {order.order_id for order in sandbox.generate(3, kinds=["plain"])}
    client = client_of(sandbox)
    assert client.feed_configuration().visibility_timeout_seconds == 240
    events = client.retrieve_feed_items()
    assert {event.order_id for event in events} == placed
    for order_id in placed:
        client.start_handling(order_id)
        with pytest.raises(errors.WrongStatusError, match="OMS003"):
            client.start_handling(order_id)
    client.commit_feed_items([event.handle for event in events if event.handle])
    assert sandbox.feed_counters()["total"] == 0
    effects = [call for call in sandbox.audit(family="start-handling") if call["effect"]]
    assert len(effects) == 3


def test_orders_are_listed(sandbox: Sandbox) -> None:
    sandbox.switches(index_lag_s=0)
    placed = {order.order_id for order in sandbox.generate(5, kinds=["plain"])}
    now = datetime.fromisoformat(sandbox.now()[:19]).replace(tzinfo=timezone.utc)
    window: dict[str, Any] = {"created_from": now - timedelta(days=700), "created_to": now + timedelta(days=1)}
    client = client_of(sandbox)
    pages = [client.list_orders(**window, page=page, per_page=3) for page in (1, 2)]
    assert {row.order_id for page in pages for row in page.rows} == placed
    assert pages[0].total == 5


@pytest.mark.parametrize("status", [400, 409])
def test_wrong_status_by_its_code(sandbox: Sandbox, status: int) -> None:
    sandbox.switches(oms003_status=status, oms003_exception_field=status == 409)
    (order,) = sandbox.generate(1, kinds=["plain"], status="handling")
    with pytest.raises(errors.WrongStatusError):
        client_of(sandbox).start_handling(order.order_id)


@pytest.mark.parametrize("missing", ["404", "200_empty"])
def test_no_feed(sandbox: Sandbox, missing: str) -> None:
    sandbox.switches(config_missing=missing)
    client = client_of(sandbox)
    with pytest.raises(errors.FeedNotConfiguredError):
        client.feed_configuration()
    with pytest.raises(errors.FeedNotConfiguredError):
        client.retrieve_feed_items()


def test_an_unknown_order(sandbox: Sandbox) -> None:
    for call in (VtexClient.get_order, VtexClient.start_handling):
        with pytest.raises(errors.OrderNotFoundError, match="made/up é"):
            call(client_of(sandbox), "made/up é")


@pytest.mark.parametrize("missing", ["403", "html"])
def test_missing_permissions_are_named(sandbox: Sandbox, missing: str) -> None:
    sandbox.switches(missing_permission=missing)
    sandbox.key(sandbox.app_key, sandbox.app_token, resources=[])
    calls: dict[str, Any] = {
        "Feed v3 and Hook Admin": lambda client: client.feed_configuration(),
        "View order": lambda client: client.get_order("1"),
        "Change order workflow status": lambda client: client.start_handling("1"),
    }
    for resource, call in calls.items():
        with pytest.raises(errors.CredentialsError, match=resource):
            call(client_of(sandbox))


def test_a_wrong_token(sandbox: Sandbox) -> None:
    with pytest.raises(errors.CredentialsError, match="401"):
        client_of(sandbox, token="WRONG").retrieve_feed_items()


@pytest.mark.parametrize("action", ["status", "html", "truncated", "drop"])
@pytest.mark.parametrize("times", [2, 3])
def test_faults_of_a_read(sandbox: Sandbox, action: str, times: int) -> None:
    (order,) = sandbox.generate(1, kinds=["plain"])
    sandbox.add_fault("get-order", action, times=times)
    client = client_of(sandbox)
    if times == 2:
        assert status_of(client, order.order_id) == "ready-for-handling"
    else:
        with pytest.raises(errors.RetryableError, match=order.order_id):
            client.get_order(order.order_id)
    assert len(sandbox.audit(family="get-order")) == 3


@pytest.mark.parametrize(
    "fault", [{"action": "status", "status": 500}, {"action": "drop"}, {"action": "html", "status": 502}]
)
@pytest.mark.parametrize("effect", ["none", "done"])
def test_start_handling_is_never_sent_twice(sandbox: Sandbox, fault: dict[str, Any], effect: str) -> None:
    sandbox.switches(async_delay_s=0)
    (order,) = sandbox.generate(1, kinds=["plain"])
    sandbox.add_fault("start-handling", **fault, effect=effect)
    client = client_of(sandbox)
    with pytest.raises(errors.UnclearError, match=order.order_id):
        client.start_handling(order.order_id)
    assert len(sandbox.audit(family="start-handling")) == 1
    assert (status_of(client, order.order_id) == "ready-for-handling") == (effect == "none")


def test_a_slow_answer_is_given_up(sandbox: Sandbox) -> None:
    (order,) = sandbox.generate(1, kinds=["plain"])
    sandbox.add_fault("start-handling", "slow", delay_s=1, times=1)
    with pytest.raises(errors.UnclearError, match="ReadTimeout"):
        client_of(sandbox, timeout_seconds=0.1).start_handling(order.order_id)


@pytest.mark.parametrize("named", ["off", "seconds", "date"])
def test_the_rate_limit_pauses_every_thread(sandbox: Sandbox, named: str) -> None:
    (order,) = sandbox.generate(1, kinds=["plain"])
    sandbox.switches(rate_limit_per_minute=20, retry_after=named)
    naps: list[float] = []
    now = [0.0]

    def sleep(seconds: float) -> None:
        naps.append(seconds)
        now[0] += seconds
        sandbox.advance(61)

    client = VtexClient(client_of(sandbox).settings, clock=lambda: now[0], sleep=sleep)
    for _ in range(30):
        client.get_order(order.order_id)
    assert len(naps) == 1
    assert 1 <= naps[0] <= 60
    assert (naps[0] == 60) or named != "off"


def test_threads_share_one_client(sandbox: Sandbox) -> None:
    ids = [order.order_id for order in sandbox.generate(40, kinds=["plain"])]
    client = client_of(sandbox, concurrency=8)
    with ThreadPoolExecutor(8) as pool:
        heads = [OrderHead.from_json(text) for text in pool.map(client.get_order, ids)]
    assert [head.order_id for head in heads] == ids


@pytest.mark.parametrize("mode", ["400", "404"])
def test_an_expired_handle(sandbox: Sandbox, mode: str) -> None:
    sandbox.switches(expired_handle=mode)
    sandbox.configure_feed(statuses=["ready-for-handling"], visibility_timeout=30)
    sandbox.generate(1, kinds=["plain"])
    client = client_of(sandbox)
    (event,) = client.retrieve_feed_items()
    sandbox.advance(31)
    with pytest.raises(errors.HandleRefusedError):
        client.commit_feed_items([str(event.handle)])


def test_cancel(sandbox: Sandbox) -> None:
    (order,) = sandbox.generate(1, kinds=["plain"])
    receipt = client_of(sandbox).cancel(order.order_id, reason="no stock")
    assert receipt.order_id == order.order_id
    assert receipt.date


def test_the_wanted_feed_is_the_feed_that_vtex_then_has(sandbox: Sandbox) -> None:
    client = client_of(sandbox)
    by_status = WantedFeed(filter=EventFilter(status=("canceled", "ready-for-handling")))
    by_channel = EventFilter(type="FromOrders", expression='salesChannel = "1"', disable_single_fire=True)
    for wanted in (
        by_status,
        WantedFeed(filter=EventFilter()),
        WantedFeed(filter=by_channel, retention_seconds=400_000),
    ):
        client.configure_feed(wanted)
        assert compare(wanted, client.feed_configuration()) == []
        assert compare(WantedFeed(visibility_timeout_seconds=60), client.feed_configuration())
    sandbox.switches(age_spelling="aproximate", retention_spelling="Message")
    assert compare(wanted, client.feed_configuration()) == []
    client.delete_feed_configuration()
    client.delete_feed_configuration()
    with pytest.raises(errors.FeedNotConfiguredError):
        client.feed_configuration()


def test_the_wanted_hook_is_the_hook_that_vtex_then_has(sandbox: Sandbox) -> None:
    sandbox.switches(hook_https_only=False)
    client = client_of(sandbox)
    with pytest.raises(errors.HookNotConfiguredError):
        client.hook_configuration()
    with endpoint() as here:
        wanted = WantedHook(url=here.url, headers={"X-Vtex-Erp": "secret"})
        client.configure_hook(wanted)
        assert compare(wanted, client.hook_configuration()) == []
        (order,) = sandbox.generate(1, kinds=["plain"])
        (body,) = here.wait_for(1)
        notified = HookNotification.from_document(body)
        assert notified.event
        assert (notified.event.order_id, notified.event.state) == (order.order_id, "ready-for-handling")
        assert (notified.account, notified.key) == (sandbox.account, sandbox.app_key)
        here.answers = [403]
        with pytest.raises(errors.ConfigurationError, match=r"Unable to check address.*answered 200") as caught:
            client.configure_hook(wanted)
        assert "secret" not in str(caught.value)
        client.delete_hook_configuration()
        client.delete_hook_configuration()


def test_hook_and_feed_tell_one_change_as_one_change(sandbox: Sandbox) -> None:
    sandbox.switches(hook_https_only=False)
    client = client_of(sandbox)
    client.configure_feed(WantedFeed())
    with endpoint() as here:
        client.configure_hook(WantedHook(url=here.url))
        sandbox.generate(1, kinds=["plain"])
        told = HookNotification.from_document(here.wait_for(1)[0]).event
        (fed,) = client.retrieve_feed_items()
        assert told
        key = (told.order_id, told.domain, told.state, told.change_key)
        assert key == (fed.order_id, fed.domain, fed.state, fed.change_key)
        client.delete_hook_configuration()


def test_expressions_are_tried(sandbox: Sandbox) -> None:
    (order,) = sandbox.generate(1, kinds=["plain"])
    client = client_of(sandbox)
    document = client.get_order(order.order_id)
    assert client.try_expression('status = "ready-for-handling"', document) is True
    assert client.try_expression('status = "canceled"', document) is False
    with pytest.raises(errors.ConfigurationError, match="must be JSONata"):
        client.try_expression("status = ", document)
