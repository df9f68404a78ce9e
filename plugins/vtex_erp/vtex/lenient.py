"""Types that read VTEX's JSON as it really comes: nulls for lists, floats for integers, mixed casing.

Money stays exact: JSON numbers with a point are read as Decimal, never as float.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationError, model_validator
from pydantic.alias_generators import to_camel

from vtex_erp.vtex.dates import parse_vtex_datetime

_INT64 = 2**63
_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)
_PLAIN_NAME = re.compile(r"[A-Za-z]\w{0,40}", re.ASCII)


def read_json(text: str | bytes) -> Any:
    """Parse JSON with exact decimals. Raises ValueError for anything that is not JSON."""
    try:
        return json.loads(text, parse_float=Decimal, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _as_text(value: object) -> object:
    if isinstance(value, str) and not value.isascii():
        return _encodable(value)
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return format(value, "f") if isinstance(value, Decimal) and abs(value.adjusted()) < 40 else str(value)
    return value


def _encodable(text: str) -> str:
    """Replace halves of surrogate pairs, which text that was cut inside an emoji ends with, by U+FFFD."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _as_whole(value: object) -> object:
    """Take 100, 100.0 and "100"; refuse 100.5, and what does not fit VTEX's 64 bits."""
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, Decimal):
        value = _whole_of(value)
    if isinstance(value, bool) or not isinstance(value, int) or not -_INT64 <= value < _INT64:
        raise ValueError("must be a whole number")
    return value


def _whole_of(value: Decimal) -> int:
    if not value.is_finite() or value.adjusted() > 19 or value != value.to_integral_value():
        raise ValueError("must be a whole number")
    return int(value)


def _as_decimal(value: object) -> object:
    if isinstance(value, float):
        value = Decimal(repr(value))
    elif isinstance(value, int) and not isinstance(value, bool):
        value = Decimal(value)
    if not isinstance(value, Decimal) or not value.is_finite() or abs(value.adjusted()) > 18:
        raise ValueError("must be a number")
    return value


def _as_moment(value: object) -> object:
    if value is None or isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("must be a date")  # noqa: TRY004 - pydantic reports ValueError, not TypeError
    return parse_vtex_datetime(value)


def _empty_for_null(value: object) -> object:
    return () if value is None else value


def _false_for_null(value: object) -> object:
    return False if value is None else value


T = TypeVar("T")
Text = Annotated[str, BeforeValidator(_as_text)]
Whole = Annotated[int, BeforeValidator(_as_whole)]
Cents = Whole
Number = Annotated[Decimal, BeforeValidator(_as_decimal)]
Moment = Annotated[datetime | None, BeforeValidator(_as_moment)]
Flag = Annotated[bool, BeforeValidator(_false_for_null)]
Listed = Annotated[tuple[T, ...], BeforeValidator(_empty_for_null)]


class VtexModel(BaseModel):
    """A part of a VTEX document: any casing of its keys, unknown fields kept."""

    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True, hide_input_in_errors=True
    )

    @model_validator(mode="before")
    @classmethod
    def _fold_casing(cls, data: Any) -> Any:
        if not isinstance(data, Mapping):
            return data
        names = _names_by_lower_case(cls)
        folded = dict(data)
        for key in data:
            name = names.get(key.lower()) if isinstance(key, str) else None
            if name is not None and name not in folded:
                folded[name] = folded.pop(key)
        return folded


@cache
def _names_by_lower_case(model: type[BaseModel]) -> dict[str, str]:
    aliases = [field.alias or name for name, field in model.model_fields.items()]
    return {alias.lower(): alias for alias in aliases}


def field_paths(error: ValidationError) -> str:
    """Name the fields that a validation error is about, never their values: `items.0.price, value`."""
    paths = [".".join(_step(step) for step in detail["loc"]) or "document" for detail in error.errors()]
    return ", ".join(dict.fromkeys(paths))


def _step(step: int | str) -> str:
    return str(step) if isinstance(step, int) or _PLAIN_NAME.fullmatch(step) else "?"
