"""A price table from a few rows, and offers that are billed by one unit."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from aggregator.contract import Endpoint, Meter
from aggregator.pricing.rows import read_rates
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Offer

TODAY = date(2026, 11, 21)


def rate_text(usd="1", starts="2026-01-01", scope='endpoint = "e"', unit="video_second", more=""):
    return f'[[rate]]\n{scope}\nunit = "{unit}"\nusd = "{usd}"\nfrom = {starts}\n{more}\n'


def an_offer(endpoint="e", provider="p", unit="video_second", quantity="request.duration_s", **values) -> Offer:
    values = {"model": "m", "task": "text-to-video", "checked": TODAY, **values}
    return Offer(provider=provider, endpoint=endpoint, mapping=Endpoint(meters=(Meter(unit, quantity),)), **values)


@pytest.fixture
def prices(tmp_path: Path):
    """Builds a table of the rows of one provider, as a user's directory would have them."""

    def build(*rows: str, provider: str = "p") -> PriceTable:
        (tmp_path / "rates").mkdir(exist_ok=True)
        (tmp_path / "rates" / f"{provider}.toml").write_text("\n".join(rows))
        return PriceTable((read_rates(tmp_path / "rates"),))

    return build


def usd(rate) -> Decimal | None:
    return None if rate is None else rate.usd
