"""kill -9 of workers that share a database and a bucket: at random points and moments; or on DBOS and PostgreSQL, at
every point. They are gone on with by others, and judged.

Each run is killed once or twice, and goes on in one of four ways: `again`, the same host starts again; `another`, one
with another name takes over; `beside`, a second one has been at work from the beginning, and takes over what the first
one leaves; `rash`, the second one takes it over all the time, dead or not.

```sh
python -m tests.several.sweep --kills 200 --record
python -m tests.several.sweep --every 1 --record       # every boundary, gone on with in turn again and by another
python -m tests.several.sweep --play dbos,postgresql,none beside 31     # one run, and what is found
```
"""

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle
from pathlib import Path
from typing import Any

from tests import postgres, s3
from tests.faults.sweep import HEAD, Tally, commit
from tests.faults.verdict import Verdict
from tests.faults.worlds import Life
from tests.several.engine_points import ENGINE
from tests.several.rig import Cell, Child, Rig
from tests.several.verdict import judge, look

RECORD = Path(__file__).with_name("KILLS.md")
SHM = Path("/dev/shm")
WAYS: dict[tuple[str, str], tuple[str, ...]] = {
    ("dbos", "postgresql"): ("again", "another", "beside", "rash"),
    ("dbos", "sqlite"): ("again",),
    ("plain", "postgresql"): ("again", "another", "beside"),
    ("plain", "sqlite"): ("again",),
}
KEYS = ("none", "replay", "reject")
CELLS = [Cell(*of, keys) for of in WAYS for keys in KEYS]
MAX_LIVES = 3
"""A run that ended without everything is started again so often."""
RIG: Rig | None = None


@dataclass(frozen=True)
class Plan:
    """One run: where its workers are killed, one after the other, and who goes on."""

    cell: Cell
    kills: tuple[int | float | str, ...] = ()
    way: str = "again"
    naive: bool = False
    """What is bought has no key: to show that this is found."""

    def __str__(self) -> str:
        at, naive = ",".join(map(str, self.kills)), " --naive" if self.naive else ""
        return f"python -m tests.several.sweep --play {self.cell} {self.way} '{at}'{naive}"


@dataclass
class Run:
    """What came of a plan."""

    plan: Plan
    points: list[str] = field(default_factory=list)
    """Those of its first life, unless it was killed."""
    killed: int = 0
    seconds: float = 0.0
    first_s: float = 0.0
    verdict: Verdict | None = None
    broken: str = ""


def play(plan: Plan) -> Run:
    """Kill, go on, judge."""
    assert RIG is not None
    run, began_s = Run(plan), time.monotonic()
    RIG.new_world(plan.cell)
    lives = list(_lives(RIG, run))
    run.killed = sum(life.killed for life in lives)
    run.points = lives[0].points
    book = RIG.shop.book(RIG.world)
    with RIG.store(plan.cell) as store:
        try:
            run.verdict = store.now(partial(look, book=book), write=False)
            store.now(partial(judge, cell=plan.cell, book=book, said=lives[-1].said), write=False)
        except Exception as error:  # noqa: BLE001  every broken promise is shown
            run.broken = f"{type(error).__name__}: {error}"
    run.seconds = time.monotonic() - began_s
    return run


def _lives(rig: Rig, run: Run) -> Iterator[Life]:
    plan, hosts = run.plan, (f"host-{letter}" for letter in "abcdefgh")
    host = next(hosts)
    dead: tuple[str, ...] = ()
    began_s = time.monotonic()
    for turn, at in enumerate(plan.kills or (None,)):
        dying = Child(host, at, dead, naive=plan.naive)
        second = plan.way in ("beside", "rash") and turn == 0
        beside = [Child(next(hosts), beside=True, rash=plan.way == "rash")] if second else []
        lives = rig.live(plan.cell, dying, *beside)
        yield from lives
        run.first_s = run.first_s or time.monotonic() - began_s
        if lives[0].killed and plan.way != "again":
            dead, host = (*dead, host), next(hosts)
    last = lives[-1]
    for _ in range(MAX_LIVES):
        if not last.killed and last.said.get("state") == "finished":
            return
        [last] = rig.live(plan.cell, Child(host, take_over=dead, naive=plan.naive))
        yield last


# --------------------------------------------------------------------------------------------------------------- plans


def drawn(counted: Sequence[Run], kills: int, rng: random.Random) -> Iterator[Plan]:
    """Kills at points of our own (commits, flushes, exchanges), and at any moment; a fifth of the runs are killed
    twice.
    """
    while kills > 0:
        run = rng.choice(counted)
        cell = run.plan.cell
        way = rng.choice(WAYS[cell.engine, cell.database])
        count = 2 if way in ("again", "another") and rng.random() < 0.2 else 1
        at = tuple(
            rng.randint(1, len(run.points)) if rng.random() < 0.5 else round(rng.uniform(0.05, run.first_s), 3)
            for _ in range(count)
        )
        kills -= count
        yield Plan(cell, at, way)


def every(counted: Sequence[Run], step: int) -> Iterator[Plan]:
    """Every point of each cell, or every so-many-th, beginning somewhere else in each."""
    for offset, run in enumerate(counted):
        ways = cycle(("again", "another"))
        for at in range(1 + offset * step // len(counted), len(run.points) + 1, step):
            yield Plan(run.plan.cell, (at,), next(ways))


# -------------------------------------------------------------------------------------------------------------- report


def report(counted: Sequence[Run], runs: Sequence[Run]) -> tuple[str, Tally]:
    """A table, and its last line."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    total = Tally()
    for run in sorted(runs, key=lambda run: (CELLS.index(run.plan.cell), run.plan.way)):
        tallies[f"{run.plan.cell}, {run.plan.way}"].add(run)
        total.add(run)
    points = {f"{run.plan.cell}, again": len(run.points) for run in counted}
    lines = [HEAD, *(tally.row(name, f"{points.get(name, '')}") for name, tally in tallies.items())]
    lines += [total.row("together", str(sum(points.values())))]
    broken = [run for run in runs if run.broken]
    lines += [f"broken promises: {len(broken)}", *(f"  {run.plan}\n    {run.broken[:2000]}" for run in broken[:20])]
    return "\n".join(lines), total


def record(counted: Sequence[Run], runs: Sequence[Run], total: Tally, seconds: float, step: int | None) -> None:
    """Append a run to the table of the random kills, or to that of every point (one in so many: `step`)."""
    seen = (
        f"{total.purchases:,} | {total.duplicates} | {total.unknown:,} | {total.unknown_bought:,} "
        f"| {sum(bool(run.broken) for run in runs)} | {seconds:.0f} s |"
    )
    head = f"| {time.strftime('%Y-%m-%d')} | {commit()} |"
    random_kills, every_point = RECORD.read_text(encoding="utf-8").split("\n\n# ", 1)
    if step is None:
        durable = sum(run.killed for run in runs if run.plan.cell.engine == "dbos")
        random_kills += f"\n{head} {total.runs:,} | {total.kills:,} | {durable:,} | {seen}"
    else:
        points = [name for run in counted for name in run.points]
        keys = list(dict.fromkeys(run.plan.cell.keys for run in counted))
        head += "" if len(keys) == len(KEYS) else f" {', '.join(keys)}:"
        own = sum(name.endswith(ENGINE) for name in points)
        every_point += f"{head} {step} | {len(points):,} | {own:,} | {total.runs:,} | {total.kills:,} | {seen}\n"
    RECORD.write_text(f"{random_kills}\n\n# {every_point}", encoding="utf-8")


# --------------------------------------------------------------------------------------------------------------- doing


def _begin(directory: Path, urls: Any, bucket: str) -> None:
    global RIG  # noqa: PLW0603  one in each worker
    RIG = Rig(Path(tempfile.mkdtemp(dir=directory)), bucket, urls.get())


def sweep(given: argparse.Namespace, cells: Sequence[Cell]) -> tuple[list[Run], list[Run]]:
    """A clean run of every cell, then the kills that are asked for."""
    with ExitStack() as stack:
        directory = Path(tempfile.mkdtemp(prefix="aggregator-several-", dir=SHM if SHM.is_dir() else None))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        context = multiprocessing.get_context("fork")
        urls = context.SimpleQueue()
        for _ in range(given.workers):
            urls.put(stack.enter_context(postgres.database()))
        bucket = stack.enter_context(s3.bucket())
        pool = stack.enter_context(context.Pool(given.workers, _begin, (directory, urls, bucket)))
        if given.play:
            plans = [Plan(Cell(*cell.split(",")), _at(at), way, given.naive) for cell, way, at in given.play]
            return [], pool.map(play, plans, chunksize=1)
        counted = pool.map(play, [Plan(cell) for cell in cells], chunksize=1)
        runs = [run for run in counted if run.broken]
        if runs:
            return counted, runs
        rng = random.Random(given.seed)
        chosen = list(every(counted, given.every) if given.every else drawn(counted, given.kills, rng))
        rng.shuffle(chosen)
        for run in pool.imap_unordered(play, chosen, chunksize=1):
            runs.append(run)
            if len(runs) % 50 == 0 or run.broken:
                found = f": {run.plan}: {run.broken[:300]}" if run.broken else ""
                print(f"{len(runs)} of {len(chosen)} runs{found}", file=sys.stderr, flush=True)
        return counted, runs


def _at(text: str) -> tuple[int | float | str, ...]:
    """Where to kill: `40`, the number of a point, or its name; `1.5`, seconds; `40,25`, there in the next life."""
    kills: list[int | float | str] = []
    for at in text.split(","):
        try:
            kills.append(float(at) if "." in at else int(at))
        except ValueError:
            kills.append(at)
    return tuple(kills)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.several.sweep", description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="how many processes are killed")
    parser.add_argument("--every", type=int, metavar="N", help="instead, on DBOS and PostgreSQL: one point in so many")
    parser.add_argument("--seed", type=int, default=1, help="of what is random")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keys", nargs="+", choices=KEYS, default=list(KEYS), help="providers of these kinds alone")
    parser.add_argument("--cell", help="engine,database,keys: this one alone")
    parser.add_argument("--play", nargs=3, action="append", metavar=("CELL", "WAY", "AT"), help="this run alone")
    parser.add_argument("--naive", action="store_true", help="with --play: what is bought has no key")
    parser.add_argument("--record", action="store_true", help=f"append the run to {RECORD.name}")
    given = parser.parse_args()
    began_s = time.monotonic()
    cells = [cell for cell in CELLS if cell.keys in given.keys]
    if given.every:
        cells = [cell for cell in cells if (cell.engine, cell.database) == ("dbos", "postgresql")]
    counted, runs = sweep(given, [Cell(*given.cell.split(","))] if given.cell else cells)
    seconds = time.monotonic() - began_s
    text, total = report(counted, runs)
    print(text)
    print(f"commit {commit()}, {given.workers} workers, {seconds:.0f} s")
    if given.record:
        record(counted, runs, total, seconds, given.every)
    return 1 if any(run.broken for run in runs) or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
