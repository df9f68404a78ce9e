"""The loop on an account with data protection, whose orders answer under other endpoints only."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.world import World

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from vtex_erp.ledger.ledger import Ledger


@pytest.fixture
def protected(ledger: Ledger, sandbox: Sandbox) -> World:
    sandbox.switches(data_protection=True)
    return World.make(ledger, sandbox, data_protection=True, reason="fulfilment")


def test_orders_go_into_the_erp_once_and_each_read_gives_the_reason(protected: World):
    placed = protected.sandbox.generate(12, seed=1, kinds=["plain", "corporate", "pickup", "split-group"])
    assert protected.run() == {}
    assert protected.later() == {}
    protected.assert_each_once(placed)
    assert "*" not in str(protected.sandbox.erp_orders())
    reads = protected.sandbox.audit(family="get-order")
    assert {(call["status"], call["reason"]) for call in reads} == {(200, "fulfilment")}


def test_orders_that_stay_masked_are_parked(protected: World):
    sandbox = protected.sandbox
    sandbox.switches(clear_data_needs_profile_right=True)
    orders_only = ["Feed v3 and Hook Admin", "View order", "Change order workflow status"]
    sandbox.key(sandbox.app_key, sandbox.app_token, resources=orders_only)
    placed = sandbox.generate(3, kinds=["plain"])
    assert "masked-data" in str(protected.run()["map_orders"])
    assert protected.stages() == {"parked": len(placed)}
    assert protected.creations() == {}
