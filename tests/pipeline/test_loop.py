"""The loop's effects at VTEX and in the ERP."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.loop import STATUSES, Loop, clients

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from vtex_erp.ledger.ledger import Ledger


@pytest.fixture
def loop(ledger: Ledger, sandbox: Sandbox) -> Loop:
    """A loop on an empty ledger, with a feed of two minutes' visibility; its pauses move VTEX's clock instead."""
    sandbox.configure_feed(visibility_timeout=120, statuses=STATUSES)
    vtex, erp = clients(sandbox, sandbox.advance)
    return Loop(ledger, vtex, erp, sandbox.account, sleep=sandbox.advance)


def test_orders_go_from_the_feed_into_the_erp_once(loop: Loop, sandbox: Sandbox) -> None:
    placed = sandbox.generate(12, seed=1, kinds=["plain"])
    assert loop.run() == {}
    held = sandbox.erp_orders()
    assert {f"{sandbox.account}:{order.order_id}" for order in placed} == set(held)
    assert {order["creations"] for order in held.values()} == {1}
    summary = sandbox.summary()
    assert {order["start_handling_effects"] for order in summary["orders"].values()} == {1}
    # The events of the orders' new status, handling, are for the next run; VTEX takes seconds to make them.
    sandbox.advance(60)
    assert loop.run("next") == {}
    assert sandbox.feed_counters()["total"] == 0
