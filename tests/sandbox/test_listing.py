from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.calls import ORDERS, READY, call, get_order, one_order

if TYPE_CHECKING:
    from sandbox.client import Sandbox

JANUARY = {"created_from": "2026-01-01T00:00:00Z", "created_to": "2026-01-31T00:00:00Z"}


def page(sandbox: Sandbox, **query: Any) -> dict[str, Any]:
    response = call(sandbox, "GET", ORDERS, params=query)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


def ids(answer: dict[str, Any]) -> list[str]:
    return [row["orderId"] for row in answer["list"]]


def test_paging_defaults_to_15_and_allows_100_rows_and_30_pages(sandbox: Sandbox):
    sandbox.generate(3050, kinds=["plain"], events=(), **JANUARY)
    assert len(page(sandbox)["list"]) == 15
    last = page(sandbox, page=30, per_page=500)
    assert len(last["list"]) == 100
    assert last["paging"] == {"total": 3050, "pages": 31, "currentPage": 30, "perPage": 100}
    assert call(sandbox, "GET", ORDERS, params={"page": 31}).status_code == 400
    assert call(sandbox, "GET", ORDERS, params={"page": 0}).status_code == 400


def test_all_orders_are_found_once_in_the_order_asked_for(sandbox: Sandbox):
    placed = [each.order_id for each in sandbox.generate(40, kinds=["plain"], events=(), **JANUARY)]
    asked = {"orderBy": "creationDate,asc", "per_page": 15}
    found = [each for number in (1, 2, 3) for each in ids(page(sandbox, page=number, **asked))]
    assert found == placed
    assert ids(page(sandbox)) == placed[:-16:-1]
    assert ids(page(sandbox, orderBy="orderId,asc", per_page=100)) == sorted(placed)
    by_value = page(sandbox, orderBy="totalValue,desc", per_page=100)["list"]
    values = [row["totalValue"] for row in by_value]
    assert values == sorted(values, reverse=True)


def test_date_ranges_include_their_ends(sandbox: Sandbox):
    days = [f"2026-01-0{day}T00:00:00.000Z" for day in range(1, 6)]
    sandbox.place(
        [{"orderId": f"{at[8:10]}-01", "status": READY, "creationDate": at, "authorizedDate": at} for at in days]
    )
    for name in ("creationDate", "authorizedDate"):
        found = page(sandbox, **{f"f_{name}": f"{name}:[{days[1]} TO {days[3]}]"}, orderBy="creationDate,asc")
        assert ids(found) == ["02-01", "03-01", "04-01"]
    assert ids(page(sandbox, f_invoicedDate=f"invoicedDate:[{days[0]} TO {days[4]}]")) == []


@pytest.mark.parametrize(
    "query",
    [
        {"f_creationDate": "2026-01-01"},
        {"f_creationDate": "authorizedDate:[2026-01-01 TO 2026-01-02]"},
        {"f_creationDate": "creationDate:[then TO now]"},
        {"orderBy": "colour,asc"},
        {"page": "first"},
    ],
)
def test_what_the_list_does_not_understand(sandbox: Sandbox, query: dict[str, str]):
    assert call(sandbox, "GET", ORDERS, params=query).status_code == 400


def test_statuses_filter_by_the_lists_own_vocabulary(sandbox: Sandbox):
    for seed, status in ((1, READY), (2, "handling"), (3, "window-to-cancel")):
        one_order(sandbox, seed=seed, status=status)
    assert len(page(sandbox)["list"]) == 3
    assert [row["status"] for row in page(sandbox, f_status=READY)["list"]] == [READY]
    assert len(page(sandbox, f_status=f"{READY},handling")["list"]) == 2
    assert page(sandbox, f_status="window-to-cancel")["list"] == []
    sandbox.switches(f_status_many="400")
    assert call(sandbox, "GET", ORDERS, params={"f_status": "handling,invoiced"}).status_code == 400


def test_incomplete_orders_are_hidden_unless_asked_for(sandbox: Sandbox):
    sandbox.generate(1, kinds=["incomplete"])
    assert page(sandbox)["list"] == []
    assert [row["orderIsComplete"] for row in page(sandbox, incompleteOrders="true")["list"]] == [False]


def test_the_index_is_four_minutes_behind(sandbox: Sandbox):
    order_id = one_order(sandbox, created_to=sandbox.now())
    assert page(sandbox)["list"] == []
    sandbox.advance(241)
    assert ids(page(sandbox)) == [order_id]
    sandbox.move(order_id, "handling")
    assert page(sandbox)["list"][0]["status"] == READY
    assert get_order(sandbox, order_id)["status"] == "handling"
    sandbox.advance(241)
    assert page(sandbox)["list"][0]["status"] == "handling"


def test_a_listed_status_may_stay_behind_for_ever(sandbox: Sandbox):
    sandbox.switches(stale_status_p=1)
    order_id = one_order(sandbox)
    sandbox.move(order_id, "handling")
    sandbox.advance(100_000)
    assert page(sandbox)["list"][0]["status"] == READY


def test_a_row_may_slip_by(sandbox: Sandbox):
    placed = [each.order_id for each in sandbox.generate(4, kinds=["plain"])]
    sandbox.switches(list_rows_move_p=1)
    assert ids(page(sandbox, per_page=2, orderBy="creationDate,asc")) == placed[1:3]


def test_a_row_has_vtexs_odd_names_and_a_float(sandbox: Sandbox):
    order_id = one_order(sandbox)
    [row] = page(sandbox)["list"]
    assert isinstance(row["totalValue"], float)
    assert row["totalValue"] == get_order(sandbox, order_id)["value"]
    assert row["items"] is None
    assert {"marketPlaceOrderId", "ShippingEstimatedDateMax", "workflowInErrorState"} <= row.keys()


def test_broken_documents_are_listed_too(sandbox: Sandbox):
    sandbox.generate(3, kinds=["malformed-items-missing", "malformed-items-type", "malformed-value"])
    sandbox.place([{"orderId": "bare-01", "status": READY, "creationDate": "2026-01-01"}])
    assert len(page(sandbox)["list"]) == 4
