"""No bill is above its quote's high end or below its low end, over random jobs on every offer there is."""

from decimal import Decimal
from itertools import count
from random import Random

import pytest

from aggregator.backends import provider_names, provider_table
from aggregator.pricing.price import quote
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from tests.pricing.bill import READINGS, NoPriceError, bill
from tests.pricing.jobs import jobs

JOBS = 20
BILLS = 4
"""Of each job so many bills, every one with other decisions of the provider's."""
SEED = 20261121


@pytest.fixture(scope="module")
def offers():
    tables = {name: provider_table(name) for name in provider_names()}
    found = Registry.bundled(mappings=mappings_of(tables)).all_offers()
    return [offer for offer in found if offer.provider != "local" and offer.mapping.meters]


@pytest.fixture(scope="module")
def prices():
    return PriceTable.bundled()


def test_no_bill_is_outside_its_quote(offers, prices):
    random, priced = Random(SEED), count()
    for offer in offers:
        for request, day, options in jobs(offer, random, JOBS):
            quoted = quote(offer, request, prices, day, options)
            if quoted.basis == "unknown":
                continue
            next(priced)
            for _ in range(BILLS):
                said = f"{offer.id} for {_said(request)} on {day} with {options}: {quoted}"
                try:
                    billed = bill(offer, request, day, random.choice, options)
                except NoPriceError as error:
                    pytest.fail(f"{said}: {error}")
                assert quoted.low_usd <= billed <= quoted.high_usd, f"billed {billed}: {said}"
                assert quoted.basis == "estimate" or billed == quoted.high_usd
    assert next(priced) >= 5_000


def _said(request):
    return {name: value[:20] if isinstance(value, str) else value for name, value in request.values().items()}


def test_every_meter_with_a_function_is_read_anew(offers, prices):
    functions = {
        (offer.provider, meter.unit)
        for offer in offers
        for meter in offer.mapping.meters
        if callable(meter.quantity) and any(row.unit == meter.unit for row in prices.rates(offer.provider))
    }
    unknown = {
        ("topaz", "credit"),
        ("topaz_video", "credit"),
        ("replicate", "gpu_second"),
    }  # nobody knows before the provider has counted
    assert functions - unknown <= READINGS.keys()


def test_the_reading_multiplies_as_a_page_does():
    from tests.pricing.bill import charged

    assert charged(Decimal("7.1"), {"step": "3"}) == 9
    assert charged(Decimal(7), {"free": "5"}) == 2
    assert charged(Decimal(1), {"minimum": "2"}) == 2
