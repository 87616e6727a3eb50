"""Thresholds: told once each, by whatever passes them, for an account and each of its periods."""

import pytest

from tests.ledger.books import Books

DAY = 86_400_000


def test_a_threshold_is_told_once(fresh: Books) -> None:
    fresh.open("film", 100)
    fresh.reserve("film", 79)
    assert fresh.crossed() == []
    of = fresh.reserve("film", 1)
    assert fresh.crossed() == [("film", 80)]
    fresh.reserve("film", 10)
    assert fresh.crossed() == []
    fresh.release(of)
    fresh.reserve("film", 9)
    assert fresh.crossed() == []
    fresh.reserve("film", 2)
    assert fresh.crossed() == [("film", 100)]
    fresh.verify()


def test_both_may_be_passed_at_once(fresh: Books) -> None:
    fresh.open("film", 100)
    fresh.reserve("film", 100)
    assert fresh.crossed() == [("film", 80), ("film", 100)]


def test_each_level_and_each_period_has_its_own(fresh: Books) -> None:
    fresh.open("org", 1000)
    fresh.open("film", 100, "org", day=50)
    fresh.open("film/one", None, "film")
    fresh.reserve("film/one", 45)
    assert fresh.crossed() == [("film@day/1970-01-01", 80)]
    fresh.at = DAY
    fresh.reserve("film/one", 40)
    assert set(fresh.crossed()) == {("film@day/1970-01-02", 80), ("film", 80)}
    assert all(level.used for level in fresh.moved.levels)


def test_a_bill_above_its_quote_and_an_invoice_pass_them_too(fresh: Books) -> None:
    fresh.open("film", 100)
    of = fresh.reserve("film", 50)
    fresh.settle(of, 90)
    assert fresh.crossed() == [("film", 80)]
    fresh.adjust(of, 120)
    assert fresh.crossed() == [("film", 100)]
    assert fresh.moved.crossed[0].as_json() == {
        "account": "film",
        "period": None,
        "percent": 100,
        "cap": 100,
        "held": 0,
        "settled": 120,
    }


def test_another_budget_is_watched_anew_and_the_same_one_is_not(fresh: Books) -> None:
    fresh.open("film", 100)
    fresh.reserve("film", 80)
    fresh.set_cap("film", 100)
    fresh.reserve("film", 1)
    assert fresh.crossed() == []
    fresh.set_cap("film", 200)
    fresh.reserve("film", 1)
    assert fresh.crossed() == []
    fresh.reserve("film", 78)
    assert fresh.crossed() == [("film", 80)]


def test_a_repeat_and_a_refusal_tell_nothing(fresh: Books) -> None:
    fresh.open("film", 100)
    of = fresh.reserve("film", 90)
    fresh.reserve("film", 90, of)
    assert (fresh.crossed(), fresh.moved.held, fresh.moved.levels) == ([], 0, ())


def test_what_was_moved_is_returned(fresh: Books) -> None:
    fresh.open("film", 100)
    of = fresh.reserve("film", 90)
    assert (fresh.moved.held, fresh.moved.settled) == (90, 0)
    fresh.settle(of, 95)
    assert (fresh.moved.held, fresh.moved.settled, fresh.moved.over) == (-90, 95, 5)
    fresh.settle(of, 95)
    assert (fresh.moved.held, fresh.moved.settled, fresh.moved.over) == (0, 0, 5)
    fresh.adjust(of, 20)
    assert (fresh.moved.held, fresh.moved.settled, fresh.moved.over) == (0, -75, 0)
    fresh.release(fresh.reserve("film", 7))
    assert (fresh.moved.held, fresh.moved.settled) == (-7, 0)


@pytest.mark.parametrize(("warn_at", "told"), [((50,), [("film", 50)]), ((), []), ((100, 10), [("film", 10)])])
def test_which_thresholds_there_are_is_configured(fresh: Books, warn_at: tuple[int, ...], told: list[object]) -> None:
    from aggregator import ledger

    fresh.open("film", 100)
    of = fresh.attempt("film")
    fresh.moved = fresh.do(lambda c: ledger.reserve(c, "film", of, 60, provider="p", basis={}, at=0, warn_at=warn_at))
    assert fresh.crossed() == told
