"""The endpoint on a ledger of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.airflow.hook.calls import HOOK, SECRET, Caller, Clock, Connections

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vtex_erp.ledger.ledger import Ledger


@pytest.fixture
def database(tmp_path: Path) -> str:
    """SQLite: what differs on PostgreSQL is tested with the ledger."""
    return f"sqlite:///{tmp_path / 'ledger.db'}"


@pytest.fixture
def vtex(ledger: Ledger, tmp_path: Path) -> Iterator[Caller]:
    """The endpoint of the store `main`, which has a hook and the secret SECRET."""
    from fastapi.testclient import TestClient

    from vtex_erp.web.hook.app import Hook, create_app
    from vtex_erp.web.hook.recorder import Recorder
    from vtex_erp.web.hook.stores import HookStores
    from vtex_erp.web.hook.traffic import Limit
    from vtex_erp.web.hook.wake import Waker

    file = tmp_path / "stores.yaml"
    file.write_text(f"stores: {{main: {{hook: {HOOK}}}}}")
    clock, connections, hints = Clock(), Connections({"vtex_default": SECRET}), list[str]()
    hook = Hook(
        HookStores(file, connections.settings, clock=clock),
        Recorder(lambda: ledger, gather=0),
        Waker(hints.append),
        Limit(at_once=1000, a_second=1, clock=clock),
    )
    with TestClient(create_app(hook)) as client:
        yield Caller(client, hook, file, connections, clock, hints)
