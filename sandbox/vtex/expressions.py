"""JSONata expressions of FromOrders filters, evaluated on an order's PII document."""

from __future__ import annotations

from typing import Any

from jsonata import Jsonata  # type: ignore[import-untyped]
from jsonata.functions import Functions  # type: ignore[import-untyped]
from jsonata.jexception import JException  # type: ignore[import-untyped]


class BadExpressionError(Exception):
    """The text is no JSONata, or fails on the document."""


class Expression:
    """One expression, parsed once. Raises BadExpressionError."""

    def __init__(self, text: str) -> None:
        try:
            self._parsed = Jsonata(text)
        except (JException, RecursionError) as error:
            raise BadExpressionError(str(error)) from None

    def holds(self, document: Any) -> bool:
        """Whether the result is what JSONata takes for true. Raises BadExpressionError."""
        try:
            return bool(Functions.to_boolean(self._parsed.evaluate(document)))
        except (JException, TypeError, ValueError, ArithmeticError, RecursionError) as error:
            raise BadExpressionError(str(error)) from None
