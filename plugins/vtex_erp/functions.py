"""Finds a merchant's own function by the name that a settings file gives it."""

from __future__ import annotations

import importlib
import inspect
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from vtex_erp.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable

FunctionName = Annotated[str, Field(pattern=r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$")]
"""`module:function`."""


@cache
def function_named(name: str) -> Callable[[Any, Any], Any]:
    """Find `module:function`. Raises ConfigurationError when it is not there or does not take two arguments."""
    module_name, _, function_name = name.partition(":")
    try:
        function = getattr(importlib.import_module(module_name), function_name)
        inspect.signature(function).bind(None, None)
    except Exception as error:
        raise ConfigurationError(
            f"{name!r} cannot be used ({type(error).__name__}: {error}). Put the module where Airflow imports "
            "modules of DAGs from, with a function that takes two arguments.",
            cause="rules",
        ) from error
    return function  # type: ignore[no-any-return]
