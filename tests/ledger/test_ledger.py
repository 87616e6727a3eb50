"""Two-phase money: what fits is held on every level, what is resolved is resolved once, and rows are for ever."""

from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from aggregator.errors import (
    AlreadyReleasedError,
    AlreadySettledError,
    BudgetExceededError,
    ConfigurationError,
    LedgerError,
    StoreError,
)
from aggregator.store import journal
from tests.ledger.books import Books


def test_a_reservation_is_held_on_every_level(books: Books) -> None:
    books.reserve("film/one", 120)
    assert [books.of(name) for name in ("org", "film", "film/one")] == [(120, 0, 0)] * 3
    books.verify()


def test_a_settlement_frees_the_rest_of_what_was_held(books: Books) -> None:
    assert books.settle(books.reserve("film/one", 120), 70) == 0
    assert [books.of(name) for name in ("org", "film", "film/one")] == [(0, 70, 0)] * 3
    books.verify()


def test_a_release_gives_all_of_it_back(books: Books) -> None:
    books.release(books.reserve("film/one", 120))
    assert [books.of(name) for name in ("org", "film", "film/one")] == [(0, 0, 0)] * 3
    books.verify()


@pytest.mark.parametrize(
    ("spent", "level"), [(("film/one", 250), "film/one"), (("film", 450), "film"), (("org", 950), "org")]
)
def test_a_refusal_at_any_level_names_it_and_leaves_no_trace(books: Books, spent: tuple[str, int], level: str) -> None:
    books.reserve(*spent)
    before, transfers = [books.of(name) for name in ("org", "film", "film/one")], books.transfers()
    of = books.attempt("film/one")
    with pytest.raises(BudgetExceededError) as caught:
        books.reserve("film/one", 60, of)
    assert caught.value.account == level
    assert caught.value.quote_usd == Decimal("0.00006")
    assert caught.value.held_usd == Decimal(spent[1]).scaleb(-6)
    assert [books.of(name) for name in ("org", "film", "film/one")] == before
    assert books.transfers() == transfers
    books.verify()


def test_the_last_micro_dollar_can_be_reserved_and_not_one_more(books: Books) -> None:
    books.reserve("film/one", 300)
    with pytest.raises(BudgetExceededError):
        books.reserve("film/one", 1)
    books.reserve("film/one", 0)


def test_a_bill_above_the_reservation_is_booked_in_full_on_every_level(books: Books) -> None:
    assert books.settle(books.reserve("film/one", 290), 340) == 50
    assert [books.of(name) for name in ("org", "film", "film/one")] == [(0, 340, 50)] * 3
    books.verify()


def test_an_overrun_opens_no_room(books: Books) -> None:
    books.settle(books.reserve("film/one", 290), 340)
    with pytest.raises(BudgetExceededError):
        books.reserve("film/one", 1)
    books.reserve("film", 160)
    with pytest.raises(BudgetExceededError):
        books.reserve("film", 1)


def test_every_verb_may_be_repeated(books: Books) -> None:
    settled, released = books.reserve("film", 100), books.reserve("film", 50)
    books.reserve("film", 100, settled)
    assert books.of("film") == (150, 0, 0)
    assert [books.settle(settled, 130) for _ in range(2)] == [30, 30]
    books.release(released)
    books.release(released)
    assert books.of("film") == (0, 130, 30)
    books.verify()


def test_money_is_resolved_once(books: Books) -> None:
    settled, released = books.reserve("film", 100), books.reserve("film", 50)
    books.settle(settled, 80)
    books.release(released)
    with pytest.raises(AlreadySettledError):
        books.release(settled)
    with pytest.raises(AlreadySettledError):
        books.settle(settled, 81)
    with pytest.raises(AlreadyReleasedError):
        books.settle(released, 50)
    assert books.of("film") == (0, 80, 0)


def test_the_database_itself_refuses_a_second_resolution(books: Books) -> None:
    of = books.reserve("film", 100)
    books.settle(of, 80)
    row = (
        "INSERT INTO transfer (id, kind, pending_id, debit, credit, attempt, amount, source, basis, at) "
        "SELECT 'other', 'void', pending_id, debit, credit, attempt, amount, source, basis, at "
        "FROM transfer WHERE kind = 'post'"
    )
    with pytest.raises(IntegrityError):
        books.do(lambda c: c.execute(text(row)))


def test_money_without_a_reservation_is_an_error(books: Books) -> None:
    with pytest.raises(LedgerError, match="no reservation"):
        books.settle(books.attempt("film"), 1)
    with pytest.raises(LedgerError, match="no reservation"):
        books.release("nobody")


def test_a_budget_can_be_changed_but_not_below_what_is_bound(books: Books) -> None:
    books.settle(books.reserve("film", 100), 100)
    books.reserve("film", 50)
    with pytest.raises(ConfigurationError, match=r"\$0\.0001 .*spent.*\$0\.00005 reserved"):
        books.set_cap("film", 149)
    books.set_cap("film", 150)
    with pytest.raises(BudgetExceededError):
        books.reserve("film", 1)
    books.set_cap("film", 151)
    books.reserve("film", 1)


def test_a_budget_is_for_life(books: Books) -> None:
    books.open("film", 500, "org")
    books.open("film", None, "org")
    with pytest.raises(ConfigurationError, match="set_budget"):
        books.open("film", 501, "org")
    books.open("free", None, "org")
    with pytest.raises(ConfigurationError, match="no budget"):
        books.open("free", 1, "org")
    with pytest.raises(ConfigurationError, match="another name"):
        books.open("film/one", 300, "org")


@pytest.mark.parametrize("change", ["UPDATE {0} SET at = 1", "DELETE FROM {0}"])
@pytest.mark.parametrize("table", ["transfer", "event"])
def test_rows_of_money_and_of_the_log_are_immutable(books: Books, table: str, change: str) -> None:
    books.reserve("film", 100)
    books.do(lambda c: journal.write_event(c, None, "test", {}, 0))
    with pytest.raises(IntegrityError, match="immutable"):
        books.do(lambda c: c.execute(text(change.format(table))))


@pytest.mark.parametrize("column", ["held", "settled", "overrun"])
def test_a_tampered_balance_is_found(books: Books, column: str) -> None:
    books.settle(books.reserve("film", 100), 120)
    books.reserve("film", 10)
    books.verify()
    books.do(lambda c: c.execute(text(f"UPDATE account SET {column} = {column} + 1 WHERE id = 'film'")))
    with pytest.raises(LedgerError, match="books of film do not add up"):
        books.verify()


@pytest.mark.parametrize("column", ["at = at + 1", "kind = 'other'", "data = '{}'", "attempt = 'b'"])
def test_a_tampered_row_of_the_log_is_found(books: Books, column: str) -> None:
    for n in range(3):
        books.do(lambda c, n=n: journal.write_event(c, "a", "submitted", {"n": n}, n))
    books.do(journal.verify_log)
    books.unlock("event")
    books.do(lambda c: c.execute(text(f"UPDATE event SET {column} WHERE seq = 2")))
    with pytest.raises(StoreError, match="row 2 of the event log"):
        books.do(journal.verify_log)


def test_a_removed_row_of_the_log_is_found(books: Books) -> None:
    for n in range(3):
        books.do(lambda c, n=n: journal.write_event(c, "a", "submitted", {"n": n}, n))
    books.unlock("event")
    books.do(lambda c: c.execute(text("DELETE FROM event WHERE seq = 2")))
    with pytest.raises(StoreError, match="event log"):
        books.do(journal.verify_log)


def test_the_spend_report_adds_up_what_is_below(books: Books) -> None:
    books.settle(books.reserve("film/one", 100), 60)
    books.release(books.reserve("film/one", 40))
    books.reserve("film", 30)
    spend = books.spend("film")
    assert (spend.settled_usd, spend.held_usd, spend.left_usd) == (
        Decimal("0.00006"),
        Decimal("0.00003"),
        Decimal("0.00041"),
    )
    assert [(line.jobs, line.settled_usd, line.held_usd) for line in spend.lines] == [
        (2, Decimal("0.00006"), Decimal("0.00003"))
    ]
