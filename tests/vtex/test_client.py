from __future__ import annotations

import threading
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import unquote

import pytest
import requests
from urllib3.connection import HTTPSConnection
from urllib3.exceptions import MaxRetryError, NameResolutionError, NewConnectionError

from tests.fake_http import LOGIN_PAGE, Answer, FakeServer, FakeTime
from vtex_erp import errors
from vtex_erp.vtex.client import VtexClient, VtexSettings
from vtex_erp.vtex.filters import EventFilter, WantedFeed, WantedHook

SETTINGS = VtexSettings("store", "KEY-abcdef", "TOKEN-abcdef", "https://store.example.com")
ORDER = {"orderId": "123-01", "status": "ready-for-handling"}
HTML = {"Content-Type": "text/html"}
OMS003 = {"error": {"code": "OMS003", "message": "Order status should be ready-for-handling"}}
UTC = timezone.utc


def client_of(server: FakeServer, time: FakeTime | None = None) -> VtexClient:
    time = time or FakeTime()
    return VtexClient(SETTINGS, session=server.session, clock=time.clock, sleep=time.sleep)


def no_connection(kind: type[NewConnectionError] = NewConnectionError) -> requests.ConnectionError:
    connection = HTTPSConnection("store.example.com")
    reason = (
        NameResolutionError("store.example.com", connection, OSError())  # type: ignore[arg-type]
        if kind is NameResolutionError
        else NewConnectionError(connection, "refused")
    )
    return requests.ConnectionError(MaxRetryError(None, "/", reason))  # type: ignore[arg-type]


FEED = WantedFeed(filter=EventFilter(status=("handling",)))
HOOK = WantedHook(url="https://me.example.com/hook", headers={"X-Key": "HEADER-abcdef"})
CALLS: dict[str, Any] = {
    "feed_configuration": lambda client: client.feed_configuration(),
    "configure_feed": lambda client: client.configure_feed(FEED),
    "delete_feed": lambda client: client.delete_feed_configuration(),
    "hook_configuration": lambda client: client.hook_configuration(),
    "configure_hook": lambda client: client.configure_hook(HOOK),
    "delete_hook": lambda client: client.delete_hook_configuration(),
    "try": lambda client: client.try_expression("true", '{"clientProfileData": {"email": "maria@example.com"}}'),
    "retrieve": lambda client: client.retrieve_feed_items(),
    "commit": lambda client: client.commit_feed_items(["a"]),
    "get": lambda client: client.get_order("123-01"),
    "start": lambda client: client.start_handling("123-01"),
    "list": lambda client: client.list_orders(
        created_from=datetime(2024, 1, 1, tzinfo=UTC), created_to=datetime(2024, 1, 2, tzinfo=UTC)
    ),
    "cancel": lambda client: client.cancel("123-01", reason="no stock"),
}
REPEATED = (
    *("feed_configuration", "configure_feed", "delete_feed", "hook_configuration", "configure_hook", "delete_hook"),
    *("try", "retrieve", "commit", "get", "list"),
)
WITHOUT_BODY = ("configure_feed", "delete_feed", "configure_hook", "delete_hook", "commit")
SENT_ONCE = ("start", "cancel")


# What is asked


def test_get_order_gives_the_text_that_vtex_sent() -> None:
    text = '{"orderId": "123-01", "value": 1.10, "name": "ç"}'
    server = FakeServer(Answer(200, text, {"Content-Type": "application/json; charset=utf-8"}))
    assert client_of(server).get_order("123-01") == text
    request = server.requests[0]
    assert (request.method, request.url) == ("GET", "https://store.example.com/api/oms/pvt/orders/123-01")
    sent = {name: request.headers[name] for name in ("X-VTEX-API-AppKey", "X-VTEX-API-AppToken", "Accept")}
    assert sent == {
        "X-VTEX-API-AppKey": "KEY-abcdef",
        "X-VTEX-API-AppToken": "TOKEN-abcdef",
        "Accept": "application/json",
    }


def test_every_call_has_a_timeout_and_verified_tls_and_follows_no_redirect() -> None:
    for call in CALLS.values():
        server = FakeServer(Answer(302, b"", {"Location": "https://login.example.com/?token=secret"}))
        with pytest.raises(errors.CredentialsError, match=r"redirect to login\.example\.com") as caught:
            call(client_of(server))
        assert "secret" not in str(caught.value)
        assert len(server.requests) == 1
        assert server.options[0]["timeout"] == (10.0, 30)
        assert server.options[0]["verify"] is True


@pytest.mark.parametrize(
    ("order_id", "path"),
    [
        ("v71425090str-01", "v71425090str-01"),
        ("SCP-88 01/02", "SCP-88%2001%2F02"),
        ("até?x=1#y", "at%C3%A9%3Fx%3D1%23y"),
        ("100%-01", "100%25-01"),
        ("../../feed", "..%2F..%2Ffeed"),
    ],
)
def test_order_ids_are_opaque(order_id: str, path: str) -> None:
    server = FakeServer(Answer(200, ORDER))
    client_of(server).get_order(order_id)
    assert server.requests[0].url == f"https://store.example.com/api/oms/pvt/orders/{path}"


@pytest.mark.parametrize("order_id", ["", ".", "..", "\ud800"])
def test_what_cannot_be_an_order_id_is_parked_without_a_call(order_id: str) -> None:
    server = FakeServer(Answer(200, ORDER))
    with pytest.raises(errors.ParkError) as caught:
        client_of(server).get_order(order_id)
    assert caught.value.cause == "order-id-impossible"
    assert server.requests == []


def test_retrieve_reads_events_and_leaves_those_without_an_order() -> None:
    event = {"eventId": "E", "handle": "H", "domain": "Fulfillment", "state": "handling", "orderId": "1-01"}
    server = FakeServer(Answer(200, [event, {"eventId": "F"}, None]))
    events = client_of(server).retrieve_feed_items(7)
    assert [(found.order_id, found.handle) for found in events] == [("1-01", "H")]
    assert server.requests[0].url == "https://store.example.com/api/orders/feed?maxlot=7"


@pytest.mark.parametrize("limit", [0, 11])
def test_retrieve_refuses_a_limit_that_vtex_does_not_take(limit: int) -> None:
    with pytest.raises(ValueError, match="1 to 10"):
        client_of(FakeServer(Answer(200, []))).retrieve_feed_items(limit)


def test_commit_sends_the_handles() -> None:
    server = FakeServer(Answer(200, b"", {"Content-Type": "text/plain"}))
    client_of(server).commit_feed_items(["a", "b"])
    assert (server.requests[0].method, server.body()) == ("POST", {"handles": ["a", "b"]})
    assert server.requests[0].headers["Content-Type"] == "application/json"


def test_commit_of_nothing_makes_no_call_and_of_eleven_is_refused() -> None:
    server = FakeServer(Answer(200))
    client_of(server).commit_feed_items([])
    with pytest.raises(ValueError, match="at most 10"):
        client_of(server).commit_feed_items(["a"] * 11)
    assert server.requests == []


def test_feed_configuration() -> None:
    document = {"filter": {"type": "FromWorkflow", "status": ["handling"]}, "quantity": 3}
    configuration = client_of(FakeServer(Answer(200, document))).feed_configuration()
    assert (configuration.filter_type, configuration.statuses) == ("FromWorkflow", ("handling",))
    assert configuration.quantity == 3


def test_list_orders_widens_the_window_to_milliseconds_in_utc() -> None:
    page = {"list": [{"orderId": "1-01", "status": "handling"}], "paging": {"total": 1, "pages": 1}}
    server = FakeServer(Answer(200, page))
    result = client_of(server).list_orders(
        created_from=datetime(2024, 1, 1, 0, 0, 0, 1999, tzinfo=UTC),
        created_to=datetime(2024, 1, 1, 21, 0, 0, 1001, tzinfo=timezone(timedelta(hours=-3))),
        page=2,
        per_page=50,
        statuses=["ready-for-handling", "handling"],
    )
    assert [row.order_id for row in result.rows] == ["1-01"]
    query = unquote(str(server.requests[0].url)).partition("?")[2].replace("+", " ").split("&")
    assert sorted(query) == [
        "f_creationDate=creationDate:[2024-01-01T00:00:00.001Z TO 2024-01-02T00:00:00.002Z]",
        "f_status=ready-for-handling,handling",
        "orderBy=creationDate,asc",
        "page=2",
        "per_page=50",
    ]


def test_list_orders_takes_no_naive_moment() -> None:
    moment = datetime(2024, 1, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        client_of(FakeServer(Answer(200, {}))).list_orders(created_from=moment, created_to=moment)


def test_start_handling_is_one_post_without_a_body() -> None:
    server = FakeServer(Answer(204))
    client_of(server).start_handling("123-01")
    request = server.requests[0]
    url = "https://store.example.com/api/oms/pvt/orders/123-01/start-handling"
    assert [(request.method, request.url, request.body)] == [("POST", url, None)]


def test_cancel_gives_the_receipt() -> None:
    document = {"date": "2024-02-07T15:22:56.7612218-02:00", "orderId": "123-01", "receipt": "38e0"}
    server = FakeServer(Answer(200, document))
    receipt = client_of(server).cancel("123-01", reason="sem estoque é")
    assert server.body() == {"reason": "sem estoque é"}
    date = datetime(2024, 2, 7, 17, 22, 56, 761221, tzinfo=UTC)
    assert (receipt.order_id, receipt.date, receipt.receipt) == ("123-01", date, "38e0")


# What comes of the answers


def oms(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "Something", "exception": None}}


REFUSALS = [
    ("get", Answer(404, oms("OMS007")), errors.OrderNotFoundError),
    ("get", Answer(400, oms("OMS1")), errors.ParkError),
    ("get", LOGIN_PAGE, errors.CredentialsError),
    ("get", Answer(200, "<html>", {"Content-Type": "application/json"}), errors.CredentialsError),
    ("feed_configuration", Answer(404), errors.FeedNotConfiguredError),
    ("feed_configuration", Answer(200, {}), errors.FeedNotConfiguredError),
    ("feed_configuration", Answer(400), errors.ConfigurationError),
    ("feed_configuration", LOGIN_PAGE, errors.CredentialsError),
    ("configure_feed", Answer(409), errors.ConfigurationError),
    ("configure_feed", Answer(400), errors.ConfigurationError),
    ("configure_feed", LOGIN_PAGE, errors.CredentialsError),
    ("delete_feed", Answer(400), errors.ConfigurationError),
    ("hook_configuration", Answer(404), errors.HookNotConfiguredError),
    ("hook_configuration", Answer(200, {}), errors.HookNotConfiguredError),
    ("configure_hook", Answer(400), errors.ConfigurationError),
    ("configure_hook", Answer(404), errors.ConfigurationError),
    ("try", Answer(400), errors.ConfigurationError),
    ("try", LOGIN_PAGE, errors.CredentialsError),
    ("retrieve", Answer(404, "Not found"), errors.FeedNotConfiguredError),
    ("retrieve", LOGIN_PAGE, errors.CredentialsError),
    ("commit", Answer(400, oms("1")), errors.HandleRefusedError),
    ("commit", Answer(404), errors.HandleRefusedError),
    ("commit", LOGIN_PAGE, errors.CredentialsError),
    ("list", Answer(404), errors.ConfigurationError),
    ("list", LOGIN_PAGE, errors.CredentialsError),
    ("start", Answer(400, OMS003), errors.WrongStatusError),
    ("start", Answer(409, OMS003), errors.WrongStatusError),
    ("start", Answer(409, "conflict"), errors.UnclearError),
    ("start", Answer(400, oms("OMS001")), errors.ParkError),
    ("start", Answer(404), errors.OrderNotFoundError),
    ("start", Answer(200, {}), errors.UnclearError),
    ("start", Answer(202), errors.UnclearError),
    ("start", Answer(500), errors.UnclearError),
    ("start", Answer(503, "<html>", HTML), errors.UnclearError),
    ("start", Answer(408), errors.UnclearError),
    ("start", LOGIN_PAGE, errors.CredentialsError),
    ("start", requests.ReadTimeout(), errors.UnclearError),
    ("start", requests.ConnectionError("Connection aborted."), errors.UnclearError),
    ("start", requests.exceptions.ChunkedEncodingError("IncompleteRead"), errors.UnclearError),
    ("start", no_connection(), errors.RetryableError),
    ("start", requests.ConnectTimeout(), errors.RetryableError),
    ("cancel", Answer(400, oms("OMS002")), errors.ParkError),
    ("cancel", Answer(404), errors.OrderNotFoundError),
    ("cancel", Answer(200, '{"date": "2024'), errors.UnclearError),
    ("cancel", Answer(502), errors.UnclearError),
    *[(call, Answer(401, oms("1")), errors.CredentialsError) for call in CALLS],
    *[(call, Answer(403), errors.CredentialsError) for call in CALLS],
]


@pytest.mark.parametrize(("call", "answer", "expected"), REFUSALS)
def test_refusals_are_told_once(call: str, answer: Answer | Exception, expected: type[errors.VtexErpError]) -> None:
    server = FakeServer(answer)
    with pytest.raises(errors.VtexErpError) as caught:
        CALLS[call](client_of(server))
    assert type(caught.value) is expected
    assert len(server.requests) == 1
    assert "connection 'vtex_default'" in str(caught.value)
    if call in ("get", "start", "cancel"):
        assert "123-01" in str(caught.value)
    assert caught.value.status in (None, getattr(answer, "status", None))
    assert "TOKEN" not in str(caught.value)


TROUBLE: list[Answer | Exception] = [
    Answer(500),
    Answer(502, "<html>Bad gateway</html>", HTML),
    Answer(503),
    Answer(408),
    Answer(200, '{"orderId": "123'),
    Answer(200, b"\xff\xfe{"),
    Answer(200, "null", {"Content-Type": "application/json"}),
    Answer(200, '"text"'),
    requests.ReadTimeout(),
    requests.ConnectTimeout(),
    requests.ConnectionError("Connection aborted."),
    requests.exceptions.SSLError("certificate verify failed"),
    requests.exceptions.ChunkedEncodingError("IncompleteRead"),
    no_connection(),
    no_connection(NameResolutionError),
]
GOOD = {
    "feed_configuration": Answer(200, {"quantity": 0}),
    "hook_configuration": Answer(200, HOOK.document()),
    "try": Answer(200, True),
    "retrieve": Answer(200, []),
    **dict.fromkeys(WITHOUT_BODY, Answer(200)),
    "get": Answer(200, ORDER),
    "list": Answer(200, {"list": [], "paging": {"total": 0, "pages": 0}}),
}


def applies(call: str, trouble: Answer | Exception) -> bool:
    """Some answers have no body that anyone reads."""
    return call not in WITHOUT_BODY or isinstance(trouble, Exception) or trouble.status != 200


CASES = [(call, trouble) for call in REPEATED for trouble in TROUBLE if applies(call, trouble)]


@pytest.mark.parametrize(("call", "trouble"), CASES)
def test_reads_and_commits_are_tried_three_times(call: str, trouble: Answer | Exception) -> None:
    server, time = FakeServer(trouble), FakeTime()
    with pytest.raises(errors.RetryableError) as caught:
        CALLS[call](client_of(server, time))
    assert type(caught.value) is errors.RetryableError
    assert len(server.requests) == 3
    first, second = time.naps
    assert 0.25 <= first <= 0.75 <= second <= 2.25


@pytest.mark.parametrize(("call", "trouble"), CASES)
def test_reads_and_commits_survive_two_troubles(call: str, trouble: Answer | Exception) -> None:
    server = FakeServer(trouble, trouble, GOOD[call])
    CALLS[call](client_of(server))
    assert len(server.requests) == 3


def test_an_unreachable_host_is_named_with_its_connection() -> None:
    with pytest.raises(errors.RetryableError, match=r"vtex_default.*https://store\.example\.com") as caught:
        client_of(FakeServer(no_connection(NameResolutionError))).get_order("123-01")
    assert "NameResolutionError" in str(caught.value)
    assert caught.value.cause == "unreachable"


def test_a_delay_named_with_503_is_passed_on() -> None:
    with pytest.raises(errors.RetryableError) as caught:
        client_of(FakeServer(Answer(503, b"", {"Retry-After": "30"}))).get_order("123-01")
    assert caught.value.retry_after == 30


@pytest.mark.parametrize(
    ("call", "resource"),
    [
        ("feed_configuration", "Feed v3 and Hook Admin"),
        ("configure_feed", "Feed v3 and Hook Admin"),
        ("delete_feed", "Feed v3 and Hook Admin"),
        ("hook_configuration", "Feed v3 and Hook Admin"),
        ("configure_hook", "Feed v3 and Hook Admin"),
        ("delete_hook", "Feed v3 and Hook Admin"),
        ("try", "Feed v3 and Hook Admin"),
        ("retrieve", "Feed v3 and Hook Admin"),
        ("commit", "Feed v3 and Hook Admin"),
        ("get", "View order"),
        ("list", "List Orders"),
        ("start", "Change order workflow status"),
        ("cancel", "Cancel order"),
    ],
)
def test_a_missing_permission_is_named(call: str, resource: str) -> None:
    for answer in (Answer(403), LOGIN_PAGE):
        with pytest.raises(errors.CredentialsError, match=resource):
            CALLS[call](client_of(FakeServer(answer)))


def test_messages_hold_vtex_s_code_and_text_but_no_body() -> None:
    body = {**OMS003, "clientProfileData": {"email": "maria@example.com"}}
    with pytest.raises(errors.WrongStatusError, match="OMS003: Order status should be ready") as caught:
        client_of(FakeServer(Answer(409, body))).start_handling("123-01")
    assert "maria" not in str(caught.value)
    with pytest.raises(errors.RetryableError, match="an HTML page") as page:
        client_of(FakeServer(Answer(502, "<html>maria</html>", HTML))).get_order("1")
    assert "maria" not in str(page.value)


# 429


NOW = "Wed, 21 Oct 2015 07:28:00 GMT"


@pytest.mark.parametrize(
    ("headers", "pause"),
    [
        ({}, 60),
        ({"Retry-After": "7"}, 7),
        ({"Retry-After": "0"}, 1),
        ({"Retry-After": "2.5"}, 2.5),
        ({"Retry-After": "soon"}, 60),
        ({"Retry-After": "nan"}, 60),
        ({"Retry-After": "Wed, 21 Oct 2015 07:28:45 GMT", "Date": NOW}, 45),
        ({"Retry-After": "Wed, 21 Oct 2015 07:27:00 GMT", "Date": NOW}, 1),
    ],
)
@pytest.mark.parametrize("call", ["get", "commit"])
def test_429_pauses_for_what_the_server_says(call: str, headers: dict[str, str], pause: float) -> None:
    server, time = FakeServer(Answer(429, b"", headers), GOOD[call]), FakeTime()
    CALLS[call](client_of(server, time))
    assert time.naps == [pause]


def test_429_is_harmless_for_start_handling_too() -> None:
    server, time = FakeServer(Answer(429), Answer(204)), FakeTime()
    client_of(server, time).start_handling("123-01")
    assert (time.naps, len(server.requests)) == ([60], 2)


@pytest.mark.parametrize("call", CALLS)
def test_after_three_pauses_429_is_raised(call: str) -> None:
    server, time = FakeServer(Answer(429, b"", {"Retry-After": "9"})), FakeTime()
    with pytest.raises(errors.RateLimitedError) as caught:
        CALLS[call](client_of(server, time))
    assert (len(server.requests), time.naps, caught.value.retry_after) == (4, [9, 9, 9], 9)


def test_a_pause_longer_than_five_minutes_is_left_to_airflow() -> None:
    server, time = FakeServer(Answer(429, b"", {"Retry-After": "3600"})), FakeTime()
    client = client_of(server, time)
    for _ in range(2):
        with pytest.raises(errors.RateLimitedError) as caught:
            client.get_order("123-01")
        assert caught.value.retry_after == 3600
    assert (len(server.requests), time.naps) == (1, [])


def test_a_429_stops_the_other_threads_too() -> None:
    server, time = FakeServer(Answer(429, b"", {"Retry-After": "20"}), Answer(200, ORDER)), FakeTime()
    reached, asleep = threading.Event(), threading.Event()

    def sleep(seconds: float) -> None:
        asleep.set()
        assert reached.wait(5)
        time.sleep(seconds)

    client = VtexClient(SETTINGS, session=server.session, clock=time.clock, sleep=sleep)
    first = threading.Thread(target=client.get_order, args=("1",))
    first.start()
    assert asleep.wait(5)
    second = threading.Thread(target=client.get_order, args=("2",))
    second.start()
    second.join(0.05)
    assert second.is_alive()
    assert len(server.requests) == 1
    reached.set()
    first.join(5)
    second.join(5)
    assert len(server.requests) == 3
