"""The calls that configure feed and hook, and try an expression."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fake_http import Answer, FakeServer
from tests.vtex.test_client import CALLS, FEED, HOOK, client_of, oms
from vtex_erp import errors


@pytest.mark.parametrize(
    ("call", "method", "path", "body"),
    [
        ("configure_feed", "POST", "feed/config", FEED.document()),
        ("delete_feed", "DELETE", "feed/config", None),
        ("configure_hook", "POST", "hook/config", HOOK.document()),
        ("delete_hook", "DELETE", "hook/config", None),
    ],
)
def test_feed_and_hook_are_configured(call: str, method: str, path: str, body: Any) -> None:
    server = FakeServer(Answer(200))
    CALLS[call](client_of(server))
    (request,) = server.requests
    assert (request.method, request.url) == (method, f"https://store.example.com/api/orders/{path}")
    assert server.body() == body


@pytest.mark.parametrize("call", ["delete_feed", "delete_hook"])
def test_what_is_not_there_needs_no_deletion(call: str) -> None:
    CALLS[call](client_of(FakeServer(Answer(404, oms("404")))))
    CALLS[call](client_of(FakeServer(Answer(502), Answer(404))))


def test_hook_configuration() -> None:
    configuration = client_of(FakeServer(Answer(200, HOOK.document()))).hook_configuration()
    assert (configuration.url, configuration.statuses) == (HOOK.url, ("ready-for-handling",))


@pytest.mark.parametrize("result", [True, False])
def test_an_expression_is_tried_on_a_document_in_a_text(result: bool) -> None:
    server = FakeServer(Answer(200, result))
    assert client_of(server).try_expression('status = "canceled"', '{"status": "canceled"}') is result
    assert server.requests[0].url == "https://store.example.com/api/orders/expressions/jsonata"
    assert server.body() == {"Expression": 'status = "canceled"', "Document": '{"status": "canceled"}'}


@pytest.mark.parametrize(
    ("call", "advice"),
    [("configure_feed", "must not be mixed"), ("configure_hook", "answered 200"), ("try", "must be JSONata")],
)
def test_a_refused_setting_is_told_with_what_to_correct(call: str, advice: str) -> None:
    with pytest.raises(errors.ConfigurationError, match=advice) as caught:
        CALLS[call](client_of(FakeServer(Answer(409, oms("409")))))
    assert not {"maria", "HEADER"} & set(str(caught.value).split())
