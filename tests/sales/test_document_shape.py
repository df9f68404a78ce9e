"""The order in the shape of accounts with data protection gives the sales order of the usual shape."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.orders import KINDS, generate
from sandbox.vtex.masking import mask_document
from sandbox.vtex.orders import from_document
from sandbox.vtex.pii import pii_document
from tests.sales.checks import assert_exact
from vtex_erp.errors import ParkError
from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.schemas import OrderHead, VtexOrder

if TYPE_CHECKING:
    from vtex_erp.sales.model import SalesOrder

EXAMPLE = Path(__file__).resolve().parents[3] / "shared" / "vtex" / "examples" / "order-04-pii-document.json"


def both_shapes(kind: str) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    made = [each.document for seed in range(3) for each in generate(2, seed, kinds=[kind])]
    return [(each, pii_document(from_document(each, kind=kind, now=0))) for each in made]


def mapped(document: dict[str, Any]) -> SalesOrder | str:
    """The sales order, or the cause for which there is none."""
    try:
        return map_order(VtexOrder.from_json(json.dumps(document)), account="store")
    except ParkError as error:
        return error.cause


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_both_shapes_give_the_same_sales_order(kind: str):
    for plain, document in both_shapes(kind):
        one, other = mapped(plain), mapped(document)
        assert type(one) is type(other)
        if isinstance(one, str) or isinstance(other, str):
            assert one == other
        else:
            assert json.loads(other.model_dump_json()) == json.loads(one.model_dump_json())


def head(document: dict[str, Any]) -> OrderHead | str:
    try:
        return OrderHead.from_json(json.dumps(document))
    except ParkError as error:
        return error.cause


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_both_shapes_have_the_same_head(kind: str):
    for plain, document in both_shapes(kind):
        assert head(plain) == head(document)


@pytest.mark.parametrize("kind", ["plain", "corporate", "pickup", "many-deliveries"])
def test_masked_documents_are_parked(kind: str):
    for _, document in both_shapes(kind):
        assert mapped(mask_document(document)) == "masked-data"


@pytest.mark.skipif(not EXAMPLE.is_file(), reason="VTEX's examples are not part of the repository")
def test_vtex_s_own_document_is_mapped_to_the_cent():
    document = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    sales_order = mapped(document)
    assert not isinstance(sales_order, str)
    assert_exact(sales_order, value=19900)
    assert sales_order.placed_at.isoformat() == "2024-09-05T15:00:17.318997+00:00"
    assert (sales_order.source.order_id, sales_order.lines[0].quantity) == ("v70530116str-01", 2)
