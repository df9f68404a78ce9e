"""The guard against a VTEX whose clock is moved: each case is found, told once, and again after a good phase."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from tests.pipeline.loop import STATUSES
from tests.pipeline.test_by_date import in_erp_once, place, run_day
from tests.pipeline.world import VISIBILITY, vtex_client
from tests.sandbox.endpoint import endpoint
from vtex_erp.errors import FeedNotConfiguredError, HookNotConfiguredError, ParkError
from vtex_erp.ledger import events, feed
from vtex_erp.ledger.entries import Run, TaskTry
from vtex_erp.ledger.tables import events as event_table
from vtex_erp.ledger.tables import feed_gaps, notices
from vtex_erp.pipeline.guard_feed import FeedSetup, guard_feed, raise_findings
from vtex_erp.pipeline.pull_feed import PullBounds, pull_feed
from vtex_erp.stores.actions import Actions
from vtex_erp.vtex.filters import EventFilter, WantedFeed, WantedHook
from vtex_erp.vtex.schemas import FeedEvent
from vtex_erp.vtex.windows import Window

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tests.pipeline.world import World

RETENTION = 345_600
DAY = 86_400
WANTED = WantedFeed(
    filter=EventFilter(status=tuple(STATUSES)), visibility_timeout_seconds=VISIBILITY, retention_seconds=RETENTION
)
SETUP = FeedSetup(WANTED, None, Actions())


@dataclass
class Guard:
    """The guard's DAG, as it runs each hour; and who is told what."""

    world: World
    setup: FeedSetup = SETUP
    told: list[str] = field(default_factory=list)

    def run(self) -> list[str]:
        """One run more: the kinds of what it has found."""
        task = TaskTry(Run("vtex_feed_guard", "hour", self.world.sandbox.account), "guard_feed")
        return [each.kind.value for each in guard_feed(self.world.ledger, task, self.world.loop.vtex, self.setup)]

    def news(self) -> list[str]:
        """The kinds of notices that nobody has been told of yet."""
        with self.world.ledger.read() as connection:
            known = list(connection.execute(select(notices.c.kind).order_by(notices.c.id)).scalars())
        new, self.told = known[len(self.told) :], known
        return [kind for kind in new if kind.startswith("feed-")]

    def text(self) -> str:
        with self.world.ledger.read() as connection:
            return str(connection.execute(select(notices.c.text).order_by(notices.c.id.desc()).limit(1)).scalar())

    def gaps(self) -> list[feed.Gap]:
        return feed.gaps(self.world.ledger, self.world.sandbox.account)

    def bring_in(self, gap: feed.Gap) -> None:
        """What the by-date run that is triggered does."""
        assert gap.ends_at
        window = Window.between(gap.authorized_from, gap.ends_at)
        assert run_day(self.world, gap.run_id, window=window, date_field="authorizedDate") == {}


@pytest.fixture
def guard(world: World) -> Guard:
    world.sandbox.configure_feed(visibility_timeout=VISIBILITY, statuses=STATUSES, retention=RETENTION)
    return Guard(world)


def found_once(guard: Guard, kind: str) -> None:
    """The finding is there, and told once however often it is looked for."""
    assert guard.run() == [kind]
    assert guard.news() == [kind]
    guard.world.time.sleep(3600)
    assert guard.run() == [kind]
    assert guard.news() == []


def nothing_wrong(guard: Guard) -> None:
    assert guard.run() == []
    assert guard.news() == []


def test_a_feed_that_is_read_and_fine(guard: Guard) -> None:
    placed = guard.world.sandbox.generate(10, seed=1, kinds=["plain"])
    nothing_wrong(guard)
    guard.world.run()
    nothing_wrong(guard)
    in_erp_once(guard.world, placed)


def test_a_feed_that_vtex_has_removed_is_created_again_and_its_orders_come_in_by_date(guard: Guard) -> None:
    world = guard.world
    first = world.sandbox.generate(3, seed=1, kinds=["plain"])
    assert world.run() == {}
    assert world.later(60) == {}  # the events of our own handling
    world.time.sleep(RETENTION + 3600)
    assert isinstance(world.run()["pull_feed"], FeedNotConfiguredError)
    now = world.time.now()
    missed = place(world, 5, seed=2, window=Window(now - timedelta(hours=2), now - timedelta(minutes=10)))

    found_once(guard, "feed-missing")
    assert "has been created again" in guard.text()
    assert world.loop.vtex.feed_configuration().retention_seconds == RETENTION
    [gap] = guard.gaps()
    guard.bring_in(gap)
    in_erp_once(world, [*first, *missed])
    nothing_wrong(guard)

    later = world.sandbox.generate(2, seed=3, kinds=["plain"])
    assert world.run() == {}
    in_erp_once(world, [*first, *missed, *later])

    world.sandbox.delete_feed()
    world.time.sleep(3600)
    assert guard.run() == ["feed-missing"]
    assert guard.news() == ["feed-missing"]


def test_a_gap_that_was_brought_in_stays_so_when_a_second_store_renames_the_dags(guard: Guard) -> None:
    guard.world.run()
    feed.open_gap(guard.world.ledger, guard.world.sandbox.account)
    assert guard.run() == ["feed-missing"]
    with guard.world.ledger.read() as connection:
        [row] = connection.execute(select(feed_gaps)).all()
    guard.bring_in(feed.Gap(row.starts_at, row.ends_at))
    guard.setup = replace(SETUP, suffix="__main")
    assert guard.run() == []


def test_a_feed_that_is_not_created_again_by_itself(guard: Guard) -> None:
    guard.setup = replace(SETUP, recreate=False)
    guard.world.run()
    guard.world.sandbox.delete_feed()
    found_once(guard, "feed-missing")
    assert "Run vtex_feed_config with `apply`" in guard.text()
    assert [gap.ends_at for gap in guard.gaps()] == [None]

    guard.world.loop.vtex.configure_feed(WANTED)
    guard.world.time.sleep(3600)
    assert guard.run() == ["feed-missing"]
    [gap] = guard.gaps()
    assert gap.ends_at
    guard.bring_in(gap)
    nothing_wrong(guard)


def test_a_store_that_never_had_a_feed_gets_none_by_itself(guard: Guard) -> None:
    guard.world.sandbox.delete_feed()
    found_once(guard, "feed-missing")
    assert guard.gaps() == []
    guard.world.loop.vtex.configure_feed(WANTED)
    nothing_wrong(guard)


def test_a_key_that_may_not_create_a_feed(guard: Guard) -> None:
    guard.world.run()
    guard.world.sandbox.delete_feed()
    guard.world.sandbox.add_fault("feed-config", method="POST", status=403)
    found_once(guard, "feed-missing")
    assert "It could not be created again" in guard.text()
    assert "Feed v3 and Hook Admin" in guard.text()


def test_a_guard_that_died_after_it_had_created_the_feed(guard: Guard) -> None:
    guard.world.run()
    guard.world.sandbox.delete_feed()
    feed.open_gap(guard.world.ledger, guard.world.sandbox.account)
    guard.world.loop.vtex.configure_feed(WANTED)
    assert guard.run() == ["feed-missing"]
    [gap] = guard.gaps()
    assert gap.ends_at


def test_a_configuration_that_somebody_has_changed(guard: Guard) -> None:
    def change(statuses: Sequence[str]) -> None:
        guard.world.sandbox.configure_feed(visibility_timeout=VISIBILITY, statuses=statuses, retention=RETENTION)

    change(["order-completed"])
    found_once(guard, "feed-differs")
    assert (
        "feed: filter.status: wanted canceled, handling, ready-for-handling, VTEX has order-completed" in guard.text()
    )
    change(["handling"])
    found_once(guard, "feed-differs")
    change(STATUSES)
    nothing_wrong(guard)
    change(["handling"])
    found_once(guard, "feed-differs")


def test_events_that_grow_old(guard: Guard) -> None:
    world = guard.world
    for seed in (1, 2):
        world.sandbox.generate(4, seed=seed, kinds=["plain"])
        nothing_wrong(guard)
        world.sandbox.age_feed(RETENTION / 2)
        found_once(guard, "feed-old")
        assert "4 events" in guard.text()
        assert "1 day 23 hours left" in guard.text()
        assert world.run() == {}
        assert world.later(60) == {}  # the events of our own handling
        nothing_wrong(guard)


def test_somebody_else_who_reads_before_us(guard: Guard) -> None:
    world = guard.world
    thief = vtex_client(world.sandbox, world.time)
    world.run()
    for _ in range(2):
        for _ in range(5):
            world.sandbox.generate(1, seed=world.runs + 10, kinds=["plain"])
            nothing_wrong(guard)
            while thief.retrieve_feed_items():
                pass
            world.time.sleep(60)
            while thief.retrieve_feed_items():
                pass
            assert world.run() == {}
        found_once(guard, "feed-shared")
        assert "that we have not read" in guard.text()
        world.time.sleep(VISIBILITY + 1)
        assert world.run() == {}  # they have come back
        nothing_wrong(guard)
    assert set(world.creations().values()) == {1}


def test_somebody_else_who_commits_what_they_read(guard: Guard) -> None:
    world = guard.world
    nothing_wrong(guard)
    world.time.sleep(4 * 3600)
    now = world.time.now()
    window = Window(now - timedelta(hours=3), now - timedelta(hours=2))
    stolen = world.sandbox.generate(
        3, seed=1, kinds=["plain"], created_from=window.start.isoformat(), created_to=window.end.isoformat()
    )
    assert world.sandbox.steal_events(10) == 3
    assert world.run() == {}
    nothing_wrong(guard)
    world.time.sleep(3600)
    assert world.run() == {}
    assert run_day(world, "day", window=window) == {}
    in_erp_once(world, stolen)

    found_once(guard, "feed-shared")
    assert "3 orders came in by date that the feed never told us of" in guard.text()
    world.time.sleep(26 * 3600)
    nothing_wrong(guard)


def test_events_that_wait_with_us_are_nobody_else_s(guard: Guard) -> None:
    world = guard.world
    world.sandbox.generate(3, seed=1, kinds=["plain"])
    world.sandbox.add_fault("erp-put", status=503)
    for _ in range(6):
        world.run()
        world.time.sleep(10)
    assert world.sandbox.feed_counters()["in_flight"] == 3
    nothing_wrong(guard)


def test_orders_by_date_that_the_feed_could_not_tell_of(guard: Guard) -> None:
    """Those that were ready before anybody looked after the feed."""
    world = guard.world
    place(world, 3)
    nothing_wrong(guard)
    world.time.sleep(3600)
    assert world.run() == {}
    assert run_day(world) == {}
    nothing_wrong(guard)


@pytest.mark.parametrize("read", [False, True])
def test_orders_by_date_that_the_feed_tells_of(guard: Guard, *, read: bool) -> None:
    """A run by date was faster: than the pull, or than the deduplication of what was pulled."""
    world = guard.world
    nothing_wrong(guard)
    world.time.sleep(3600)
    now = world.time.now()
    window = Window(now - timedelta(minutes=30), now)
    world.sandbox.generate(
        3, seed=2, kinds=["plain"], created_from=window.start.isoformat(), created_to=now.isoformat()
    )
    if read:
        world.loop.pull(Run("vtex_orders", "dies", world.sandbox.account))
    world.time.sleep(7200)
    if read:
        world.loop.pull(Run("vtex_orders", "dies, too", world.sandbox.account))
    assert run_day(world, window=window) == {}
    nothing_wrong(guard)
    world.run()
    nothing_wrong(guard)


def test_orders_by_date_that_have_just_become_ready(guard: Guard) -> None:
    """Their events may be on their way."""
    world = guard.world
    nothing_wrong(guard)
    world.time.sleep(3600)
    now = world.time.now()
    window = Window(now - timedelta(minutes=40), now - timedelta(minutes=35))
    placed = place(world, 3, window=window)  # they become ready half an hour after they were placed
    assert world.run() == {}
    assert run_day(world, window=window) == {}
    assert all(now - world.entry(each.order_id).read_change_at < timedelta(minutes=15) for each in placed)
    nothing_wrong(guard)


def test_a_hook_that_vtex_has_removed_is_created_again_and_nobody_is_told(guard: Guard) -> None:
    world = guard.world
    world.sandbox.switches(hook_https_only=False)
    with endpoint() as here:
        guard.setup = replace(SETUP, hook=WantedHook(url=here.url, headers={"X-Secret": "s3cr3t-value"}))
        found_once(guard, "feed-differs")  # there never was one, so a person decides
        assert "hook: configuration: wanted one, VTEX has none" in guard.text()
        assert guard.setup.hook
        world.loop.vtex.configure_hook(guard.setup.hook)
        nothing_wrong(guard)

        event = FeedEvent(order_id="1-01", state="handling", current_change=world.time.now())
        events.record(world.ledger, world.sandbox.account, [event], source="hook")
        world.time.sleep(3 * DAY + 60)
        with pytest.raises(HookNotConfiguredError):
            world.loop.vtex.hook_configuration()
        nothing_wrong(guard)
        assert world.loop.vtex.hook_configuration().url == here.url

        world.sandbox.delete_hook()
        here.answers = [500]
        found_once(guard, "feed-differs")
        assert "s3cr3t-value" not in guard.text()
        here.answers = [200]
        nothing_wrong(guard)


# Silence


def test_a_store_that_has_only_a_hook_needs_no_feed(guard: Guard) -> None:
    world = guard.world
    world.sandbox.delete_feed()
    world.sandbox.switches(hook_https_only=False)
    with endpoint() as here:
        guard.setup = replace(SETUP, feed=None, hook=WantedHook(url=here.url, headers={"X-Secret": "s3cr3t-value"}))
        assert guard.setup.hook
        world.loop.vtex.configure_hook(guard.setup.hook)
        nothing_wrong(guard)
        told = FeedEvent(order_id="1-01", state="handling", current_change=world.time.now())
        events.record(world.ledger, world.sandbox.account, [told], source="hook")
        quiet = world.time.now()
        world.time.sleep(3 * DAY + 60)
        found_once(guard, "feed-missing")
        assert "VTEX held no hook" in guard.text()
        assert world.loop.vtex.hook_configuration().url == here.url
        [gap] = guard.gaps()
        assert gap.ends_at
        assert gap.starts_at <= quiet
        guard.bring_in(gap)
        nothing_wrong(guard)
    with pytest.raises(FeedNotConfiguredError):
        world.loop.vtex.feed_configuration()


def test_a_pull_without_a_feed_does_not_prove_one(guard: Guard) -> None:
    """The hook goes on when VTEX has removed the feed: the gap still begins where the feed was last there."""
    world = guard.world
    with endpoint() as here:
        world.sandbox.switches(hook_https_only=False)
        guard.setup = replace(SETUP, hook=WantedHook(url=here.url, headers={}))
        assert guard.setup.hook
        world.loop.vtex.configure_hook(guard.setup.hook)
        assert world.run() == {}
        there = world.time.now()
        world.sandbox.delete_feed()
        world.time.sleep(7200)
        task = TaskTry(Run("vtex_orders", "without", world.sandbox.account), "pull_feed")
        assert pull_feed(world.ledger, task, world.loop.vtex, bounds=PullBounds(), has_hook=True) == 0
        assert guard.run() == ["feed-missing"]
        [gap] = guard.gaps()
        assert gap.starts_at <= there


def tell(world: World, moments: Iterable[datetime]) -> None:
    """An event of an order of its own at each of the moments, read at once."""
    rows = [
        {
            "account": world.sandbox.account,
            "order_id": f"{moment.isoformat()}-01",
            "domain": "Fulfillment",
            "state": "handling",
            "change": "1",
            "source": "feed",
            **dict.fromkeys(("changed_at", "first_seen_at", "last_seen_at"), moment),
            "needs_order": False,
            "deliveries": 1,
        }
        for moment in moments
    ]
    with world.ledger.write() as connection:
        connection.execute(event_table.insert(), rows)


def tell_for_weeks(world: World, *, weeks: int, hours: Sequence[int], until: timedelta) -> None:
    """Four events in each of the hours of a day (counted back from now), for some weeks; the last one some time ago."""
    now = world.time.now()
    moments = (
        now - timedelta(days=day, hours=hour, minutes=15 * quarter)
        for day in range(weeks * 7 + 1)
        for hour in hours
        for quarter in range(4)
    )
    tell(world, (moment for moment in moments if moment <= now - until))


@pytest.mark.parametrize(
    ("weeks", "hours", "silent_hours", "found"),
    [
        (6, range(24), 5, True),
        (6, range(24), 1, False),  # four events an hour: an hour without one may be chance
        (3, range(24), 5, False),  # a young store
        (6, range(8, 24), 8, False),  # it is night: nothing comes in the eight hours before now
    ],
)
def test_silence(guard: Guard, weeks: int, hours: range, silent_hours: int, *, found: bool) -> None:
    world = guard.world
    tell_for_weeks(world, weeks=weeks, hours=hours, until=timedelta(hours=silent_hours))
    read_for_hours(world, silent_hours)
    assert guard.run() == (["feed-silent"] if found else [])
    if found:
        assert guard.news() == ["feed-silent"]
        found_again(guard)


def read_for_hours(world: World, hours: int) -> None:
    """The feed has been read all the time, and was empty."""
    now = world.time.now()
    for hour in range(hours, -1, -1):
        moment = now - timedelta(hours=hour)
        then = replace(world.ledger, clock=lambda moment=moment: moment)
        loop = replace(world.loop, ledger=then)
        loop.pull(Run("vtex_orders", f"{moment.isoformat()}", world.sandbox.account))


def found_again(guard: Guard) -> None:
    assert guard.run() == ["feed-silent"]
    assert guard.news() == []
    tell(guard.world, [guard.world.time.now()])
    nothing_wrong(guard)


def test_silence_after_a_pause_of_the_dag(guard: Guard) -> None:
    """Nobody has read the feed for five hours, so nobody knows whether there was an event."""
    world = guard.world
    tell_for_weeks(world, weeks=6, hours=range(24), until=timedelta(hours=5))
    nothing_wrong(guard)
    assert world.run() == {}
    nothing_wrong(guard)


def test_red_in_words(guard: Guard) -> None:
    world = guard.world
    world.sandbox.configure_feed(visibility_timeout=30, statuses=STATUSES, retention=RETENTION)
    world.sandbox.generate(1, seed=1, kinds=["plain"])
    world.sandbox.age_feed(RETENTION / 2)
    task = TaskTry(Run("vtex_feed_guard", "hour", world.sandbox.account), "guard_feed")
    found = guard_feed(world.ledger, task, world.loop.vtex, SETUP)
    with pytest.raises(ParkError, match="wanted 120, VTEX has 30") as caught:
        raise_findings(found)
    assert caught.value.cause == "feed-differs"
    assert "1 events of account" in caught.value.message
