"""Processes that share a database, a bucket and a provider, and may be killed: what they run, and how they live.

As in `tests.faults.nursery`, one process has loaded everything and forks the others; the shop is a process beside it.
"""

import asyncio
import gc
import importlib
import json
import os
import pkgutil
import select
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import av
from dbos import DBOS

from aggregator import Aggregator, editing, opening, workflow
from aggregator.errors import AggregatorError
from aggregator.secret import Secret
from aggregator.store.database import Store
from aggregator.workflow import durable, durable_steps
from aggregator.workflow.model import Step, Workflow
from tests import s3
from tests.faults.nursery import LONGEST_S, URL_ENV, Life, _read_once
from tests.faults.points import plant
from tests.faults.shop import MADE, TABLES, FastClock, Offer, Shop, market
from tests.ledger.books import Books

__all__ = ["BUDGET_USD", "CLEAN_MICRO_USD", "WORKFLOW", "Cell", "Child", "Rig"]

PICTURES = ("text-to-image", "image-to-image")
OFFERS = {
    "picture": Offer("0.04", PICTURES),
    "clip": Offer("0.30", ("image-to-video",)),
    "voice": Offer("0.03", ("text-to-speech",)),
}
WORKFLOW = Workflow(
    name="short",
    steps=(
        Step(name="still", task="text-to-image", values={"prompt": "a lighthouse"}),
        Step(name="poster", task="image-to-image", values={"image": "@still", "prompt": "a poster"}),
        Step(name="night", task="image-to-image", values={"image": "@still", "prompt": "at night"}, takes=2),
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
    """What a step of the engine buys has no key, and is waited for in that step: as without our books."""


@dataclass
class _Born:
    child: Child
    pid: int
    reader: int
    parts: list[bytes] = field(default_factory=list)
    life: Life | None = None


class Rig:
    """Children, the shop they buy from, and their stores; one world after the other."""

    def __init__(self, directory: Path, bucket: str, postgres_url: str | None = None) -> None:
        self.clock = FastClock(time.time())
        self.directory = directory
        MADE[".mp4"] = _clip(directory / "clip.mp4")
        self.shop = Shop(self.clock, {name: Decimal(offer.usd) for name, offer in OFFERS.items()})
        self._url = postgres_url
        self._bucket = bucket
        self._worlds = 0
        self.world = ""
        os.environ.update(s3.ENVIRONMENT)
        if postgres_url:
            os.environ[URL_ENV] = postgres_url
        self._markets = {
            keys: market(directory / "markets" / keys, table.name, OFFERS) for keys, table in TABLES.items()
        }
        _read_once()
        for package in (workflow, editing):
            for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
                importlib.import_module(found.name)
        durable.FIRST_SLEEP_S, durable.LONGEST_SLEEP_S, durable.WAIT_S = 0.05, 0.2, 0.05
        durable_steps.LOOK_S = 0.2
        gc.freeze()

    @cached_property
    def _postgres(self) -> Books:
        assert self._url is not None
        return Books(Secret(self._url))

    # ----------------------------------------------------------------------------------------------------- the world

    def new_world(self, cell: Cell) -> None:
        """An empty store, an empty database of DBOS and an empty book."""
        if self.world:
            shutil.rmtree(self.home, ignore_errors=True)
        self._worlds += 1
        self.world = f"w{os.getpid()}-{self._worlds}"
        self.home.mkdir(parents=True)
        if cell.database == "postgresql":
            self._postgres.empty()
            if self._worlds > 1:
                DBOS.reset_system_database(system_database_url=self._url, truncate=True)

    @property
    def home(self) -> Path:
        return self.directory / self.world

    def store(self, cell: Cell) -> AbstractContextManager[Store]:
        """The books of this world, to look at."""
        if cell.database == "postgresql":
            return nullcontext(self._postgres.store)
        return closing(Store(self.home / "host" / opening.STORE_NAME, inline=True))

    def _settings(self, cell: Cell, host: str) -> dict[str, Any]:
        """Each host has a directory of its own; on SQLite there is one host."""
        table, shared = TABLES[cell.keys], cell.database == "postgresql"
        return {
            "directory": str(self.home / (host if shared else "host")),
            "allow_ephemeral": True,
            "providers": {
                table.name: {
                    "table": f"tests.faults.shop:{table.name.upper()}",
                    "base_url": self.shop.url(self.world, table.name),
                }
            },
            "routing": {"allow": [table.name]},
            "registry": {"paths": [str(self._markets[cell.keys])]},
            "artifacts": {"url": f"s3://{self._bucket}/{self.world}", "endpoint": s3.endpoint(), "region": s3.REGION},
            **({"store": {"url_env": URL_ENV}} if shared else {}),
        }

    # ------------------------------------------------------------------------------------------------------- children

    def live(self, cell: Cell, *children: Child) -> list[Life]:
        """Children of one world, side by side, to their ends. Who dies is told to those that live."""
        began_s = time.monotonic()
        born = [self._bear(cell, child) for child in children]
        while waiting := [one for one in born if one.life is None]:
            now_s = time.monotonic() - began_s
            for one in waiting:
                at = one.child.kill_at
                if now_s > LONGEST_S or (isinstance(at, float) and now_s >= at):
                    os.kill(one.pid, signal.SIGKILL)
            for reader in select.select([one.reader for one in waiting], [], [], 0.01)[0]:
                self._hear(next(one for one in waiting if one.reader == reader), late=now_s > LONGEST_S)
        return [one.life for one in born if one.life is not None]

    def _hear(self, one: _Born, *, late: bool) -> None:
        part = os.read(one.reader, 2**16)
        one.parts.append(part)
        if part:
            return
        os.close(one.reader)
        os.waitpid(one.pid, 0)
        said = b"".join(one.parts)
        if said:
            one.life = Life(killed=False, **json.loads(said))
        elif late:
            one.life = Life(killed=True, said={"broke": f"it did not end within {LONGEST_S:g} s"})
        else:
            one.life = Life(killed=True)
            (self.home / f"dead-{one.child.host}").touch()

    def _bear(self, cell: Cell, child: Child) -> _Born:
        reader, writer = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writer)
            return _Born(child, pid, reader)
        try:
            os.close(reader)
            gc.disable()
            points = plant(None if isinstance(child.kill_at, float) else child.kill_at)
            if child.naive:
                _forget_keys()
            said = asyncio.run(self._work(cell, child))
            os.write(writer, json.dumps({"said": said, "points": points}).encode())
        except BaseException as error:  # noqa: BLE001  it is told to the parent
            os.write(writer, json.dumps({"said": {"broke": f"{type(error).__name__}: {error}"}}).encode())
        finally:
            os._exit(0)

    async def _work(self, cell: Cell, child: Child) -> dict[str, Any]:
        """One life of a worker: the run is started, or found, and gone on with."""
        settings = self._settings(cell, child.host)
        async with (
            Aggregator(settings, clock=self.clock) as agg,
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
    submit = durable_steps.Steps.submit

    async def naive(self: Any, run: Any, of: Any, takes: Any) -> Any:
        ordered = await submit(self, run, of, [{**one, "key": f"{one['key']}-{os.getpid()}"} for one in takes])
        for one in ordered:
            await self._client.job(one["job"]).result()
        return ordered

    durable_steps.Steps.submit = naive  # type: ignore[method-assign]


def _said(run: Any) -> dict[str, Any]:
    made: Sequence[tuple[str, Any]] = [
        (name, result) for name in run.outcomes for result in run.results(name) if result is not None
    ]
    return {
        "state": run.state,
        "made": [[name, result.artifact.sha256, str(result.artifact.path)] for name, result in made],
        "outputs": {name: str(path) for name, path in run.outputs.items()},
        "errors": {name: str(error) for name, error in run.failed.items() if isinstance(error, AggregatorError)}
        | {name: run.outcomes[name].why for name in run.failed},
    }
