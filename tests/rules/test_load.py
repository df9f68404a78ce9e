from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vtex_erp.errors import ConfigurationError
from vtex_erp.rules.load import load_rules, parse_rules
from vtex_erp.rules.model import Rules

if TYPE_CHECKING:
    from pathlib import Path


def mistake(text: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        parse_rules(text, name="rules.yaml")
    assert caught.value.cause == "rules"
    return caught.value.message


@pytest.mark.parametrize("text", ["", "# nothing\n", "skus:\n", "skus:\n  codes:\n", "---\n"])
def test_an_empty_file_is_no_rules(text: str) -> None:
    assert parse_rules(text, name="rules.yaml") == Rules()
    assert load_rules(None) == Rules()


def test_codes_are_read_as_they_are_written() -> None:
    rules = parse_rules("skus:\n  codes: {0010: 0020, NO: 1e3, '7': yes, 1_000: 0x1F}", name="rules.yaml")
    assert rules.skus.codes == {"0010": "0020", "NO": "1e3", "7": "yes", "1_000": "0x1F"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("skus: {}\ncarrierz: {}", "rules.yaml, line 2: carrierz is not a setting; did you mean 'carriers'?"),
        ("carriers:\n  unknwon: park", "line 2: carriers.unknwon is not a setting; did you mean 'unknown'?"),
        ("carriers:\n  x: park", "line 2: carriers.x is not a setting; choose one of: codes, unknown"),
        ("customers:\n  document_types:\n    kodes: {}", "line 3: customers.document_types.kodes is not a setting; "),
        ("carriers:\n  unknown: stop", "line 2: carriers.unknown: Input should be 'keep' or 'park'"),
        ("skus:\n  codes:\n    5: [a]", "line 3: skus.codes.5: Input should be a valid string"),
        ("skus:\n  codes:\n    5:\n", "line 3: skus.codes.5 has no code"),
        ("skus:\n  codes:\n    5: a\n    5: b", "line 4: skus.codes.5 is there twice; the first is in line 3"),
        ("skus: {}\nskus: {}", "line 2: skus is there twice; the first is in line 1"),
        ("skus: [", "rules.yaml, line 2: "),
        ("skus: *nowhere", "rules.yaml, line 1: "),
        ("skus: &a\n  codes: *a", "rules.yaml"),
        ("- skus", "line 1: must be a table of sections"),
        ("\n\nhook: nowhere_at_all:f", "line 3: hook: 'nowhere_at_all:f' cannot be used (ModuleNotFoundError"),
        ("hook: json:nothing", "line 1: hook: 'json:nothing' cannot be used (AttributeError"),
        ("hook: json:JSONDecodeError", "line 1: hook: 'json:JSONDecodeError' cannot be used (TypeError"),
        ("hook: json", "line 1: hook: String should match"),
    ],
)
def test_a_mistake_names_file_line_and_key(text: str, said: str) -> None:
    assert said in mistake(text)


def test_every_mistake_is_named() -> None:
    assert len(mistake("skuz: {}\nunits:\n  unknown: no\n").splitlines()) == 2


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.yaml cannot be read \(FileNotFoundError\)"):
        load_rules(tmp_path / "none.yaml")
