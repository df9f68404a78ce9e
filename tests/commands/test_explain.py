from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.sales import orders
from vtex_erp.__main__ import main
from vtex_erp.commands import explain
from vtex_erp.ledger import documents
from vtex_erp.ledger.documents import cipher_from
from vtex_erp.ledger.ledger import open_ledger
from vtex_erp.ledger.tables import order_entries

if TYPE_CHECKING:
    from pathlib import Path

PERSONAL = ("Quirina", "Zambrota", "84513427019", "quirina.z@mail.example", "Alameda", "98765-432", "4711")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "order.json").write_text(json.dumps(orders.order()), encoding="utf-8")
    (tmp_path / "rules.yaml").write_text("units: {codes: {un: EA}}\n", encoding="utf-8")
    (tmp_path / "hooked.yaml").write_text("hook: tests.rules.hooks:chatty\n", encoding="utf-8")
    return tmp_path


def test_every_field_has_its_source_and_rule(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", f"{files}/order.json", "--rules", f"{files}/rules.yaml"]) == 0
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines() if line.strip()}
    assert rows["lines[0].unit_of_measure"][1:] == ["EA", "items[0].measurementUnit", "units"]
    assert rows["lines[0].sku"][1:] == ["500", "items[0].id"]
    assert " ".join(rows["10.00"]) == "10.00 - 0.00 + 5.00 + 0.00 + 0.00 = 15.00 (VTEX: value 1500 cents)"


@pytest.mark.parametrize("rules", ["rules", "hooked"])
def test_personal_data_is_printed_only_when_asked_for(
    files: Path, capsys: pytest.CaptureFixture[str], rules: str
) -> None:
    arguments = ["explain", f"{files}/order.json", "--rules", f"{files}/{rules}.yaml"]
    main(arguments)
    masked = capsys.readouterr().out
    assert [word for word in PERSONAL if word in masked] == []
    main([*arguments, "--show-personal-data"])
    shown = capsys.readouterr().out
    assert [word for word in PERSONAL if word not in shown] == []


def test_what_tryton_gets(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["explain", f"{files}/order.json", "--erp", "tryton"])
    printed = capsys.readouterr().out
    assert [word for word in PERSONAL if word in printed] == []
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line.startswith(("sale.", "party."))}
    assert rows["sale.web_id"] == ["account:1409990000001-01"]
    assert rows["sale.lines[0].products[0]"] == ["REF-0"]
    assert rows["sale.lines[0].unit_price"] == ["10.0000"]
    assert rows["sale.lines[1].own_product"] == ["shipping_product"]
    assert rows["party.document"] == ["•••"]


def test_what_rules_add_to_the_payload_is_hidden_and_so_are_short_names(
    files: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gift = "Zuzu loves Yoyo"
    document = orders.order(clientProfileData=orders.profile(firstName="Xyz", lastName="Qi"), customData={"gift": gift})
    place = orders.address(complement="Ap9", number="Nr7", receiverName="Wu")
    document["shippingData"]["address"] = place
    (files / "order.json").write_text(json.dumps(document), encoding="utf-8")
    (files / "noted.yaml").write_text("notes: [customData.gift]\n", encoding="utf-8")
    arguments = ["explain", f"{files}/order.json", "--rules", f"{files}/noted.yaml", "--erp", "tryton"]
    planted = ("Zuzu", "Yoyo", "Xyz", "Qi", "Ap9", "Nr7", "Wu")
    main(arguments)
    printed = capsys.readouterr().out
    assert [word for word in planted if word in printed] == []
    assert "sale.comment" in printed
    main([*arguments, "--show-personal-data"])
    shown = capsys.readouterr().out
    assert [word for word in planted if word not in shown] == []


def test_a_file_needs_no_airflow(files: Path) -> None:
    script = (
        f"import sys; from vtex_erp.__main__ import main; main(['explain', {str(files / 'order.json')!r}]); "
        "sys.exit(int('airflow' in sys.modules or 'sqlalchemy' in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, check=False).returncode == 0


def test_a_mistake_is_one_line_and_status_1(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "bad.yaml").write_text("unitz: {}\n", encoding="utf-8")
    assert main(["explain", f"{files}/order.json", "--rules", f"{files}/bad.yaml"]) == 1
    assert "bad.yaml, line 1: unitz is not a setting; did you mean 'units'?" in capsys.readouterr().err


def test_the_difference_of_two_rules_over_the_kept_orders(
    files: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = open_ledger(f"sqlite:///{files}/ledger.db", cipher=cipher_from(None, key_file=files / "key"))
    now = ledger.clock()
    head: dict[str, Any] = {"account": "store", "stage": "mapped", "received_at": now, "changed_at": now}
    with ledger.write() as connection:
        for number, unit in enumerate(("un", "un", "kg"), start=1):
            row = head | {"id": number, "order_id": f"order-{number}", "news": 0, "attempts": 0, "fence": 0}
            connection.execute(order_entries.insert(), [row])
            text = json.dumps(orders.order([orders.item(measurementUnit=unit)], orderId=f"order-{number}"))
            documents.store(ledger, connection, [(number, documents.ORDER, text)])
    monkeypatch.setattr(explain, "_ledger", lambda: ledger)
    (files / "strict.yaml").write_text("units: {unknown: park, codes: {un: EA}}\n", encoding="utf-8")
    assert main(["explain", "--diff", f"{files}/strict.yaml"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["3", "of", "3", "orders", "would", "change."]
    assert ["lines[].unit_of_measure", "2", "order-1", "order-2"] in lines
    assert ["mapped", "→", "parked:", "unit-not-mapped:kg", "1", "order-3"] in lines
