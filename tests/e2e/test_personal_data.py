"""A shopper's data and the keys are nowhere in Airflow: not in its pages, not in its files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sandbox.orders.generator import generate

if TYPE_CHECKING:
    from tests.e2e.deployment import Deployment

SHOPPER = {
    "firstName": "Zwetlana",
    "lastName": "Quixabeira",
    "document": "98765432100",
    "phone": "+5511987650123",
    "email": "zwetlana.quixabeira@example.com",
}


def test_a_shoppers_data_stays_out_of_airflow(deployment: Deployment) -> None:
    sandbox, airflow = deployment.sandbox, deployment.airflow
    kinds = ["plain", "plain", "plain", "totals-mismatch", "plain", "plain"]
    documents = [_bought_by_shopper(each.document) for each in generate(6, 1, kinds=kinds)]
    documents[2]["items"] = "no list"
    placed = sandbox.place(documents, kinds=kinds)
    sandbox.refuse(external_id=deployment.external_id(placed[0]), message="Unknown customer {customer}")
    sandbox.add_fault("get-order", order_id=placed[4].order_id, status=500, body=json.dumps(SHOPPER), times=30)
    run = deployment.start()
    run.wait_for("fetch_orders[0]", state="up_for_retry")
    sandbox.clear_faults()
    assert run.wait() == "failed"
    pages = [*run.logs(), str(run.xcoms()), json.dumps(airflow.task_instances("vtex_orders", run.run_id))]
    files = [path.read_text(errors="replace") for path in airflow.home.rglob("*.log")]
    texts = "\n".join([*pages, *files])
    assert all(order.order_id in texts for order in placed[:1])
    forbidden = [*SHOPPER.values(), sandbox.app_token, sandbox.app_key]
    assert [secret for secret in forbidden if secret.lower() in texts.lower()] == []
    assert sorted(sum(effect) for effect in deployment.effects().values()) == [0, 0, 0, 2, 2, 2]


def _bought_by_shopper(document: dict[str, Any]) -> dict[str, Any]:
    document["clientProfileData"].update(SHOPPER)
    document["shippingData"]["address"]["receiverName"] = f"{SHOPPER['firstName']} {SHOPPER['lastName']}"
    return document
