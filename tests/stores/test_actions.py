from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from vtex_erp.errors import ParkError
from vtex_erp.stores.actions import Action, Actions, Concern
from vtex_erp.vtex import statuses

if TYPE_CHECKING:
    from vtex_erp.vtex.order import VtexOrder

DOCUMENT = json.dumps({"orderId": "1-01", "value": 1000, "items": [], "totals": []})


def big_orders_wait(order: VtexOrder, erp_id: str | None) -> str:
    return "hold" if order.value > 500 and erp_id is None else "bring-in"


def breaks(order: VtexOrder, erp_id: str | None) -> Action:
    raise RuntimeError("of Ana Souza")


def says_nonsense(order: VtexOrder, erp_id: str | None) -> str:
    return "explode"


def own(function: str) -> Actions:
    return Actions({"ready-for-handling": f"tests.stores.test_actions:{function}"})


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("ready-for-handling", Action.BRING_IN),
        ("handling", Action.NOTE),
        ("start-handling", Action.NOTE),
        ("cancellation-requested", Action.HOLD),
        ("request-cancel", Action.HOLD),
        ("waiting-for-seller-decision", Action.HOLD),
        ("canceled", Action.CANCEL),
        ("cancel", Action.CANCEL),
        ("replaced", Action.CANCEL),
        ("invoiced", Action.CLOSE),
        ("payment-approved", Action.NOTE),
        ("a-status-of-tomorrow", Action.NOTE),
    ],
)
def test_the_defaults(status: str, action: Action) -> None:
    assert Actions().for_order(status, DOCUMENT, erp_id=None) is action


def test_the_stores_own_table_goes_first() -> None:
    actions = Actions({"canceled": "note", "waiting-seller-handling": "bring-in"})
    assert actions.for_order("canceled", DOCUMENT, erp_id="SO1") is Action.NOTE
    assert actions.for_order("waiting-seller-handling", DOCUMENT, erp_id=None) is Action.BRING_IN
    assert actions.for_order("cancel", DOCUMENT, erp_id=None) is Action.CANCEL


def test_a_function_decides_by_the_order_itself() -> None:
    actions = own("big_orders_wait")
    assert actions.for_order("ready-for-handling", DOCUMENT, erp_id=None) is Action.HOLD
    assert actions.for_order("ready-for-handling", DOCUMENT, erp_id="SO1") is Action.BRING_IN


@pytest.mark.parametrize(("function", "kind"), [("breaks", "RuntimeError"), ("says_nonsense", "ValueError")])
def test_a_function_that_fails_parks_that_order_without_its_words(function: str, kind: str) -> None:
    with pytest.raises(ParkError, match="order 1-01") as caught:
        own(function).for_order("ready-for-handling", DOCUMENT, erp_id=None)
    assert caught.value.cause == f"action:{kind}"
    assert "Ana" not in caught.value.message


@pytest.mark.parametrize(
    ("state", "domain", "concern"),
    [
        ("ready-for-handling", "Fulfillment", Concern.ANY_ORDER),
        (" Ready-For-Handling ", "Marketplace", Concern.ANY_ORDER),
        ("unknow", "OrdersDocumentUpdated", Concern.ANY_ORDER),
        ("unknown", "", Concern.ANY_ORDER),
        ("", "", Concern.ANY_ORDER),
        ("handling", "OrdersDocumentUpdated", Concern.ANY_ORDER),
        ("cancellation-requested", "Fulfillment", Concern.ANY_ORDER),
        ("canceled", "Fulfillment", Concern.KNOWN_ORDER),
        ("invoiced", "Fulfillment", Concern.KNOWN_ORDER),
        ("handling", "Fulfillment", Concern.NONE),
        ("a-status-of-tomorrow", "Fulfillment", Concern.NONE),
    ],
)
def test_whom_an_event_concerns(state: str, domain: str, concern: Concern) -> None:
    assert Actions().about(state, domain) is concern


def test_an_event_whose_status_a_function_decides_about_concerns_every_order() -> None:
    assert own("breaks").about("ready-for-handling", "Fulfillment") is Concern.ANY_ORDER


@pytest.mark.parametrize("status", sorted(statuses.BEFORE_READY | statuses.HANDLING_STARTED - {"invoiced"}))
def test_what_only_passes_by_is_noted(status: str) -> None:
    assert Actions().about(status, "Fulfillment") is Concern.NONE
