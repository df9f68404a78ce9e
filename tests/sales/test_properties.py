"""Whatever the document: a sales order whose amounts are proven, or ParkError. Nothing else."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.sales.checks import assert_exact
from tests.sales.orders import item, mapped, order, totals, weighed
from vtex_erp.errors import ParkError
from vtex_erp.sales.mapping import map_order
from vtex_erp.sales.model import SalesOrder
from vtex_erp.vtex.schemas import VtexOrder

CAUSES = {"no-items", "masked-data", "currency-unknown", "totals-mismatch", "order-malformed"}
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["***", "1e5"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def paths(value: Any, prefix: tuple = ()) -> list[tuple]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [prefix, *(path for key, inner in entries for path in paths(inner, (*prefix, key)))]


RICH = order(
    [
        item(off=100, bundleItems=[item(8, price=0)], components=[item(7)]),
        weighed(1),
        item(2, price=100, off=100, isGift=True),
    ]
)
PATHS = [path for path in paths(RICH) if path]


def put(document: dict, path: tuple, value: Any) -> None:
    """Set the value at `path`, unless an earlier change took that path away."""
    parent: Any = document
    with contextlib.suppress(KeyError, IndexError, TypeError):
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = value


def mapped_or_parked(text: str) -> SalesOrder | None:
    try:
        vtex_order = VtexOrder.from_json(text)
        sales_order = map_order(vtex_order, account="store")
    except ParkError as error:
        parked = error.cause
    else:
        parked = None
    if parked is not None:
        assert parked in CAUSES
        return None
    assert_exact(sales_order, value=vtex_order.value)
    assert SalesOrder.from_json(sales_order.to_json()) == sales_order
    return sales_order


@QUICK
@given(changes=st.lists(st.tuples(st.sampled_from(PATHS), JSON), min_size=1, max_size=4))
def test_a_mutated_document_is_proven_or_parked(changes):
    document = copy.deepcopy(RICH)
    for path, value in changes:
        put(document, path, value)
    mapped_or_parked(json.dumps(document))


@QUICK
@given(document=JSON)
def test_any_json_is_parked_or_mapped(document):
    mapped_or_parked(json.dumps(document))


@QUICK
@given(
    lines=st.lists(
        st.tuples(
            st.integers(0, 10**7),
            st.integers(1, 500),
            st.integers(0, 10**6),
            st.decimals("0.001", "25", places=3),
            st.integers(-50, 50),
        ),
        min_size=1,
        max_size=6,
    ),
    shipping=st.integers(0, 10**5),
    extra=st.integers(-1000, 1000),
)
def test_orders_that_add_up_are_mapped(lines, shipping, extra):
    """Weight goods, discounts, surcharges and unknown totals; VTEX rounds its definition its own way."""
    items, gross, net = [], 0, 0
    for index, (price, quantity, off, multiplier, jitter) in enumerate(lines):
        listed = int(price * quantity * multiplier)
        total = listed - min(off, listed) + jitter
        assume(total >= 0)
        items.append(
            item(index, price=price, quantity=quantity, off=min(off, listed))
            | {"unitMultiplier": float(multiplier), "priceDefinition": {"total": total}}
        )
        gross, net = gross + listed, net + total
    value = net + shipping + extra
    entries = totals(("Items", gross), ("Discounts", net - gross), ("Shipping", shipping), ("Fee", extra))
    sales_order = mapped(order(items, value=value, totals=entries))
    assert_exact(sales_order, value=value)
