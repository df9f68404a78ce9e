"""The leaves of a JSON document, by path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator


def leaves(part: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give (path, value) of every scalar and every empty list or table: `lines[0].sku`."""
    if isinstance(part, dict) and part:
        for name, value in part.items():
            yield from leaves(value, f"{path}.{name}" if path else name)
    elif isinstance(part, (list, tuple)) and part:
        for index, value in enumerate(part):
            yield from leaves(value, f"{path}[{index}]")
    else:
        yield path, part
