"""Reads a rules file. A mistake is a ConfigurationError that names file, line and key, and the right spelling."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vtex_erp.errors import ConfigurationError
from vtex_erp.functions import function_named
from vtex_erp.rules.model import Rules
from vtex_erp.settings_file import MistakesError, SettingsFile, read_text, says_nothing

if TYPE_CHECKING:
    from pathlib import Path


def load_rules(path: str | Path | None) -> Rules:
    """Read the rules in `path`; no path means no rules. A file that is named must be there.

    Raises ConfigurationError with cause `rules`, one line for each mistake.
    """
    if path is None:
        return Rules()
    try:
        text = read_text(path)
    except MistakesError as error:
        raise _wrong(str(error)) from None
    return parse_rules(text, name=str(path))


def parse_rules(text: str, *, name: str) -> Rules:
    """Read rules from YAML text; `name` is what errors call it. Raises as `load_rules` does."""
    if says_nothing(text):
        return Rules()
    try:
        file = SettingsFile(text, name=name, codes="codes")
        rules = file.model(Rules)
    except MistakesError as error:
        raise _wrong(str(error)) from None
    if rules.hook:
        try:
            function_named(rules.hook)
        except ConfigurationError as error:
            raise _wrong(f"{file.place(('hook',))}: {error.message}") from error
    return rules


def _wrong(message: str) -> ConfigurationError:
    return ConfigurationError(f"Mapping rules: {message}", cause="rules")
