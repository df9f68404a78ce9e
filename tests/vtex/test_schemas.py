from __future__ import annotations

import json
from datetime import datetime, timezone

import pytest
from pydantic import ValidationError

from vtex_erp.errors import RetryableError
from vtex_erp.vtex.schemas import (
    FeedConfiguration,
    FeedEvent,
    HookConfiguration,
    OrderHead,
    OrderPage,
    parse_vtex_datetime,
)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=timezone.utc)  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-10-09T19:25:26.5838646+00:00", utc(2024, 10, 9, 19, 25, 26, 583864)),
        ("2014-09-15T21:45:15.8599246Z", utc(2014, 9, 15, 21, 45, 15, 859924)),
        ("2019-08-12T20:54:01.134057Z", utc(2019, 8, 12, 20, 54, 1, 134057)),
        ("2024-08-28T12:15:51.399Z", utc(2024, 8, 28, 12, 15, 51, 399000)),
        ("2026-05-21T15:18:58-05:00", utc(2026, 5, 21, 20, 18, 58)),
        ("2026-05-21T15:18:58+0530", utc(2026, 5, 21, 9, 48, 58)),
        ("2022-12-15T20:32:06.6120711", utc(2022, 12, 15, 20, 32, 6, 612071)),
        ("2022-12-15T20:32:06", utc(2022, 12, 15, 20, 32, 6)),
        ("2019-02-02", utc(2019, 2, 2)),
        ("0001-01-01T00:00:00", None),
        ("0001-01-01T00:00:00.0000000-03:00", None),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_dates_as_vtex_writes_them(text, moment):
    assert parse_vtex_datetime(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "yesterday",
        "2024-13-01",
        "2024-02-30T00:00:00Z",
        "03/24",
        "9999-12-31T23:59:59-05:00",
        "2024-01-01T00:00Z!",
    ],
)
def test_other_dates_are_refused_without_their_text(text):
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message is Python's own for some
        parse_vtex_datetime(text)
    assert text not in str(caught.value)


FEED_ITEM = {
    "eventId": "E1",
    "handle": "H1",
    "domain": "Fulfillment",
    "state": "ready-for-handling",
    "lastState": "window-to-cancel",
    "orderId": "1409990000001-01",
    "lastChange": "2019-08-12T20:54:01.134057Z",
    "currentChange": "2019-08-12T20:54:23.7153839Z",
}
HOOK_BODY = {key[0].upper() + key[1:]: value for key, value in FEED_ITEM.items() if key not in ("eventId", "handle")}


def test_feed_items_and_hook_bodies_are_the_same_event():
    fed = FeedEvent.model_validate(FEED_ITEM)
    called = FeedEvent.model_validate(HOOK_BODY | {"Origin": {"Account": "store", "Key": "K"}})
    assert (fed.event_id, fed.handle) == ("E1", "H1")
    assert called == fed.model_copy(update={"event_id": None, "handle": None})
    assert fed.current_change == utc(2019, 8, 12, 20, 54, 23, 715383)


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({}, "2019-08-12T20:54:23.715383Z"),
        ({"currentChange": "2019-08-12T17:54:23.7153830-03:00"}, "2019-08-12T20:54:23.715383Z"),
        ({"currentChange": "0001-01-01T00:00:00"}, "2019-08-12T20:54:01.134057Z"),
        ({"currentChange": None}, "2019-08-12T20:54:01.134057Z"),
        ({"currentChange": "soon", "lastChange": "2019-08-12T20:54:01"}, "2019-08-12T20:54:01.000000Z"),
        ({"currentChange": None, "lastChange": "0001-01-01T00:00:00"}, "E1"),
        ({"currentChange": None, "lastChange": None, "eventId": None}, ""),
    ],
)
def test_the_change_key_tells_changes_apart_and_survives_redelivery(changed, key):
    assert FeedEvent.model_validate(FEED_ITEM | changed | {"handle": "another"}).change_key == key


@pytest.mark.parametrize("changed", [{"orderId": None}, {"orderId": ""}])
def test_an_event_without_an_order_is_refused(changed):
    with pytest.raises(ValidationError):
        FeedEvent.model_validate(FEED_ITEM | changed)


def test_an_event_that_says_nothing():
    event = FeedEvent.model_validate({"orderId": "1-01", "state": None, "domain": None})
    assert (event.state, event.domain, event.handle) == ("", "", None)


@pytest.mark.parametrize(
    ("document", "fields"),
    [
        (
            {
                "filter": {"type": "FromWorkflow", "status": ["ready-for-handling", "handling"]},
                "queue": {"visibilityTimeoutInSeconds": 240, "messageRetentionPeriodInSeconds": 345600},
                "quantity": 12,
                "aproximateAgeOfOldestMessageInSeconds": 11.5,
            },
            ("FromWorkflow", ("ready-for-handling", "handling"), None, False, 240, 345600, 12, 11.5),
        ),
        (
            {
                "Filter": {"Type": "FromOrders", "expression": "true", "DisableSingleFire": True, "status": None},
                "Queue": {"VisibilityTimeoutInSeconds": 250.0, "MessageRetentionPeriodInSeconds": "1209600"},
                "approximateAgeOfOldestMessageInSeconds": 0,
            },
            ("FromOrders", (), "true", True, 250, 1209600, None, 0.0),
        ),
        ({"queue": None, "filter": {"disableSingleFire": None}}, (None, (), None, False, 30, None, None, None)),
    ],
)
def test_feed_configurations(document, fields):
    configuration = FeedConfiguration.from_document(document)
    assert tuple(configuration.model_dump().values()) == fields


@pytest.mark.parametrize(
    "document",
    [
        {"filter": {"status": ["handling"]}, "hook": {"url": "https://me.example/x", "headers": {"X-Key": "k"}}},
        {"Filter": {"Status": ["handling"]}, "Hook": {"Url": "https://me.example/x", "Headers": {"X-Key": "k"}}},
    ],
)
def test_hook_configurations(document):
    configuration = HookConfiguration.from_document(document)
    assert (configuration.url, configuration.headers) == ("https://me.example/x", {"X-Key": "k"})
    assert configuration.statuses == ("handling",)
    assert "'k'" not in repr(configuration)


def test_a_hook_without_an_address_is_asked_again():
    with pytest.raises(RetryableError, match="url"):
        HookConfiguration.from_document({"filter": {}, "hook": {"headers": None}})


def test_an_unreadable_configuration_is_asked_again():
    with pytest.raises(RetryableError, match="visibility_timeout_seconds") as caught:
        FeedConfiguration.from_document({"queue": {"visibilityTimeoutInSeconds": "secret"}})
    assert caught.value.cause == "answer-malformed"
    assert "secret" not in str(caught.value)


def test_order_heads_leave_the_shopper_out():
    document = {
        "orderId": "1-01",
        "status": "handling",
        "value": 1500.0,
        "lastChange": "2024-03-01T09:30:00.1234567+00:00",
        "storePreferencesData": {"currencyCode": "BRL"},
        "hostname": "store",
        "isCompleted": True,
        "clientProfileData": {"firstName": "Quirina"},
    }
    head = OrderHead.from_json(json.dumps(document))
    assert (head.order_id, head.status, head.value, head.currency) == ("1-01", "handling", 1500, "BRL")
    assert head.last_change == utc(2024, 3, 1, 9, 30, 0, 123456)
    assert "Quirina" not in repr(head)
    assert OrderHead.from_json('{"orderId": "1-01", "status": null}').currency is None


@pytest.mark.parametrize(
    ("requests", "denied"),
    [
        ("null", 0),
        ('[{"id": "a"}]', 0),
        ('[{"deniedBySeller": true}, {"deniedBySeller": false, "cancellationRequestDenyDate": null}]', 1),
        ('[{"CancellationRequestDenyDate": "2024-09-05T15:17:36Z"}, null, 7, {"deniedBySeller": "yes"}]', 2),
        ('{"odd": 1}', 0),
    ],
)
def test_a_request_for_a_cancellation_is_known_by_those_that_were_denied(requests: str, denied: int):
    head = OrderHead.from_json(f'{{"orderId": "1-01", "cancellationRequests": {requests}}}')
    assert head.cancellation_request == f"denied before: {denied}"


def test_order_pages():
    row = {"orderId": "1-01", "status": None, "creationDate": "2019-02-04T10:29:11+00:00", "items": None}
    page = OrderPage.from_document({"list": [row], "paging": {"total": 5599544, "pages": 6.0}, "facets": []})
    assert (page.total, page.pages) == (5599544, 6)
    assert (page.rows[0].order_id, page.rows[0].creation_date) == ("1-01", utc(2019, 2, 4, 10, 29, 11))
    assert OrderPage.from_document({"list": None, "paging": {"total": 0}}).rows == ()


@pytest.mark.parametrize(
    ("paging", "field"), [(None, "paging"), ({}, "paging.total"), ({"total": None}, "paging.total")]
)
def test_a_page_without_a_count_is_no_page(paging: object, field: str):
    with pytest.raises(RetryableError, match=field):
        OrderPage.from_document({"list": [], "paging": paging})


def test_a_row_without_an_order_id_is_not_skipped_silently():
    with pytest.raises(RetryableError, match=r"list\.0\.orderId"):
        OrderPage.from_document({"list": [{"status": "handling"}], "paging": {"total": 1}})
