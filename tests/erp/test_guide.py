"""The client of docs/write-your-own-erp-client.md, against an ERP in SQLite."""

from __future__ import annotations

import re
import sqlite3
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.erp.conformance import ErpConformance, ErpRig

if TYPE_CHECKING:
    from collections.abc import Iterator

GUIDE = Path(__file__).parents[2] / "docs/write-your-own-erp-client.md"


def client_of_the_guide() -> Any:
    (code,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    names: dict[str, Any] = {"__name__": "guide"}
    exec(compile(code, str(GUIDE), "exec"), names)
    return names["MyErpClient"]


class GuideRig:
    """The ERP and its switches."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(":memory:", check_same_thread=False)
        self._database.execute("CREATE TABLE sale (id INTEGER PRIMARY KEY, external_id TEXT UNIQUE, state TEXT)")
        self.troubles: set[str] = set()
        self.refused: set[str] = set()
        self.client = client_of_the_guide()(self)

    def close(self) -> None:
        self._database.close()

    def _row(self, external_id: str) -> Any:
        query = "SELECT id, state FROM sale WHERE external_id = ?"
        return self._database.execute(query, [external_id]).fetchone()

    def _once(self, trouble: str) -> bool:
        found = trouble in self.troubles
        self.troubles.discard(trouble)
        return found

    def _enter(self) -> None:
        if "locked" in self.troubles:
            raise PermissionError

    def find(self, external_id: str) -> str | None:
        self._enter()
        if "dark" in self.troubles:
            raise ConnectionError
        with self._lock:
            row = self._row(external_id)
        return str(row[0]) if row else None

    def create(self, external_id: str, _text: str) -> str:
        self._enter()
        if self._once("hiccup"):
            raise ConnectionError
        if external_id in self.refused:
            raise ValueError("no such article")
        with self._lock:
            self._database.execute("INSERT OR IGNORE INTO sale VALUES (NULL, ?, 'open')", [external_id])
            erp_id = str(self._row(external_id)[0])
        if self._once("lost"):
            raise TimeoutError
        return erp_id

    def cancel(self, external_id: str, _reason: str) -> str:
        self._enter()
        if self._once("hiccup"):
            raise ConnectionError
        row = self._row(external_id)
        return "unknown-order" if row is None else "too-late" if row[1] == "shipped" else "cancelled"

    def creations(self, external_id: str) -> int:
        return self._database.execute("SELECT count(*) FROM sale WHERE external_id = ?", [external_id]).fetchone()[0]

    def lose_next_answer(self) -> None:
        self.troubles.add("lost")

    def hiccup_once(self) -> None:
        self.troubles.add("hiccup")

    def refuse(self, external_id: str) -> None:
        self.refused.add(external_id)

    def go_dark(self) -> None:
        self.troubles.add("dark")

    def lock_out(self) -> None:
        self.troubles.add("locked")

    def ship(self, external_id: str) -> None:
        self._database.execute("UPDATE sale SET state = 'shipped' WHERE external_id = ?", [external_id])


class TestGuideClient(ErpConformance):
    @pytest.fixture
    def rig(self) -> Iterator[ErpRig]:
        rig = GuideRig()
        yield rig
        rig.close()
