"""VTEX's feed and its hook, together and each alone: every order once."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from tests.airflow.hook.calls import SECRET, Connections, recorded
from tests.pipeline.loop import STATUSES, Loop
from tests.pipeline.world import World
from tests.sandbox.test_hook import settled
from vtex_erp.errors import FeedNotConfiguredError
from vtex_erp.ledger.entries import TaskTry
from vtex_erp.pipeline.pull_feed import PullBounds, pull_feed
from vtex_erp.stores.model import SECRET_HEADER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fastapi import FastAPI

    from sandbox.client import Sandbox
    from vtex_erp.ledger.entries import Run
    from vtex_erp.ledger.ledger import Ledger


@dataclass
class LoopWithHook(Loop):
    """The loop of a store whose settings have a hook."""

    def pull(self, run: Run) -> int:
        return pull_feed(self.ledger, TaskTry(run, "pull_feed"), self.vtex, bounds=PullBounds(), has_hook=True)


@pytest.fixture
def world(ledger: Ledger, sandbox: Sandbox) -> World:
    sandbox.switches(erp_unique=False, hook_https_only=False)
    world = World.make(ledger, sandbox)
    world.loop = LoopWithHook(**vars(world.loop))
    return world


@pytest.fixture
def url(world: World, tmp_path: Path) -> Iterator[str]:
    """The address of the endpoint, where the sandbox can call it."""
    from vtex_erp.web.hook.app import Hook, create_app
    from vtex_erp.web.hook.recorder import Recorder
    from vtex_erp.web.hook.stores import HookStores

    connections = Connections({"vtex_default": SECRET}, world.sandbox.account)
    recorder = Recorder(lambda: world.ledger, gather=0)
    with serving(create_app(Hook(HookStores(tmp_path / "stores.yaml", connections.settings), recorder))) as address:
        yield f"{address}/main"
        world.sandbox.reset()


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """Serve the app on a free port of this machine."""
    import uvicorn

    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


def configure(world: World, url: str, *, feed: bool, hook: bool) -> None:
    if not feed:
        world.sandbox.delete_feed()
    if hook:
        world.sandbox.configure_hook(url, headers={SECRET_HEADER: SECRET}, statuses=STATUSES)


def told(world: World) -> None:
    """Wait until the hook has told all."""
    settled(world.sandbox, lambda counters: counters["delivered"] == counters["events"])


@pytest.mark.parametrize(("feed", "hook"), [(True, True), (False, True), (True, False)])
def test_feed_and_hook_bring_each_order_once(world: World, url: str, feed: bool, hook: bool) -> None:
    configure(world, url, feed=feed, hook=hook)
    placed = []
    for seed in (1, 2):
        placed += world.sandbox.generate(12, seed=seed, kinds=["plain"])
        if hook:
            told(world)
        assert world.run() == {}
        world.time.sleep(60)  # VTEX takes its time to tell of the handling
    assert world.run() == {}
    assert world.creations() == {world.external_id(order): 1 for order in placed}
    assert set(world.handling_effects().values()) == {1}
    if feed:
        assert world.sandbox.feed_counters()["total"] == 0
    if hook:
        told(world)
        assert {event.deliveries for event in recorded(world.ledger)} == ({2} if feed else {1})


def test_the_feed_comes_later_than_the_hook(world: World, url: str) -> None:
    configure(world, url, feed=True, hook=True)
    placed = world.sandbox.generate(12, seed=1, kinds=["plain"])
    told(world)
    world.sandbox.add_fault("feed-config", status=404, times=1)
    assert world.run() == {}
    assert world.creations() == {world.external_id(order): 1 for order in placed}
    assert world.later() == {}
    world.assert_each_once(placed)


def test_a_notification_whose_answer_is_lost_comes_again(world: World, url: str) -> None:
    configure(world, url, feed=False, hook=True)
    placed = world.sandbox.generate(3, seed=1, kinds=["plain"])
    told(world)
    for order in placed:
        world.sandbox.emit(order.order_id, "ready-for-handling", copies=2)
    told(world)
    assert world.run() == {}
    assert world.creations() == {world.external_id(order): 1 for order in placed}
    assert set(world.handling_effects().values()) == {1}


def test_vtex_tries_again_until_the_ledger_is_back(world: World, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from vtex_erp.ledger import events

    configure(world, url, feed=False, hook=True)
    record, failures = events.record, iter([OSError("away")] * 5)

    def fail_at_first(*arguments: object, **settings: object) -> None:
        for failure in failures:
            raise failure
        record(*arguments, **settings)  # type: ignore[arg-type]

    monkeypatch.setattr(events, "record", fail_at_first)
    placed = world.sandbox.generate(3, seed=1, kinds=["plain"])
    while (counters := world.sandbox.hook_counters())["delivered"] < 3:
        world.sandbox.advance(10)
    assert counters["answers"]["503"] >= 3
    assert world.run() == {}
    assert world.creations() == {world.external_id(order): 1 for order in placed}


def test_a_wrong_secret_is_found_when_the_hook_is_configured(world: World, url: str) -> None:
    from sandbox.client import SandboxError

    with pytest.raises(SandboxError, match="400"):
        world.sandbox.configure_hook(url, headers={SECRET_HEADER: "wrong"})
    world.sandbox.switches(hook_ping_headers=False)
    world.sandbox.configure_hook(url, headers={SECRET_HEADER: SECRET})


def test_without_a_hook_a_missing_feed_stops_the_run(world: World, url: str) -> None:
    configure(world, url, feed=False, hook=False)
    world.loop = Loop(**vars(world.loop))
    assert isinstance(world.run()["pull_feed"], FeedNotConfiguredError)
