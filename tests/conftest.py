"""What many tests start from: a disk that is quick, and a simulated world on it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from aggregator.secret import Secret
from aggregator.store.database import Store
from tests.runner.world import World

pytest.register_assert_rewrite("tests.providers.harness")
pytest_plugins = ["tests.canary"]  # no key in anything that the suite writes
MEMORY = Path("/dev/shm")


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Path]:
    """A directory in memory, where the machine has one: for simulations, which lose nothing worth keeping."""
    if not MEMORY.is_dir():
        yield tmp_path
        return
    directory = Path(tempfile.mkdtemp(prefix="aggregator-test-", dir=MEMORY))
    yield directory
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def world(quick: Path) -> World:
    """The memory provider with two offers, and no client yet."""
    return World(quick)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """An empty database on PostgreSQL, whose server starts with the first test that asks for it."""
    from tests.postgres import database

    with database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_at(request: pytest.FixtureRequest) -> Path | Secret:
    """Where a store may be opened, on each database: for `Store(store_at)`."""
    if request.param == "sqlite":
        directory: Path = request.getfixturevalue("quick")
        return directory / "below" / "store.sqlite"
    return Secret(request.getfixturevalue("postgres_url"))


@pytest.fixture
def store(store_at: Path | Secret) -> Iterator[Store]:
    """An empty store, on each database."""
    store = Store(store_at)
    yield store
    store.close()
