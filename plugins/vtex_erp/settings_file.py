"""Reads a settings file. A mistake is named by file, line and key, with the right spelling.

Scalars are read as they are written, and turned into what the model wants: a code `0010` stays `0010`, and the
country `NO` is no boolean.
"""

from __future__ import annotations

import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pydantic_core import ErrorDetails

Key = tuple[str | int, ...]

_NULL = "tag:yaml.org,2002:null"
_Model = TypeVar("_Model", bound=BaseModel)


class Section(BaseModel):
    """A section of a settings file: immutable, and without settings that nobody declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class MistakesError(ValueError):
    """What is wrong in a settings file, one line for each mistake."""


def read_text(path: str | Path) -> str:
    """Give the file's text. Raises MistakesError for one that cannot be read."""
    try:
        return Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise MistakesError(f"{path} cannot be read ({type(error).__name__}): put the file there, in UTF-8") from None


def says_nothing(text: str) -> bool:
    """Whether the text is all blanks and comments; then nobody has to pay for the import of the YAML library."""
    return all(not line.strip() or line.startswith("#") for line in text.splitlines())


class SettingsFile:
    """One YAML text as plain data that remembers the line of every key and list entry. `name` is what mistakes call it.

    Keys of the tables that `codes` names must have a value; elsewhere an empty value is no setting.
    """

    def __init__(self, text: str, *, name: str, codes: str | None = None) -> None:
        self._name, self._codes = name, codes
        self._lines: dict[Key, int] = {}
        self.document = {} if says_nothing(text) else self._read(text)

    def place(self, key: Key) -> str:
        """Name file, line and key."""
        known = next((key[:end] for end in range(len(key), 0, -1) if key[:end] in self._lines), ())
        return f"{self._name}, line {self._lines.get(known, 1)}: {'.'.join(map(str, key))}"

    def model(
        self,
        kind: type[_Model],
        document: Mapping[str, Any] | None = None,
        at: Key = (),
        *,
        context: Mapping[str, Any] | None = None,
    ) -> _Model:
        """Make the model of the document, or of the part of it that stands at `at`. Raises MistakesError.

        The model's validators see `context`.
        """
        try:
            return kind.model_validate(_given(self.document if document is None else document), context=context)
        except ValidationError as error:
            raise MistakesError("\n".join(self._describe(detail, kind, at) for detail in error.errors())) from None

    def _describe(self, detail: ErrorDetails, kind: type[BaseModel], at: Key) -> str:
        inner = tuple(part for part in detail["loc"] if part != "[key]")
        if detail["type"] != "extra_forbidden":
            return f"{self.place((*at, *inner))}: {detail['msg'].removeprefix('Value error, ')}"
        import difflib

        known = _settings(kind, inner[:-1])
        near = difflib.get_close_matches(str(inner[-1]), known, n=1)
        advice = f"did you mean {near[0]!r}?" if near else f"choose one of: {', '.join(known) or 'none'}"
        return f"{self.place((*at, *inner))} is not a setting; {advice}"

    def _read(self, text: str) -> dict[str, Any]:
        import yaml  # type: ignore[import-untyped]

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            root = yaml.compose(text, Loader=loader)
            document = None if root is None else self._data(root, ())
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            raise MistakesError(f"{self._name}, line {mark.line + 1 if mark else 1}: {error.problem}") from None
        except yaml.YAMLError as error:
            raise MistakesError(f"{self._name}: is not YAML ({type(error).__name__})") from None
        except RecursionError:
            raise MistakesError(f"{self._name}: is nested too deeply") from None
        if document is None:
            return {}
        if not isinstance(document, dict):
            raise MistakesError(f"{self._name}, line 1: must be a table of sections, a name and a colon for each")
        return document

    def _data(self, node: Any, key: Key) -> Any:
        if node.id == "mapping":
            return self._table(node, key)
        if node.id == "sequence":
            self._lines |= {(*key, index): part.start_mark.line + 1 for index, part in enumerate(node.value)}
            return [self._data(part, (*key, index)) for index, part in enumerate(node.value)]
        return None if node.tag == _NULL else node.value

    def _table(self, node: Any, key: Key) -> dict[str, Any]:
        table: dict[str, Any] = {}
        seen: set[str] = set()
        for name_node, value_node in node.value:
            name, line = name_node.value, name_node.start_mark.line + 1
            if name_node.id != "scalar":
                raise MistakesError(f"{self._name}, line {line}: a key must be plain text")
            inner = (*key, name)
            if name in seen:
                first = self._lines[inner]
                dotted = ".".join(map(str, inner))
                raise MistakesError(f"{self._name}, line {line}: {dotted} is there twice; the first is in line {first}")
            seen.add(name)
            self._lines[inner] = line
            table[name] = self._data(value_node, inner)
            if table[name] is None and self._codes and key and key[-1] == self._codes:
                raise MistakesError(f"{self.place(inner)} has no code: put the ERP's word behind the colon")
        return table


def _given(part: Any) -> Any:
    """The document without the settings that have no value."""
    if isinstance(part, dict):
        return {name: _given(value) for name, value in part.items() if value is not None}
    return [_given(value) for value in part] if isinstance(part, list) else part


def _settings(kind: type[BaseModel], key: Sequence[str | int]) -> list[str]:
    """List the settings of the section that `key` names within `kind`."""
    model: Any = kind
    for part in key:
        found = _section(typing.get_type_hints(model).get(str(part)))
        if found is None:
            return []
        model = found
    return list(model.model_fields)


def _section(hint: Any) -> type[BaseModel] | None:
    candidates = (hint, *typing.get_args(hint))
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, BaseModel)), None)
