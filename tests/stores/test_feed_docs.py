"""What docs/feed.md shows is true."""

from __future__ import annotations

import re
from pathlib import Path

from vtex_erp.stores.load import load_stores
from vtex_erp.stores.model import Store
from vtex_erp.stores.notices import NoticeKind

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs/feed.md").read_text(encoding="utf-8")


def test_the_example_is_the_default_with_a_hook(tmp_path: Path) -> None:
    [example] = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    (tmp_path / "rules.yaml").write_text("")
    (tmp_path / "stores.yaml").write_text(example)
    [only] = load_stores(tmp_path / "stores.yaml")
    assert only.store
    assert (only.store.feed, only.store.guard) == (Store().feed, Store().guard)
    assert only.store.hook


def test_the_refusal_is_as_shown(tmp_path: Path) -> None:
    [shown] = re.findall(r"```\n(stores.yaml, line.*?)\n```", GUIDE, re.DOTALL)
    status = "status: [ready-for-handling, cancelation-request]"
    (tmp_path / "rules.yaml").write_text("")
    (tmp_path / "stores.yaml").write_text(f"stores:\n  main:\n    feed:\n      filter:\n        {status}\n")
    [only] = load_stores(tmp_path / "stores.yaml")
    assert only.mistake
    assert only.mistake.message == f"Stores: {tmp_path}/{' '.join(shown.split())}"


def test_every_finding_is_explained() -> None:
    rows = set(re.findall(r"^\| `([a-z-]+)` \|", GUIDE, re.MULTILINE))
    assert rows == {kind.value for kind in NoticeKind if kind.value.startswith("feed-")}
    assert "`visibility-short`" in GUIDE
