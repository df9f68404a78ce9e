"""A shopper's data go to the ERP and into encrypted documents, and nowhere else."""

from __future__ import annotations

import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from tests.pipeline.world import vtex_client
from vtex_erp.ledger.tables import documents, metadata

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.client import PlacedOrder, Sandbox
    from tests.pipeline.world import World

FIRST, LAST = "Zacharias", "Quuxworthy"
MAIL = "zq.private@example.com"
DOCUMENT, PHONE, STREET = "98765432100", "+5511912345678", "Rua do Segredo Guardado"
TRACES = ("zacha", "quuxworthy", "zq.private", DOCUMENT, "912345678", "segredo guardado", "987.654.321-00")


class Captured(logging.Handler):
    """Everything that was logged, as a formatter with tracebacks would write it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(logging.Formatter().format(record) + repr(record.args))


@pytest.fixture
def logged() -> Iterator[Captured]:
    handler, root = Captured(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


def _place(world: World, count: int = 1, **changes: Any) -> list[PlacedOrder]:
    """Orders of one shopper whom we would recognise anywhere."""
    drafts = world.sandbox.generate(count, seed=1, kinds=["plain"], events=[])
    return world.sandbox.place([_planted(world, draft.order_id) | changes for draft in drafts])


def _planted(world: World, order_id: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(world.loop.vtex.get_order(order_id))
    document["clientProfileData"] |= {
        "firstName": FIRST,
        "lastName": LAST,
        "email": f"{MAIL}-123456789012b.ct.vtex.com.br",
        "document": DOCUMENT,
        "phone": PHONE,
    }
    document["shippingData"]["address"] |= {"receiverName": f"{FIRST} {LAST}", "street": STREET}
    return document


def _assert_no_trace(world: World, logged: Captured, *errors: BaseException) -> None:
    texts = [*logged.texts, *_ledger_texts(world)]
    for error in [*world.loop.errors.values(), *errors]:
        texts += ["".join(traceback.format_exception(error)), repr(error), str(pickle.dumps(error))]
    assert texts
    found = [(trace, text) for text in texts for trace in TRACES if trace in text.lower()]
    assert found == []


def _ledger_texts(world: World) -> list[str]:
    with world.ledger.read() as connection:
        return [
            repr({name: value for name, value in row._mapping.items() if name != documents.c.ciphertext.name})
            for table in metadata.sorted_tables
            for row in connection.execute(table.select())
        ]


def test_a_run_that_goes_well(world: World, sandbox: Sandbox, logged: Captured) -> None:
    placed = _place(world, 2)
    assert world.run() == {}
    world.later()
    world.assert_each_once(placed)
    held = json.dumps(sandbox.erp_orders(), ensure_ascii=False)
    assert all(value in held for value in (FIRST, LAST, DOCUMENT, STREET))  # the ERP did get them
    _assert_no_trace(world, logged)


ECHO = f"{FIRST} {LAST} <{MAIL}>, CPF 987.654.321-00, {PHONE}, {STREET}"
LONG_ECHO = f"{STREET} " * 8 + "." * 102 + f"{FIRST} {LAST}"
FAULTS: dict[str, dict[str, Any]] = {
    "the ERP refuses, quoting the shopper": {"route": "erp-put", "status": 422, "body": json.dumps({"error": ECHO})},
    "and in a nested detail": {
        "route": "erp-put",
        "status": 400,
        "body": json.dumps({"detail": [{"msg": ECHO.upper()}]}),
    },
    "an ERP's error page": {"route": "erp-put", "action": "html", "status": 500, "body": f"<html>{ECHO}"},
    "an ERP's answer without an id": {"route": "erp-put", "status": 200, "body": json.dumps({"customer": ECHO})},
    "a cut order": {"route": "get-order", "action": "truncated"},
    "a refused read": {"route": "get-order", "status": 400, "body": ECHO},
    "a lost answer": {"route": "erp-put", "action": "drop", "effect": "done"},
    "a refused start": {"route": "start-handling", "status": 400, "body": f"<p>{ECHO}</p>"},
    "a log-in page": {"route": "get-order", "action": "html", "status": 200, "body": f"<html>{ECHO}"},
    "no credentials for the ERP": {"route": "erp-put", "status": 401, "body": json.dumps({"error": ECHO})},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_fails(world: World, sandbox: Sandbox, logged: Captured, fault: str) -> None:
    _place(world, 2)
    sandbox.add_fault(**FAULTS[fault])
    errors = list(world.run().values())
    assert errors or fault == "a lost answer"
    errors += world.later().values()
    _assert_no_trace(world, logged, *errors)


def test_a_refusal_so_long_that_it_is_cut_in_a_name(world: World, sandbox: Sandbox, logged: Captured) -> None:
    _place(world)
    sandbox.add_fault("erp-put", status=422, body=json.dumps({"error": LONG_ECHO}))
    errors = world.run().values()
    _assert_no_trace(world, logged, *errors)


@pytest.mark.parametrize(
    "change",
    [
        {"value": 1},
        {"items": f"see {ECHO}"},
        {"items": []},
        {"totals": {ECHO: ECHO}},
        {"value": ECHO},
        {"shippingData": ECHO},
        {"clientProfileData": [ECHO]},
        {"creationDate": ECHO},
        {ECHO: ECHO},
    ],
)
def test_orders_that_cannot_be_mapped(world: World, logged: Captured, change: dict[str, Any]) -> None:
    _place(world, **change)
    errors = world.run().values()
    _assert_no_trace(world, logged, *errors)


def test_a_defect_of_the_mapping(world: World, logged: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(order: Any, *, account: str) -> Any:
        raise KeyError(f"{order.client_profile_data}")

    monkeypatch.setattr("vtex_erp.pipeline.map_orders.map_order", broken)
    _place(world)
    error = world.run()["map_orders"]
    assert "1 x defect:KeyError" in error.message
    _assert_no_trace(world, logged, error)


def test_a_defect_of_the_erp_client(world: World, logged: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(sales_order: Any) -> str:
        raise ValueError(f"cannot send {sales_order.customer}")

    monkeypatch.setattr(world.loop.erp, "ensure", broken)
    _place(world)
    error = world.run()["submit_orders"]
    assert "defect:ValueError" in error.message
    assert "in doubt" not in error.message
    assert world.stages() == {"submitting": 1}
    _assert_no_trace(world, logged, error)


def test_no_secret_is_in_an_error_or_a_log(world: World, sandbox: Sandbox, logged: Captured) -> None:
    _place(world)
    world.loop.vtex = vtex_client(sandbox, world.time, token="hush-hush-token")
    texts = [str(error) for error in world.run().values()]
    world.loop.vtex = vtex_client(sandbox, world.time, host="http://127.0.0.1:9", token="hush-hush-token")
    texts += [str(error) for error in world.run().values()]
    assert len(texts) == 2
    for text in [*texts, *logged.texts, *_ledger_texts(world), repr(world.loop.vtex.settings)]:
        assert "hush-hush-token" not in text
        assert sandbox.app_token not in text
