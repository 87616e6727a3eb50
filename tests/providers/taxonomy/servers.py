"""What is at the other end of the line: a provider of the emulator, or the embedded backend, both in process."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, Protocol

import httpx

from aggregator.local import LocalApp
from aggregator.testing.clock import VirtualClock
from aggregator.testing.emulator import Emulator
from aggregator.testing.emulator.wire import Heard, Reply
from tests.providers.taxonomy.shapes import EMBEDDED

__all__ = ["Server", "server"]

LATENCY_S, LONG_AGO_S = 1.0, 7 * 86_400.0


class Server(Protocol):
    """Takes orders, and knows how many it took."""

    settings: dict[str, Any]
    """The configuration that leads a client here."""
    key: str
    desk: Any
    """What spoils answers: `emulator.desk.Desk`, as far as that needs it."""

    async def answer(self, heard: Heard) -> Reply: ...
    @property
    def taken(self) -> int:
        """How many orders it has taken so far."""
        ...

    def begin(self, *fates: str) -> None:
        """Have this become of the next order."""

    def forget(self) -> None:
        """Lose sight of what was taken since `keep`; ids and keys are never given twice."""

    def keep(self) -> None:
        """Let what was taken so far be done long ago, and stay."""


@dataclass
class Emulated:
    """A provider as the emulator plays it."""

    emulator: Emulator
    name: str
    kept: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.settings = self.emulator.settings(self.name)
        self.key = self.emulator.keys[self.name]
        self.desk = self.emulator.desk(self.name)

    async def answer(self, heard: Heard) -> Reply:
        return await self.emulator._front.answer(heard)

    @property
    def taken(self) -> int:
        return len(self.emulator.book)

    def begin(self, *fates: str) -> None:
        self.desk.fates._scripted.clear()
        self.emulator.script(self.name, *fates)

    def forget(self) -> None:
        self.desk.jobs.clear()
        self.desk.jobs.update(self.kept)

    def keep(self) -> None:
        for job in self.desk.jobs.values():
            job.finish()
            job.created -= LONG_AGO_S
        self.kept = dict(self.desk.jobs)


class Embedded:
    """The embedded backend. It draws in a thread of its own; an answer waits until that is done."""

    key = ""

    def __init__(self, directory: Path, pool: ThreadPoolExecutor) -> None:
        self.settings = {"base_url": "http://embedded.invalid"}
        self._app = LocalApp(directory, rng=Random(1), workers=1)
        self._pool = pool
        self._directory = directory
        self.desk = SimpleNamespace(service=SimpleNamespace(name=EMBEDDED), jobs={})

    async def answer(self, heard: Heard) -> Reply:
        reply = self._pool.submit(asyncio.run, self._asked(heard)).result()
        self._app._jobs._pool.submit(int).result()
        return reply

    async def _asked(self, heard: Heard) -> Reply:
        transport = httpx.ASGITransport(self._app.asgi)
        async with httpx.AsyncClient(transport=transport, base_url=self.settings["base_url"]) as client:
            said = await client.request(heard.method, heard.target, headers=heard.headers, content=heard.body)
        return Reply(said.status_code, dict(said.headers), said.content)

    @property
    def taken(self) -> int:
        return len(list((self._directory / "jobs").glob("*.json")))

    def begin(self, *fates: str) -> None:
        assert not fates, "what it draws has no fate"

    def forget(self) -> None:
        """Each order has a key of its own."""

    def keep(self) -> None:
        """It has no times."""

    def close(self) -> None:
        self._app._jobs.close()


@contextmanager
def server(name: str, directory: Path, clock: VirtualClock) -> Iterator[Server]:
    """The other end of a provider's line."""
    if name != EMBEDDED:
        with Emulator(seed=1, clock=clock, only=(name,), latency_s=LATENCY_S) as emulator:
            yield Emulated(emulator, name)
        return
    with ThreadPoolExecutor(1) as pool:
        embedded = Embedded(directory / EMBEDDED, pool)
        try:
            yield embedded
        finally:
            embedded.close()
