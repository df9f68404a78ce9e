"""Kill the worker before and after every request and every ledger write, then look at what VTEX and the ERP hold.

n, the point at which the worker dies, counts up until a run gets through alive.
"""

from __future__ import annotations

import itertools
from collections import Counter
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.killed import run_until_killed
from tests.pipeline.loop import Loop, clients
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.ledger import Ledger, open_ledger, utc_now

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from tests.pipeline.killed import Killer

ORDERS = 2
VISIBILITY = 120


@pytest.mark.parametrize(
    ("story", "recovery", "fewest_points"),
    [
        ("new orders", "the run is cleared", 50),
        ("new orders", "the next run takes over", 50),
        ("orders cancelled in VTEX", "the next run takes over", 25),
    ],
)
def test_a_kill_at_any_point_changes_nothing_that_was_right(
    database: str, document_key: str, sandbox: Sandbox, story: str, recovery: str, fewest_points: int
) -> None:
    clock_offset = timedelta(0)
    ledger = open_ledger(database, cipher=DocumentCipher([document_key]), clock=lambda: utc_now() + clock_offset)
    points = 0
    for at in itertools.count(1):
        sandbox.reset()
        # An ERP that would create an order twice if it were sent twice: nobody hides our mistakes.
        sandbox.switches(erp_unique=False, async_delay_s=0)
        sandbox.configure_feed(visibility_timeout=VISIBILITY, statuses=["ready-for-handling", "canceled"])
        placed = sandbox.generate(ORDERS, seed=at, kinds=["plain"])
        vtex, erp = clients(sandbox, sandbox.advance)
        loop = Loop(ledger, vtex, erp, sandbox.account, sleep=sandbox.advance)
        if story == "new orders":
            sandbox.emit(placed[0].order_id, "ready-for-handling", copies=2)
        else:
            assert loop.run("before") == {}
            for order in placed:
                sandbox.move(order.order_id, "canceled")
        ledger.engine.dispose()
        if not run_until_killed(partial(_run, database, document_key, sandbox), at, before=True):
            break
        points = at
        if recovery == "the run is cleared":
            assert loop.run("killed") == {}, f"point {at}"
        # What the dead worker had pulled and not written down comes back; its leases run out.
        sandbox.advance(VISIBILITY + 1)
        clock_offset += timedelta(hours=2)
        for number in range(2):
            assert loop.run(f"after {at}.{number}") == {}, f"point {at}"
            sandbox.advance(VISIBILITY + 1)
        _assert_each_order_once(sandbox, placed, at, cancelled=story != "new orders")
        _empty(ledger)
    ledger.close()
    assert points > fewest_points  # a matrix that shrinks has lost its points


def _run(database: str, key: str, sandbox: Sandbox, killer: Killer) -> None:
    ledger = killer.watched(open_ledger(database, cipher=DocumentCipher([key])))
    vtex, erp = clients(sandbox, lambda _seconds: None, concurrency=1)
    errors = Loop(ledger, vtex, erp, sandbox.account).run("killed")
    assert errors == {}, errors


def _assert_each_order_once(sandbox: Sandbox, placed: list[Any], at: int, *, cancelled: bool) -> None:
    held = {name: (order["creations"], order["cancelled"]) for name, order in sandbox.erp_orders().items()}
    assert held == {f"{sandbox.account}:{order.order_id}": (1, cancelled) for order in placed}, f"point {at}"
    effects = Counter(order["start_handling_effects"] for order in sandbox.summary()["orders"].values())
    assert effects == {1: ORDERS}, f"point {at}"
    assert sandbox.feed_counters()["total"] == 0, f"point {at}"


def _empty(ledger: Ledger) -> None:
    from vtex_erp.ledger.tables import metadata

    with ledger.write() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
