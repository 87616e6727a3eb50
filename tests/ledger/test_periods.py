"""Budgets for each day, week and month: in UTC, by when it was reserved, over everything below."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from aggregator.errors import BudgetExceededError, ConfigurationError
from aggregator.periods import DAY_MS, PERIODS, window_of
from tests.ledger.books import Books


def ms(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1000


@pytest.fixture
def books(fresh: Books) -> Books:
    """A month's budget on the organisation, a day's and a life's on the project."""
    fresh.open("org", month=1000)
    fresh.open("film", 2000, "org", day=300)
    fresh.open("film/one", None, "film")
    fresh.at = ms("2026-11-21T23:59:59")
    return fresh


@pytest.mark.parametrize(
    ("moment", "period", "label", "first", "end"),
    [
        ("2026-11-21T00:00", "day", "2026-11-21", "2026-11-21", "2026-11-22"),
        ("2026-11-21T23:59:59", "day", "2026-11-21", "2026-11-21", "2026-11-22"),
        ("2026-11-22T23:59:59", "week", "2026-W47", "2026-11-16", "2026-11-23"),
        ("2026-11-23T00:00", "week", "2026-W48", "2026-11-23", "2026-11-30"),
        ("2027-01-03T12:00", "week", "2026-W53", "2026-12-28", "2027-01-04"),
        ("2026-12-31T23:59:59", "month", "2026-12", "2026-12-01", "2027-01-01"),
        ("2028-02-29T00:00", "month", "2028-02", "2028-02-01", "2028-03-01"),
        ("1970-01-01T00:00", "week", "1970-W01", "1969-12-29", "1970-01-05"),
    ],
)
def test_a_moment_is_in_one_day_week_and_month(moment: str, period: str, label: str, first: str, end: str) -> None:
    window = window_of(period, ms(moment))  # type: ignore[arg-type]
    assert (window.label, window.from_at, window.until_at) == (label, ms(first), ms(end))


@pytest.mark.parametrize("period", PERIODS)
def test_periods_follow_each_other_without_a_gap(period: str) -> None:
    at = ms("2026-01-01T00:00")
    for _ in range(400):
        window = window_of(period, at)  # type: ignore[arg-type]
        assert window.from_at <= at < window.until_at
        assert window_of(period, window.until_at).from_at == window.until_at  # type: ignore[arg-type]
        at += DAY_MS


def test_a_day_is_used_up_and_the_next_one_is_new(books: Books) -> None:
    books.reserve("film/one", 300)
    with pytest.raises(BudgetExceededError):
        books.reserve("film", 1)
    books.at = ms("2026-11-22T00:00")
    books.reserve("film", 300)
    assert books.of("film@day/2026-11-21") == books.of("film@day/2026-11-22") == (300, 0, 0)
    assert books.of("org@month/2026-11") == books.of("film") == (600, 0, 0)
    books.verify()


def test_a_refusal_names_the_level_and_the_period_and_says_until_when(books: Books) -> None:
    books.settle(books.reserve("film", 200), 150)
    books.reserve("film", 50)
    with pytest.raises(BudgetExceededError) as caught:
        books.reserve("film/one", 101)
    error = caught.value
    assert (error.account, error.period) == ("film", "day 2026-11-21")
    assert error.until == datetime(2026, 11, 22, tzinfo=UTC)
    assert error.limit_usd - error.spent_usd - error.held_usd == Decimal("0.0001")
    said = (
        "film, day 2026-11-21: this call may cost $0.000101, and $0.0001 is left of $0.0003 until 2026-11-22 00:00 UTC"
    )
    assert said in str(error)
    assert "wait for the next period" in str(error)
    books.verify()


def test_the_level_with_least_left_is_the_one_that_is_named(books: Books) -> None:
    for day in range(22, 25):
        books.at = ms(f"2026-11-{day}T12:00")
        books.reserve("film", 300)
    books.at = ms("2026-11-25T12:00")
    with pytest.raises(BudgetExceededError) as caught:
        books.reserve("film", 400)  # more than the day has, and more than is left of the month
    assert (caught.value.account, caught.value.period) == ("org", "month 2026-11")


def test_what_counts_is_when_it_was_reserved(books: Books) -> None:
    of = books.reserve("film", 200)
    books.at = ms("2026-12-05T00:00")
    books.settle(of, 250)
    assert books.of("film@day/2026-11-21") == books.of("org@month/2026-11") == (0, 250, 50)
    assert set(books.accounts()) == {"org", "film", "film/one", "film@day/2026-11-21", "org@month/2026-11"}
    books.verify()


def test_a_cap_set_in_mid_month_counts_the_whole_month(books: Books) -> None:
    books.at = ms("2026-10-31T12:00")
    books.reserve("film/one", 70)
    books.at = ms("2026-11-03T12:00")
    books.settle(books.reserve("film/one", 100), 120)
    books.release(books.reserve("film", 40))
    books.reserve("film", 30)
    books.at = ms("2026-11-20T12:00")
    with pytest.raises(ConfigurationError, match=r"too low for film: \$0.00012 spent, \$0.00003 reserved in month"):
        books.set_cap("film", 129, "month")
    books.set_cap("film", 130, "month")
    assert books.of("film@month/2026-11") == (30, 120, 20)
    with pytest.raises(BudgetExceededError):
        books.reserve("film", 1)
    books.set_cap("film", 151, "month")
    books.reserve("film/one", 1)
    books.verify()


def test_a_changed_cap_counts_from_the_present_period_on(books: Books) -> None:
    books.reserve("film", 300)
    books.at = ms("2026-11-22T12:00")
    books.reserve("film", 10)
    books.set_cap("film", 20, "day")
    with pytest.raises(BudgetExceededError):
        books.reserve("film", 11)
    books.at = ms("2026-11-23T12:00")
    with pytest.raises(BudgetExceededError):
        books.reserve("film", 21)
    assert (
        books.do(lambda c: c.exec_driver_sql("SELECT cap FROM account WHERE id = 'film@day/2026-11-21'").scalar())
        == 300
    )
    books.verify()


def test_a_clock_that_went_back_finds_the_period_it_is_in(books: Books) -> None:
    """An old period that is over its new cap is closed: nothing more is reserved in it, and nothing breaks."""
    books.open("spot", None, "org")
    books.reserve("spot", 80)
    books.at = ms("2026-12-02T12:00")
    books.set_cap("spot", 50, "month")
    books.reserve("spot", 50)
    books.at = ms("2026-11-25T12:00")
    with pytest.raises(BudgetExceededError, match=r"month 2026-11.* \$0.00 is left of \$0.00005"):
        books.reserve("spot", 0)
    books.verify()


def test_budgets_of_periods_stay_as_they_were_set(books: Books) -> None:
    books.open("film", 2000, "org", day=300)
    books.open("film", None, "org")
    with pytest.raises(ConfigurationError, match=r"a budget of \$0.0003 a day, not \$0.0004.*set_budget"):
        books.open("film", None, "org", day=400)
    with pytest.raises(ConfigurationError, match="no budget a week"):
        books.open("film", None, "org", week=400)


@pytest.mark.parametrize("column", ["held", "settled", "overrun"])
def test_a_tampered_period_is_found(books: Books, column: str) -> None:
    books.settle(books.reserve("film", 100), 120)
    books.verify()
    change = f"UPDATE account SET {column} = {column} + 1 WHERE id = 'film@day/2026-11-21'"
    books.do(lambda c: c.exec_driver_sql(change))
    with pytest.raises(Exception, match="books of film@day/2026-11-21 do not add up"):
        books.verify()


def test_without_a_budget_for_a_period_nothing_more_is_asked(fresh: Books) -> None:
    """The reservation is on the way of every paid request: four statements, whatever the number of levels."""
    from sqlalchemy import event

    fresh.open("org", 1000)
    fresh.open("film", None, "org")
    fresh.open("film/one", None, "film")
    of, other = fresh.attempt("film/one"), fresh.attempt("film/one")
    said: list[str] = []
    engine = fresh.do(lambda c: c.engine)
    event.listen(engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    fresh.reserve("film/one", 10, of)
    assert len([text for text in said if text.split()[0] in ("SELECT", "WITH", "UPDATE", "INSERT")]) == 4
    fresh.reserve("film/one", 10, other)
    said.clear()
    fresh.settle(of, 10)
    assert len([text for text in said if text.split()[0] in ("SELECT", "WITH", "UPDATE", "INSERT")]) == 4
