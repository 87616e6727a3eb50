"""Workers that share a database, a bucket and a provider, and may be killed: what they run, and how they live."""

import asyncio
import gc
import importlib
import os
import pkgutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import av
from dbos import DBOS

from aggregator import Aggregator, editing, workflow
from aggregator.workflow import durable
from aggregator.workflow.deciding import Decision
from aggregator.workflow.model import Step, Workflow
from aggregator.workflow.steps import Desk
from tests import s3
from tests.faults.shop import MADE, TABLES, Offer, market
from tests.faults.worlds import Worlds
from tests.several.engine_points import plant_in_engine

__all__ = ["BUDGET_USD", "CLEAN_MICRO_USD", "IN_TAKES", "WORKFLOW", "Cell", "Child", "Rig"]

PICTURES = ("text-to-image", "image-to-image")
OFFERS = {
    "picture": Offer("0.04", PICTURES),
    "clip": Offer("0.30", ("image-to-video",)),
    "voice": Offer("0.03", ("text-to-speech",)),
}
IN_TAKES = "night"
"""The step of which one take goes on, and another one may be missing."""
WORKFLOW = Workflow(
    name="short",
    steps=(
        Step(name="still", task="text-to-image", values={"prompt": "a lighthouse"}),
        Step(name="poster", task="image-to-image", values={"image": "@still", "prompt": "a poster"}),
        Step(name=IN_TAKES, task="image-to-image", values={"image": "@still", "prompt": "at night"}, takes=2),
        Step(
            name="shot",
            task="image-to-video",
            values={"image": "@night", "prompt": "{item}"},
            each=["in", "round", "out"],
            continues="previous",
        ),
        Step(name="voice", task="text-to-speech", values={"text": "the light goes round"}),
        Step(name="sea", task="text-to-speech", values={"text": "the sea"}),
        Step(name="sound", task="mix", values={"tracks": ["@voice", "@sea"]}),
        Step(name="cut", task="concatenate", values={"clips": "@shot"}),
        Step(name="piece", task="mux-sound", values={"video": "@cut", "audio": "@sound"}),
        Step(name="cover", task="first-frame", values={"video": "@piece"}),
    ),
)
"""Fourteen steps, with the last frames of two shots: nine purchases, six local edits."""
CLEAN_MICRO_USD = 1_120_000
"""Four pictures, three clips and two voices."""
BUDGET_USD = "1.14"
"""Enough for that, and not for one more of anything."""
VERSION = "of-the-tests"
FIRST = "host-a"


@dataclass(frozen=True)
class Cell:
    """Which engine goes on with what was begun, where its books are, and what the provider does with a key."""

    engine: str
    database: str
    keys: str

    def __str__(self) -> str:
        return f"{self.engine},{self.database},{self.keys}"


@dataclass(frozen=True)
class Child:
    """How one process lives."""

    host: str
    kill_at: int | float | str | None = None
    """The number of a point or its name, or after so many seconds."""
    take_over: tuple[str, ...] = ()
    """The hosts that are dead when it begins."""
    beside: bool = False
    """It looks for hosts that die while it lives."""
    rash: bool = False
    """It takes over what the first host does, again and again, although that lives."""
    naive: bool = False
    """What is bought has another key in every process: as without our books."""


class Rig(Worlds):
    """Children, the shop they buy from, and their stores; one world after the other."""

    plants = (plant_in_engine,)

    def __init__(self, directory: Path, bucket: str, postgres_url: str | None = None) -> None:
        os.environ.update(s3.ENVIRONMENT)
        MADE[".mp4"] = _clip(directory / "clip.mp4")
        super().__init__(directory, {name: Decimal(offer.usd) for name, offer in OFFERS.items()}, postgres_url)
        self._bucket = bucket
        self._markets = {
            keys: market(directory / "markets" / keys, table.name, OFFERS) for keys, table in TABLES.items()
        }
        for package in (workflow, editing):
            for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                importlib.import_module(found.name)
        durable.FIRST_SLEEP_S, durable.LONGEST_SLEEP_S, durable.WAIT_S = 0.05, 0.2, 0.05
        durable.LOOK_S = 0.2
        self._warm_up()
        if postgres_url:
            DBOS.migrate(system_database_url=postgres_url)
        gc.collect()
        gc.freeze()

    def _warm_up(self) -> None:
        """Import and read what a child would, by being one; but for the engine and the bucket, which begin threads."""
        cell = Cell("plain", "sqlite", "none")
        self.new_world(cell)

        async def plainly() -> None:
            settings = {name: one for name, one in self.settings(cell).items() if name != "artifacts"}
            async with Aggregator(settings, clock=self.clock) as agg, agg.project("film") as p:
                await p.run(WORKFLOW)

        asyncio.run(plainly())

    # ----------------------------------------------------------------------------------------------------- the world

    def new_world(self, cell: Cell) -> None:
        """An empty database of DBOS too."""
        super().new_world(cell)
        if cell.database == "postgresql":
            DBOS.reset_system_database(system_database_url=self._url, truncate=True)

    def at(self, cell: Cell, child: Child | None = None) -> Path:
        """Each host has a directory of its own; on SQLite there is one host."""
        return self.home / (child.host if child and cell.database == "postgresql" else "host")

    def market(self, cell: Cell) -> Path:
        return self._markets[cell.keys]

    def settings(self, cell: Cell, child: Child | None = None) -> dict[str, Any]:
        """Files are in the bucket."""
        there = {"url": f"s3://{self._bucket}/{self.world}", "endpoint": s3.endpoint(), "region": s3.REGION}
        return {**super().settings(cell, child), "artifacts": there}

    # ------------------------------------------------------------------------------------------------------- children

    def _ready(self, child: Child) -> None:
        if child.naive:
            _forget_keys()

    def _died(self, child: Child) -> None:
        """Who lives beside it looks for this."""
        (self.home / f"dead-{child.host}").touch()

    async def _work(self, cell: Cell, child: Child) -> dict[str, Any]:
        """One life of a worker: the run is started, or found, and gone on with."""
        async with (
            Aggregator(self.settings(cell, child), clock=self.clock) as agg,
            agg.project("film", budget_usd="2" if child.naive else BUDGET_USD) as p,
        ):
            if cell.engine == "plain":
                return _said(await p.run(WORKFLOW))
            async with durable.register(agg, self._dbos(cell, child.host)) as runs:
                dead = set(child.take_over)
                for host in child.take_over:
                    await runs.take_over(host)
                waiting = asyncio.create_task(runs.run(p, WORKFLOW))
                while not waiting.done():
                    await asyncio.wait({waiting}, timeout=0.1)
                    if child.rash:
                        await runs.take_over(FIRST)
                    for host in self._dead() if child.beside else ():
                        if host not in dead:
                            await runs.take_over(host)
                            dead.add(host)
                return _said(waiting.result())

    def _dead(self) -> Iterator[str]:
        return (path.name.removeprefix("dead-") for path in self.home.glob("dead-*"))

    def _dbos(self, cell: Cell, host: str) -> Any:
        shared = cell.database == "postgresql"
        return {
            "name": "short",
            "system_database_url": self._url if shared else f"sqlite:///{self.home}/dbos.sqlite",
            "executor_id": host,
            "application_version": VERSION,
            "log_level": "CRITICAL",
        }


def _clip(path: Path) -> bytes:
    """Half a second that can be edited; what the other tests deliver only begins like a clip."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("h264", rate=8)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for _ in range(4):
            container.mux(stream.encode(av.VideoFrame(32, 32, "yuv420p")))
        container.mux(stream.encode())
    return path.read_bytes()


def _forget_keys() -> None:
    decisions = Desk.decisions

    async def naive(self: Desk, *given: Any, **options: Any) -> list[Decision]:
        found = await decisions(self, *given, **options)
        return [replace(one, state="run", job=None, key=f"{one.key}-{os.getpid()}") for one in found]

    Desk.decisions = naive  # type: ignore[method-assign]


def _said(run: Any) -> dict[str, Any]:
    made: Sequence[tuple[str, Any]] = [
        (name, result) for name in run.outcomes for result in run.results(name) if result is not None
    ]
    return {
        "state": run.state,
        "made": [[name, result.artifact.sha256, str(result.artifact.path)] for name, result in made],
        "outputs": {name: str(path) for name, path in run.outputs.items()},
        "errors": {name: one.why for name, one in run.outcomes.items() if one.why and one.state in ("failed", "done")},
    }
