"""The scrubbed real orders that lie next to the repository, where they do."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sales.checks import assert_exact
from vtex_erp.errors import ParkError
from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.schemas import VtexOrder

ORDERS = Path(__file__).parents[3] / "shared" / "vtex" / "orders"
PARKED = {"003": "masked-data", "005": "currency-unknown", "007": "currency-unknown"}
MAPPED = ["001", "002", "008", "016", "017", "018", "023", "031", "036", "039", "055"]

pytestmark = pytest.mark.skipif(not ORDERS.is_dir(), reason="the real orders are not part of the repository")


def read(name: str) -> VtexOrder:
    return VtexOrder.from_json((ORDERS / f"{name}.json").read_bytes())


def test_every_file_has_an_expectation():
    assert {path.stem for path in ORDERS.glob("*.json")} == {*PARKED, *MAPPED}


@pytest.mark.parametrize("name", MAPPED)
def test_a_real_order_is_mapped_and_agrees_with_vtex_totals(name):
    vtex_order = read(name)
    sales_order = map_order(vtex_order, account="store")
    assert_exact(sales_order, value=vtex_order.value)
    by_id = {total.id: total.value for total in vtex_order.totals}
    assert sales_order.totals.items * 100 == by_id["Items"]
    assert sales_order.totals.discounts * 100 == -by_id["Discounts"]
    assert sales_order.totals.other == 0


@pytest.mark.parametrize(("name", "cause"), PARKED.items())
def test_a_real_order_is_parked_for_its_cause(name, cause):
    with pytest.raises(ParkError) as caught:
        map_order(read(name), account="store")
    assert caught.value.cause == cause


def test_known_shapes():
    assert [len(line.components) for line in map_order(read("036"), account="a").lines] == [0, 0, 0, 0, 2]
    assert [line.is_gift for line in map_order(read("031"), account="a").lines].count(True) == 2
    assert map_order(read("017"), account="a").payments[0].may_be_shared
    assert map_order(read("008"), account="a").charges[0].name == "Embalagem para presente"
    assert map_order(read("023"), account="a").source.order_group is None
    assert map_order(read("016"), account="a").customer.type == "company"
