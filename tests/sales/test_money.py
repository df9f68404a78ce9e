from __future__ import annotations

from decimal import Decimal

import pytest

from vtex_erp.sales.money import exact, from_cents, plain, to_cents, unit_price_for


@pytest.mark.parametrize(
    ("amount", "cents"), [("0.125", 13), ("0.135", 14), ("-0.125", -13), ("0.1249", 12), ("12.34", 1234)]
)
def test_half_a_cent_rounds_away_from_zero(amount, cents):
    assert to_cents(Decimal(amount)) == cents


@pytest.mark.parametrize(
    ("cents", "text"), [(0, "0.00"), (5, "0.05"), (-1234, "-12.34"), (10**15, "10000000000000.00")]
)
def test_cents_become_amounts_of_two_places(cents, text):
    assert format(from_cents(cents), "f") == text


@pytest.mark.parametrize(("number", "text"), [("3.0", "3"), ("0.90", "0.9"), ("1E+3", "1000"), ("0.000", "0")])
def test_numbers_are_written_plainly(number, text):
    assert format(plain(Decimal(number)), "f") == text


@pytest.mark.parametrize(
    ("gross", "quantity", "price"), [(179, "0.9", "1.99"), (1000, "3", "3.333"), (1, "1000", "0.00001")]
)
def test_the_shortest_unit_price_that_gives_the_amount(gross, quantity, price):
    with exact():
        found = unit_price_for(gross, Decimal(quantity))
        assert to_cents(found * Decimal(quantity)) == gross
    assert found == Decimal(price)
