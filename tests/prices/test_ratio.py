"""Quote against bill: decayed medians by offer, and the row that would have been right."""

from decimal import Decimal

import pytest

from aggregator.pricing.ratio import Bill, proposal, ratios

from .conftest import TODAY, rate_text

DAY_MS = 86_400_000
NOW = 1_795_000_000_000


def bill(usd, age_days=0.0, rate="0.10", quantity="5", counted=None, row="p/e/video_second@2026-01-01", low=None):
    high = Decimal(rate) * Decimal(quantity)
    line = {"unit": "video_second", "low": low or quantity, "high": quantity, "rate_usd": rate, "row": row}
    quote = {"low_usd": str(Decimal(rate) * Decimal(low or quantity)), "high_usd": str(high), "lines": [line]}
    amounts = {} if counted is None else {"video_second": Decimal(counted)}
    return Bill("p:e", "m", quote, Decimal(usd), amounts, NOW - int(age_days * DAY_MS))


def of(*bills):
    return ratios(bills, NOW)["p:e"]


def test_bills_within_the_quote_are_one():
    assert bill("0.50").ratio == 1
    assert bill("0.30", low="2").ratio == 1
    assert bill("0.60").ratio == Decimal("1.2")
    assert bill("0.10", low="2").ratio == Decimal("0.5")
    assert not of(*[bill("0.51")] * 5).drifts  # within 5 %


def test_drift_is_said_from_three_bills_on():
    assert not of(bill("0.60"), bill("0.60")).drifts
    found = of(bill("0.60"), bill("0.61"), bill("0.59"))
    assert found.drifts
    assert (found.n, found.median, found.low, found.high) == (3, Decimal("1.2"), Decimal("1.18"), Decimal("1.22"))
    assert found.said == "bills are 20 % above their quotes (median of 3)"
    assert "below" in of(*[bill("0.40")] * 3).said


def test_old_bills_count_less():
    old = [bill("0.50", age_days=120)] * 6
    assert of(*old, *[bill("0.60")] * 3).median == Decimal("1.2")
    assert of(*[bill("0.50", age_days=1)] * 6, *[bill("0.60")] * 3).median == 1


def test_a_corrected_rate_begins_anew():
    assert of(*[bill("0.60", age_days=2)] * 5, bill("0.60", rate="0.12")).n == 1


def test_unpriced_and_free_quotes_have_no_ratio():
    unpriced = Bill("p:e", "m", {"low_usd": None, "high_usd": None, "lines": []}, Decimal(1), {}, NOW)
    free = bill("0.10", rate="0")
    assert (unpriced.ratio, free.ratio, ratios([unpriced, free], NOW)) == (None, None, {})


def test_the_row_that_would_have_been_right(prices):
    table = prices(rate_text("0.10", more='source = "a page"\nnote = "old"'))
    found = proposal(table, of(*[bill("0.60")] * 3), TODAY)
    assert (found.rate.usd, found.rate.starts, found.rate.name, found.rate.note) == (Decimal("0.12"), TODAY, "e", "")
    assert "own bills: 3, 1.200 times" in found.rate.source


def test_a_model_wide_row_is_corrected_for_this_offer_only(prices):
    row = "p/m/video_second@2026-01-01"
    table = prices(rate_text("0.10", scope='model = "m"'))
    found = proposal(table, of(*[bill("0.60", row=row)] * 3), TODAY)
    assert (found.rate.scope, found.rate.name) == ("endpoint", "e")


def test_a_count_that_differs_is_no_matter_of_the_rate(prices):
    found = of(*[bill("0.60", counted="6")] * 3)
    assert found.miscounted == "video_second"
    made = proposal(prices(rate_text("0.10")), found, TODAY)
    assert made.rate is None
    assert "its meter is to be corrected" in made.why


@pytest.mark.parametrize("rows", [(), ("0.10", "0.20")])
def test_where_the_bills_do_not_say_which_rate_nothing_is_proposed(prices, rows):
    table = prices(*(rate_text(usd, starts=f"2026-0{n + 1}-01") for n, usd in enumerate(rows)))
    two = bill("0.60")
    two.quote["lines"].append({**two.quote["lines"][0], "row": "p/e/video_second@2026-02-01"})
    assert proposal(table, of(two, two, two), TODAY).rate is None
