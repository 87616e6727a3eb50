"""What the store says of offers, on each database: the newest outcomes, and answers of other models."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from aggregator.secret import Secret
from aggregator.store import outcomes, redirections
from aggregator.store.schema import attempt
from tests.ledger.books import Books

DAY_MS = 86_400_000
NOW = 1_000 * DAY_MS


@pytest.fixture
def books(store_at: Path | Secret) -> Iterator[Books]:
    made = Books(store_at)
    made.open("film")
    yield made
    made.store.close()


def ended(
    books: Books, endpoint: str, state: str, at: int, error: dict[str, Any] | None = None, took: int | None = None
) -> str:
    """An attempt at `p:<endpoint>` that came to its end."""
    made = books.attempt("film", provider="p", endpoint=endpoint)
    row = {"state": state, "finished_at": at, "error": error, "took_ms": took}
    books.do(lambda c: c.execute(update(attempt).where(attempt.c.id == made).values(**row)))
    return made


def test_the_newest_outcomes_come_oldest_first(books: Books) -> None:
    refused = {"type": "ContentPolicyError", "status_code": 451, "message": "no"}
    ended(books, "a", "refused", NOW - DAY_MS, refused)
    ended(books, "a", "stored", NOW - 2 * DAY_MS, took=12_500)
    ended(books, "b", "failed", NOW, {"type": "JobFailedError", "status_code": None, "message": "no"})
    ended(books, "b", "canceled", NOW, {"type": "JobCanceledError", "status_code": None, "message": "no"})
    ended(books, "a", "stored", NOW - 400 * DAY_MS, took=1)  # too old to count
    books.attempt("film", provider="p", endpoint="a")  # still under way
    found = books.do(lambda c: outcomes.recent(c, NOW))
    assert [(one.offer, one.end, one.took_s) for one in found] == [
        ("p:a", "succeeded", 12.5),
        ("p:a", "refused", None),
        ("p:b", "failed", None),
    ]


def test_no_more_are_read_than_are_of_use(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        ended(books, "a", "stored", NOW - n, took=n)
    monkeypatch.setattr(outcomes, "_RECENT", outcomes._RECENT.limit(2))
    assert [one.took_s for one in books.do(lambda c: outcomes.recent(c, NOW))] == [0.001, 0]


def test_each_other_model_is_counted_for_its_offer(books: Books) -> None:
    first, second = (ended(books, "a", "stored", NOW) for _ in range(2))
    for of, served, at in ((first, "x-2", 1), (second, "x-2", 5), (second, "x-3", 7)):
        books.do(lambda c, of=of, served=served, at=at: redirections.remember(c, "p:a", served, of, at))
    found = books.do(redirections.redirections)
    assert [(one.served_model, one.attempt, one.first_at, one.last_at, one.count) for one in found] == [
        ("x-2", second, 1, 5, 2),
        ("x-3", second, 7, 7, 1),
    ]
