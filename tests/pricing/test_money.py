"""Dollars and micro-dollars."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator.errors import PricingError
from aggregator.pricing.money import from_micro_usd, micro_usd


@pytest.mark.parametrize(
    ("amount", "reserved", "settled"),
    [
        ("0", 0, 0),
        ("1.25", 1_250_000, 1_250_000),
        ("0.0000001", 1, 0),
        ("0.0000005", 1, 0),
        ("0.0000015", 2, 2),
        ("0.0000025", 3, 2),
        ("0.002359296", 2360, 2359),
        ("1E+3", 1_000_000_000, 1_000_000_000),
    ],
)
def test_a_reservation_rounds_up_and_a_settlement_half_to_even(amount, reserved, settled):
    assert micro_usd(Decimal(amount), "reserve") == reserved
    assert micro_usd(Decimal(amount), "settle") == settled


@pytest.mark.parametrize("amount", [0.1, 1, "1", Decimal("NaN"), Decimal("Infinity")])
def test_only_exact_amounts_are_taken(amount):
    with pytest.raises(PricingError):
        micro_usd(amount, "settle")


@given(st.decimals(0, 10**9, places=9))
def test_a_reservation_always_covers_its_settlement(amount):
    assert micro_usd(amount, "settle") <= micro_usd(amount, "reserve")
    assert from_micro_usd(micro_usd(amount, "reserve")) >= amount


def test_micro_dollars_read_back_exactly():
    assert from_micro_usd(2360) == Decimal("0.002360")
