"""Plays seeded schedules and says what was seen.

```sh
python -m tests.faults.run --schedules 10000            # all cores, one in fifty on a SQLite file
python -m tests.faults.run --schedules 250000 --from 250000 --record
python -m tests.faults.run --mutants                    # the planted bugs: how soon is each found?
python -m tests.faults.run --seed 4711                  # one schedule, step by step
```
"""

import argparse
import gc
import json
import logging
import multiprocessing
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS
from tests.faults.planting import MAX_SCHEDULES, Planted, seeds_until_found
from tests.faults.seeds import ONCE_FAILED
from tests.faults.simulation import Simulation, prepare, simulate

SHM = Path("/dev/shm")
CHUNK = 50
SHARE_ON_DISK = 50
RECORD = Path(__file__).parent / "RECORD.md"
MUTANTS_RECORD = Path(__file__).parent / "MUTANTS.md"


@dataclass
class Tally:
    """What was seen in a number of schedules."""

    schedules: int = 0
    on_disk: int = 0
    jobs: int = 0
    attempts: int = 0
    exchanges: int = 0
    deaths: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    ends: Counter[str] = field(default_factory=Counter)
    providers: Counter[str] = field(default_factory=Counter)
    broken: dict[int, str] = field(default_factory=dict)

    def add(self, simulation: Simulation) -> None:
        attempts = simulation.rows("attempt")
        self.schedules += 1
        self.on_disk += simulation.on_disk
        self.jobs += len({row["job"] for row in attempts})
        self.attempts += len(attempts)
        self.exchanges += len(simulation.transport.exchanges)
        self.deaths += simulation.deaths
        self.faults.update(simulation.faults)
        self.ends.update(row["state"] for row in attempts)
        self.providers[simulation.provider] += 1

    def merge(self, other: "Tally") -> None:
        for name in ("schedules", "on_disk", "jobs", "attempts", "exchanges", "deaths"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("faults", "ends", "providers", "broken"):
            getattr(self, name).update(getattr(other, name))


@contextmanager
def stage() -> Iterator[tuple[Path, pytest.MonkeyPatch]]:
    """A directory in memory, where the machine has one, and what all schedules share."""
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # tasks of the dead have nobody who asks how they ended
    directory = Path(tempfile.mkdtemp(prefix="aggregator-faults-", dir=SHM if SHM.is_dir() else None))
    with pytest.MonkeyPatch.context() as patch:
        prepare(patch)
        try:
            yield directory, patch
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def play(seeds: Iterable[int], share_on_disk: int = SHARE_ON_DISK) -> Tally:
    """Play schedules one after another. Those whose seed is a multiple of the share are on a SQLite file."""
    tally = Tally()
    with stage() as (directory, patch):
        for seed in seeds:
            simulation: Simulation | None = None
            try:
                simulation = simulate(seed, directory, patch, on_disk=bool(share_on_disk) and seed % share_on_disk == 0)
            except Exception as error:  # noqa: BLE001  every one of them is reported with its seed
                tally.schedules += 1
                tally.broken[seed] = f"{type(error).__name__}: {error}"
            else:
                tally.add(simulation)
                simulation.close()
    return tally


def _chunk(given: tuple[range, int]) -> Tally:
    return play(*given)


def play_all(seeds: range, *, workers: int, share_on_disk: int) -> Tally:
    """Play a range of seeds on several cores, after the seeds that once failed; says how it goes on standard error."""
    tally = play(ONCE_FAILED, share_on_disk)
    chunks = [(seeds[at : at + CHUNK], share_on_disk) for at in range(0, len(seeds), CHUNK)]
    began = said = time.monotonic()
    with multiprocessing.get_context("fork").Pool(workers, initializer=gc.freeze) as pool:
        for done in pool.imap_unordered(_chunk, chunks):
            tally.merge(done)
            if time.monotonic() - said > 10.0:
                said = time.monotonic()
                ahead = f"{tally.schedules / (said - began):.0f} a second, {len(tally.broken)} broken"
                print(f"{tally.schedules} of {len(seeds)} schedules, {ahead}", file=sys.stderr, flush=True)
    return tally


# ------------------------------------------------------------------------------------------------------------- reports


def commit() -> str:
    """What was run; with a `+` where it was changed since."""
    head = _git("rev-parse", "--short", "HEAD")
    return f"{head}{'+' if _git('status', '--porcelain', '--', '.', '../../aggregator') else ''}" if head else "unknown"


def _git(*words: str) -> str:
    here = Path(__file__).parent
    return subprocess.run(["git", *words], capture_output=True, text=True, check=False, cwd=here).stdout.strip()


def report(tally: Tally, seeds: range, seconds: float) -> str:
    faults = ", ".join(f"{name} {count}" for name, count in sorted(tally.faults.items()))
    ends = ", ".join(f"{name} {count}" for name, count in tally.ends.most_common())
    lines = [
        f"commit {commit()}, seeds {seeds.start} to {seeds.stop - 1} and {len(ONCE_FAILED)} that once failed",
        f"{tally.schedules:,} schedules ({tally.on_disk:,} on a SQLite file, the others in memory) in {seconds:.0f} s",
        f"{tally.jobs:,} jobs, {tally.attempts:,} attempts, {tally.exchanges:,} exchanges",
        f"{tally.faults.total():,} faults of {len(tally.faults)} kinds: {faults}",
        f"{tally.deaths:,} deaths of processes",
        f"ends: {ends}",
        f"broken promises: {len(tally.broken)}",
    ]
    lines += [f"  seed {seed}: {why}" for seed, why in sorted(tally.broken.items())[:20]]
    return "\n".join(lines)


def record(tally: Tally, seeds: range, seconds: float) -> None:
    """Append a run to the record."""
    day = time.strftime("%Y-%m-%d")
    numbers = (tally.schedules, tally.on_disk, tally.jobs, tally.faults.total(), tally.deaths, len(tally.broken))
    said = " | ".join(f"{number:,}" for number in numbers)
    row = f"| {day} | {commit()} | {seeds.start}–{seeds.stop - 1} | {said} | {seconds:.0f} s |\n"
    with RECORD.open("a", encoding="utf-8") as file:
        file.write(row)


def replay(seed: int, *, on_disk: bool) -> int:
    """One schedule, step by step."""
    with stage() as (directory, patch):
        simulation = Simulation(seed, directory, on_disk=on_disk, trace=True)
        broken = 0
        try:
            simulate(seed, directory, patch, made=simulation)
        except Exception:  # noqa: BLE001  it is shown
            traceback.print_exc()
            broken = 1
        print(simulation.history())
        simulation.close()
    return broken


def _found(name: str) -> tuple[str, int | None, str]:
    mutant = next(mutant for mutant in MUTANTS if mutant.__name__ == name)
    with stage() as (directory, patch):
        try:
            return (name, *seeds_until_found(mutant, Planted(patch), directory, patch))
        except Exception as error:  # noqa: BLE001  a bug that is not planted well is none that was found
            return name, None, f"not planted: {type(error).__name__}: {error}"


def hunt(workers: int, *, write: bool) -> int:
    """Find every planted bug; how many were missed."""
    found: dict[str, int | None] = {}
    with multiprocessing.get_context("fork").Pool(workers, maxtasksperchild=1) as pool:
        for name, count, why in pool.imap(_found, [mutant.__name__ for mutant in MUTANTS]):
            found[name] = count
            said = why.partition("\n")[0]
            print(f"{'MISSED' if count is None else count:>6}  {name:44} {said[:110]}", flush=True)
    missed = sum(count is None for count in found.values())
    print(f"{len(found) - missed} of {len(found)} planted bugs found")
    if write:
        rows = "".join(f"| {name.replace('_', ' ')} | {count or 'missed'} |\n" for name, count in found.items())
        head = f"Commit {commit()}, from seed 0, at most {MAX_SCHEDULES:,} schedules each, all in memory."
        text = f"# Planted bugs\n\n{head}\n\n| bug | found in schedule |\n|---|---|\n{rows}"
        MUTANTS_RECORD.write_text(text, encoding="utf-8")
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run", description=__doc__.partition("\n")[0])
    parser.add_argument("--schedules", type=int, default=0, help="how many")
    parser.add_argument("--from", type=int, default=0, dest="start", metavar="SEED", help="the first one")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--share-on-disk", type=int, default=SHARE_ON_DISK, metavar="N", help="one in N; 0: none")
    parser.add_argument("--mutants", action="store_true", help="plant every bug and find it")
    parser.add_argument(
        "--record", action="store_true", help=f"append the run to {RECORD.name}, write {MUTANTS_RECORD.name}"
    )
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    parser.add_argument("--seed", type=int, help="play one schedule and show it")
    parser.add_argument("--on-disk", action="store_true", help="with --seed: on a SQLite file")
    given = parser.parse_args()
    if given.seed is not None:
        return replay(given.seed, on_disk=given.on_disk)
    failed = 0
    if given.schedules:
        seeds = range(given.start, given.start + given.schedules)
        began = time.monotonic()
        tally = play_all(seeds, workers=given.workers, share_on_disk=given.share_on_disk)
        seconds = time.monotonic() - began
        print(json.dumps(vars(tally) | {"seconds": seconds}) if given.json else report(tally, seeds, seconds))
        if given.record:
            record(tally, seeds, seconds)
        failed += len(tally.broken)
    if given.mutants:
        failed += hunt(given.workers, write=given.record)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
