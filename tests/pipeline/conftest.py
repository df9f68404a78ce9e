"""Fixtures for the pipeline's tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.pipeline.world import World

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from vtex_erp.ledger.ledger import Ledger


@pytest.fixture
def world(ledger: Ledger, sandbox: Sandbox) -> World:
    """An ERP that would show an order that was sent twice, a feed of two minutes' visibility, an empty ledger."""
    sandbox.switches(erp_unique=False)
    return World.make(ledger, sandbox)
