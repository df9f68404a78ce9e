from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.client import SandboxError
from tests.sandbox.calls import CONFIG, FEED, READY, call, commit, one_order, read

if TYPE_CHECKING:
    from sandbox.client import Sandbox


@pytest.fixture
def feed(sandbox: Sandbox) -> Sandbox:
    sandbox.configure_feed(statuses=[READY])
    return sandbox


def test_without_a_configuration_the_feed_answers_404(sandbox: Sandbox):
    for method, path in (("GET", FEED), ("GET", CONFIG), ("DELETE", CONFIG)):
        assert call(sandbox, method, path).status_code == 404
    sandbox.switches(config_missing="200_empty")
    assert call(sandbox, "GET", CONFIG).json() == {}


def test_the_configuration_is_told_with_the_queue_in_flight_included(feed: Sandbox):
    one_order(feed)
    read(feed)
    told = call(feed, "GET", CONFIG).json()
    assert told.pop("approximateAgeOfOldestMessageInSeconds") >= 0
    assert told == {
        "filter": {"type": "FromWorkflow", "status": [READY]},
        "queue": {"visibilityTimeoutInSeconds": 30, "messageRetentionPeriodInSeconds": 345600},
        "quantity": 1,
    }
    feed.switches(age_spelling="aproximate", retention_spelling="Message")
    told = call(feed, "GET", CONFIG).json()
    assert "aproximateAgeOfOldestMessageInSeconds" in told
    assert told["queue"]["MessageRetentionPeriodInSeconds"] == 345_600


def test_both_casings_of_the_retention_are_read(sandbox: Sandbox):
    for name in ("MessageRetentionPeriodInSeconds", "messageRetentionPeriodInSeconds"):
        call(sandbox, "POST", CONFIG, json={"queue": {name: 400_000}})
        assert call(sandbox, "GET", CONFIG).json()["queue"]["messageRetentionPeriodInSeconds"] == 400_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"filter": {"type": "FromWorkflow", "status": ["misspelt"]}}, 200),
        ({"filter": {"type": "FromWorkflow", "status": [READY], "disableSingleFire": True}}, 409),
        ({"filter": {"type": "FromOrders", "status": [READY], "expression": "true"}}, 409),
        ({"filter": "everything"}, 400),
        ([], 400),
        ({"queue": {"visibilityTimeoutInSeconds": "soon"}}, 400),
        ({"queue": {"MessageRetentionPeriodInSeconds": 60}}, 400),
        ({"queue": {"visibilityTimeoutInSeconds": 43_201}}, 400),
    ],
)
def test_what_a_configuration_may_be(sandbox: Sandbox, body: Any, status: int):
    sandbox.switches(queue_bounds="400")
    assert call(sandbox, "POST", CONFIG, json=body).status_code == status


def test_a_misspelt_status_never_matches(sandbox: Sandbox):
    sandbox.configure_feed(statuses=["ready-for-handlin"])
    one_order(sandbox)
    assert read(sandbox) == []


def test_a_new_feed_has_no_history_and_a_changed_one_keeps_its_items(sandbox: Sandbox):
    one_order(sandbox)
    sandbox.configure_feed(statuses=[READY])
    assert read(sandbox) == []
    later = one_order(sandbox, seed=2)
    sandbox.configure_feed(statuses=["invoiced"])
    assert [item["orderId"] for item in read(sandbox)] == [later]


@pytest.mark.parametrize(("drops", "left"), [(True, 0), (False, 1)])
def test_what_becomes_of_the_queue_when_the_configuration_goes(feed: Sandbox, drops: bool, left: int):
    feed.switches(delete_drops_queue=drops)
    one_order(feed)
    assert call(feed, "DELETE", CONFIG).status_code == 200
    assert call(feed, "GET", FEED).status_code == 404
    feed.configure_feed(statuses=[READY])
    assert len(read(feed)) == left


def test_the_configuration_goes_after_a_quiet_retention(sandbox: Sandbox):
    sandbox.configure_feed(statuses=[READY], retention=1000)
    sandbox.advance(999)
    assert read(sandbox) == []
    sandbox.advance(2)
    assert call(sandbox, "GET", FEED).status_code == 404


def test_an_item_is_what_the_schema_says_and_its_handle_a_token_of_this_delivery(feed: Sandbox):
    order_id = one_order(feed)
    [first] = read(feed)
    assert first.keys() == {
        *("eventId", "handle", "domain", "state", "lastState", "orderId", "lastChange", "currentChange")
    }
    assert (first["orderId"], first["state"], first["domain"]) == (order_id, READY, "Fulfillment")
    feed.advance(31)
    [again] = read(feed)
    assert again["eventId"] == first["eventId"]
    assert again["handle"] != first["handle"]
    claims = decoded(again["handle"])
    assert claims["OrderId"] == order_id
    assert claims["Handle"].startswith("AQEB")
    assert claims["aud"] == f"{feed.account}_{feed.app_key}"
    assert claims["iss"] == "broadcast-api.vtexcommerce.com.br"


def decoded(handle: str) -> dict[str, Any]:
    payload = handle.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def test_event_ids_may_be_new_at_each_delivery(feed: Sandbox):
    feed.switches(stable_event_id=False)
    one_order(feed)
    [first] = read(feed)
    feed.advance(31)
    assert read(feed)[0]["eventId"] != first["eventId"]


@pytest.mark.parametrize(
    ("query", "count"), [("", 10), ("?maxlot=3", 3), ("?maxLot=3", 3), ("?maxlot=50", 10), ("?maxlot=0", 1)]
)
def test_maxlot_is_optional_and_written_in_any_case(feed: Sandbox, query: str, count: int):
    feed.generate(12, kinds=["plain"])
    assert len(call(feed, "GET", FEED + query).json()) == count


def test_maxlot_out_of_range_may_be_refused(feed: Sandbox):
    feed.switches(maxlot_out_of_range="400")
    assert call(feed, "GET", f"{FEED}?maxlot=11").status_code == 400


def test_reads_may_be_short_or_empty_while_items_wait(feed: Sandbox):
    feed.generate(10, kinds=["plain"])
    feed.switches(empty_read_p=1)
    assert read(feed) == []
    feed.switches(empty_read_p=0, partial_read_p=1)
    assert 0 < len(read(feed)) < 10


@pytest.mark.parametrize("switch", ["duplicate_p", "duplicate_new_id_p"])
def test_duplicates_are_two_items_of_one_change(feed: Sandbox, switch: str):
    feed.switches(**{switch: 1})
    one_order(feed)
    first, second = read(feed)
    assert (first["eventId"] == second["eventId"]) == (switch == "duplicate_p")
    assert first["currentChange"] == second["currentChange"]
    commit(feed, first["handle"])
    assert feed.feed_counters()["total"] == 1


def test_both_workflows_of_a_store_that_is_its_own_seller(feed: Sandbox):
    feed.switches(both_domains=True)
    one_order(feed)
    assert sorted(item["domain"] for item in read(feed)) == ["Fulfillment", "Marketplace"]


def test_a_commit_is_for_good(feed: Sandbox):
    feed.generate(3, kinds=["plain"])
    assert commit(feed, *(item["handle"] for item in read(feed))).status_code == 200
    feed.advance(31)
    assert read(feed) == []
    assert feed.feed_counters()["committed"] == 3


@pytest.mark.parametrize(("mode", "status"), [("ok_noop", 200), ("400", 400), ("404", 404)])
def test_an_expired_handle_commits_nothing(feed: Sandbox, mode: str, status: int):
    feed.switches(expired_handle=mode)
    one_order(feed)
    [item] = read(feed)
    feed.advance(31)
    assert commit(feed, item["handle"]).status_code == status
    assert len(read(feed)) == 1


@pytest.mark.parametrize("spoils", [True, False])
def test_one_bad_handle_among_good_ones(feed: Sandbox, spoils: bool):
    feed.switches(bad_handle_spoils_commit=spoils)
    one_order(feed)
    [item] = read(feed)
    assert commit(feed, "no handle", item["handle"]).status_code == 400
    assert feed.feed_counters()["committed"] == (0 if spoils else 1)


@pytest.mark.parametrize(("mode", "status"), [("403", 403), ("400", 400)])
def test_the_handle_of_another_key_is_refused(feed: Sandbox, mode: str, status: int):
    feed.switches(foreign_handle=mode)
    feed.key("another", "token")
    one_order(feed)
    [item] = read(feed)
    theirs = {"X-VTEX-API-AppKey": "another", "X-VTEX-API-AppToken": "token"}
    assert call(feed, "POST", CONFIG, json={}, headers=theirs).status_code == 200
    refused = call(feed, "POST", FEED, json={"handles": [item["handle"]]}, headers=theirs)
    assert refused.status_code == status
    assert feed.feed_counters()["total"] == 1


@pytest.mark.parametrize(
    ("switches", "body", "status"),
    [
        ({}, {"handles": []}, 200),
        ({"empty_commit": "400"}, {"handles": []}, 400),
        ({"max_handles": 1}, {"handles": ["a", "b"]}, 400),
        ({"malformed_handle": "404"}, {"handles": ["a"]}, 404),
        ({"malformed_handle": "ok_noop"}, {"handles": [None]}, 200),
        ({}, {}, 400),
        ({}, [], 400),
    ],
)
def test_odd_commits(feed: Sandbox, switches: dict[str, Any], body: Any, status: int):
    feed.switches(**switches)
    assert call(feed, "POST", FEED, json=body).status_code == status


def test_a_commit_may_be_answered_200_and_leave_items(feed: Sandbox):
    feed.switches(partial_commit_p=1)
    feed.generate(5, kinds=["plain"])
    assert commit(feed, *(item["handle"] for item in read(feed))).status_code == 200
    assert feed.feed_counters()["total"] > 0


def test_raw_events_and_their_copies(feed: Sandbox):
    feed.emit("unknown-01", READY, last_state="window-to-cancel", copies=3)
    assert [item["orderId"] for item in read(feed)] == ["unknown-01"] * 3


def test_degenerate_events_say_nothing_under_any_filter(feed: Sandbox):
    feed.emit("unknown-01", "invoiced", degenerate=True)
    [item] = read(feed)
    assert (item["domain"], item["state"], item["lastState"]) == ("OrdersDocumentUpdated", "unknow", None)
    assert (item["orderId"], item["currentChange"]) == ("unknown-01", "0001-01-01T00:00:00")


def test_somebody_else_may_commit_events_with_our_key(feed: Sandbox):
    feed.generate(5, kinds=["plain"])
    assert feed.steal_events(3) == 3
    assert feed.feed_counters()["total"] == 2
    stolen = feed.audit(consumer="somebody else")
    assert [(entry["family"], entry["key"], entry["effect"]) for entry in stolen] == [
        ("feed-get", feed.app_key, True),
        ("feed-commit", feed.app_key, True),
    ]
    read(feed)
    assert "python-requests" in feed.audit(family="feed-get")[-1]["consumer"]
    assert feed.steal_events(3) == 0


def test_the_queue_ages_without_the_clock(feed: Sandbox):
    one_order(feed)
    before = feed.now()
    feed.age_feed(345_000)
    assert call(feed, "GET", CONFIG).json()["approximateAgeOfOldestMessageInSeconds"] >= 345_000
    assert feed.now()[:13] == before[:13]
    feed.age_feed(600)
    assert read(feed) == []
    assert feed.feed_counters()["expired"] == 1


def test_nobody_steals_from_a_feed_that_is_not_there(sandbox: Sandbox):
    with pytest.raises(SandboxError, match="no feed"):
        sandbox.steal_events(1)
