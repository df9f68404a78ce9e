from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.orders.generator import generate
from vtex_erp.errors import ParkError
from vtex_erp.sales.leaves import leaves
from vtex_erp.sales.mapping import map_order
from vtex_erp.sales.provenance import SOURCES, any_entry, comes_from
from vtex_erp.vtex.order import VtexOrder

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = ["promotion", "corporate", "pickup", "kit", "marketplace", "gift-wrapping", "tax", "surcharge", "two-payments"]


def mapped(document: Any) -> dict[str, list[Any]]:
    order = map_order(VtexOrder.from_json(json.dumps(document)), account="store").model_dump(mode="json")
    found: dict[str, list[Any]] = {}
    for path, value in leaves(order):
        found.setdefault(any_entry(path), []).append(value)
    return found


def others(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        return [value + 1, 0]
    return [f"{value or ''}x", "2031-05-06T07:08:09+00:00", "2", None]


def changed_documents(document: Any) -> Iterator[tuple[str, Any]]:
    changed = copy.deepcopy(document)
    for path, value in leaves(document):
        for other in others(value):
            *way, last = path.replace("]", "").replace("[", ".").split(".")
            place = changed
            for step in way:
                place = place[int(step)] if isinstance(place, list) else place[step]
            key = int(last) if isinstance(place, list) else last
            place[key] = other
            yield path, changed
            place[key] = value


@pytest.mark.parametrize("kind", KINDS)
def test_every_change_of_the_sales_order_is_declared(kind: str) -> None:
    document = generate(1, 5, [kind])[0].document
    before = mapped(document)
    seen, undeclared = set(), set()
    for path, changed in changed_documents(document):
        try:
            after = mapped(changed)
        except ParkError:
            continue
        fields = {field for field in before.keys() | after.keys() if before.get(field) != after.get(field)}
        seen |= fields
        undeclared |= {(field, any_entry(path)) for field in fields if not comes_from(field, path)}
    assert len(seen) > 20
    assert undeclared == set()


def test_every_field_is_declared() -> None:
    fields = {any_entry(path) for kind in KINDS for path in mapped(generate(1, 5, [kind])[0].document)}
    assert fields - set(SOURCES) == set()
