"""Which order replaces which: a guess, and none where the shopper is not known."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.ledger.rows import ACCOUNT, add_entry
from vtex_erp.ledger import links

if TYPE_CHECKING:
    from vtex_erp.ledger.ledger import Ledger


@pytest.mark.parametrize(
    ("shopper", "of_the_other", "minutes", "linked"),
    [
        ("one", "one", 10, True),
        ("one", "one", 90, False),
        ("one", "another", 10, False),
        ("one", None, 10, False),
        (None, None, 10, False),  # two guests are two strangers
    ],
)
def test_an_order_is_replaced_by_one_of_the_same_shopper(
    ledger: Ledger, shopper: str | None, of_the_other: str | None, minutes: int, linked: bool
) -> None:
    now = ledger.clock()
    add_entry(ledger, "1-01", vtex_status="replaced", shopper=shopper, read_change_at=now)
    add_entry(ledger, "2-01", shopper=of_the_other, placed_at=now - timedelta(minutes=minutes))
    assert links.link(ledger, ACCOUNT) == ({"1-01": "2-01"} if linked else {})
    assert links.link(ledger, ACCOUNT) == {}
