"""What is found out after an attempt was resolved: a further row each time, and the books follow."""

import pytest
from sqlalchemy import select

from aggregator.errors import BudgetExceededError, LedgerError
from aggregator.store.schema import transfer
from tests.ledger.books import Books

LEVELS = ("org", "film", "film/one")


def all_levels(books: Books) -> set[tuple[int, int, int]]:
    return {books.of(name) for name in LEVELS}


def test_an_invoice_below_what_was_booked_gives_the_difference_back(books: Books) -> None:
    of = books.reserve("film/one", 100)
    books.settle(of, 90)
    assert books.adjust(of, 60) == -30
    assert all_levels(books) == {(0, 60, 0)}
    (row,) = books.do(lambda c: c.execute(select(transfer).where(transfer.c.kind == "adjust")).all())
    assert (row.id, row.pending_id, row.amount) == (f"{of}:adjust:1", f"{of}:hold", 30)
    assert (row.debit, row.credit, row.source) == ("provider:p", "film/one", "invoice")
    books.verify()


def test_an_invoice_above_what_was_booked_is_booked_in_full_as_overrun(books: Books) -> None:
    """The rest of the reservation was free for others in the meantime: the account may be above its cap now."""
    of = books.reserve("film/one", 100)
    books.settle(of, 50)
    books.reserve("film/one", 250)
    assert books.adjust(of, 120) == 70
    assert books.of("film/one") == (250, 120, 70)
    (row,) = books.do(lambda c: c.execute(select(transfer).where(transfer.c.kind == "adjust")).all())
    assert (row.debit, row.credit, row.amount) == ("film/one", "provider:p", 70)
    with pytest.raises(BudgetExceededError):
        books.reserve("film/one", 1)
    books.verify()


def test_what_was_given_back_can_turn_out_to_be_charged(books: Books) -> None:
    of = books.reserve("film", 100)
    books.release(of)
    books.adjust(of, 40)
    assert books.of("film") == (0, 40, 40)
    books.adjust(of, 0)
    assert books.of("film") == (0, 0, 0)
    books.verify()


def test_what_is_taken_away_is_taken_from_the_overrun_first(books: Books) -> None:
    of = books.reserve("film", 100)
    for amount, figures in ((130, (0, 130, 30)), (150, (0, 150, 50)), (120, (0, 120, 20)), (80, (0, 80, 0))):
        books.adjust(of, amount) if "post" in str(books.transfers()) else books.settle(of, amount)
        assert books.of("film") == figures
        books.verify()
    books.adjust(of, 100)
    assert books.of("film") == (0, 100, 20)
    assert [name for name in books.transfers() if "adjust" in name] == [f"{of}:adjust:{n}" for n in range(1, 5)]
    books.verify()


def test_the_same_finding_twice_is_one(books: Books) -> None:
    of = books.reserve("film", 100)
    books.settle(of, 90)
    books.adjust(of, 60)
    before = books.transfers()
    assert books.adjust(of, 60) == 0
    assert books.transfers() == before
    assert books.settle(of, 90) == 0  # a repeat of what was booked then changes nothing now
    assert books.of("film") == (0, 60, 0)


def test_many_findings_count_in_their_order(books: Books) -> None:
    """Eleven of them: the tenth comes after the ninth, whatever the letters say."""
    of = books.reserve("film", 100)
    books.settle(of, 100)
    for n in range(11):
        books.adjust(of, 100 + (n + 1) * (-1) ** n)
        books.verify()
    assert books.of("film")[1] == 111


def test_what_is_still_reserved_is_settled_not_adjusted(books: Books) -> None:
    of = books.reserve("film", 100)
    with pytest.raises(LedgerError, match="still reserved"):
        books.adjust(of, 50)
    with pytest.raises(LedgerError, match="no reservation"):
        books.adjust("nobody", 50)


def test_a_later_finding_counts_for_the_period_it_was_reserved_in(fresh: Books) -> None:
    fresh.open("film", month=200)
    of = fresh.reserve("film", 100)
    fresh.settle(of, 100)
    fresh.at = 40 * 86_400_000
    fresh.reserve("film", 200)
    fresh.adjust(of, 130)
    assert fresh.of("film@month/1970-01") == (0, 130, 30)
    assert fresh.of("film@month/1970-02") == (200, 0, 0)
    fresh.verify()
    fresh.adjust(of, 20)
    assert fresh.of("film@month/1970-01") == (0, 20, 0)
    fresh.verify()


@pytest.mark.parametrize("amount", [1.0, True, -1, "1", None])
def test_only_whole_micro_dollars_come_in(books: Books, amount: object) -> None:
    settled = books.reserve("film", 10)
    for verb in (
        lambda: books.reserve("film", amount),  # type: ignore[arg-type]
        lambda: books.settle(settled, amount),  # type: ignore[arg-type]
        lambda: books.adjust(settled, amount),  # type: ignore[arg-type]
    ):
        with pytest.raises(LedgerError, match="whole micro-dollars"):
            verb()
    assert books.of("film") == (10, 0, 0)


def test_another_amount_under_the_same_attempt_is_an_error(books: Books) -> None:
    of = books.reserve("film", 10)
    with pytest.raises(LedgerError, match=r"reserved \$0.00001 on film before"):
        books.reserve("film", 11, of)
    with pytest.raises(LedgerError, match="before"):
        books.reserve("org", 10, of)
