"""Credits of a provider: counted by themselves beside the dollars, at the rate of the day they were reserved on."""

from decimal import Decimal

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from aggregator.errors import BudgetExceededError, LedgerError
from aggregator.store.schema import credit_rate, transfer
from tests.ledger.books import Books

CREDIT = 1_000_000


@pytest.fixture
def books(fresh: Books) -> Books:
    """Credits of a cent each at one provider, of which there are 100; and a project with $10."""
    fresh.open("film", 10_000_000)
    fresh.credits("runway", "0.01", 100 * CREDIT)
    return fresh


def test_dollars_and_credits_move_together_and_apart(books: Books) -> None:
    of = books.reserve("film", 250_000, provider="runway")
    assert (books.of("film"), books.of("credits:runway")) == ((250_000, 0, 0), (25 * CREDIT, 0, 0))
    books.settle(of, 300_000)
    assert (books.of("film"), books.of("credits:runway")) == ((0, 300_000, 50_000), (0, 30 * CREDIT, 5 * CREDIT))
    books.adjust(of, 100_000)
    assert (books.of("film"), books.of("credits:runway")) == ((0, 100_000, 0), (0, 10 * CREDIT, 0))
    books.release(books.reserve("film", 1, provider="runway"))
    books.reserve("film", 500_000, provider="fal")
    assert books.of("credits:runway") == (0, 10 * CREDIT, 0)
    rows = books.do(lambda c: c.execute(select(transfer).where(transfer.c.attempt == of)).all())
    assert {(row.currency, row.credit_usd) for row in rows} == {("credit:runway", "0.01")}
    books.verify()


def test_credits_run_out_before_the_dollars_do(books: Books) -> None:
    books.reserve("film", 900_000, provider="runway")
    with pytest.raises(BudgetExceededError) as caught:
        books.reserve("film", 100_001, provider="runway")
    assert "this call may cost 10.0001 credits, and 10 credits is left of 100 credits" in str(caught.value)
    assert "[providers.runway.credits]" in str(caught.value)
    assert caught.value.account == "credits:runway"
    assert round(caught.value.limit_usd, 2) == Decimal("1.00")
    books.reserve("film", 100_001, provider="fal")
    books.reserve("film", 100_000, provider="runway")
    books.verify()


def test_a_reservation_is_rounded_up_and_a_charge_half_to_even(fresh: Books) -> None:
    fresh.open("film")
    fresh.credits("odd", "3")
    of = fresh.reserve("film", 1, provider="odd")
    assert fresh.of("credits:odd") == (1, 0, 0)
    fresh.settle(of, 1)
    assert fresh.of("credits:odd") == (0, 0, 0)
    fresh.adjust(of, 2)
    assert fresh.of("credits:odd") == (0, 1, 1)
    fresh.verify()


def test_a_new_rate_counts_from_now_on_and_holds_keep_theirs(books: Books) -> None:
    old = books.reserve("film", 200_000, provider="runway")
    books.credits("runway", "0.010")
    books.credits("runway", "0.02")
    books.credits("runway", "0.02")
    new = books.reserve("film", 200_000, provider="runway")
    assert books.of("credits:runway") == (30 * CREDIT, 0, 0)
    books.settle(old, 200_000)
    books.settle(new, 100_000)
    assert books.of("credits:runway") == (0, 25 * CREDIT, 0)
    rates = books.do(lambda c: c.execute(select(credit_rate).order_by(credit_rate.c.from_at)).all())
    assert [(row.currency, row.usd, row.from_at) for row in rates] == [
        ("credit:runway", "0.01", 0),
        ("credit:runway", "0.02", 1),
    ]
    with pytest.raises(DBAPIError, match="immutable"):
        books.do(lambda c: c.exec_driver_sql("UPDATE credit_rate SET usd = '1'"))
    books.verify()


def test_what_was_reserved_before_credits_were_counted_stays_in_dollars(fresh: Books) -> None:
    fresh.open("film")
    before = fresh.reserve("film", 100_000, provider="runway")
    fresh.credits("runway", "0.01")
    fresh.settle(before, 150_000)
    fresh.adjust(before, 160_000)
    assert fresh.of("credits:runway") == (0, 0, 0)
    fresh.verify()


def test_credits_have_periods_too(fresh: Books) -> None:
    fresh.open("film")
    fresh.credits("runway", "0.01", day=10 * CREDIT)
    fresh.settle(fresh.reserve("film", 100_000, provider="runway"), 90_000)
    with pytest.raises(BudgetExceededError, match=r"credits:runway, day 1970-01-01.* 1 credits is left of 10 credits"):
        fresh.reserve("film", 20_000, provider="runway")
    fresh.at = 86_400_000
    fresh.reserve("film", 100_000, provider="runway")
    assert fresh.of("credits:runway@day/1970-01-01") == (0, 9 * CREDIT, 0)
    fresh.verify()


def test_tampered_credits_are_found(books: Books) -> None:
    books.reserve("film", 200_000, provider="runway")
    books.do(lambda c: c.exec_driver_sql("UPDATE account SET held = held - 1 WHERE id = 'credits:runway'"))
    with pytest.raises(LedgerError, match="books of credits:runway"):
        books.verify()


def test_spend_shows_credits_by_themselves(books: Books) -> None:
    books.settle(books.reserve("film", 200_000, provider="runway"), 150_000)
    books.reserve("film", 300_000, provider="runway")
    books.settle(books.reserve("film", 400_000, provider="fal"), 400_000)
    spend = books.spend("film")
    assert (spend.settled_usd, spend.held_usd) == (Decimal("0.55"), Decimal("0.3"))
    assert [(one.provider, one.settled, one.held) for one in spend.credits] == [("runway", Decimal(15), Decimal(30))]
