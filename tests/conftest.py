"""What many tests start from: a disk that is quick, and a simulated world on it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.runner.world import World

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
