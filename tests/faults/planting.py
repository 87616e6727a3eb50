"""Plants a bug, and plays schedules until it is found."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from aggregator.errors import LedgerError
from tests.faults.simulation import BrokenPromiseError, simulate

FOUND_BY = (BrokenPromiseError, LedgerError, IntegrityError)
"""What ends a schedule in which money is lost: the database keeps some promises by itself."""
MAX_SCHEDULES = 1_000


class Planted:
    """Puts a bug in the place of a function, and counts how often it was come by."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._patch = patch
        self.calls = 0

    def put(self, owner: Any, name: str, bug: Callable[..., Any]) -> None:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.calls += 1
            return bug(*args, **kwargs)

        self._patch.setattr(owner, name, counted)

    def change(self, owner: Any, name: str, value: Any) -> None:
        """The part of a bug that is no function."""
        self._patch.setattr(owner, name, value)


Mutant = Callable[[Planted], None]


def seeds_until_found(
    mutant: Mutant,
    planted: Planted,
    directory: Path,
    patch: pytest.MonkeyPatch,
    *,
    first: int = 0,
    most: int = MAX_SCHEDULES,
) -> tuple[int | None, str]:
    """How many schedules it takes to find a bug, `None` if more than `most`; and what the last one said.

    Raises:
        AssertionError: The bug was never come by: it is not planted.

    """
    mutant(planted)
    found: int | None = None
    why = ""
    for count, seed in enumerate(range(first, first + most), 1):
        try:
            simulate(seed, directory, patch).close()
        except FOUND_BY as error:
            found, why = count, f"seed {seed}: {type(error).__name__}: {error}"
            break
    assert planted.calls, f"{mutant.__name__} was never come by"
    return found, why
