"""Our engine in front of our own fal: what the tests of this directory, and of the engine, start from."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random
from typing import Any

from aggregator._http import HttpxTransport
from aggregator.contract import Endpoint, Files
from aggregator.backend import Backend
from aggregator.engine import Engine, Submission
from aggregator.providers.fal import PROVIDER
from aggregator.secret import Secret
from tests.providers.fal.server import KEY, FalServer

ENDPOINT = "fal-ai/flux/schnell"
IMAGES = Endpoint(fields={"prompt": "prompt"}, files=Files("images[].url", "image/*"), facts={"seed": "seed"})


@dataclass
class RecordingClock:
    """Does not wait: remembers how long it would have."""

    slept: list[float] = field(default_factory=list)

    def time(self) -> float:
        return 1_767_225_600.0 + sum(self.slept)

    def monotonic(self) -> float:
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


@dataclass
class Source:
    """A local input, as an upload sees it."""

    path: str
    mime_type: str = "image/png"
    sha256: str = "0123456789abcdef" * 4

    @property
    def size_bytes(self) -> int:
        return Path(self.path).stat().st_size


@dataclass
class Fal:
    """One engine, one server, nothing shared."""

    server: FalServer
    engine: Engine
    backend: Backend
    clock: RecordingClock
    transport: HttpxTransport

    async def submit(self, body: Mapping[str, Any] | None = None, endpoint: str = ENDPOINT) -> Submission:
        return await self.engine.submit(
            self.backend, dict({"prompt": "a fox"} if body is None else body), {"endpoint": endpoint}
        )

    async def handle(self, **script: Any) -> Mapping[str, str]:
        """The handle of an accepted job that lives as the script says."""
        self.server.script(**script)
        submission = await self.submit()
        assert submission.outcome == "accepted", submission.error
        return submission.handle


def backend_at(url: str, cdn_url: str, key: str = KEY) -> Backend:
    provider = replace(PROVIDER, base_url=url, hosts={"rest": url, "api": url}, cdns={"cdn": cdn_url})
    return Backend(provider, Secret(key), own_host="127.0.0.1")


@asynccontextmanager
async def running() -> AsyncIterator[Fal]:
    """A server of its own, and an engine that talks to it."""
    transport, clock = HttpxTransport(), RecordingClock()
    with FalServer() as server:
        engine = Engine(transport=transport, clock=clock, rng=Random(1))
        try:
            yield Fal(server, engine, backend_at(server.url, server.cdn_url), clock, transport)
        finally:
            await transport.aclose()
