"""Orders of every kind in a real Tryton: its own total is VTEX's value to the cent, or the order is parked rightly."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sandbox.orders import KINDS, generate
from vtex_erp.errors import ParkError, VtexErpError
from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.order import VtexOrder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sandbox.tryton.proxy import Proxy
    from sandbox.tryton.server import Tryton
    from tests.erp.tryton import TrytonRig
    from vtex_erp.sales.model import SalesOrder

pytestmark = pytest.mark.xdist_group("tryton")

REAL_ORDERS = sorted((Path(__file__).parents[3] / "shared/vtex/orders").glob("*.json"))
GENERATED = 200
CAUSES = {
    "no-items": "no-items",
    "masked": "masked-data",
    "totals-mismatch": "totals-mismatch",
    "malformed-items-missing": "order-malformed",
    "malformed-items-type": "order-malformed",
    "malformed-value": "order-malformed",
}
"""Why an order of a kind that nobody can sell is parked; all others must be in Tryton."""


@dataclass(frozen=True)
class Taken:
    """What became of an order: its total in Tryton, or the cause why it is parked."""

    kind: str
    value: int | None
    sales_order: SalesOrder | None
    cause: str | None = None
    total: Decimal | None = None

    @property
    def is_right(self) -> bool:
        if self.sales_order is None or self.cause:
            return self.cause == CAUSES.get(self.kind)
        return self.value is not None and self.total == Decimal(self.value) / 100


def taken(kind: str, text: str) -> Taken:
    value = json.loads(text).get("value")
    try:
        order = map_order(VtexOrder.from_json(text), account="shop")
    except ParkError as error:
        return Taken(kind, None, None, error.cause)
    return Taken(kind, value, order)


def bring_in(rig: TrytonRig, orders: Iterable[Taken]) -> list[Taken]:
    orders = list(orders)
    rig.tryton.add_products(each.sales_order for each in orders if each.sales_order)

    mapped = [each.sales_order for each in orders if each.sales_order]
    batches = [mapped[start : start + 10] for start in range(0, len(mapped), 10)]
    with ThreadPoolExecutor(4) as pool:
        outcomes = [outcome for part in pool.map(rig.client.ensure_many, batches) for outcome in part]
    answers = iter(outcomes)
    done = [_answered(each, next(answers)) if each.sales_order else each for each in orders]
    totals = {sale["web_id"]: sale["total_amount"] for sale in rig.sales()}
    assert len(totals) == len(rig.sales())
    return [
        Taken(each.kind, each.value, each.sales_order, each.cause, totals.get(each.sales_order.external_id))
        if each.sales_order
        else each
        for each in done
    ]


def _answered(order: Taken, answer: str | VtexErpError) -> Taken:
    return replace(order, cause=answer.cause) if isinstance(answer, VtexErpError) else order


def table(orders: list[Taken]) -> str:
    counts = Counter((each.kind, each.cause or "in Tryton, total equal") for each in orders)
    return "\n".join(f"{count:4} {kind:24} {what}" for (kind, what), count in sorted(counts.items()))


@pytest.fixture
def rig(tryton_on_postgres: tuple[Tryton, Proxy]) -> TrytonRig:
    from tests.erp.tryton import TrytonRig

    return TrytonRig(*tryton_on_postgres, timeout_seconds=120)  # 500 lines take their time on a busy machine


def test_generated_orders_of_every_kind(rig: TrytonRig) -> None:
    often = [kind for kind in KINDS if kind != "huge"]
    documents = [*generate(GENERATED - 1, 11, often), *generate(1, 12, ["huge"])]
    done = bring_in(rig, (taken(each.kind, json.dumps(each.document)) for each in documents))
    print(f"\n{table(done)}")
    assert {each.kind for each in done} == set(KINDS)
    assert [each for each in done if not each.is_right] == []
    assert {sale["state"] for sale in rig.sales()} == {"confirmed"}


def test_real_orders(rig: TrytonRig) -> None:
    if not REAL_ORDERS:
        pytest.skip("there are no real orders in ../shared/vtex/orders")
    done = bring_in(rig, (taken(file.stem, file.read_text(encoding="utf-8")) for file in REAL_ORDERS))
    print(f"\n{table(done)}")
    parked = {each.kind: each.cause for each in done if each.cause}
    assert set(parked.values()) <= {"currency-unknown", "currency-not-in-erp:EUR", "masked-data"}
    assert [each for each in done if not each.cause and not each.is_right] == []
    assert len(parked) < len(done) / 2
