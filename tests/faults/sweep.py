"""kill -9 at every point of four workflows, on both databases, at three kinds of providers; run again, and judged.

A first life counts the points: before and after every commit, after every flush of a file, and before every exchange,
after its last byte was sent, and after its answer. Then there is one life for each number, killed there, and the same
program again until it ends (every third time `resume` goes first); then random pairs of kills; then kills at random
moments, from outside; then kills beside a process that runs the same script.

```sh
python -m tests.faults.sweep                  # all of it, on all cores
python -m tests.faults.sweep --every 9 --pairs 30 --moments 10 --beside 10
python -m tests.faults.sweep --workflows graph --record
python -m tests.faults.sweep --cell chain,sqlite,none --at 11      # one run, and what is found
```
"""

import argparse
import multiprocessing
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

from tests import postgres
from tests.faults.nursery import Cell, Child, Life, Nursery
from tests.faults.shop import TABLES
from tests.faults.verdict import Verdict, judge, look
from tests.faults.workflows import WORKFLOWS

RECORD = Path(__file__).with_name("KILLS.md")
SHM = Path("/dev/shm")
CELLS = [Cell(*one) for one in product(WORKFLOWS, ("sqlite", "postgresql"), TABLES)]
MAX_LIVES = 4
"""A script whose job failed free of charge is run again so often."""
NURSERY: Nursery | None = None


@dataclass(frozen=True)
class Plan:
    """One run: where its lives are killed, one after the other, and whether `resume` comes before the script."""

    cell: Cell
    kills: tuple[int | str | float, ...] = ()
    resume: bool = False
    beside: bool = False
    """Another process runs the same script at the same time."""
    naive: bool = False
    """The client sends again whatever has no answer: to show that this is found."""

    def __str__(self) -> str:
        at = ",".join(map(str, self.kills))
        cell = f"{self.cell.workflow},{self.cell.database},{self.cell.keys}"
        flags = [f" --{name}" for name in ("resume", "beside-it", "naive") if getattr(self, name.partition("-")[0])]
        return f"python -m tests.faults.sweep --cell {cell} --at '{at}'{''.join(flags)}"


@dataclass
class Run:
    """What came of a plan."""

    plan: Plan
    points: list[str] = field(default_factory=list)
    """Those of its first life, unless it was killed."""
    killed: int = 0
    seconds: float = 0.0
    verdict: Verdict | None = None
    broken: str = ""


def play(plan: Plan) -> Run:
    """Kill, run again, judge."""
    assert NURSERY is not None
    nursery, cell, run = NURSERY, plan.cell, Run(plan)
    began_s = time.monotonic()
    nursery.new_world(cell)
    lives = list(_lives(nursery, run))
    run.killed = sum(life.killed for life in lives)
    broke = [life.said["broke"] for life in lives if "broke" in life.said]
    if broke:
        run.broken = f"a process broke: {broke}"
        return run
    run.points, said = lives[0].points, lives[-1].said
    book = nursery.shop.book(nursery.world)
    with nursery.store(cell) as store:
        try:
            run.verdict = store.now(partial(look, book=book), write=False)
            store.now(partial(judge, cell=cell, book=book, said=said, directory=nursery.home), write=False)
        except Exception as error:  # noqa: BLE001  every broken promise is shown
            run.broken = f"{type(error).__name__}: {error}"
    run.seconds = time.monotonic() - began_s
    return run


def _lives(nursery: Nursery, run: Run) -> Iterator[Life]:
    """Those that are killed, `resume`, and the script until it ends; where that leaves anything unknown, once more."""
    plan, client = run.plan, Child(naive=run.plan.naive)
    for n, at in enumerate(plan.kills):
        dying = replace(client, kill_at=at, resume=plan.resume and n > 0)
        yield from nursery.live(plan.cell, dying, *[client] * plan.beside)
    if plan.resume:
        yield from nursery.live(plan.cell, replace(client, resume=True))
    for _ in range(MAX_LIVES):
        [life] = nursery.live(plan.cell, client)
        yield life
        known = [one[1] for one in life.said.get("errors", ())]
        if False not in known:
            break
    if known:
        yield from nursery.live(plan.cell, client)


# --------------------------------------------------------------------------------------------------------------- plans


def singles(counted: Sequence[Run], every: int) -> Iterator[Plan]:
    """Every point of every cell, or every so-many-th, beginning somewhere else in each cell."""
    for offset, run in enumerate(counted):
        for at in range(1 + offset * every // len(counted), len(run.points) + 1, every):
            yield Plan(run.plan.cell, (at,), resume=(at + offset) % 3 == 0)


def pairs(counted: Sequence[Run], count: int, rng: random.Random) -> Iterator[Plan]:
    """Two kills of one run: the second where the second life may still come by."""
    for _ in range(count):
        run = rng.choice(counted)
        first = rng.randint(1, len(run.points))
        second = rng.randint(1, max(6, len(run.points) - first))
        yield Plan(run.plan.cell, (first, second), resume=rng.random() < 1 / 3)


def moments(counted: Sequence[Run], count: int, rng: random.Random) -> Iterator[Plan]:
    """Killed some time after it was born, whatever it is doing."""
    for _ in range(count):
        run = rng.choice(counted)
        yield Plan(run.plan.cell, (rng.uniform(0.0, run.seconds),), resume=rng.random() < 1 / 3)


def beside(counted: Sequence[Run], count: int, rng: random.Random) -> Iterator[Plan]:
    """One of two that run the same script is killed; sometimes neither, since it comes by fewer points than alone."""
    for _ in range(count):
        run = rng.choice(counted)
        yield Plan(run.plan.cell, (rng.randint(1, len(run.points)),), beside=True)


# -------------------------------------------------------------------------------------------------------------- report


@dataclass
class Tally:
    """What was seen in a number of runs."""

    runs: int = 0
    kills: int = 0
    purchases: int = 0
    duplicates: int = 0
    unknown: int = 0
    unknown_bought: int = 0
    seconds: float = 0.0

    def add(self, run: Run) -> None:
        self.runs += 1
        self.kills += run.killed
        self.seconds += run.seconds
        if run.verdict is not None:
            for name in ("purchases", "duplicates", "unknown", "unknown_bought"):
                setattr(self, name, getattr(self, name) + getattr(run.verdict, name))

    def row(self, name: str, points: str) -> str:
        return (
            f"{name:34} {points:>6} {self.runs:>6,} {self.kills:>6,} {self.purchases:>9,} {self.duplicates:>10,} "
            f"{self.unknown:>7,} {self.unknown_bought:>6,} {self.seconds / max(self.runs, 1):>6.2f} s"
        )


HEAD = (
    f"{'':34} {'points':>6} {'runs':>6} {'kills':>6} {'purchases':>9} {'duplicates':>10} {'unknown':>7} {'bought':>6} "
    f"{'a run':>8}"
)


def commit() -> str:
    """What was run."""
    said = subprocess.run(
        ["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False, cwd=RECORD.parent
    )
    return said.stdout.strip() or "unknown"


def report(counted: Sequence[Run], runs: Sequence[Run]) -> tuple[str, Tally]:
    """A table, and its last line."""
    cells: dict[str, Tally] = defaultdict(Tally)
    total = Tally()
    for run in runs:
        cells[_kind(run.plan) or str(run.plan.cell)].add(run)
        total.add(run)
    points = {str(run.plan.cell): len(run.points) for run in counted}
    lines = [HEAD]
    lines += [tally.row(name, f"{points.get(name, '')}") for name, tally in cells.items()]
    lines += [total.row("together", str(sum(points.values())))]
    broken = [run for run in runs if run.broken]
    lines += [f"broken promises: {len(broken)}"]
    lines += [f"  {run.plan}\n    {run.broken[:2000]}" for run in broken[:20]]
    return "\n".join(lines), total


def _kind(plan: Plan) -> str:
    """What is counted together; the others by cell."""
    if plan.beside:
        return "beside a live one"
    if len(plan.kills) > 1:
        return "random pairs"
    return f"moments, {plan.cell.database}" if any(isinstance(at, float) for at in plan.kills) else ""


def record(counted: Sequence[Run], total: Tally, broken: int, seconds: float) -> None:
    """Append a run to the first table of the record."""
    points = sum(len(run.points) for run in counted)
    workflows = ", ".join(dict.fromkeys(run.plan.cell.workflow for run in counted))
    keys = list(dict.fromkeys(run.plan.cell.keys for run in counted))
    workflows += "" if len(keys) == len(TABLES) else f" ({', '.join(keys)})"
    row = (
        f"| {time.strftime('%Y-%m-%d')} | {commit()} | {workflows} | {points:,} | {total.runs:,} | {total.kills:,} "
        f"| {total.purchases:,} | {total.duplicates} | {total.unknown:,} | {broken} | {seconds:.0f} s |\n"
    )
    table, rest = RECORD.read_text(encoding="utf-8").split("\n\n# ", 1)
    RECORD.write_text(f"{table}\n{row}\n# {rest}", encoding="utf-8")


# --------------------------------------------------------------------------------------------------------------- doing


def _begin(directory: Path, workflows: Sequence[str], urls: Any) -> None:
    global NURSERY  # noqa: PLW0603  one in each worker
    NURSERY = Nursery(Path(tempfile.mkdtemp(dir=directory)), workflows, urls.get())


def sweep(given: argparse.Namespace, cells: Sequence[Cell]) -> tuple[list[Run], list[Run]]:
    """Count the points of every cell, then run what is planned."""
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="aggregator-kills-", dir=SHM if SHM.is_dir() else None))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        context = multiprocessing.get_context("fork")
        urls = context.SimpleQueue()
        shared = any(cell.database == "postgresql" for cell in cells)
        for _ in range(given.workers):
            urls.put(stack.enter_context(postgres.database()) if shared else None)
        workflows = list(dict.fromkeys(cell.workflow for cell in cells))
        pool = stack.enter_context(context.Pool(given.workers, _begin, (directory, workflows, urls)))
        if given.at:
            kills = tuple(map(_kill, given.at.split(",")))
            flags = {"resume": given.resume, "beside": given.beside_it, "naive": given.naive}
            return [], [pool.apply(play, (Plan(cell, kills, **flags),)) for cell in cells]
        counted = pool.map(play, [Plan(cell) for cell in cells], chunksize=1)
        broken = [run for run in counted if run.broken]
        if broken:
            return counted, broken
        rng = random.Random(given.seed)
        alone = [*singles(counted, given.every), *pairs(counted, given.pairs, rng)]
        plans = [*alone, *moments(counted, given.moments, rng), *beside(counted, given.beside, rng)]
        rng.shuffle(plans)
        runs: list[Run] = []
        for run in pool.imap_unordered(play, plans, chunksize=4):
            runs.append(run)
            if len(runs) % 200 == 0 or run.broken:
                found = f": {run.plan}: {run.broken[:300]}" if run.broken else ""
                print(f"{len(runs)} of {len(plans)} runs{found}", file=sys.stderr, flush=True)
        runs.sort(key=lambda run: (_kind(run.plan), CELLS.index(run.plan.cell)))
        return counted, runs


def _kill(at: str) -> int | str | float:
    """The number of a point, a moment (`0.25`), or the name of a point."""
    try:
        return int(at) if at.isdigit() else float(at)
    except ValueError:
        return at


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.sweep", description=__doc__.partition("\n")[0])
    parser.add_argument("--every", type=int, default=1, metavar="N", help="one point in so many")
    parser.add_argument("--pairs", type=int, default=1000, metavar="N", help="how many random pairs of kills")
    parser.add_argument("--moments", type=int, default=400, metavar="N", help="how many kills at random moments")
    parser.add_argument("--beside", type=int, default=200, metavar="N", help="how many kills beside a live process")
    parser.add_argument("--seed", type=int, default=1, help="of what is random")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--workflows", nargs="+", choices=WORKFLOWS, default=list(WORKFLOWS), help="these alone")
    parser.add_argument(
        "--keys", nargs="+", choices=TABLES, default=list(TABLES), help="providers of these kinds alone"
    )
    parser.add_argument("--cell", help="workflow,database,keys: this one alone")
    parser.add_argument(
        "--at", help="with --cell: kill there, the next life there, …: numbers or names of points, or seconds"
    )
    parser.add_argument("--resume", action="store_true", help="with --at: `resume` before the script")
    parser.add_argument("--beside-it", action="store_true", help="with --at: another one lives on")
    parser.add_argument("--naive", action="store_true", help="with --at: a client that sends again what has no answer")
    parser.add_argument("--record", action="store_true", help=f"append the run to {RECORD.name}")
    given = parser.parse_args()
    began_s = time.monotonic()
    cells = [cell for cell in CELLS if cell.workflow in given.workflows and cell.keys in given.keys]
    counted, runs = sweep(given, [Cell(*given.cell.split(","))] if given.cell else cells)
    seconds = time.monotonic() - began_s
    text, total = report(counted, runs)
    broken = sum(bool(run.broken) for run in runs)
    each = seconds * given.workers / max(total.kills, 1)
    print(text)
    print(f"commit {commit()}, {given.workers} workers, {seconds:.0f} s, {each:.2f} s a kill and worker")
    if given.record:
        record(counted, total, broken, seconds)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
