"""What prices were: rises, falls, and what was not known yet."""

from datetime import date
from decimal import Decimal

from aggregator.pricing.history import changes, first_known, said_when

from .conftest import TODAY, an_offer, rate_text


def test_a_rise_and_a_fall_with_percent(prices):
    table = prices(
        rate_text("0.10", "2026-01-01"),
        rate_text("0.12", "2026-06-01"),
        rate_text("0.40", "2026-01-01", 'endpoint = "f"'),
        rate_text("0.10", "2026-08-01", 'endpoint = "f"'),
    )
    found = changes(table, [an_offer(), an_offer("f")], date(2026, 3, 1), TODAY)
    assert [(item.offer.id, item.percent) for item in found] == [("p:e", Decimal(20)), ("p:f", Decimal(-75))]
    assert changes(table, [an_offer(), an_offer("f")], date(2026, 9, 1), TODAY) == []


def test_of_several_moves_the_first_day_and_the_last_are_compared(prices):
    table = prices(rate_text("1", "2026-01-01"), rate_text("9", "2026-02-01"), rate_text("2", "2026-03-01"))
    (found,) = changes(table, [an_offer()], date(2026, 1, 15), TODAY)
    assert (found.before.usd, found.after.usd, found.as_json()["percent"]) == (Decimal(1), Decimal(2), "100.0")


def test_each_condition_has_a_history_of_its_own(prices):
    table = prices(
        rate_text("0.20", more="when = { audio = false }"),
        rate_text("0.40", more="when = { audio = true }"),
        rate_text("0.30", "2026-06-01", more="when = { audio = true }"),
    )
    (found,) = changes(table, [an_offer()], date(2026, 3, 1), TODAY)
    assert (said_when(found.after), found.before.usd) == ("audio=true", Decimal("0.40"))


def test_what_was_unknown_then_is_new_and_not_a_rise(prices):
    table = prices(rate_text("1", "2026-06-01"))
    (found,) = changes(table, [an_offer()], date(2026, 3, 1), TODAY)
    assert (found.before, found.percent) == (None, None)


def test_free_has_no_percent(prices):
    table = prices(rate_text("0"), rate_text("1", "2026-06-01"))
    (found,) = changes(table, [an_offer()], date(2026, 3, 1), TODAY)
    assert (found.before.usd, found.percent) == (Decimal(0), None)


def test_the_first_day_on_which_a_job_can_be_priced(prices):
    table = prices(rate_text("1", "2026-06-01"), rate_text("1", "2026-04-01", unit="request"))
    assert first_known(table, an_offer()) == date(2026, 6, 1)
    assert first_known(table, an_offer(unit="image")) is None
