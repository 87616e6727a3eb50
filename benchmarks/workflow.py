"""The makespan of whole graphs beside their critical paths, over real HTTP against the emulator, journal on SQLite:

    python benchmarks/workflow.py [--median 5] [--seed 7] [--fan 200]

Service times are log-normal (sigma 0.5) and known to the benchmark. The critical path is the longest way through the
graph by the service times of what was bought and the time that local edits took; everything else is overhead: planning,
journal, ledger, uploads, submits, results and files. The emulator is in a process of its own, as a provider is, on
the same machine; its client has made a picture before. `push` is told of finished jobs by callbacks, `poll` looks for
itself.

The overhead is divided by all steps, which is held to the goal, and "on the path" by those that follow one another:
what each adds to the makespan of a chain.
"""

import argparse
import asyncio
import json
import os
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from aggregator import Aggregator
from aggregator.store import runs as rows
from aggregator.testing.emulator import Emulator
from aggregator.workflow.file import read
from aggregator.workflow.model import Step, Workflow

SIGMA = 0.5
SHORT = Path(__file__).parent.parent / "examples" / "two_person_short.toml"
GOAL_RATIO, GOAL_STEP_MS = 1.05, 15


class Timed(Emulator):
    """Every job takes a time of its own, drawn in the order of the submits. Its file is made while it runs, as a
    provider's is: drawing it would count as ours otherwise.
    """

    def __init__(self, median_s: float, seed: int, files: int) -> None:
        super().__init__(only=("fal",), seed=seed, latency_s=0.0)
        self._median_s, self._rng = median_s, Random(seed)
        self.service_s: dict[str, float] = {}
        self._files, self._drawing = files, ThreadPoolExecutor(1)

    def _hook(self, desk: Any, job: Any) -> None:
        job.queued_s, job.running_s = 0.0, self._median_s * self._rng.lognormvariate(0, SIGMA)
        self.service_s[job.id] = job.running_s
        job.seed %= self._files
        self._drawing.submit(lambda: job.contents)
        super()._hook(desk, job)


def fan(count: int) -> Workflow:
    """One picture, and as many edits of it."""
    return Workflow(
        name="fan",
        steps=(
            Step(name="still", task="text-to-image", values={"prompt": "a lighthouse"}),
            Step(
                name="one",
                each=[f"at {n} o'clock" for n in range(count)],
                task="image-to-image",
                values={"image": "@still", "prompt": "{item}"},
            ),
        ),
    )


def short() -> Workflow:
    """The short with two people; its picks are made by themselves."""
    written = read(SHORT)
    for step in written.steps:
        if step.pick == "person":
            written = written.with_step(step.name, pick="first")
    return written


def _serve(to_us: Connection, median_s: float, seed: int, files: int) -> None:
    """The emulator's process: says where it is, and at the end how long each job took."""
    with Timed(median_s, seed, files) as emulator:
        to_us.send((emulator.settings("fal"), emulator.environ))
        to_us.recv()
        to_us.send(emulator.service_s)


@contextmanager
def emulated(median_s: float, seed: int, files: int) -> Iterator[tuple[dict[str, Any], Callable[[], dict[str, float]]]]:
    """The configuration that leads to an emulator in its own process, and what ends it: the service times.

    Args:
        files: How many different files there are of one kind and size: drawing them takes the core that we run on.

    """
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_serve, args=(theirs, median_s, seed, files), daemon=True)
    process.start()
    theirs.close()  # so that its end is heard
    settings, environ = ours.recv()

    def ended() -> dict[str, float]:
        ours.send("end")
        service_s: dict[str, float] = ours.recv()
        return service_s

    with patch.dict(os.environ, environ):
        yield settings, ended
    process.join()


@asynccontextmanager
async def client(fal: dict[str, Any], directory: Path, *, push: bool) -> AsyncIterator[Aggregator]:
    config = {
        "directory": str(directory),
        "allow_ephemeral": True,
        "providers": {"fal": fal},
        "routing": {"allow": ["fal"]},
    }
    if not push:
        async with Aggregator(config) as agg:
            yield agg
        return
    with socket.socket() as listening, patch.dict(os.environ, BENCH_HOOKS="0" * 64):
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/hooks"
        async with Aggregator({**config, "webhooks": {"url": url, "secret_env": "BENCH_HOOKS"}}) as agg:
            app = Starlette(routes=[Mount("/hooks", agg.webhooks())])
            server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="off"))
            serving = asyncio.create_task(server.serve(sockets=[listening]))
            try:
                yield agg
            finally:
                server.should_exit = True
                await serving


async def measured(workflow: Workflow, median_s: float, seed: int, *, push: bool) -> dict[str, Any]:
    """Run a graph once in an empty store."""
    files = 2 if workflow.name == "fan" else 2**32
    with tempfile.TemporaryDirectory() as directory, emulated(median_s, seed, files) as (fal, ended):
        async with client(fal, Path(directory), push=push) as agg, agg.project("film") as p:
            await p.text_to_image("a lighthouse, to begin with")  # what a process pays once is not the graph's
            plan = await p.plan_run(workflow, budget_usd="500")
            began_s, cpu_s = time.perf_counter(), time.process_time()
            run = await p.run(workflow, budget_usd="500")
            took_s, used_s = time.perf_counter() - began_s, time.process_time() - cpu_s
            if run.state != "finished":
                raise SystemExit(f"{workflow.name}: {run}")
            path_s = critical_s(run, ended(), await _remote(agg), await _made(p, run))
    steps = len(plan.steps)
    return {
        "graph": workflow.name,
        "told by": "push" if push else "poll",
        "steps": steps,
        "critical path s": round(path_s, 2),
        "makespan s": round(took_s, 2),
        "ratio": round(took_s / path_s, 3),
        "overhead ms a step": round((took_s - path_s) * 1000 / steps, 1),
        "on the path": round((took_s - path_s) * 1000 / depth(run), 1),
        "CPU ms a step": round(used_s * 1000 / steps, 1),
    }


async def _remote(agg: Any) -> dict[str, str]:
    return {record.id: record.remote_id or "" for record in await agg.jobs()}


async def _made(p: Any, run: Any) -> dict[str, float]:
    """How long each local edit took."""
    found: dict[str, float] = {}
    for name, of in run.written.items():
        address = of[0].address
        if of[0].output is not None and address is not None:
            made = await p.opened.store.read(lambda c, address=address: rows.made(c, address))
            found[name] = made.took_ms / 1000
    return found


def critical_s(run: Any, service_s: dict[str, float], remote: dict[str, str], made_s: dict[str, float]) -> float:
    """The longest way through the graph."""
    done: dict[str, float] = {}
    for node in run.graph.nodes:
        takes = [service_s[remote[result.job_id]] for result in run.results(node.name) if result is not None]
        own_s = max(takes) if takes else made_s.get(node.name, 0.0)
        done[node.name] = own_s + max((done[name] for name in node.needs), default=0.0)
    return max(done.values())


def depth(run: Any) -> int:
    """The most steps one after another."""
    found: dict[str, int] = {}
    for node in run.graph.nodes:
        found[node.name] = 1 + max((found[name] for name in node.needs), default=0)
    return max(found.values())


def main() -> int:
    wanted = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    wanted.add_argument("--median", type=float, default=5.0)
    wanted.add_argument("--seed", type=int, default=7)
    wanted.add_argument("--fan", type=int, default=200)
    wanted.add_argument("--only", choices=["short", "fan"])
    wanted.add_argument("--json", action="store_true")
    given = wanted.parse_args()
    found = [
        asyncio.run(measured(workflow, given.median, given.seed, push=push))
        for workflow in (
            *([short()] if given.only != "fan" else []),
            *([fan(given.fan)] if given.only != "short" else []),
        )
        for push in (True, False)
    ]
    if given.json:
        print(json.dumps(found, indent=2))
    else:
        names = list(found[0])
        widths = [max(len(name), *(len(str(one[name])) for one in found)) for name in names]
        for row in (names, *([str(one[name]) for name in names] for one in found)):
            print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)))
    held = all(one["ratio"] <= GOAL_RATIO and one["overhead ms a step"] <= GOAL_STEP_MS for one in found)
    print(f"goal: at most {GOAL_RATIO} of the critical path, {GOAL_STEP_MS} ms a step: {'held' if held else 'missed'}")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
