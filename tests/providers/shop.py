"""One provider of the emulator behind our engine, and a whole client where it matters what a verb sends."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from aggregator._http import HttpxTransport
from aggregator._wire import Delivery, Reading, Submission
from aggregator.backends import provider_table
from aggregator.contract import Provider, WebhookRequest
from aggregator.engine import Backend, Engine
from aggregator.errors import ProviderError
from aggregator.secret import Secret
from aggregator.testing.emulator import Answer, Emulator, LeapingClock
from aggregator.testing.emulator.recorder import Recorded

STILL = Path(__file__).parents[1] / "data" / "still.png"


@dataclass
class Shop:
    """An engine and a provider of the emulator, nothing shared with any other test."""

    emulator: Emulator
    provider: Provider
    engine: Engine
    backend: Backend
    clock: LeapingClock

    async def submit(self, body: Mapping[str, Any], endpoint: str, task: str, **names: str) -> Submission:
        known = {"model": "", "version": "", "dialect": "", "endpoint": endpoint, "task": task, **names}
        return await self.engine.submit(self.backend, dict(body), known)

    async def end(self, submission: Submission) -> Reading:
        """Look until it is over."""
        assert submission.outcome == "accepted", submission.error
        reading = submission.reading
        while reading is None or not reading.state.is_terminal:
            await self.clock.sleep(0.01)
            reading = await self.engine.poll(self.backend, submission.handle)
        return reading

    async def result(self, submission: Submission) -> Delivery:
        """The files of a job, or what it failed with."""
        reading = await self.end(submission)
        if reading.error is not None:
            raise reading.error
        names = submission.handle
        endpoint = self.provider.endpoint(names["task"], names["dialect"])
        assert endpoint is not None
        delivery = await self.engine.result(self.backend, endpoint, names, reading)
        assert delivery is not None
        return delivery

    async def failure(self, submission: Submission) -> ProviderError:
        """What a job fails with, wherever that is said."""
        try:
            await self.result(submission)
        except ProviderError as error:
            return error
        raise AssertionError("it did not fail")

    def answer_once(self, on: str, answer: Answer) -> None:
        """Say this to the next request that matches."""
        self.emulator.disturb(self.provider.name, answer, on=on)

    def delivery(self, job_id: str) -> WebhookRequest:
        """What the provider would deliver of a job now."""
        desk = self.emulator.desk(self.provider.name)
        assert desk.service.hook is not None
        said = desk.service.hook(desk.jobs[job_id], "", desk.world)
        headers = {name.lower(): value for name, value in said.headers.items()}
        return WebhookRequest("POST", "/hook", "", headers, said.body)


@asynccontextmanager
async def opened(name: str) -> AsyncIterator[Shop]:
    """A provider and an engine that talks to it, in leaping time."""
    clock, transport = LeapingClock(), HttpxTransport()
    with Emulator(seed=1, clock=clock, only=(name,)) as emulator:
        base = emulator.settings(name)["base_url"]
        table = provider_table(name)
        table = replace(
            table, base_url=base, hosts=dict.fromkeys(table.hosts, base), cdns=dict.fromkeys(table.cdns, base)
        )
        engine = Engine(transport=transport, clock=clock, rng=Random(1))
        try:
            yield Shop(emulator, table, engine, Backend(table, Secret(emulator.keys[name])), clock)
        finally:
            await transport.aclose()


async def bought(
    directory: Path, provider: str, verb: str, *args: Any, fates: tuple[str, ...] = (), **options: Any
) -> tuple[list[Recorded], Any]:
    """Let a whole client do one verb; returns what the provider was asked, and what came of it."""
    with Emulator(seed=1, clock=LeapingClock(), only=(provider,)) as emulator:
        emulator.script(provider, *fates)
        async with (
            emulator.aggregator(directory, provider) as agg,
            agg.project("p", budget_usd="100") as project,
        ):
            made = await getattr(project, verb)(*args, max_usd="50", **options)
        return emulator.requests, made


def plain(one: Recorded) -> tuple[str, str, dict[str, str], Any]:
    """What a request says, without its headers."""
    return one.method, one.path, one.query, one.json
