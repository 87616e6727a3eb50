"""Seeded schedules of faults, two processes at once and deaths anywhere: no promise breaks, no planted bug hides."""

import shutil
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy.exc import IntegrityError

from aggregator.errors import LedgerError
from tests.faults.mutants import MUTANTS, Mutant
from tests.faults.simulation import BrokenPromiseError, prepare, simulate

SCHEDULES = 300
BOX_S = 14.0
"""Real seconds after which a busy machine has seen enough."""
AT_LEAST = 40


def test_no_schedule_breaks_a_promise(quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)
    ends: Counter[str] = Counter()
    faults: Counter[str] = Counter()
    began, played = time.monotonic(), 0
    for seed in range(SCHEDULES):
        simulation = simulate(seed, quick, monkeypatch)
        ends.update(row["state"] for row in simulation.world.rows("attempt"))
        faults.update(str(fault) for _, _, fault in simulation.transport.exchanges if fault)
        shutil.rmtree(quick / str(seed))
        played += 1
        if time.monotonic() - began > BOX_S and played >= AT_LEAST:
            break
    assert played >= AT_LEAST
    assert {"stored", "failed", "refused", "unknown", "lost"} <= set(ends), ends
    assert len(faults) > 15, faults


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_planted_bug_is_found(mutant: Mutant, quick: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(monkeypatch)
    with monkeypatch.context() as patch:
        mutant(patch)
        for seed in (MUTANTS[mutant], *range(SCHEDULES)):
            try:
                simulate(seed, quick, monkeypatch)
            except (BrokenPromiseError, LedgerError, IntegrityError):  # the database keeps some promises by itself
                return
            shutil.rmtree(quick / str(seed))
    pytest.fail(f"{mutant.__name__} is not found in {SCHEDULES} schedules")
