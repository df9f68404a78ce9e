from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.erp.conformance import ID, ErpConformance, ErpRig, ensure_at_last
from tests.erp.orders import sales_order
from vtex_erp.erp.rest import RestErpClient, RestErpSettings

if TYPE_CHECKING:
    from sandbox.client import Sandbox
    from vtex_erp.erp.protocol import ErpClient

TOKEN = "an-erp-token"


class RestRig:
    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        sandbox.switches(erp_token=TOKEN)
        self.client: ErpClient = RestErpClient(RestErpSettings(sandbox.erp_url, f"Bearer {TOKEN}", timeout_seconds=5))

    def creations(self, external_id: str) -> int:
        order = self._sandbox.erp_orders().get(external_id)
        return len(order["ids"]) if order else 0

    def lose_next_answer(self) -> None:
        self._sandbox.add_fault("erp-put", "drop", effect="done", times=1)

    def hiccup_once(self) -> None:
        self._sandbox.add_fault("erp-put", status=503, times=1)
        self._sandbox.add_fault("erp-cancel", status=503, times=1)

    def refuse(self, external_id: str) -> None:
        self._sandbox.refuse(external_id=external_id, status=422, message="no such article")

    def go_dark(self) -> None:
        self._sandbox.add_fault("erp-get", "html", status=502)

    def lock_out(self) -> None:
        self._sandbox.switches(erp_token="another-token")

    def ship(self, external_id: str) -> None:
        self._sandbox.ship(external_id)


class TestRestErp(ErpConformance):
    @pytest.fixture
    def rig(self, sandbox: Sandbox) -> ErpRig:
        return RestRig(sandbox)

    def test_the_idempotency_key_is_sent(self, sandbox: Sandbox, rig: ErpRig) -> None:
        rig.client.ensure(sales_order("123-01"))
        assert sandbox.erp_orders()["shop:123-01"]["key_headers"] == ["shop:123-01"]

    @pytest.mark.parametrize("action", ["html", "truncated", "drop"])
    @pytest.mark.parametrize("effect", ["none", "done"])
    def test_any_broken_answer_ends_in_one_order(self, sandbox: Sandbox, rig: ErpRig, action: str, effect: str) -> None:
        sandbox.add_fault("erp-put", action, effect=effect, times=2, status=200 if action == "html" else 503)
        assert ensure_at_last(rig.client)
        assert rig.creations(ID) == 1
