"""Plans orders cheaply and builds their documents when they are wanted."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sandbox.orders.document import Draft, render
from sandbox.orders.kinds import KINDS
from sandbox.vtex.statuses import UNPAID

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from sandbox.orders.kinds import Kind

# VTEX lets a shopper cancel for half an hour before an order becomes ready for handling.
GRACE_SECONDS = 1860
DEFAULT_NOW = 1_790_000_000.0


class GeneratedOrder(NamedTuple):
    """A document and the label that it does not carry itself."""

    kind: str
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """An order that is known by its head; its document is built, always the same, when asked for."""

    kind: str
    order_id: str
    group: str | None
    sequence: str
    status: str | None
    created_at: float
    account: str
    seed: str
    position: int

    @property
    def authorized_at(self) -> float | None:
        """When the payment was authorised; None before that."""
        return None if not self.status or self.status in UNPAID else self.created_at + 14.8

    def document(self) -> dict[str, Any]:
        """Build the document."""
        return build(self)


def generate(
    count: int,
    seed: int,
    kinds: Iterable[str] | None = None,
    *,
    account: str = "sandboxstore",
    now: float = DEFAULT_NOW,
) -> list[GeneratedOrder]:
    """Generate `count` orders. The same arguments give the same orders.

    `kinds` are taken in turn; without, they are drawn as real stores have them: mostly plain and discounted
    ones. An order's siblings come with it, so the last purchase may be cut short. Raises ValueError for an
    unknown kind.
    """
    planned = plan(count, seed, kinds=kinds, account=account, now=now)
    return [GeneratedOrder(each.kind, each.document()) for each in planned]


def plan(
    count: int,
    seed: int,
    *,
    kinds: Iterable[str] | None = None,
    account: str = "sandboxstore",
    now: float = DEFAULT_NOW,
    span: tuple[float | None, float | None] = (None, None),
) -> Iterator[PlannedOrder]:
    """Plan `count` orders as `generate` does, their creation dates spread evenly over the span."""
    names = list(kinds) if kinds is not None else None
    unknown = sorted(set(names or ()) - KINDS.keys())
    if unknown:
        raise ValueError(f"unknown kinds {unknown}; there are {sorted(KINDS)}")
    end = span[1] if span[1] is not None else now - GRACE_SECONDS
    start = span[0] if span[0] is not None else end - 0.5 * count
    return _plan(count, seed, names or None, account, (start, (end - start) / max(count, 1)))


def _plan(
    count: int, seed: int, names: Sequence[str] | None, account: str, dates: tuple[float, float]
) -> Iterator[PlannedOrder]:
    made = purchase = 0
    while made < count:
        rng = random.Random(f"{seed}/{purchase}")
        name = names[purchase % len(names)] if names else rng.choices(_NAMES, cum_weights=_WEIGHTS)[0]
        kind = KINDS[name]
        for position in range(min(kind.siblings, count - made)):
            created_at = dates[0] + dates[1] * (made + 1)
            yield _head(name, kind, seed, purchase, position, account=account, created_at=created_at)
            made += 1
        purchase += 1


def _head(
    name: str, kind: Kind, seed: int, purchase: int, position: int, *, account: str, created_at: float
) -> PlannedOrder:
    number = f"1{seed % 10_000:04d}{purchase:08d}"
    sequence = str(500_001 + purchase * 10 + position)
    order_id = kind.order_id.format(
        number=number, short=number[-11:], sequence=sequence, account=account, position=position + 1
    )
    return PlannedOrder(
        kind=name,
        order_id=order_id,
        group=number if kind.grouped else None,
        sequence=sequence,
        status=kind.status,
        created_at=created_at,
        account=account,
        seed=f"{seed}/{purchase}",
        position=position,
    )


def build(planned: PlannedOrder) -> dict[str, Any]:
    """Build the document of a planned order."""
    drafts = [_draft(planned, position) for position in range(KINDS[planned.kind].siblings)]
    draft = drafts[planned.position]
    if len(drafts) > 1:
        draft.group_value = sum(each.value for each in drafts)
        draft.metadata_lines = [line for each in drafts for line in each.lines]
    return render(draft)


def _draft(planned: PlannedOrder, position: int) -> Draft:
    draft = Draft(
        rng=random.Random(f"{planned.seed}/{position}"),
        purchase_rng=random.Random(planned.seed),
        account=planned.account,
        order_id=planned.order_id,
        group=planned.group,
        sequence=planned.sequence,
        status=planned.status,
        created_at=planned.created_at,
    )
    KINDS[planned.kind].shape(draft)
    return draft


_NAMES = list(KINDS)
_WEIGHTS = [sum(kind.weight for kind in list(KINDS.values())[: end + 1]) for end in range(len(KINDS))]
