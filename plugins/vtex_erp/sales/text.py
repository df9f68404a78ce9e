"""Text as shoppers type it."""

from __future__ import annotations

import re

_NOT_ALPHANUMERIC = re.compile(r"[\W_]+")


def clean(text: str | None) -> str | None:
    """Collapse blanks; None for text that holds nothing else."""
    return " ".join(text.split()) or None if text else None


def clean_document(text: str | None) -> str | None:
    """Keep a document's letters and digits: `845.134.270-19` becomes `84513427019`."""
    return _NOT_ALPHANUMERIC.sub("", text) or None if text else None
