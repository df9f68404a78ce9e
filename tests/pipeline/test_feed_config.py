"""The feed and the hook as code: compared, tried, and changed only when told to."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.pipeline.test_feed_guard import RETENTION, SETUP, WANTED, Guard
from tests.pipeline.world import VISIBILITY
from tests.sandbox.endpoint import endpoint
from vtex_erp.errors import ConfigurationError, FeedNotConfiguredError
from vtex_erp.ledger import feed
from vtex_erp.ledger.entries import Run, TaskTry
from vtex_erp.ledger.tables import runs
from vtex_erp.pipeline.configure_feed import Comparison, configure_feed
from vtex_erp.vtex.filters import EventFilter, WantedHook

if TYPE_CHECKING:
    from tests.pipeline.world import World
    from vtex_erp.pipeline.guard_feed import FeedSetup

SECRET = "s3cr3t-value"
BY_CHANNEL = EventFilter(type="FromOrders", expression='salesChannel = "1"', disable_single_fire=True)


class Config(Guard):
    """The DAG that compares."""

    def compare(self, *, apply: bool = False) -> Comparison:
        run = Run("vtex_feed_config", "day", self.world.sandbox.account)
        self.run_of_it = run
        return configure_feed(
            self.world.ledger, TaskTry(run, "configure_feed"), self.world.loop.vtex, self.setup, apply=apply
        )

    def refused(self, *, apply: bool = False) -> ConfigurationError:
        with pytest.raises(ConfigurationError) as caught:
            self.compare(apply=apply)
        return caught.value

    def page(self) -> Comparison:
        """What its page shows."""
        kept = feed.kept_comparison(self.world.ledger, self.run_of_it)
        assert kept is not None
        assert SECRET not in kept
        return Comparison.from_json(kept)

    def requests(self, method: str) -> int:
        audit = self.world.sandbox.audit()
        return sum(each["method"] == method for each in audit if each["family"] in ("feed-config", "hook-config"))


@pytest.fixture
def config(world: World) -> Config:
    world.sandbox.configure_feed(visibility_timeout=VISIBILITY, statuses=WANTED.filter.status, retention=RETENTION)
    world.sandbox.clear_audit()
    return Config(world)


def by_expression(text: str) -> FeedSetup:
    chosen = BY_CHANNEL.model_copy(update={"expression": text})
    return replace(SETUP, feed=WANTED.model_copy(update={"filter": chosen}))


def test_what_is_as_wanted_is_left_alone(config: Config) -> None:
    comparison = config.compare(apply=True)
    assert not comparison.differs
    assert not comparison.applied
    assert (comparison.fill, comparison.remarks) == ("The feed holds 0 events.", ())
    assert config.page() == comparison
    assert config.requests("POST") == 0
    assert config.news() == []


def test_a_difference_is_red_and_changes_nothing_unless_told_to(
    config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    config.setup = replace(SETUP, feed=WANTED.model_copy(update={"visibility_timeout_seconds": 240}))
    config.world.sandbox.generate(2, seed=1, kinds=["plain"])
    with caplog.at_level(logging.INFO):
        error = config.refused()
    assert error.cause == "feed-differs"
    assert "feed: queue.visibilityTimeoutInSeconds: wanted 240, VTEX has 120" in error.message
    assert "≠  feed: queue.visibilityTimeoutInSeconds       240" in caplog.text
    assert "=  feed: filter.type                            FromWorkflow" in caplog.text
    assert config.requests("POST") == 0
    assert config.news() == ["feed-differs"]
    config.refused()
    assert config.run() == ["feed-differs"]  # the guard sees the same
    assert config.news() == []

    assert config.compare(apply=True).applied
    assert config.requests("POST") == 1
    assert config.world.loop.vtex.feed_configuration().visibility_timeout_seconds == 240
    assert [each.actual for each in config.page().feed if each.differs] == ["120"]
    assert config.page().applied
    assert config.run() == []
    assert not config.compare().differs
    assert config.world.sandbox.feed_counters()["total"] == 2  # what was queued stays
    assert config.news() == []


def test_a_feed_that_is_not_there(config: Config) -> None:
    config.world.run()
    config.world.sandbox.delete_feed()
    error = config.refused()
    assert (error.cause, config.news()) == ("feed-differs", ["feed-missing"])
    assert {each.actual for each in config.page().feed} == {"none"}
    assert config.compare(apply=True).applied
    [gap] = config.gaps()
    assert gap.ends_at
    assert config.run() == ["feed-missing"]  # until its orders come in
    assert config.news() == []


def test_the_first_feed_of_a_store(config: Config) -> None:
    config.world.sandbox.delete_feed()
    assert config.compare(apply=True).applied
    assert config.run() == []
    assert config.news() == []


def test_a_key_that_may_not_change_anything(config: Config) -> None:
    config.world.sandbox.delete_feed()
    config.world.sandbox.add_fault("feed-config", method="POST", status=409)
    assert "409" in config.refused(apply=True).message
    with pytest.raises(FeedNotConfiguredError):
        config.world.loop.vtex.feed_configuration()


def test_vtex_takes_it_and_has_something_else(config: Config) -> None:
    config.setup = replace(SETUP, feed=WANTED.model_copy(update={"visibility_timeout_seconds": 240}))
    config.world.sandbox.add_fault("feed-config", method="POST", status=200)
    error = config.refused(apply=True)
    assert error.cause == "feed-differs"
    assert "has another one" in error.message


def test_a_hook_is_configured_with_its_secret(config: Config, caplog: pytest.LogCaptureFixture) -> None:
    config.world.sandbox.switches(hook_https_only=False)
    with endpoint() as here:
        config.setup = replace(SETUP, hook=WantedHook(url=here.url, headers={"X-Secret": SECRET}))
        with caplog.at_level(logging.INFO):
            assert "hook: configuration: wanted one, VTEX has none" in config.refused().message
            here.answers = [500]
            assert "answered 200 within five seconds" in config.refused(apply=True).message
            here.answers = [200]
            assert config.compare(apply=True).applied
        assert here.calls[-1][0]["x-secret"] == SECRET
        config.setup = replace(SETUP, hook=WantedHook(url=here.url, headers={"X-Secret": "another"}))
        config.refused()
        [different] = [each for each in config.page().hook if each.differs]
        assert (different.field, different.actual) == ("hook.headers.x-secret", "a value (hidden)")
    assert SECRET not in caplog.text


def test_a_hook_that_the_store_does_not_want_is_told_and_left_alone(config: Config) -> None:
    config.world.sandbox.switches(hook_https_only=False)
    with endpoint() as here:
        theirs = f"{here.url}?token={SECRET}"
        config.world.sandbox.configure_hook(theirs)
        comparison = config.compare(apply=True)
        assert "VTEX has a hook for this app key that the stores file does not name: it calls 127.0.0.1" in str(
            comparison.remarks
        )
        assert SECRET not in str(comparison)
        assert config.world.loop.vtex.hook_configuration().url == theirs


def test_a_store_with_a_hook_only_is_configured_without_a_feed(config: Config) -> None:
    config.world.sandbox.switches(hook_https_only=False)
    with endpoint() as here:
        config.setup = replace(SETUP, feed=None, hook=WantedHook(url=here.url, headers={"X-Secret": SECRET}))
        error = config.refused()
        assert "VTEX holds no hook" in error.message
        comparison = config.compare(apply=True)
        assert (comparison.applied, comparison.feed) == (True, ())
        assert "VTEX has a feed for this app key, but the stores file says `feed: false`" in str(comparison.remarks)
        assert not config.compare().differs
        config.setup = replace(config.setup, hook=WantedHook(url=here.url, headers={"X-Secret": "another"}))
        assert "hook: hook.headers.x-secret" in config.refused().message
    assert config.world.loop.vtex.feed_configuration()  # it is left alone


def test_an_expression_is_tried_on_the_newest_orders_first(config: Config) -> None:
    placed = config.world.sandbox.generate(5, seed=1, kinds=["plain"])
    config.world.run()
    config.setup = by_expression('orderId = "nobody"')
    config.refused()
    assert "the expression takes none." in str(config.page().remarks)
    config.setup = by_expression("value > 0")
    assert config.compare(apply=True).applied
    remark = next(each for each in config.page().remarks if "expression" in each)
    assert sum(order.order_id in remark for order in placed) == 3
    assert "tried in the orders API's shape" in remark
    assert config.world.loop.vtex.feed_configuration().expression == "value > 0"


def test_a_new_store_s_orders_are_listed(config: Config) -> None:
    placed = config.world.sandbox.generate(1, seed=1, kinds=["plain"], events=())
    config.world.time.sleep(300)
    config.setup = by_expression("value > 0")
    config.refused()
    assert f"Of the newest orders ({placed[0].order_id})" in str(config.page().remarks)


def test_without_an_order_vtex_still_reads_the_expression(config: Config) -> None:
    config.setup = by_expression("value > 0")
    config.refused()
    assert "there is no order to try it on" in str(config.page().remarks)


def test_an_expression_that_vtex_refuses_is_not_applied(config: Config) -> None:
    config.world.sandbox.generate(1, seed=1, kinds=["plain"])
    config.world.run()
    config.setup = by_expression("value > > 0")
    assert config.refused().cause == "feed-differs"
    assert "must be JSONata" in str(config.page().remarks)
    assert "must be JSONata" in config.refused(apply=True).message
    assert config.requests("POST") == 0
    assert config.world.loop.vtex.feed_configuration().expression is None


def test_what_vtex_says_of_an_order_is_not_repeated(config: Config) -> None:
    [placed] = config.world.sandbox.generate(1, seed=1, kinds=["plain"])
    config.world.run()
    config.setup = by_expression("clientProfileData ? $number(clientProfileData.email) > 1 : true")
    message = config.refused(apply=True).message
    assert f"VTEX answers 400 when it tries the expression on order {placed.order_id}" in message
    email = json.loads(config.world.loop.vtex.get_order(placed.order_id))["clientProfileData"]["email"]
    assert email not in message + str(config.page())


def test_known_defects_of_an_expression_are_warned_of(config: Config) -> None:
    config.setup = by_expression('status = "payment-approved"')
    config.refused()
    remarks = str(config.page().remarks)
    assert "known issue 832400" in remarks
    assert "known issue 640925" in remarks


def test_a_visibility_timeout_shorter_than_a_run_is_told_once(config: Config) -> None:
    for number, seconds in enumerate((400.0, 30.0, 300.0)):
        ran(config.world, f"measured {number}", seconds)
    comparison = config.compare()
    assert not comparison.differs  # nothing is lost, so it is not red
    assert "a run takes up to 400 seconds" in str(comparison.remarks)
    assert "`visibility_timeout_seconds: 840`" in str(comparison.remarks)
    assert telling(config) == ["visibility-short"]
    config.compare()
    assert telling(config) == ["visibility-short"]


def test_one_slow_run_is_no_reason(config: Config) -> None:
    for number in range(50):
        ran(config.world, f"measured {number}", 400.0 if number == 7 else 30.0)
    config.compare()
    assert telling(config) == []


def test_how_long_a_run_takes_to_commit_is_measured(config: Config) -> None:
    world = config.world
    world.sandbox.generate(4, seed=1, kinds=["plain"])
    world.begin()
    world.time.sleep(100)
    for batch in range(1):
        world.loop.batch(world.task("pull_feed").run, batch)
    with world.ledger.read() as connection:
        row = connection.execute(runs.select()).one()
    assert (row.events_pulled, row.feed_unseen) == (4, 0)
    assert 100 <= row.commit_seconds < 160


def ran(world: World, run_id: str, seconds: float) -> None:
    """A run of 20 events that took so long from reading to committing."""
    now = world.time.now()
    row = {"dag_id": "vtex_orders", "run_id": run_id, "account": world.sandbox.account, "started_at": now}
    with world.ledger.write() as connection:
        connection.execute(
            runs.insert().values({**row, "pulled_at": now, "events_pulled": 20, "commit_seconds": seconds})
        )


def telling(config: Config) -> list[str]:
    config.told = []
    config.news()
    return config.told
