"""Reads a rules file. A mistake is a ConfigurationError that names file, line and key, and the right spelling.

Scalars are read as they are written, and turned into what the model wants: a code `0010` stays `0010`, and the
country `NO` is no boolean.
"""

from __future__ import annotations

import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ValidationError

from vtex_erp.errors import ConfigurationError
from vtex_erp.rules.hook import hook_function
from vtex_erp.rules.model import Rules

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

_Key = tuple[str | int, ...]
_NULL = "tag:yaml.org,2002:null"


def load_rules(path: str | Path | None) -> Rules:
    """Read the rules in `path`; no path means no rules. A file that is named must be there.

    Raises ConfigurationError with cause `rules`, one line for each mistake.
    """
    if path is None:
        return Rules()
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise _wrong(f"{path} cannot be read ({type(error).__name__}): put the rules file there, in UTF-8") from None
    return parse_rules(text, name=str(path))


def parse_rules(text: str, *, name: str) -> Rules:
    """Read rules from YAML text; `name` is what errors call it. Raises as `load_rules` does."""
    if all(not line.strip() or line.startswith("#") for line in text.splitlines()):
        return Rules()
    reader = _Reader(name)
    document = reader.read(text)
    try:
        rules = Rules.model_validate(document)
    except ValidationError as error:
        raise _wrong("\n".join(reader.describe(detail) for detail in error.errors())) from None
    if rules.hook:
        try:
            hook_function(rules.hook)
        except ConfigurationError as error:
            raise _wrong(f"{reader.place(('hook',))}: {error.message}") from error
    return rules


def _wrong(message: str) -> ConfigurationError:
    return ConfigurationError(f"Mapping rules: {message}", cause="rules")


class _Reader:
    """Turns one YAML text into plain data, and remembers the line of every key."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lines: dict[_Key, int] = {}

    def read(self, text: str) -> dict[str, Any]:
        """Give the text's plain data."""
        # Every task process parses the DAG; without rules it need not pay for the import.
        import yaml  # type: ignore[import-untyped]

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            root = yaml.compose(text, Loader=loader)
            document = None if root is None else self._data(root, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise _wrong(f"{self._name}, line {mark.line + 1 if mark else 1}: {error.problem}") from None
        except yaml.YAMLError as error:
            raise _wrong(f"{self._name}: is not YAML ({type(error).__name__})") from None
        except RecursionError:
            raise _wrong(f"{self._name}: is nested too deeply") from None
        if document is None:
            return {}
        if not isinstance(document, dict):
            raise _wrong(f"{self._name}, line 1: must be a table of sections, such as `skus:`")
        return document

    def place(self, key: _Key) -> str:
        """Name file, line and key."""
        known = next((key[:end] for end in range(len(key), 0, -1) if key[:end] in self._lines), ())
        return f"{self._name}, line {self._lines.get(known, 1)}: {'.'.join(map(str, key))}"

    def describe(self, detail: ErrorDetails) -> str:
        """Say in one line what is wrong where."""
        key = tuple(part for part in detail["loc"] if part != "[key]")
        if detail["type"] != "extra_forbidden":
            return f"{self.place(key)}: {detail['msg']}"
        import difflib

        known = _settings(key[:-1])
        near = difflib.get_close_matches(str(key[-1]), known, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(known) or 'none'}"
        return f"{self.place(key)} is not a setting; {advice}"

    def _data(self, node: Any, key: _Key) -> Any:
        if node.id == "mapping":
            return self._table(node, key)
        if node.id == "sequence":
            return [self._data(part, (*key, index)) for index, part in enumerate(node.value)]
        return None if node.tag == _NULL else node.value

    def _table(self, node: Any, key: _Key) -> dict[str, Any]:
        table: dict[str, Any] = {}
        seen: set[str] = set()
        for name_node, value_node in node.value:
            name, line = name_node.value, name_node.start_mark.line + 1
            if name_node.id != "scalar":
                raise _wrong(f"{self._name}, line {line}: a key must be plain text")
            inner = (*key, name)
            if name in seen:
                first = self._lines[inner]
                dotted = ".".join(map(str, inner))
                raise _wrong(f"{self._name}, line {line}: {dotted} is there twice; the first is in line {first}")
            seen.add(name)
            self._lines[inner] = line
            value = self._data(value_node, inner)
            if value is not None:
                table[name] = value
            elif key and key[-1] == "codes":
                raise _wrong(f"{self.place(inner)} has no code: put the ERP's word behind the colon")
        return table


def _settings(key: Sequence[str | int]) -> list[str]:
    """List the settings of the section that `key` names."""
    model: Any = Rules
    hints = typing.get_type_hints
    for part in key:
        kind = hints(model).get(str(part))
        if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
            return []
        model = kind
    return list(model.model_fields)
