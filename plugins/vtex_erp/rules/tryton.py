"""The rules that only Tryton needs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class TrytonRules(BaseModel):
    """What Tryton must know beyond the sales order."""

    model_config = ConfigDict(frozen=True, extra="forbid")
