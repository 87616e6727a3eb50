"""Money for a whole run: kept before its first step is bought, taken by each step once, given back when it is over."""

import threading
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from aggregator import ledger
from aggregator.errors import BudgetExceededError, ConfigurationError, LedgerError
from aggregator.periods import day_of
from aggregator.secret import Secret
from aggregator.store.database import Store
from tests.ledger.books import Books

DAY = 86_400_000
LEVELS = ("org", "film", "film/one")


@pytest.fixture
def books(books: Books) -> Books:
    """Those of all these tests, with two runs: budgets of 1000, 500 and 300."""
    books.run("cut", "film/one")
    books.run("trailer", "film")
    return books


def test_what_is_earmarked_is_held_on_every_level_and_no_other_work_can_take_it(books: Books) -> None:
    books.earmark("film/one", "cut", still=100, shot=150)
    assert [books.of(name) for name in LEVELS] == [(250, 0, 0)] * 3
    with pytest.raises(BudgetExceededError):
        books.reserve("film/one", 51)
    books.reserve("film/one", 50)
    books.verify()


def test_all_of_it_or_nothing(books: Books) -> None:
    books.reserve("film", 260)
    with pytest.raises(BudgetExceededError) as refused:
        books.earmark("film/one", "cut", still=100, shot=141)
    assert str(refused.value) == (
        "film: the steps of this run together may cost $0.000241, and $0.00024 is left of $0.0005 (spent $0.00, "
        "reserved $0.00026). Nothing was sent. Raise the budget with set_budget(), or choose a cheaper model or stage"
    )
    assert refused.value.quote_usd == Decimal("0.000241")
    assert (books.earmarks("cut"), books.of("film"), books.of("film/one")) == ({}, (260, 0, 0), (0, 0, 0))
    books.earmark("film/one", "cut", still=100, shot=140)
    assert books.of("film") == (500, 0, 0)
    books.verify()


def test_a_repeat_moves_nothing(books: Books) -> None:
    books.earmark("film/one", "cut", still=100, shot=150)
    books.earmark("film/one", "cut", shot=150, still=100)
    assert (books.moved.held, books.moved.levels, books.of("film/one")) == (0, (), (250, 0, 0))


def test_another_plan_moves_the_difference(books: Books) -> None:
    books.earmark("film/one", "cut", still=100, shot=150)
    books.earmark("film/one", "cut", still=120, sound=160)  # it fits only into what was kept before
    assert (books.moved.held, books.earmarks("cut")) == (30, {"still": 120, "sound": 160})
    assert [books.of(name) for name in LEVELS] == [(280, 0, 0)] * 3
    books.verify()


def test_another_plan_that_does_not_fit_leaves_the_one_before(books: Books) -> None:
    books.earmark("film/one", "cut", still=100, shot=150)
    with pytest.raises(BudgetExceededError, match=r"together may cost \$0\.000301, and \$0\.0003 is left"):
        books.earmark("film/one", "cut", still=301)
    assert (books.earmarks("cut"), books.of("film/one")) == ({"still": 100, "shot": 150}, (250, 0, 0))
    books.verify()


def test_a_smaller_plan_fits_where_nothing_else_does(books: Books) -> None:
    """A bill above its reservation has taken the room: what is kept can shrink, and not grow."""
    books.earmark("film/one", "cut", still=100, shot=100)
    books.settle(books.reserve("film/one", 100), 250)
    books.earmark("film/one", "cut", still=100, shot=99)
    assert books.of("film/one") == (199, 250, 150)
    with pytest.raises(BudgetExceededError):
        books.earmark("film/one", "cut", still=100, shot=100)
    books.verify()


def test_runs_keep_their_own(books: Books) -> None:
    books.earmark("film/one", "cut", still=100)
    books.earmark("film", "trailer", still=200)
    assert [books.of(name)[0] for name in LEVELS] == [300, 300, 100]
    books.unmark("cut")
    assert (books.earmarks("cut"), books.earmarks("trailer")) == ({}, {"still": 200})
    assert [books.of(name)[0] for name in LEVELS] == [200, 200, 0]
    books.verify()


def test_what_is_left_is_given_back(books: Books) -> None:
    books.earmark("film/one", "cut", still=100, shot=150, sound=20)
    books.unmark("cut", "shot", "nobody")
    assert (books.moved.held, books.earmarks("cut")) == (-150, {"still": 100, "sound": 20})
    books.unmark("cut")
    books.unmark("cut")
    assert (books.moved.held, books.of("film/one"), books.earmarks("cut")) == (0, (0, 0, 0), {})
    books.verify()


def test_a_plan_of_nothing_gives_all_of_it_back(books: Books) -> None:
    books.earmark("film/one", "cut", still=100)
    books.earmark("film/one", "cut")
    assert (books.moved.held, books.of("film/one")) == (-100, (0, 0, 0))


# ------------------------------------------------------------------------------------------------------------ reserving


def test_a_step_takes_its_own_money(books: Books) -> None:
    books.earmark("film/one", "cut", still=100, shot=200)
    books.reserve("film/one", 200, earmark=("cut", "shot"))
    assert (books.of("film/one"), books.earmarks("cut")) == ((300, 0, 0), {"still": 100})
    books.verify()


def test_what_a_step_does_not_need_is_free(books: Books) -> None:
    books.earmark("film/one", "cut", still=100, shot=200)
    books.reserve("film/one", 150, earmark=("cut", "shot"))
    assert books.of("film/one") == (250, 0, 0)
    books.reserve("film/one", 50)
    books.verify()


def test_a_step_that_needs_more_needs_room_for_that(books: Books) -> None:
    books.earmark("film/one", "cut", still=100, shot=150)
    of = books.attempt("film/one")
    with pytest.raises(BudgetExceededError, match=r"this call may cost \$0\.000201, and \$0\.0002 is left"):
        books.reserve("film/one", 201, of, earmark=("cut", "shot"))
    assert (books.of("film/one"), books.earmarks("cut")) == ((250, 0, 0), {"still": 100, "shot": 150})
    books.reserve("film/one", 200, of, earmark=("cut", "shot"))
    assert books.of("film/one") == (300, 0, 0)
    books.verify()


def test_an_earmark_is_taken_once(books: Books) -> None:
    """A retry and a fallback reserve like any other call."""
    books.earmark("film/one", "cut", shot=200)
    first = books.reserve("film/one", 200, earmark=("cut", "shot"))
    with pytest.raises(BudgetExceededError):
        books.reserve("film/one", 200, earmark=("cut", "shot"))
    books.release(first)
    books.reserve("film/one", 200, earmark=("cut", "shot"))
    assert books.of("film/one") == (200, 0, 0)
    books.verify()


def test_a_repeated_reservation_takes_no_second_earmark(books: Books) -> None:
    books.earmark("film/one", "cut", shot=200)
    of = books.reserve("film/one", 200, earmark=("cut", "shot"))
    books.earmark("film/one", "cut", shot=50)
    books.reserve("film/one", 200, of, earmark=("cut", "shot"))
    assert (books.of("film/one"), books.earmarks("cut")) == ((250, 0, 0), {"shot": 50})
    books.verify()


def test_a_reservation_within_its_earmark_fits_whatever_others_were_billed(books: Books) -> None:
    books.earmark("film/one", "cut", shot=200)
    books.settle(books.reserve("film/one", 100), 180)
    books.reserve("film/one", 200, earmark=("cut", "shot"))
    assert books.of("film/one") == (200, 180, 80)
    books.verify()


def test_an_earmark_of_another_account_is_given_back_there(books: Books) -> None:
    books.earmark("film", "trailer", shot=200)
    books.reserve("film/one", 150, earmark=("trailer", "shot"))
    assert [books.of(name)[0] for name in LEVELS] == [150, 150, 150]
    books.verify()


def test_credits_are_counted_when_a_step_reserves(books: Books) -> None:
    books.credits("p", "10", 5_000_000)
    books.earmark("film/one", "cut", still=100, shot=100)
    assert books.of("credits:p") == (0, 0, 0)
    books.reserve("film/one", 40, earmark=("cut", "still"))
    assert books.of("credits:p") == (4, 0, 0)
    books.set_cap("credits:p", 4)
    with pytest.raises(BudgetExceededError, match=r"0\.00001 credits"):
        books.reserve("film/one", 100, earmark=("cut", "shot"))
    assert (books.of("film/one"), books.earmarks("cut")) == ((140, 0, 0), {"shot": 100})
    books.verify()


def test_a_threshold_is_told_when_the_run_is_planned(books: Books) -> None:
    books.earmark("film/one", "cut", still=100, shot=150)
    assert books.crossed() == [("film/one", 80)]
    books.reserve("film/one", 150, earmark=("cut", "shot"))
    assert books.crossed() == []


# -------------------------------------------------------------------------------------------------------------- periods


@pytest.fixture
def days(fresh: Books) -> Books:
    """A day's budget of 100, and 250 for life."""
    fresh.open("film", 250, day=100)
    fresh.run("cut", "film")
    return fresh


def test_an_earmark_counts_for_the_day_it_was_made_on(days: Books) -> None:
    days.earmark("film", "cut", still=60, shot=40)
    assert days.of("film@day/1970-01-01") == (100, 0, 0)
    with pytest.raises(BudgetExceededError, match=r"the steps of this run together .* until 1970-01-02 00:00 UTC"):
        days.earmark("film", "cut", still=60, shot=41)
    days.at = DAY
    days.reserve("film", 100)
    assert (days.of("film"), days.of("film@day/1970-01-02")) == ((200, 0, 0), (100, 0, 0))
    days.verify()


def test_a_step_of_yesterdays_run_looks_for_room_in_todays_budget(days: Books) -> None:
    days.earmark("film", "cut", still=60, shot=40)
    days.at = DAY
    days.reserve("film", 50)
    with pytest.raises(BudgetExceededError) as refused:
        days.reserve("film", 60, earmark=("cut", "still"))
    assert (refused.value.period, days.earmarks("cut")) == ("day 1970-01-02", {"still": 60, "shot": 40})
    days.reserve("film", 40, earmark=("cut", "shot"))
    days_held = [days.of(name)[0] for name in ("film", "film@day/1970-01-01", "film@day/1970-01-02")]
    assert days_held == [150, 60, 90]
    days.verify()


def test_a_run_that_goes_on_the_next_day_is_kept_in_that_day(days: Books) -> None:
    days.earmark("film", "cut", still=60, shot=40)
    days.at = DAY
    days.reserve("film", 10)
    with pytest.raises(BudgetExceededError):  # told at once, not half way through
        days.earmark("film", "cut", still=60, shot=40)
    days.earmark("film", "cut", still=50, shot=40)
    days_held = [days.of(name)[0] for name in ("film", "film@day/1970-01-01", "film@day/1970-01-02")]
    assert days_held == [100, 0, 100]
    days.at = 2 * DAY
    days.earmark("film", "cut", still=50, shot=40)
    assert (days.moved.held, days.of("film@day/1970-01-02"), days.of("film@day/1970-01-03")) == (
        0,
        (10, 0, 0),
        (90, 0, 0),
    )
    days.verify()


def test_a_period_that_is_opened_later_counts_what_was_earmarked_in_it(days: Books) -> None:
    days.earmark("film", "cut", still=60)
    days.at = DAY
    days.earmark("film", "cut", still=60, shot=20)
    with pytest.raises(ConfigurationError, match=r"\$0\.00008 reserved in month 1970-01"):
        days.set_cap("film", 79, "month")
    days.set_cap("film", 80, "month")
    assert days.of("film@month/1970-01") == (80, 0, 0)
    with pytest.raises(BudgetExceededError):
        days.reserve("film", 1)
    days.reserve("film", 60, earmark=("cut", "still"))
    days.unmark("cut")
    assert days.of("film@month/1970-01") == (60, 0, 0)
    days.verify()


def test_a_budget_is_not_set_below_what_is_earmarked(books: Books) -> None:
    books.earmark("film/one", "cut", still=200)
    with pytest.raises(ConfigurationError, match=r"\$0\.0002 reserved"):
        books.set_cap("film/one", 199)
    books.set_cap("film/one", 200)


# -------------------------------------------------------------------------------------------------------------- reports


def test_reports_say_how_much_of_what_is_reserved_is_earmarked(days: Books) -> None:
    days.earmark("film", "cut", still=60, shot=30)
    days.at = DAY
    days.reserve("film", 50, earmark=("cut", "shot"))
    spend = days.spend("film")
    assert (spend.held_usd, spend.earmarked_usd) == (Decimal("0.00011"), Decimal("0.00006"))
    assert sum(line.held_usd for line in spend.lines) == Decimal("0.00005")
    assert str(spend) == "film: $0.00 spent of $0.00025, $0.00011 reserved ($0.00006 of it earmarked)"
    assert spend.as_json()["earmarked_usd"] == "0.000060"
    life, day = spend.budgets
    assert (life.held, life.earmarked, life.as_json()["earmarked"]) == (
        Decimal("0.00011"),
        Decimal("0.00006"),
        "0.000060",
    )
    assert (day.held, day.earmarked) == (Decimal("0.00005"), 0)
    days.unmark("cut")
    assert "earmarked" not in str(days.spend("film"))


def test_spend_of_some_days_has_what_was_earmarked_on_them(days: Books) -> None:
    days.earmark("film", "cut", still=60)
    first, second = day_of(0), day_of(DAY)
    assert (
        days.spend("film", until=first).held_usd == days.spend("film", since=first).earmarked_usd == Decimal("0.00006")
    )
    assert days.spend("film", since=second).held_usd == 0
    assert days.spend("film", tags={"scene": "1"}).held_usd == 0


# -------------------------------------------------------------------------------------------------------------- proving


def test_a_float_is_no_amount(books: Books) -> None:
    for amount in (1.0, -1, True):
        with pytest.raises(LedgerError, match="is no amount"):
            books.earmark("film/one", "cut", still=100, shot=amount)  # type: ignore[arg-type]
    assert (books.earmarks("cut"), books.of("film/one")) == ({}, (0, 0, 0))


def test_books_that_forget_an_earmark_do_not_add_up(books: Books) -> None:
    books.earmark("film/one", "cut", still=100)
    books.do(lambda c: c.execute(text("DELETE FROM earmark")))
    with pytest.raises(LedgerError, match=r"reserved 100, .* the transfers and earmarks say 0,"):
        books.verify()


@pytest.mark.parametrize("verb", ["earmark", "again", "reserve", "unmark"])
def test_a_transaction_that_does_not_end_leaves_nothing(books: Books, verb: str) -> None:
    books.earmark("film/one", "cut", still=100, shot=50)
    of, before, transfers = books.attempt("film/one"), books.accounts(), books.transfers()
    verbs: dict[str, Callable[[Any], Any]] = {
        "earmark": lambda c: ledger.earmark(c, "film", "trailer", {"still": 10}, at=0),
        "again": lambda c: ledger.earmark(c, "film/one", "cut", {"still": 1}, at=DAY),
        "reserve": lambda c: ledger.reserve(
            c, "film/one", of, 80, provider="p", basis={}, at=0, earmark=("cut", "still")
        ),
        "unmark": lambda c: ledger.unmark(c, "cut"),
    }

    def dies(c: Any) -> None:
        assert verbs[verb](c).held
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        books.do(dies)
    assert (books.accounts(), books.transfers()) == (before, transfers)
    assert (books.earmarks("cut"), books.earmarks("trailer")) == ({"still": 100, "shot": 50}, {})
    books.verify()


def test_the_database_itself_refuses_less_than_nothing(books: Books) -> None:
    books.earmark("film/one", "cut", still=100)
    with pytest.raises(IntegrityError):
        books.do(lambda c: c.execute(text("UPDATE earmark SET amount = -1")))


# --------------------------------------------------------------------------------------------------------------- racing


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_of_a_run_and_a_call_that_race_for_the_last_room_one_gets_it(
    database: str, request: pytest.FixtureRequest, quick: Path
) -> None:
    """Each in a thread and with a connection of its own, again and again."""
    at = quick / "store.sqlite" if database == "sqlite" else Secret(request.getfixturevalue("postgres_url"))
    books = Books(at)
    books.open("film", 100)
    books.run("cut", "film")
    attempts = [books.attempt("film") for _ in range(20)]
    together = threading.Barrier(2, timeout=60)
    ends: dict[str, list[bool]] = {"run": [], "call": []}

    def racer(name: str, verb: Callable[[Any, str], Any], undo: Callable[[Any, str], Any]) -> None:
        store = Store(at, inline=True)
        for of in attempts:
            together.wait()
            try:
                store.now(lambda c, of=of: verb(c, of))
                ends[name].append(True)
            except BudgetExceededError:
                ends[name].append(False)
            together.wait()
            if ends[name][-1]:
                store.now(lambda c, of=of: undo(c, of))
        store.close()

    given = {"provider": "p", "basis": {}, "at": 0}
    threads = [
        threading.Thread(
            target=racer,
            args=(
                "run",
                lambda c, _of: ledger.earmark(c, "film", "cut", {"still": 30, "shot": 30}, at=0),
                lambda c, _of: ledger.unmark(c, "cut"),
            ),
        ),
        threading.Thread(
            target=racer,
            args=(
                "call",
                lambda c, of: ledger.reserve(c, "film", of, 60, **given),
                lambda c, of: ledger.release(c, of, why="refused", at=0),
            ),
        ),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [run + call for run, call in zip(ends["run"], ends["call"], strict=True)] == [1] * len(attempts)
    assert books.of("film") == (0, 0, 0)
    books.verify()
    books.store.close()
