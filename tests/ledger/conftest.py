"""Every rule of the ledger holds on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.secret import Secret
from aggregator.store.database import Store
from tests import postgres
from tests.ledger.books import Books


@pytest.fixture(scope="session")
def on_postgres() -> Iterator[Store]:
    """One database on PostgreSQL for all of these tests, emptied for each."""
    with postgres.database() as url:
        store = Store(Secret(url), inline=True)
        yield store
        store.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def fresh(request: pytest.FixtureRequest, quick: Path) -> Iterator[Books]:
    """Empty books."""
    if request.param == "sqlite":
        books = Books(quick / "store.sqlite")
        yield books
        books.store.close()
        return
    books = Books(request.getfixturevalue("on_postgres"))
    books.empty()
    yield books


@pytest.fixture
def books(fresh: Books) -> Books:
    """An organisation, a project, and a project within it."""
    fresh.open("org", 1000)
    fresh.open("film", 500, "org")
    fresh.open("film/one", 300, "film")
    return fresh
