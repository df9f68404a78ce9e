from __future__ import annotations

import random

from sandbox.vtex.feed import Event, Feed
from sandbox.vtex.filters import EventFilter


def make_feed(count: int, *, visibility: float = 30, retention: float = 1000) -> Feed:
    feed = Feed(0)
    feed.visibility, feed.retention = visibility, retention
    for number in range(count):
        event = Event(f"E{number}", "Fulfillment", "ready-for-handling", None, f"{number}-01", "", "")
        feed.put(event, message_id=f"M{number}", now=0)
    return feed


def take(feed: Feed, now: float, count: int = 10, *, shuffle: bool = False) -> list[str]:
    taken = feed.take(count, now=now, rng=random.Random(1), shuffle=shuffle)
    for message in taken:
        message.receipt = f"{message.message_id}@{now}"
    return [message.message_id for message in taken]


def test_what_is_read_is_out_of_sight_until_the_visibility_timeout():
    feed = make_feed(2)
    assert take(feed, now=0) == ["M0", "M1"]
    assert take(feed, now=29.9) == []
    assert take(feed, now=30) == ["M0", "M1"]


def test_only_the_latest_receipt_holds_and_only_while_the_item_is_out_of_sight():
    feed = make_feed(1)
    take(feed, now=0)
    take(feed, now=30)
    assert not feed.holds("M0", "M0@0", now=31)
    assert feed.holds("M0", "M0@30", now=31)
    assert not feed.holds("M0", "M0@30", now=60)


def test_a_removed_item_never_comes_back_and_removing_it_again_is_no_error():
    feed = make_feed(1)
    take(feed, now=0)
    assert feed.remove("M0")
    assert feed.holds("M0", "M0@0", now=99)
    assert not feed.remove("M0")
    assert take(feed, now=100) == []
    assert feed.counters(100) == {"visible": 0, "in_flight": 0, "total": 0, "committed": 1, "expired": 0}


def test_items_vanish_after_the_retention_whether_seen_or_not():
    feed = make_feed(2, visibility=5000)
    take(feed, now=0, count=1)
    assert feed.total(999) == 2
    assert feed.oldest_age(999) == 999
    assert feed.counters(1000)["expired"] == 2
    assert take(feed, now=6000) == []


def test_the_total_counts_what_is_in_flight():
    feed = make_feed(3)
    take(feed, now=0, count=1)
    counters = feed.counters(1)
    assert (counters["visible"], counters["in_flight"], counters["total"]) == (2, 1, 3)


def test_shuffled_reads_lose_and_repeat_nothing():
    feed = make_feed(250)
    seen = [message_id for _ in range(25) for message_id in take(feed, now=0, shuffle=True)]
    assert sorted(seen) == sorted(f"M{number}" for number in range(250))
    assert seen != [f"M{number}" for number in range(250)]


def test_a_quiet_feed_is_abandoned_after_its_retention():
    feed = make_feed(1, retention=1000)
    assert not feed.is_abandoned(999)
    assert feed.is_abandoned(1000)


def test_a_filter_takes_what_it_names_and_no_filter_takes_all():
    assert EventFilter(None).takes("whatever")
    assert EventFilter({"type": "FromWorkflow", "status": ["handling"]}).takes("handling")
    assert not EventFilter({"type": "FromWorkflow", "status": ["handlign"]}).takes("handling")
