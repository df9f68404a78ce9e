from __future__ import annotations

import re
from pathlib import Path

from vtex_erp.rules.load import load_rules, parse_rules
from vtex_erp.rules.model import Rules

ROOT = Path(__file__).parents[2]


def test_the_guide_s_example_loads() -> None:
    text = (ROOT / "docs/mapping-rules.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert parse_rules(example, name="example").skus.unknown == "park"


def test_the_dag_s_file_says_nothing_until_its_comments_are_taken_off() -> None:
    text = (ROOT / "dags/rules.yaml").read_text(encoding="utf-8")
    assert load_rules(ROOT / "dags/rules.yaml") == Rules()
    settings = re.sub(r"^# (?=( |[a-z_]+:))", "", text.partition("\n\n")[2], flags=re.MULTILINE)
    rules = parse_rules(settings.replace("hook:", "# hook:"), name="rules.yaml")
    assert rules.model_fields_set == set(Rules.model_fields) - {"hook"}
