from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
import requests

if TYPE_CHECKING:
    from sandbox.client import Sandbox

EXTERNAL_ID = "sandboxstore:SCP-1/é 2-01"


def url(sandbox: Sandbox, external_id: str = EXTERNAL_ID) -> str:
    return f"{sandbox.erp_url}/sales-orders/{quote(external_id, safe='')}"


def put(sandbox: Sandbox, to: str = EXTERNAL_ID, /, **body: Any) -> requests.Response:
    return requests.put(url(sandbox, to), json=body, headers={"Idempotency-Key": quote(to)}, timeout=10)


def get(sandbox: Sandbox, **settings: Any) -> int:
    return requests.get(url(sandbox), timeout=10, **settings).status_code


def test_one_external_id_is_one_sales_order(sandbox: Sandbox):
    assert get(sandbox) == 404
    first = put(sandbox, totals={"total": "10.00"})
    again = put(sandbox, totals={"total": "11.00"})
    assert (first.status_code, again.status_code) == (201, 200)
    found = requests.get(url(sandbox), timeout=10).json()
    assert first.json() == again.json() == {"id": found["id"]}
    assert (found["total"], found["cancelled"]) == ("10.00", False)
    kept = sandbox.erp_orders()[EXTERNAL_ID]
    assert (kept["ids"], kept["creations"], kept["puts"], kept["differing_puts"]) == ([first.json()["id"]], 1, 2, 1)
    assert (kept["document"], kept["total"]) == ({"totals": {"total": "10.00"}}, "10.00")
    assert kept["key_headers"] == [quote(EXTERNAL_ID)] * 2
    assert sandbox.summary()["erp"] == {"orders": 1, "creations": 1, "duplicates": 0, "cancelled": 0}


def test_an_erp_that_can_only_search_makes_two(sandbox: Sandbox):
    sandbox.switches(erp_unique=False)
    assert put(sandbox).json() != put(sandbox).json()
    assert sandbox.erp_orders()[EXTERNAL_ID]["creations"] == 2
    assert sandbox.summary()["erp"]["duplicates"] == 1


def test_the_lookup_may_be_behind(sandbox: Sandbox):
    sandbox.switches(erp_lookup_lag_s=60)
    put(sandbox)
    assert get(sandbox) == 404
    sandbox.advance(60)
    assert get(sandbox) == 200


def test_the_bearer_token_is_checked(sandbox: Sandbox):
    sandbox.switches(erp_token="secret")
    assert put(sandbox).status_code == 401
    assert get(sandbox, headers={"Authorization": "Bearer wrong"}) == 401
    assert get(sandbox, headers={"Authorization": "Bearer secret"}) == 404
    assert sandbox.erp_orders() == {}


@pytest.mark.parametrize(
    "rule", [{"external_id": EXTERNAL_ID}, {"sku": "7"}, {"text": "Ana Exemplo"}, {"sku": "7", "text": "Ana"}]
)
def test_rules_refuse_what_they_describe(sandbox: Sandbox, rule: dict[str, str]):
    body = {"customer": {"name": "Ana Exemplo"}, "lines": [{"sku": "7"}]}
    sandbox.refuse(**rule, status=422, message="cannot bill {customer}")
    refused = put(sandbox, **body)
    assert refused.status_code == 422
    assert "Ana Exemplo" in refused.text
    assert put(sandbox, "sandboxstore:2-01", lines=[{"sku": "8"}]).status_code == 201
    sandbox.accept_all()
    assert put(sandbox, **body).status_code == 201


def test_bodies_that_are_no_sales_order(sandbox: Sandbox):
    assert put(sandbox, external_id="another").status_code == 400
    assert requests.put(url(sandbox), data="not json", timeout=10).status_code == 400
    assert requests.put(url(sandbox), json=[], timeout=10).status_code == 400
    assert sandbox.erp_orders() == {}


def cancel(sandbox: Sandbox) -> int:
    return requests.post(f"{url(sandbox)}/cancellation", json={"reason": "asked"}, timeout=10).status_code


def test_cancellation(sandbox: Sandbox):
    assert cancel(sandbox) == 404
    put(sandbox)
    assert cancel(sandbox) == 200
    assert cancel(sandbox) == 200
    kept = sandbox.erp_orders()[EXTERNAL_ID]
    assert (kept["cancelled"], kept["cancel_calls"], kept["cancel_reason"]) == (True, 2, "asked")


def test_cancellation_after_shipping_is_too_late(sandbox: Sandbox):
    put(sandbox)
    sandbox.ship(EXTERNAL_ID)
    assert cancel(sandbox) == 409
    assert sandbox.erp_orders()[EXTERNAL_ID]["cancelled"] is False


def test_a_lost_answer_leaves_the_sales_order_behind(sandbox: Sandbox):
    sandbox.add_fault("erp-put", "drop", effect="done", order_id=EXTERNAL_ID, times=1)
    with pytest.raises(requests.ConnectionError):
        put(sandbox)
    assert get(sandbox) == 200
    sandbox.add_fault("erp-get", status=500, times=1)
    assert get(sandbox) == 500
    assert [entry["effect"] for entry in sandbox.audit(family="erp-put")] == [True]
