"""docs/hook.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

from vtex_erp.stores.load import load_stores
from vtex_erp.stores.model import SECRET_HEADER

DOCS = (Path(__file__).resolve().parents[3] / "docs" / "hook.md").read_text()


def test_the_settings_are_settings(tmp_path: Path) -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
    file = tmp_path / "stores.yaml"
    file.write_text("\n".join(line.removeprefix("   ") for line in example.splitlines()))
    (served,) = load_stores(file, for_dags=False)
    assert served.store is not None
    assert served.store.hook is not None
    assert served.store.hook.url.endswith(f"/vtex/hook/{served.name}")


def test_every_answer_and_every_metric_is_told() -> None:
    from vtex_erp.web.hook import app

    answers = {int(status) for status in re.findall(r"^\| (\d{3}) \|", DOCS, re.MULTILINE)}
    assert answers == set(app._WORDS)
    metrics = set(re.findall(r"`(?:vtex\.hook)?\.(\w+)`", DOCS))
    assert metrics == {*app._WORDS.values(), "pinged"}
    assert SECRET_HEADER in DOCS
