"""Seeded schedules of faults, clients side by side and deaths anywhere: no promise breaks, no planted bug hides.

A short range; `make faults` plays 10,000 and looks for every bug from the first seed on.
"""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS
from tests.faults.planting import Mutant, Planted, seeds_until_found
from tests.faults.run import play
from tests.faults.seeds import ONCE_FAILED
from tests.faults.simulation import Simulation
from tests.faults.stage import TABLES, prepare

SCHEDULES = 100


@pytest.fixture
def stage(quick: Path) -> Iterator[tuple[Path, pytest.MonkeyPatch]]:
    """What all schedules share; and the files they leave."""
    with pytest.MonkeyPatch.context() as patch:
        prepare(patch)
        yield quick, patch
    shutil.rmtree(quick, ignore_errors=True)


def test_no_schedule_breaks_a_promise() -> None:
    tally = play([*ONCE_FAILED, *range(SCHEDULES)], share_on_disk=20)
    assert tally.broken == {}
    assert tally.on_disk > SCHEDULES / 25
    assert {"stored", "failed", "refused", "canceled", "lost"} <= set(tally.ends), tally.ends
    assert set(tally.providers) == set(TABLES), tally.providers
    assert len(tally.faults) > 40, tally.faults
    assert tally.deaths > SCHEDULES / 2


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_planted_bug_is_found(mutant: Mutant, stage: tuple[Path, pytest.MonkeyPatch]) -> None:
    count, _ = seeds_until_found(mutant, Planted(stage[1]), *stage, first=MUTANTS[mutant])
    assert count is not None, f"{mutant.__name__} is not found in 1,000 schedules from seed {MUTANTS[mutant]} on"


def test_a_bug_that_is_not_come_by_is_not_planted(stage: tuple[Path, pytest.MonkeyPatch]) -> None:
    def nowhere(plant: Planted) -> None:
        plant.put(Simulation, "never_called", lambda *_: None)

    Simulation.never_called = None  # type: ignore[attr-defined]
    try:
        with pytest.raises(AssertionError, match="never come by"):
            seeds_until_found(nowhere, Planted(stage[1]), *stage, most=2)
    finally:
        del Simulation.never_called  # type: ignore[attr-defined]
