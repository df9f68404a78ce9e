"""Every kind of order that the sandbox can invent: mapped to the cent, or parked for its own cause."""

from __future__ import annotations

import json

import pytest

from sandbox.orders import KINDS, POISON_KINDS, generate
from tests.sales.checks import assert_exact
from vtex_erp.errors import ParkError
from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.schemas import VtexOrder

CAUSES = {
    "masked": "masked-data",
    "totals-mismatch": "totals-mismatch",
    "malformed-items-missing": "order-malformed",
    "malformed-items-type": "order-malformed",
    "malformed-value": "order-malformed",
    "no-items": "no-items",
}


def documents(kind: str) -> list[str]:
    generated = [each for seed in range(3) for each in generate(2, seed, kinds=[kind])]
    return [json.dumps(each.document) for each in generated if each.kind == kind]


def test_every_poison_kind_has_its_cause():
    assert set(CAUSES) >= POISON_KINDS


@pytest.mark.parametrize("kind", sorted(set(KINDS) - set(CAUSES)))
def test_a_good_order_is_mapped(kind):
    for document in documents(kind):
        vtex_order = VtexOrder.from_json(document)
        sales_order = map_order(vtex_order, account="store")
        assert_exact(sales_order, value=vtex_order.value)
        assert len({line.line_id for line in sales_order.lines}) == len(vtex_order.items)


@pytest.mark.parametrize("kind", sorted(CAUSES))
def test_an_order_beyond_help_is_parked(kind):
    for document in documents(kind):
        with pytest.raises(ParkError) as caught:
            map_order(VtexOrder.from_json(document), account="store")
        assert caught.value.cause == CAUSES[kind]
