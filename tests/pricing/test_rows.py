"""Every bundled rate can win, and says what it must: a row that nothing reaches is a mistake in its conditions."""

from collections import defaultdict
from datetime import date
from decimal import Decimal
from itertools import product

import pytest

from aggregator.backends import provider_names, provider_table
from aggregator.pricing.money import exact
from aggregator.pricing.ranges import Range
from aggregator.pricing.table import GIVEN, LEFT_OUT, PriceTable
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="module")
def prices():
    return PriceTable.bundled()


@pytest.fixture(scope="module")
def offers():
    tables = {name: provider_table(name) for name in provider_names()}
    found = defaultdict(list)
    for offer in Registry.bundled(mappings=mappings_of(tables)).all_offers():
        found[offer.provider].append(offer)
    return found


def fulfilled(value, wants):
    amount = exact(value)
    return any(
        (amount is not None and want.holds(amount)) if isinstance(want, Range) else repr(value) == repr(want)
        for want in wants
    ) or (GIVEN in wants and value != LEFT_OUT)


def inside(want):
    """A value that meets a condition, where the offer's own limits name none."""
    if not isinstance(want, Range):
        return want
    low, high = want.above or Decimal(0), want.up_to
    return low + 1 if high is None else (low + high) / 2


def cases(row, offer):
    """Values under which a row applies, each as the offer takes it."""
    choices = []
    for name, wants in row.when.items():
        limit = offer.limits.get(name)
        taken = [value for value in limit.values if fulfilled(value, wants)] if limit and limit.values else None
        choices.append(list(map(inside, wants)) if taken is None else taken)
    return [dict(zip(row.when, values, strict=True)) for values in product(*choices)]


def wins(row, offer, prices):
    ranked = prices.rows_for(offer, row.unit, row.starts)
    return any(
        next(
            other
            for other in ranked
            if all(name in case and fulfilled(case[name], wants) for name, wants in other.when.items())
        )
        is row
        for case in cases(row, offer)
    )


def test_every_row_can_win_on_its_first_day(offers, prices):
    dead = []
    for provider in prices.providers:
        for row in prices.rates(provider):
            served = [
                offer
                for offer in offers[provider]
                if any(meter.unit == row.unit for meter in offer.mapping.meters)
                and row in prices.rows_for(offer, row.unit, row.starts)
            ]
            if not any(wins(row, offer, prices) for offer in served):
                dead.append(row.id)
    assert dead == []


def test_every_row_has_a_source_and_days_that_can_be(prices):
    for provider in prices.providers:
        for row in prices.rates(provider):
            assert row.source, row.id
            assert row.checked is not None, row.id
            assert row.starts <= row.checked <= TODAY, row.id
            assert "wire/" not in row.source, row.id


def test_a_price_that_came_down_can_still_be_asked_for(offers, prices):
    eleven = next(offer for offer in offers["elevenlabs"] if offer.endpoint == "eleven_v3")
    found = [str(prices.rows_for(eleven, "kilo_character", day)[0].usd) for day in (date(2026, 10, 30), TODAY)]
    assert found == ["0.18", "0.08"]
