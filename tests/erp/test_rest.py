from __future__ import annotations

import base64
from typing import Any

import pytest
import requests

from tests.erp.orders import sales_order
from tests.fake_http import LOGIN_PAGE, Answer, FakeServer, FakeTime
from vtex_erp import errors
from vtex_erp.connection import ConnectionFields
from vtex_erp.erp.claims import OwnClaims
from vtex_erp.erp.protocol import Absent, Cancellation, Found, Guarantee, Unknown
from vtex_erp.erp.registry import client_for
from vtex_erp.erp.rest import RestErpClient, RestErpSettings

SETTINGS = RestErpSettings("https://erp.example.com/api", "Bearer SECRET")
ORDER = sales_order("123/01 ç")
PATH = "https://erp.example.com/api/sales-orders/shop%3A123%2F01%20%C3%A7"
HTML = {"Content-Type": "text/html"}


def client_of(server: FakeServer, time: FakeTime | None = None) -> RestErpClient:
    time = time or FakeTime()
    return RestErpClient(SETTINGS, session=server.session, clock=time.clock, sleep=time.sleep)


CALLS: dict[str, Any] = {
    "lookup": lambda client: client.lookup(ORDER.external_id),
    "ensure": lambda client: client.ensure(ORDER),
    "cancel": lambda client: client.cancel(ORDER.external_id, reason="asked"),
}
LOST = [
    requests.ReadTimeout(),
    requests.ConnectionError("Connection aborted."),
    requests.exceptions.ChunkedEncodingError("IncompleteRead"),
    requests.exceptions.SSLError("bad record mac"),
]
BROKEN = [
    Answer(200, {}),
    Answer(200, {"id": None}),
    Answer(200, {"id": ""}),
    Answer(200, {"id": " "}),
    Answer(200, {"id": True}),
    Answer(200, {"id": {"id": 1}}),
    Answer(200, {"id": 1.5}),
    Answer(200, [{"id": "1"}]),
    Answer(200, '{"id": "SO'),
    Answer(200, b""),
    Answer(200, b"\xff"),
    LOGIN_PAGE,
    Answer(200, '{"id": "1"}', HTML),
]
UNCLEAR = [*map(Answer, (202, 204, 408, 409, 425, 500, 502, 503, 504)), Answer(503, "<html>", HTML)]
REFUSED = [400, 402, 403, 404, 405, 406, 410, 411, 412, 413, 414, 415, 422, 428, 431, 451]


def test_it_is_unique_at_once() -> None:
    client = client_of(FakeServer(Answer(200)))
    assert (client.guarantee, client.settle_seconds, client.concurrency) == (Guarantee.UNIQUE, 0, 16)


# ensure


@pytest.mark.parametrize("status", [200, 201])
@pytest.mark.parametrize(("erp_id", "expected"), [("SO1", "SO1"), (7, "7")])
def test_ensure_puts_the_order_under_its_external_id(status: int, erp_id: str | int, expected: str) -> None:
    server = FakeServer(Answer(status, {"id": erp_id}))
    assert client_of(server).ensure(ORDER) == expected
    request = server.requests[0]
    assert (request.method, request.url) == ("PUT", PATH)
    assert request.body == ORDER.to_json().encode()
    sent = {name: request.headers[name] for name in ("Authorization", "Content-Type", "Idempotency-Key")}
    assert sent == {
        "Authorization": "Bearer SECRET",
        "Content-Type": "application/json",
        "Idempotency-Key": "shop:123/01 %C3%A7",
    }
    assert server.options[0]["timeout"] == (10.0, 30)


def test_the_idempotency_key_is_the_external_id() -> None:
    server = FakeServer(Answer(200, {"id": "1"}))
    client_of(server).ensure(sales_order("SCP-880102018018-01"))
    assert server.requests[0].headers["Idempotency-Key"] == "shop:SCP-880102018018-01"


@pytest.mark.parametrize("status", REFUSED)
def test_a_refusal_is_for_good_and_keeps_the_status(status: int) -> None:
    server = FakeServer(Answer(status, {"message": "unknown SKU"}))
    with pytest.raises(errors.ParkError, match=rf"shop:123/01 ç for good \({status}\): unknown SKU") as caught:
        client_of(server).ensure(ORDER)
    assert (caught.value.cause, caught.value.status) == (f"erp-refused:{status}", status)


@pytest.mark.parametrize(
    "answer", [*UNCLEAR, *BROKEN, *LOST, Answer(307, b"", {"Location": "https://new.example.com/x"})]
)
def test_ensure_is_unclear_about_everything_else(answer: Answer | Exception) -> None:
    server = FakeServer(answer)
    with pytest.raises(errors.UnclearError, match="shop:123/01 ç"):
        client_of(server).ensure(ORDER)
    assert len(server.requests) == 1


@pytest.mark.parametrize("call", ["ensure", "cancel"])
def test_nothing_was_sent_without_a_connection(call: str) -> None:
    with pytest.raises(errors.RetryableError, match=r"erp_default.*https://erp\.example\.com") as caught:
        CALLS[call](client_of(FakeServer(requests.ConnectTimeout())))
    assert (type(caught.value), caught.value.cause) == (errors.RetryableError, "unreachable")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"message": "unknown SKU"}, "unknown SKU"),
        ({"error": "unknown SKU"}, "unknown SKU"),
        ({"error": {"code": 7, "message": "unknown\n  SKU"}}, "unknown SKU"),
        ({"title": "Unprocessable", "detail": "unknown SKU"}, "unknown SKU"),
        ({"title": "Unprocessable"}, "Unprocessable"),
        ({"detail": [{"loc": ["body"], "msg": "unknown SKU", "input": "x"}]}, "unknown SKU"),
        ({"message": "x" * 10_001}, "x" * 10_000),
    ],
)
def test_a_refusal_tells_the_erps_reason(body: dict[str, Any], reason: str) -> None:
    with pytest.raises(errors.ParkError) as caught:
        client_of(FakeServer(Answer(422, body))).ensure(ORDER)
    assert str(caught.value).endswith(f"for good (422): {reason}")


@pytest.mark.parametrize("body", ["<html>Ana</html>", "Ana", "", [], {}, {"message": None}, {"name": "Ana"}, [[]]])
def test_no_other_part_of_the_answer_is_told(body: Any) -> None:
    with pytest.raises(errors.ParkError) as caught:
        client_of(FakeServer(Answer(422, body))).ensure(ORDER)
    assert str(caught.value).endswith("for good (422)")


# lookup


def test_lookup_found() -> None:
    server = FakeServer(Answer(200, {"id": "SO1"}))
    assert client_of(server).lookup(ORDER.external_id) == Found("SO1")
    assert (server.requests[0].method, server.requests[0].url) == ("GET", PATH)


def test_lookup_absent() -> None:
    assert client_of(FakeServer(Answer(404, {"error": "no"}))).lookup("shop:1") == Absent()


@pytest.mark.parametrize(
    "answer",
    [
        *UNCLEAR,
        *BROKEN,
        *LOST,
        *map(Answer, (201, 400, 403, 410, 422, 429)),
        requests.ConnectTimeout(),
        Answer(302, b"", {"Location": "/login"}),
    ],
)
def test_lookup_is_unknown_otherwise(answer: Answer | Exception) -> None:
    result = client_of(FakeServer(answer)).lookup("shop:1")
    assert isinstance(result, Unknown)
    assert "erp_default" in result.reason


# cancel


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (200, Cancellation.CANCELLED),
        (202, Cancellation.CANCELLED),
        (204, Cancellation.CANCELLED),
        (404, Cancellation.UNKNOWN_ORDER),
        (409, Cancellation.TOO_LATE),
    ],
)
def test_cancel(status: int, expected: Cancellation) -> None:
    server = FakeServer(Answer(status))
    assert client_of(server).cancel(ORDER.external_id, reason="asked") is expected
    assert (server.requests[0].method, server.requests[0].url) == ("POST", f"{PATH}/cancellation")
    assert server.body() == {"reason": "asked"}


@pytest.mark.parametrize("answer", [*map(Answer, (302, 400, 403, 408, 422, 425, 500)), LOGIN_PAGE, *LOST])
def test_cancel_is_unclear_otherwise(answer: Answer | Exception) -> None:
    with pytest.raises(errors.UnclearError, match="cancel order shop:123/01 ç"):
        client_of(FakeServer(answer)).cancel(ORDER.external_id, reason="asked")


# all


@pytest.mark.parametrize("call", CALLS)
def test_401_names_the_connection(call: str) -> None:
    with pytest.raises(errors.CredentialsError, match="connection 'erp_default'") as caught:
        CALLS[call](client_of(FakeServer(Answer(401, {"message": "SECRET"}))))
    assert "SECRET" not in str(caught.value)


@pytest.mark.parametrize(("headers", "pause"), [({}, 10), ({"Retry-After": "3"}, 3)])
@pytest.mark.parametrize("call", CALLS)
def test_429_is_waited_for(call: str, headers: dict[str, str], pause: float) -> None:
    server, time = FakeServer(Answer(429, b"", headers), Answer(200, {"id": "SO1"})), FakeTime()
    CALLS[call](client_of(server, time))
    assert time.naps == [pause]


@pytest.mark.parametrize("call", ["ensure", "cancel"])
def test_429_is_raised_after_three_pauses(call: str) -> None:
    server, time = FakeServer(Answer(429, b"", {"Retry-After": "3"})), FakeTime()
    with pytest.raises(errors.RateLimitedError) as caught:
        CALLS[call](client_of(server, time))
    assert (caught.value.retry_after, time.naps) == (3, [3, 3, 3])


# Connections


def fields(**given: Any) -> ConnectionFields:
    return ConnectionFields(**{"connection_id": "erp_default", "connection_type": "http", **given})


BASIC = "Basic " + base64.b64encode(b"user:pass").decode()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"host": "https://erp.example.com/"}, RestErpSettings("https://erp.example.com")),
        ({"host": "erp", "schema": "http", "port": 8080}, RestErpSettings("http://erp:8080")),
        ({"host": "erp.example.com"}, RestErpSettings("https://erp.example.com")),
        ({"host": "https://erp", "password": "T"}, RestErpSettings("https://erp", "Bearer T")),
        ({"host": "https://erp", "login": "user", "password": "pass"}, RestErpSettings("https://erp", BASIC)),
        (
            {"host": "https://erp", "extra": {"timeout_seconds": "5", "concurrency": 2}},
            RestErpSettings("https://erp", timeout_seconds=5, concurrency=2),
        ),
    ],
)
def test_settings_from_a_connection(given: dict[str, Any], expected: RestErpSettings) -> None:
    client = client_for(fields(**given), OwnClaims())
    assert isinstance(client, RestErpClient)
    assert client.settings == expected
    assert "Bearer" not in repr(client.settings)


@pytest.mark.parametrize(
    ("given", "advice"),
    [
        ({}, "field Host: put the base URL"),
        ({"host": "ftp://erp"}, "field Host: put an address"),
        ({"host": "https://erp", "password": "a b"}, "field Password: put the bearer token"),
        ({"host": "https://erp", "extra": {"concurrency": -1}}, "field concurrency: put a number"),
        ({"host": "https://erp", "connection_type": "sap"}, "'sap' has no ERP client; choose one of: http, tryton"),
    ],
)
def test_a_connection_that_cannot_be_used(given: dict[str, Any], advice: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=advice) as caught:
        client_for(fields(**given), OwnClaims())
    assert "erp_default" in str(caught.value)
