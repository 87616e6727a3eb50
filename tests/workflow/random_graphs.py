"""Random graphs in a stormy world: drawn from a seed, run by processes that die anywhere, run again until they end.

`python -m tests.workflow.random_graphs --count 1000` plays as many as it is told, and says by which seed one breaks;
`--record` appends them to RECORD.md, `--trace` tells one step by step.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aggregator.errors import AggregatorError
from aggregator.workflow.model import Step, Workflow
from tests.faults import life, promises
from tests.faults.life import BrokenPromiseError
from tests.faults.run import commit
from tests.faults.simulation import Simulation, simulate
from tests.faults.stage import prepare
from tests.workflow.graphs import edit, flow, picture

RECORD = Path(__file__).with_name("RECORD.md")
MEMORY = Path("/dev/shm")
DEADLINE_S = 3600.0
MAX_TAPS = 20_000
"""A graph has up to a hundred jobs: a client that takes more steps spins."""


def graph(rng: Random) -> Workflow:
    """Up to a dozen steps: fans, takes, shared inputs, twins, and long chains."""
    steps: list[Step] = []
    for n in range(rng.randint(1, 12)):
        takes = rng.choice((1, 1, 1, 1, 2, 3))
        more: dict[str, Any] = {"takes": takes, "deadline_s": DEADLINE_S}
        if takes > 1:
            more["pick"] = rng.choice(("first", "all", "score:last"))
        ready = [step for step in steps if step.each is None and not (step.takes > 1 and step.pick == "all")]
        every = [step for step in steps if step.takes > 1 and step.pick == "all" and step.each is None]
        prompt = f"shot {rng.randint(0, 20)}"  # sometimes twice the same
        if every and rng.random() < 0.5:
            steps.append(edit(f"s{n}", "@item", prompt, each=f"@{rng.choice(every).name}", **more))
        elif ready and rng.random() < 0.7:
            steps.append(edit(f"s{n}", f"@{rng.choice(ready[-3:]).name}", prompt, **more))
        elif rng.random() < 0.2:
            steps.append(picture(f"s{n}", f"{prompt}, {{item}}", each=["dawn", "dusk"], **more))
        else:
            steps.append(picture(f"s{n}", prompt, **more))
    return flow(*steps, seed=rng.choice((None, 7)))


def last(result: Any) -> float:
    """A function that picks: the take with the largest hash, whatever it is."""
    return int(result.artifact.sha256[:8], 16)


@dataclass
class GraphProgram:
    """In the place of a schedule's program: one workflow, run again in every life."""

    workflow: Workflow
    budget_usd: str
    deadline_s: float = DEADLINE_S
    alike: bool = False
    runs: list[Any] = field(default_factory=list)
    """What each life that came to an end made of it."""

    @property
    def words(self) -> str:
        return json.dumps(self.workflow.as_json())

    async def run(self, agg: Any) -> None:
        """Run it, or go on with it."""
        film = agg.project("film", budget_usd=self.budget_usd)
        await film.__aenter__()
        try:
            self.runs.append(await film.run(self.workflow, scorers={"last": last}))
        except AggregatorError as error:
            promises.check_error(error)


class GraphSimulation(Simulation):
    """A schedule whose processes run one graph."""

    def dawn(self) -> None:
        """Other offers come between lives, while the run is not over: it goes on with who made what so far. Processes
        that run the same graph at once are configured alike; and what is over is made again by another model.
        """
        program: Any = self.program
        if len(self.lives) == 1 and not any(run.state == "finished" for run in program.runs):
            super().dawn()


def played(seed: int, directory: Path, patch: pytest.MonkeyPatch, *, trace: bool = False) -> Simulation:
    """One graph from its first life to its last; a broken promise says by which seed."""
    rng = Random(f"graph {seed}")
    simulation = GraphSimulation(seed, directory, trace=trace)
    simulation.organisation_usd = None
    simulation.program = GraphProgram(graph(rng), rng.choice(("0.30", "10", "10", "10")))  # type: ignore[assignment]
    try:
        simulate(seed, directory, patch, made=simulation)
        check(simulation)
    except Exception as error:
        error.add_note(f"seed {seed}: python -m tests.workflow.random_graphs --first {seed} --count 1 --trace")
        raise
    finally:
        if trace:
            sys.stdout.write(f"{simulation.history()}\n")
        simulation.close()
    return simulation


# ----------------------------------------------------------------------------------------------------- what must hold


def check(simulation: Simulation) -> None:
    """Nothing was made twice, nothing before what it is made of, and what came of it is what the graph says."""
    jobs = {row["id"]: row for row in simulation.rows("job")}
    ends = {row["job"]: row for row in simulation.rows("attempt")}  # the newest of each
    _once(jobs, ends)
    if not simulation.jumpy:
        _in_order(jobs, simulation)
    _earmarks(simulation)
    program: Any = simulation.program
    for run in program.runs:
        _as_written(run, jobs)


def _once(jobs: Mapping[str, Any], ends: Mapping[str, Any]) -> None:
    """One content, one delivery; and none beside one of which nobody knows."""
    made: Counter[str] = Counter()
    for name, row in jobs.items():
        address = row["key"].split(":")[1]
        made[address] += ends[name]["state"] not in ("failed", "refused", "canceled")
    twice = [address for address, count in made.items() if count > 1]
    _expect(not twice, f"bought twice: {twice}")


def _in_order(jobs: Mapping[str, Any], simulation: Simulation) -> None:
    """Whatever goes into an order was there before it."""
    finished = {row["job"]: row["finished_at"] for row in simulation.rows("attempt") if row["state"] == "stored"}
    for name, row in jobs.items():
        for parent in _inputs(row):
            _expect(parent in finished, f"{name} is made of {parent}, which is not there")
            _expect(finished[parent] <= row["created_at"], f"{name} was ordered before {parent} was there")


def _earmarks(simulation: Simulation) -> None:
    """What is kept for a run that is over is nothing."""
    over = {row["id"] for row in simulation.rows("run") if row["state"] in ("finished", "failed")}
    kept = [row for row in simulation.rows("earmark") if row["run"] in over]
    _expect(not kept, f"money is kept for runs that are over: {kept}")


def _as_written(run: Any, jobs: Mapping[str, Any]) -> None:
    """Every step that was made has the recipe that the graph gives it, down to its first picture."""
    recipes: dict[tuple[str, int], Any] = {}
    for node in run.graph.nodes:
        outcome = run.outcomes[node.name]
        for take, result in enumerate(outcome.results, 1):
            recipes[node.name, take] = _expected(node, take, run, recipes)
            if result is not None:
                found = _recipe(result.job_id, jobs)
                _expect(found == recipes[node.name, take], f"{node.name}#{take} is {found}")


def _expected(node: Any, take: int, run: Any, recipes: Mapping[tuple[str, int], Any]) -> Any:
    """What a sequential reading of the graph gives."""
    values = dict(node.values)
    image = values.pop("image", None)
    seed = node.wanted.get("seed")
    of = None
    if image is not None:
        name, _, which = image[1:].partition("#")
        of = recipes[name, int(which) if which else run.outcomes[name].picked]
    return [values["prompt"], None if seed is None else seed + take - 1, of]


def _recipe(job: str, jobs: Mapping[str, Any]) -> Any:
    """What a job was made of, read from the store."""
    request = json.loads(jobs[job]["request"])
    inputs = list(_inputs(jobs[job]))
    return [request["prompt"], request.get("seed"), _recipe(inputs[0], jobs) if inputs else None]


def _inputs(row: Mapping[str, Any]) -> Iterator[str]:
    image = json.loads(row["request"]).get("image")
    if image is not None:
        yield image["job_id"]


def _expect(holds: bool, why: str) -> None:
    if not holds:
        raise BrokenPromiseError(why)


# ------------------------------------------------------------------------------------------------------------- by hand


@dataclass
class Tally:
    """What was played."""

    graphs: int = 0
    steps: int = 0
    deaths: int = 0
    orders: int = 0
    states: Counter[str] = field(default_factory=Counter)


def play(seeds: Iterable[int], *, trace: bool = False) -> Tally:
    """Play graphs; the first broken promise ends it."""
    tally = Tally()
    root = Path(tempfile.mkdtemp(prefix="aggregator-graphs-", dir=MEMORY if MEMORY.is_dir() else None))
    try:
        with pytest.MonkeyPatch.context() as patch:
            prepare(patch)
            patch.setattr(life, "MAX_TAPS", MAX_TAPS)
            for seed in seeds:
                simulation = played(seed, root, patch, trace=trace)
                program: Any = simulation.program
                tally.graphs += 1
                tally.steps += sum(len(run.graph.nodes) for run in program.runs[-1:])
                tally.deaths += simulation.deaths
                tally.orders += len(simulation.transport.book)
                tally.states.update(run.state for run in program.runs[-1:])
    finally:
        shutil.rmtree(root, ignore_errors=True)
    return tally


def record(tally: Tally, seeds: range, seconds: float) -> None:
    """Append what was played: nothing broke, or it would not have come to its end."""
    states = ", ".join(f"{count:,} {state}" for state, count in tally.states.most_common())
    row = (
        f"| {time.strftime('%Y-%m-%d')} | {commit()} | {seeds.start}–{seeds.stop - 1} | {tally.graphs:,} "
        f"| {tally.steps:,} | {tally.deaths:,} | {tally.orders:,} | {states} | {seconds:.0f} s |\n"
    )
    with RECORD.open("a", encoding="utf-8") as file:
        file.write(row)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.workflow.random_graphs", description=__doc__)
    parser.add_argument("--first", type=int, default=0, metavar="SEED")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--record", action="store_true", help=f"append them to {RECORD.name}")
    parser.add_argument("--trace", action="store_true", help="tell what happens, step by step")
    given = parser.parse_args()
    seeds, began_s = range(given.first, given.first + given.count), time.monotonic()
    tally = play(seeds, trace=given.trace)
    seconds = time.monotonic() - began_s
    sys.stdout.write(f"{tally}, {seconds:.0f} s\n")
    if given.record:
        record(tally, seeds, seconds)


if __name__ == "__main__":
    main()
