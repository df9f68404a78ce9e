"""The Tryton client against a real Tryton, on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.erp.conformance import ErpConformance

if TYPE_CHECKING:
    from tests.erp.tryton import TrytonRig

pytestmark = pytest.mark.xdist_group("tryton")


class TestTrytonErp(ErpConformance):
    @pytest.fixture
    def rig(self, tryton_rig: TrytonRig) -> TrytonRig:
        return tryton_rig
