"""The loop with a real Tryton as the ERP: killed at each call, with every call failing, and with late ones."""

from __future__ import annotations

import itertools
import json
import re
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.orders import generate
from tests.erp.tryton import CREATE_PARTY, CREATE_SALE, TrytonRig
from tests.pipeline import test_by_date
from tests.pipeline.killed import run_until_killed
from tests.pipeline.test_reconcile import kinds
from tests.pipeline.world import World
from vtex_erp.erp.tryton.client import TrytonErpClient
from vtex_erp.ledger.claims import LedgerClaims
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.ledger import Ledger, open_ledger, utc_now
from vtex_erp.ledger.plans import BatchSizes
from vtex_erp.ledger.reconciliations import Kind
from vtex_erp.ledger.tables import metadata
from vtex_erp.pipeline.submit_orders import submit_orders
from vtex_erp.sales.mapping import map_order
from vtex_erp.vtex.order import VtexOrder

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.client import PlacedOrder, Sandbox
    from sandbox.tryton.proxy import Proxy
    from sandbox.tryton.server import Tryton
    from tests.pipeline.killed import Killer

pytestmark = pytest.mark.xdist_group("tryton")

MOST_RUNS = 25
FAULTS: dict[str, dict[str, Any]] = {
    "500 after the effect": {"status": 500, "effect": "done"},
    "503": {"status": 503},
    "429": {"status": 429, "headers": {"Retry-After": "7"}},
    "a log-in page": {"action": "html", "status": 200},
    "a cut answer": {"action": "truncated"},
    "a cut connection": {"action": "drop"},
    "a lost answer": {"action": "drop", "effect": "done"},
}


@pytest.fixture
def rig(tryton_on_postgres: tuple[Tryton, Proxy]) -> TrytonRig:
    return TrytonRig(*tryton_on_postgres)


def add_products(rig: TrytonRig, sandbox: Sandbox, count: int, *, seed: int) -> None:
    documents = generate(count, seed, ["plain"], account=sandbox.account)
    made = (VtexOrder.from_json(json.dumps(each.document)) for each in documents)
    rig.tryton.add_products([map_order(order, account=sandbox.account) for order in made])


def place(rig: TrytonRig, sandbox: Sandbox, count: int, *, seed: int) -> list[PlacedOrder]:
    add_products(rig, sandbox, count, seed=seed)
    return sandbox.generate(count, seed=seed, kinds=["plain"])


def world_with_tryton(rig: TrytonRig, ledger: Ledger, sandbox: Sandbox) -> World:
    world = World.make(ledger, sandbox)
    moved = world.time
    claims = LedgerClaims(world.ledger)
    world.loop.erp = TrytonErpClient(rig.settings, claims=claims, clock=moved.monotonic, sleep=moved.sleep)
    return world


def assert_each_is_one_confirmed_sale(rig: TrytonRig, world: World, placed: list[PlacedOrder], where: str = "") -> None:
    wanted = {world.external_id(order) for order in placed}
    sales = [(sale["web_id"], sale["state"]) for sale in rig.sales() if sale["web_id"] in wanted]
    assert sorted(sales) == [(external_id, "confirmed") for external_id in sorted(wanted)], where
    effects = world.handling_effects()
    assert {effects[order.order_id] for order in placed} == {1}, where


def test_orders_share_the_calls_that_make_customers_and_drafts(
    tmp_path: Path, document_key: str, sandbox: Sandbox, rig: TrytonRig
) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db", cipher=DocumentCipher([document_key]))
    world = world_with_tryton(rig, ledger, sandbox)
    world.loop.erp.concurrency = 2
    placed = place(rig, sandbox, 20, seed=77)
    assert world.run() == {}
    made = Counter(route for call in rig.proxy.calls for route in (CREATE_PARTY, CREATE_SALE) if re.search(route, call))
    assert made == {CREATE_PARTY: 2, CREATE_SALE: 2}
    assert len(rig.proxy.calls) < 4 * len(placed)
    assert_each_is_one_confirmed_sale(rig, world, placed)
    ledger.close()


def test_two_workers_with_ten_orders_of_one_new_customer_make_one_party(
    ledger: Ledger, sandbox: Sandbox, rig: TrytonRig
) -> None:
    world = world_with_tryton(rig, ledger, sandbox)
    world.loop.sizes = BatchSizes(at_once=2, smallest=1)
    documents = [each.document for each in generate(10, 78, ["plain"], account=sandbox.account)]
    shopper = documents[0]["clientProfileData"]
    add_products(rig, sandbox, 10, seed=78)
    placed = sandbox.place([{**each, "clientProfileData": shopper} for each in documents])
    world.begin()
    run = world.task("submit_orders").run
    batches = range(len(world.loop.deduplicate(run).batches))
    for batch in batches:
        world.loop.batch(run, batch, until="map_orders")

    def work(batch: int) -> int:
        client = TrytonErpClient(rig.settings, claims=LedgerClaims(world.ledger))
        report = submit_orders(world.ledger, world.task("submit_orders", batch=batch), client)
        report.raise_failures()
        return report.counts()["submitted"]

    assert len(batches) > 1
    with ThreadPoolExecutor(len(batches)) as pool:
        assert sum(pool.map(work, batches)) == 10
    assert world.later() == {}
    assert_each_is_one_confirmed_sale(rig, world, placed)
    (party,) = {sale["party"] for sale in rig.sales()}
    assert [each["id"] for each in rig.parties(shopper["document"])] == [party]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_order_gets_through_once_whatever_fails(
    tmp_path: Path, document_key: str, sandbox: Sandbox, rig: TrytonRig, fault: str
) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db", cipher=DocumentCipher([document_key]))
    world = world_with_tryton(rig, ledger, sandbox)
    placed = place(rig, sandbox, 3, seed=len(fault))
    struck = rig.proxy.fail("/rest/", **{"probability": 0.15, **FAULTS[fault]})
    while world.runs < MOST_RUNS and world.stages() != {"handling": 3}:
        world.later()
    rig.proxy.heal()
    assert struck.hits
    world.later()
    assert_each_is_one_confirmed_sale(rig, world, placed)
    ledger.close()


def test_a_draft_is_not_taken_for_an_order(tmp_path: Path, document_key: str, sandbox: Sandbox, rig: TrytonRig) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db", cipher=DocumentCipher([document_key]))
    world = world_with_tryton(rig, ledger, sandbox)
    placed = place(rig, sandbox, 2, seed=5)
    rig.proxy.fail(CREATE_SALE, "drop", effect="done", times=2)
    assert world.run() == {}
    assert_each_is_one_confirmed_sale(rig, world, placed)
    assert "half-made in the ERP as draft" in str(world.history(placed[0].order_id))
    ledger.close()


def test_tryton_makes_the_sale_long_after_we_gave_up(
    tmp_path: Path, document_key: str, sandbox: Sandbox, rig: TrytonRig
) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db", cipher=DocumentCipher([document_key]))
    world = world_with_tryton(rig, ledger, sandbox)
    placed = place(rig, sandbox, 2, seed=3)
    rig.proxy.fail(CREATE_SALE, "drop", effect="late", times=2)
    world.run()
    world.later()
    rig.proxy.let_late_ones_through()
    world.later()
    assert_each_is_one_confirmed_sale(rig, world, placed)
    ledger.close()


def test_a_sale_that_a_person_has_put_back_to_draft_is_reported(
    tmp_path: Path, document_key: str, sandbox: Sandbox, rig: TrytonRig
) -> None:
    ledger = open_ledger(f"sqlite:///{tmp_path}/ledger.db", cipher=DocumentCipher([document_key]))
    world = world_with_tryton(rig, ledger, sandbox)
    add_products(rig, sandbox, 3, seed=21)
    placed = test_by_date.place(world, 3, seed=21)
    assert test_by_date.run_day(world) == {}
    assert kinds(world, "before") == {}
    draft = rig.sale(world.external_id(placed[0]))["id"]
    rig.tryton.admin.press("sale.sale", draft, "draft", [], "put it back", company=1)
    rig.proxy.calls.clear()
    assert kinds(world) == {placed[0].order_id: Kind.DRAFT_IN_ERP}
    assert len([call for call in rig.proxy.calls if "/sale.sale/search_read" in call]) == 1
    ledger.close()


def _submit(world: World, rig: TrytonRig, database: str, key: str, killer: Killer) -> None:
    ledger = killer.watched(open_ledger(database, cipher=DocumentCipher([key]), clock=world.ledger.clock))
    client = TrytonErpClient(rig.settings, claims=LedgerClaims(ledger))
    client.concurrency = 1  # so that both orders go in one call
    submit_orders(ledger, world.task("submit_orders"), client).raise_failures()


def test_a_kill_at_any_call_leaves_one_confirmed_sale_an_order(
    tmp_path: Path, document_key: str, sandbox: Sandbox, rig: TrytonRig
) -> None:
    passed = timedelta(0)
    database = f"sqlite:///{tmp_path}/ledger.db"
    ledger = open_ledger(database, cipher=DocumentCipher([document_key]), clock=lambda: utc_now() + passed)
    killed = 0
    for at in itertools.count(1):
        sandbox.reset()
        world = world_with_tryton(rig, ledger, sandbox)
        placed = place(rig, sandbox, 2, seed=at)
        world.begin()
        world.loop.batch(world.task("map_orders").run, 0, until="map_orders")
        ledger.engine.dispose()
        rig.proxy.calls.clear()
        if not run_until_killed(partial(_submit, world, rig, database, document_key), at):
            assert len([call for call in rig.proxy.calls if re.search(CREATE_SALE, call)]) == 1
            break
        killed = at
        # The dead worker may hold a customer's claim: then the order is left to a later run.
        world.loop.batch(world.task("submit_orders").run, 0)
        passed += timedelta(hours=2)
        assert world.later() == {}, f"point {at}"
        assert_each_is_one_confirmed_sale(rig, world, placed, f"point {at}")
        with ledger.write() as connection:
            for table in reversed(metadata.sorted_tables):
                connection.execute(table.delete())
    ledger.close()
    assert killed > 15  # a matrix that shrinks has lost its points
