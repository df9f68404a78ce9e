"""What a store wants of its feed and hook: refused before VTEX sees it, and compared with what VTEX has."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from vtex_erp.vtex.filters import (
    FILTER_STATUSES,
    EventFilter,
    Setting,
    WantedFeed,
    WantedHook,
    compare,
    nearest_status,
    side_by_side,
)
from vtex_erp.vtex.schemas import FeedConfiguration, HookConfiguration

EXAMPLES = Path(__file__).resolve().parents[3] / "shared" / "vtex" / "examples"
OPENAPI = Path(__file__).resolve().parents[3] / "shared" / "vtex" / "openapi" / "orders-subset.json"
BY_CHANNEL = EventFilter(type="FromOrders", expression='salesChannel = "2"', disable_single_fire=True)


def refusal(**settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        EventFilter.model_validate(settings)
    return str(caught.value)


# Misspelt in VTEX's own documents, or its admin's label for the status.
MISSPELT = {
    "order-completed": "on-order-completed",
    "cancelation-request": "cancellation-requested",
    "waiting-for-sellers-confirmation": "waiting-for-authorization",
    "release-to-fulfillment": "authorize-fulfillment",
    "shipped": "invoiced",
    "Waiting for seller confirmation": "waiting-for-authorization",
    "Waiting for the seller decision": "waiting-for-seller-decision",
    "Waiting for fulfillment authorization": "waiting-for-manual-authorization",
    "Waiting for order authorization": "waiting-for-order-authorization",
    "Window to change seller": "window-to-change-seller",
    "Cancellation window": "window-to-cancel",
    "Cancellation requested": "cancellation-requested",
    "Request cancellation": "request-cancel",
    "Order accepted": "order-accepted",
    "Payment pending": "payment-pending",
    "Payment approved": "payment-approved",
    "Payment denied": "cancel",
    "Approve payment": "approve-payment",
    "Authorize fulfillment": "authorize-fulfillment",
    "Ready for handling": "ready-for-handling",
    "Ready for Handling": "ready-for-handling",
    "Start handling": "start-handling",
    "Handling shipping": "handling",
    "Preparing delivery": "handling",
    "Verifying invoice": "invoice",
    "Invoiced": "invoiced",
    "Canceling": "cancel",
    "Canceled": "canceled",
    "Replaced": "replaced",
    # Statuses of orders that the filters have no word for
    "waiting-for-fulfillment": "handling",
    "ready-for-invoicing": "handling",
    "window-to-change-payment": "payment-pending",
    "cancellation-request-denied-ffm": "cancellation-requested",
    # Slips of the keyboard
    "ready_for_handling": "ready-for-handling",
    "ready-for-handlin": "ready-for-handling",
    "cancelled": "canceled",
    "cancellation-request": "cancellation-requested",
    "canceling": "cancel",
    " handling": "handling",
}


@pytest.mark.parametrize(("word", "right"), MISSPELT.items())
def test_a_status_that_never_matches_is_refused_with_the_right_one(word: str, right: str):
    assert nearest_status(word) == right
    message = refusal(status=["invoiced", word])
    assert "status.1" in message
    assert f"'{word}' is no status of VTEX's filters" in message
    assert f"put '{right}'" in message


@pytest.mark.parametrize("word", ["", "detail.state.null", "unknow", "everything"])
def test_a_word_that_is_near_nothing_is_refused_with_the_list(word: str):
    assert all(status in refusal(status=[word]) for status in FILTER_STATUSES)


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="VTEX's examples are not part of the repository")
@pytest.mark.parametrize("name", ["feed-config-post-fromworkflow", "feed-config-get-response-fromworkflow"])
def test_vtex_s_own_example_would_never_see_an_order_completed(name: str):
    status = json.loads((EXAMPLES / f"{name}.json").read_text())["filter"]["status"]
    message = refusal(status=status)
    assert "1 validation error" in message
    assert "'order-completed' is no status of VTEX's filters" in message


@pytest.mark.skipif(not OPENAPI.is_file(), reason="VTEX's schema is not part of the repository")
def test_the_statuses_of_the_schema_s_example_are_known():
    body = json.loads(OPENAPI.read_text())["paths"]["/api/orders/feed/config"]["post"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]["properties"]["filter"]["properties"]["status"]
    assert set(schema["example"]) <= set(FILTER_STATUSES)


def test_every_status_is_accepted_as_it_is_written():
    assert EventFilter(status=FILTER_STATUSES).status == FILTER_STATUSES
    assert len(set(FILTER_STATUSES)) == 30


@pytest.mark.parametrize(
    "settings",
    [
        {"status": ["handling"], "expression": "true"},
        {"status": ["handling"], "disable_single_fire": True},
        {"expression": "true"},
        {"type": "FromOrders", "status": ["handling"]},
        {"type": "FromOrders", "status": ["handling"], "expression": "true"},
    ],
)
def test_a_mixture_is_refused_before_vtex_answers_409(settings: dict[str, Any]):
    assert "VTEX answers 409 to a mixture; keep one kind" in refusal(**settings)


@pytest.mark.parametrize(
    ("expression", "advice"),
    [
        (None, "FromOrders needs an expression"),
        ("  ", "FromOrders needs an expression"),
        ('status = \\"canceled\\"', "escaped"),
        ("status = “canceled”", "typographic quotes"),
    ],
)
def test_expressions_that_cannot_be_meant(expression: str | None, advice: str):
    assert advice in refusal(type="FromOrders", expression=expression)


def test_an_escaped_quote_inside_a_text_is_meant():
    assert EventFilter(type="FromOrders", expression='items.name = "19\\" rack"').warnings()


@pytest.mark.parametrize(
    ("expression", "known_issues"),
    [
        ('status = "payment-approved"', {"832400", "640925"}),
        ('(status = "ready-for-handling" and salesChannel = "2")', {"832400"}),
        ("$count(packageAttachment.packages.restitutions.Refund.value) > 0", {"832400"}),
        ("`workflowData`.instances", {"832400"}),
        ('salesChannel = "status"', set()),
        ("$status := 1; value > $status", set()),
        ("items[name ~> /.*status.*/i]", set()),
        ('salesChannel = "2" /* status */', set()),
    ],
)
def test_known_defects_of_expressions(expression: str, known_issues: set[str]):
    found = EventFilter(type="FromOrders", expression=expression, disable_single_fire=True).warnings()
    assert {number for number in ("832400", "640925") if any(number in warning for warning in found)} == known_issues
    assert len(found) == len(known_issues)


def test_single_fire_hides_the_second_ready_for_handling():
    once = BY_CHANNEL.model_copy(update={"disable_single_fire": False})
    [warning] = once.warnings()
    assert "ready-for-handling after a denied cancellation" in warning
    assert EventFilter(status=("handling",)).warnings() == []


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"visibility_timeout_seconds": 0}, "visibility_timeout_seconds"),
        ({"visibility_timeout_seconds": 43_201}, "visibility_timeout_seconds"),
        ({"retention_seconds": 345_599}, "retention_seconds"),
        ({"retention_seconds": 1_209_601}, "retention_seconds"),
        ({"retention": 345_600}, "retention"),
    ],
)
def test_bounds_are_named(settings: dict[str, Any], named: str):
    with pytest.raises(ValidationError, match=f"(?m)^{named}$"):
        WantedFeed.model_validate(settings)


@pytest.mark.parametrize(
    "url",
    [
        *("http://airflow.example.com/hook", "ftp://airflow.example.com", "airflow.example.com/hook", ""),
        *("https://user:secret@airflow.example.com", "https://", "https://airflow.example.com/a b"),
    ],
)
def test_addresses_that_vtex_cannot_call(url: str):
    with pytest.raises(ValidationError, match="https only") as caught:
        WantedHook(url=url)
    assert "secret" not in str(caught.value)


def test_a_simulated_vtex_may_call_this_machine_without_tls():
    assert WantedHook(url="http://127.0.0.1:8080/hook").url == "http://127.0.0.1:8080/hook"


def test_documents_are_what_vtex_s_schema_asks_for():
    assert WantedFeed(filter=EventFilter(status=("handling",))).document() == {
        "filter": {"type": "FromWorkflow", "status": ["handling"]},
        "queue": {"visibilityTimeoutInSeconds": 240, "MessageRetentionPeriodInSeconds": 1_209_600},
    }
    hook = WantedHook(filter=BY_CHANNEL, url="https://me.example", headers={"X-Key": "secret"})
    assert hook.document() == {
        "filter": {"type": "FromOrders", "expression": 'salesChannel = "2"', "disableSingleFire": True},
        "hook": {"url": "https://me.example", "headers": {"X-Key": "secret"}},
    }
    assert "secret" not in repr(hook)


# Comparing


def test_nothing_differs_from_itself_in_any_order_of_the_statuses():
    feed = WantedFeed(filter=EventFilter(status=("invoiced", "handling")))
    document = feed.document()
    document["filter"]["status"].reverse()
    assert compare(feed, FeedConfiguration.from_document(document)) == []
    hook = WantedHook(filter=BY_CHANNEL, url="https://me.example", headers={"X-Key": "secret"})
    theirs = {"Filter": hook.filter.document(), "Hook": {"Url": hook.url, "headers": {"x-key": "secret"}}}
    assert compare(hook, HookConfiguration.from_document(theirs)) == []


@pytest.mark.parametrize("filter_part", [{}, {"filter": None}, {"filter": {"type": "FromWorkflow", "status": []}}])
def test_no_filter_is_every_status(filter_part: dict[str, Any]):
    queue = {"queue": {"visibilityTimeoutInSeconds": 240, "messageRetentionPeriodInSeconds": 1_209_600}}
    actual = FeedConfiguration.from_document({**filter_part, **queue})
    assert compare(WantedFeed(filter=EventFilter()), actual) == []
    assert compare(WantedFeed(filter=EventFilter(status=FILTER_STATUSES)), actual) == []
    assert compare(WantedFeed(), actual) == [Setting("filter.status", "ready-for-handling", "every status")]


def test_every_field_of_a_feed_is_compared():
    actual = FeedConfiguration.from_document(
        {
            "filter": {"type": "FromOrders", "expression": "true", "disableSingleFire": False},
            "queue": {"visibilityTimeoutInSeconds": 30, "messageRetentionPeriodInSeconds": 345_600},
        }
    )
    assert [str(difference) for difference in compare(WantedFeed(), actual)] == [
        "filter.type: wanted FromWorkflow, VTEX has FromOrders",
        "filter.status: wanted ready-for-handling, VTEX has none",
        "queue.visibilityTimeoutInSeconds: wanted 240, VTEX has 30",
        "queue.MessageRetentionPeriodInSeconds: wanted 1209600, VTEX has 345600",
        "filter.expression: wanted none, VTEX has true",
        "filter.disableSingleFire: wanted none, VTEX has false",
    ]


def test_a_misspelt_status_at_vtex_shows():
    actual = FeedConfiguration.from_document({**WantedFeed().document(), "filter": {"status": ["order-completed"]}})
    assert compare(WantedFeed(), actual) == [Setting("filter.status", "ready-for-handling", "order-completed")]


def test_the_hook_of_somebody_else_shows_without_its_secrets():
    wanted = WantedHook(url="https://me.example", headers={"X-Key": "ours", "X-Store": "a"})
    theirs = {"url": "https://other.example?key=theirs", "headers": {"x-key": "theirs", "Authorization": "theirs"}}
    actual = HookConfiguration.from_document({"filter": wanted.filter.document(), "hook": theirs})
    differences = compare(wanted, actual)
    assert {difference.field: (difference.wanted, difference.actual) for difference in differences} == {
        "hook.url": ("https://me.example", "https://other.example?a value (hidden)"),
        "hook.headers.x-key": ("a value (hidden)", "a value (hidden)"),
        "hook.headers.x-store": ("a value (hidden)", "none"),
        "hook.headers.authorization": ("none", "a value (hidden)"),
    }
    assert "ours" not in str(differences) + repr(actual)
    assert "theirs" not in str(differences)


def test_side_by_side_shows_what_is_as_wanted_too():
    wanted = WantedHook(filter=BY_CHANNEL, url="https://me.example", headers={"X-Key": "secret"})
    theirs = {"url": "https://me.example", "headers": {"x-key": "another"}}
    actual = HookConfiguration.from_document({"filter": wanted.filter.document(), "hook": theirs})
    assert side_by_side(wanted, actual) == [
        Setting("filter.type", "FromOrders", "FromOrders", differs=False),
        Setting("filter.expression", 'salesChannel = "2"', 'salesChannel = "2"', differs=False),
        Setting("filter.disableSingleFire", "true", "true", differs=False),
        Setting("hook.url", "https://me.example", "https://me.example", differs=False),
        Setting("hook.headers.x-key", "a value (hidden)", "a value (hidden)"),
    ]
    assert all(setting.differs for setting in side_by_side(wanted, None))


def test_no_configuration_is_one_difference():
    assert [difference.field for difference in compare(WantedFeed(), None)] == ["configuration"]
    assert [difference.field for difference in compare(WantedHook(url="https://me.example"), None)] == ["configuration"]
