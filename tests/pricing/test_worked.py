"""Jobs priced by hand from the price pages (`worked/<provider>.toml`), against what is quoted."""

import tomllib
from datetime import date
from decimal import Decimal
from math import prod
from pathlib import Path

import pytest

from aggregator.backends import provider_names, provider_table
from aggregator.inputs import Media
from aggregator.pricing.money import micro_usd
from aggregator.pricing.price import quote
from aggregator.pricing.table import PriceTable
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.tasks import TASKS, Reference

TODAY = date(2026, 11, 21)
URL = "https://example.com/input"
JOBS = [
    (file.stem, job)
    for file in sorted((Path(__file__).parent / "worked").glob("*.toml"))
    for job in tomllib.loads(file.read_text(encoding="utf-8"))["job"]
]
COUNTED_AFTER = {"topaz", "topaz_video"}  # by credits, of which nobody knows the number before
STAND_IN = "local"
ROUNDED = 50
"""Millionths of a dollar: pages round, and so do credits."""


def worked_out(text):
    """A sum of products and quotients, as it is written."""
    total = Decimal(0)
    for term in text.split(" + "):
        first, *divisors = term.split(" / ")
        amount = prod(map(Decimal, first.split(" × ")), start=Decimal(1))
        for divisor in divisors:
            by, *times = map(Decimal, divisor.split(" × "))
            amount = prod(times, start=amount / by)
        total += amount
    return total


def ordered(task, request):
    """The request in words of the file: inputs by what is known of them, texts by their length."""
    values = dict(request)
    said = values.pop("characters", None)
    wished = values.pop("prompt_characters", 1)
    fields = TASKS[task].model_fields
    if "text" in fields:
        values["text"] = "a" * (said or 1)
    if "prompt" in fields:
        values["prompt"] = "a" * wished
    for name, value in values.items():
        if isinstance(value, dict):
            values[name] = Media(url=URL, **value)
    if "references" in values:
        values["references"] = (Reference(image=URL),) * values["references"]
    if "size" in values:
        values["size"] = tuple(values["size"])
    if task == "speech-to-speech":
        values["voice"] = "a"
    if "lyrics" in fields and fields["lyrics"].is_required():
        values["lyrics"] = "la"
    return TASKS[task](**values)


@pytest.fixture(scope="module")
def offers():
    tables = {name: provider_table(name) for name in provider_names()}
    found = Registry.bundled(mappings=mappings_of(tables)).all_offers()
    return {(offer.provider, offer.endpoint, offer.task): offer for offer in found}


@pytest.fixture(scope="module")
def prices():
    return PriceTable.bundled()


@pytest.mark.parametrize(("provider", "job"), [pytest.param(p, j, id=f"{p}: {j['says']}") for p, j in JOBS])
def test_a_job_is_quoted_as_the_page_says(offers, prices, provider, job):
    usd = Decimal(job["usd"])
    assert abs(worked_out(job["sum"]) - usd) < Decimal("0.0001"), "the arithmetic"
    offer = offers[provider, job["endpoint"], job["task"]]
    request = ordered(job["task"], job.get("request", {}))
    found = quote(offer, request, prices, job.get("day", TODAY), job.get("options"))
    assert found.basis != "unknown", found.why
    low, booked, high = (micro_usd(amount, "settle") for amount in (found.low_usd, usd, found.high_usd))
    assert low - ROUNDED <= booked <= high + ROUNDED
    if found.basis == "exact":
        assert abs(found.high_usd - usd) < Decimal("0.0001")


def test_every_provider_with_rates_has_jobs_worked_out(prices):
    assert len(JOBS) >= 60
    worked = {provider for provider, _ in JOBS}
    assert worked == set(prices.providers) - COUNTED_AFTER - {STAND_IN} - {
        provider for provider in prices.providers if not prices.rates(provider)
    }
