"""Airflow's own notifiers tell people and partners: what arrives at the other end."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy
from typing import TYPE_CHECKING, Any

import pytest
from aiosmtpd.controller import Controller
from cryptography.fernet import Fernet

from sandbox.airflow import free_port
from tests.ledger.rows import ACCOUNT, add_entry
from tests.sales.orders import item, mapped, order
from tests.sandbox.endpoint import endpoint
from vtex_erp.ledger import documents, notices
from vtex_erp.ledger.documents import DocumentCipher
from vtex_erp.ledger.ledger import open_ledger
from vtex_erp.ledger.notices import Notice
from vtex_erp.stores.model import Store
from vtex_erp.stores.notices import NoticeKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.sandbox.endpoint import Endpoint
    from vtex_erp.ledger.ledger import Ledger

TEXT = "Order 1-01 is canceled in VTEX; its sales order SO1 is cancelled in the ERP."


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}", cipher=DocumentCipher([Fernet.generate_key().decode()]))
    yield ledger
    ledger.close()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[Endpoint]:
    """An endpoint that is a webhook of any kind."""
    with endpoint() as listening:
        for name in ("partner", "slack"):
            monkeypatch.setenv(
                f"AIRFLOW_CONN_{name.upper()}",
                json.dumps({"conn_type": "http", "host": listening.url.removesuffix("/hook"), "password": "/hook"}),
            )
        yield listening


def tell(ledger: Ledger, **notify: dict[str, Any]) -> list[str]:
    from vtex_erp.operators.notices import tell_everybody

    return tell_everybody(ledger, Store.model_validate({"notify": notify}), ACCOUNT, {})


def happen(ledger: Ledger, kind: NoticeKind = NoticeKind.CANCELLED) -> int:
    entry_id = add_entry(ledger, "1-01")
    notices.tell(ledger, ACCOUNT, [Notice(kind, "1-01", TEXT, f"{kind.value}:1-01", entry_id)])
    return entry_id


@contextmanager
def mail_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    received = []

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
            received.append(message_from_bytes(envelope.content, policy=policy.default))
            return "250 OK"

    port = free_port()
    controller = Controller(Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    extra = {"disable_ssl": True, "disable_tls": True, "from_email": "airflow@shop.example"}
    connection = {"conn_type": "smtp", "host": "127.0.0.1", "port": port, "extra": extra}
    monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
    try:
        yield received
    finally:
        controller.stop()


def test_by_mail(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    happen(ledger)
    with mail_server(monkeypatch) as received:
        for _ in range(2):
            assert tell(ledger, staff={"notifier": "smtp", "settings": {"to": "staff@shop.example"}}) == []
    [mail] = received
    assert (mail["To"], mail["Subject"]) == ("staff@shop.example", "Cancelled: order 1-01")
    assert TEXT in mail.get_body().get_content()


def test_by_a_webhook(ledger: Ledger, here: Endpoint) -> None:
    happen(ledger)
    settings = {"http_conn_id": "partner", "endpoint": "hook"}
    for _ in range(2):
        assert tell(ledger, partner={"notifier": "webhook", "settings": settings}) == []
    [(_, body)] = here.calls
    assert body.pop("at")
    assert body == {
        "kind": "cancelled",
        "store": "main",
        "account": ACCOUNT,
        "about": "1-01",
        "title": "Cancelled: order 1-01",
        "text": TEXT,
    }


def test_by_apprise(ledger: Ledger, here: Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    happen(ledger)
    config = {"path": here.url.replace("http:", "json:"), "tag": "staff"}
    monkeypatch.setenv(
        "AIRFLOW_CONN_APPRISE_DEFAULT", json.dumps({"conn_type": "apprise", "extra": {"config": config}})
    )
    assert tell(ledger, staff={"notifier": "apprise", "settings": {"tag": "staff"}}) == []
    [(_, body)] = here.calls
    assert (body["title"], body["message"]) == ("Cancelled: order 1-01", TEXT)


def test_by_slack(ledger: Ledger, here: Endpoint) -> None:
    happen(ledger)
    tell(ledger, staff={"notifier": "slack", "settings": {"slack_webhook_conn_id": "slack", "unfurl_links": "false"}})
    [(_, body)] = here.calls
    assert body["text"] == f"Cancelled: order 1-01\n{TEXT}"


def test_only_the_kinds_that_somebody_wants(ledger: Ledger, here: Endpoint) -> None:
    happen(ledger)
    settings = {"http_conn_id": "partner", "endpoint": "hook"}
    tell(ledger, partner={"notifier": "webhook", "of": ["replaced"], "settings": settings})
    assert here.calls == []


@pytest.mark.parametrize("personal", [(), ("customer.name", "shipping_address.city")])
def test_personal_data_only_as_configured(ledger: Ledger, here: Endpoint, personal: tuple[str, ...]) -> None:
    sales_order = mapped(order([item()]))
    assert sales_order.customer.name
    entry_id = happen(ledger)
    with ledger.write() as connection:
        documents.store(ledger, connection, [(entry_id, documents.SALES_ORDER, sales_order.to_json())])
    template = {"who": "{{ notice.personal.get('customer.name') }}", "all": "{{ notice }}"}
    settings = {"http_conn_id": "partner", "endpoint": "hook", "json": template}
    tell(ledger, partner={"notifier": "webhook", "settings": settings, "personal_data": list(personal)})
    [(_, body)] = here.calls
    assert body["who"] == (sales_order.customer.name if personal else "None")
    assert (sales_order.customer.name in body["all"]) is bool(personal)


def test_one_that_fails_is_tried_again_and_the_others_are_told(
    ledger: Ledger, here: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    happen(ledger)
    settings = {"http_conn_id": "partner", "endpoint": "hook"}
    monkeypatch.setenv("AIRFLOW_CONN_AWAY", json.dumps({"conn_type": "http", "host": "http://127.0.0.1:9"}))
    away = {"notifier": "webhook", "settings": {"http_conn_id": "away"}}
    [trouble] = tell(ledger, away=away, partner={"notifier": "webhook", "settings": settings})
    assert trouble.startswith("away was not told of 1-01 (cancelled), it is tried again: ")
    assert len(here.calls) == 1


def test_a_lost_document_key_stops_nobody_who_needs_no_document(ledger: Ledger, here: Endpoint) -> None:
    entry_id = happen(ledger)
    with ledger.write() as connection:
        documents.store(ledger, connection, [(entry_id, documents.SALES_ORDER, mapped(order([item()])).to_json())])
    wrong = replace(ledger, cipher=DocumentCipher([Fernet.generate_key().decode()]))
    others = {"notifier": "webhook", "settings": {"http_conn_id": "partner", "endpoint": "hook"}}
    told = {"first": {**others, "personal_data": ["customer.name"]}, "second": others}
    [trouble] = tell(wrong, **told)
    assert "it is tried again" in trouble
    assert "document_key" in trouble
    assert len(here.calls) == 1
    later = replace(ledger, clock=lambda: ledger.clock() + timedelta(hours=1))
    assert tell(later, **told) == []
    assert len(here.calls) == 2


def test_a_notifier_that_is_not_there_says_what_to_install(ledger: Ledger) -> None:
    happen(ledger)
    [trouble] = tell(ledger, staff={"notifier": "airflow.providers.pagerduty.notifications.pagerduty.X"})
    assert "notify.staff in the stores file" in trouble
    assert "Install its provider" in trouble
