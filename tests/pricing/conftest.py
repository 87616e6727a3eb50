"""A price table from a few rows, and an offer that is billed by the second."""

from datetime import date

import pytest

from aggregator.contract import Endpoint, Meter
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Offer

DAY = date(2026, 11, 20)


@pytest.fixture
def prices(tmp_path):
    def build(*rows: str) -> PriceTable:
        (tmp_path / "rates").mkdir(exist_ok=True)
        text = "\n".join(f'[[rate]]\nendpoint = "e"\nfrom = 2026-01-01\n{row}\n' for row in rows)
        (tmp_path / "rates" / "p.toml").write_text(text)
        return PriceTable.load([tmp_path])

    return build


@pytest.fixture
def offer():
    def build(quantity="request.duration_s", unit="video_second", task="text-to-video", **values) -> Offer:
        meters = values.pop("meters", (Meter(unit, quantity),))
        mapping = Endpoint(fields=values.pop("fields", {}), meters=meters)
        return Offer(provider="p", endpoint="e", model="m", task=task, checked=DAY, mapping=mapping, **values)

    return build
