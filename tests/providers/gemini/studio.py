"""A client, an engine and the emulator of one provider: what the tests of these makers' tables start from."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from email.parser import BytesParser
from pathlib import Path
from random import Random
from typing import Any

from aggregator._http import HttpxTransport
from aggregator.backends import provider_table
from aggregator.engine import Backend, Engine, Submission
from aggregator.project import Project
from aggregator.secret import Secret
from aggregator.testing.emulator import Emulator, LeapingClock

NOVEMBER = 1_795_219_200.0  # 2026-11-21, when these prices held
PNG = (Path(__file__).parents[2] / "data" / "still.png").read_bytes()


@dataclass
class Studio:
    """One provider in the emulator, reached in two ways: as a user does, and by the engine alone."""

    name: str
    emulator: Emulator
    project: Project
    engine: Engine
    backend: Backend

    def ordered(self) -> list[Any]:
        """What was posted, in order."""
        return [one for one in self.emulator.requests if one.method == "POST"]

    async def submit(self, body: Mapping[str, Any], endpoint: str, task: str, dialect: str = "") -> Submission:
        names = {"endpoint": endpoint, "model": endpoint, "version": "", "task": task, "dialect": dialect}
        return await self.engine.submit(self.backend, dict(body), names)


@asynccontextmanager
async def studio(name: str, directory: Path) -> AsyncIterator[Studio]:
    clock, transport = LeapingClock(NOVEMBER), HttpxTransport()
    with Emulator(seed=1, clock=clock) as emulator:
        base = emulator.settings(name)["base_url"]
        table = provider_table(name)
        own = {"hosts": dict.fromkeys(table.hosts, base), "cdns": dict.fromkeys(table.cdns, base)}
        backend = Backend(replace(table, base_url=base, **own), Secret(emulator.keys[name]))
        engine = Engine(transport=transport, clock=clock, rng=Random(1))
        try:
            async with (
                emulator.aggregator(directory, name) as aggregator,
                aggregator.project("tests", budget_usd="100") as project,
            ):
                yield Studio(name, emulator, project, engine, backend)
        finally:
            await transport.aclose()


def form(request: Any) -> dict[str, Any]:
    """The parts of a form by name: texts, and of files their type; several of one name as a list."""
    head = f"content-type: {request.headers['content-type']}\r\n\r\n".encode()
    parts: dict[str, list[str]] = {}
    for part in BytesParser().parsebytes(head + request.body).get_payload():
        told = part.get_filename()
        value = f"a file, {part.get_content_type()}" if told else part.get_payload(decode=True).decode()
        parts.setdefault(str(part.get_param("name", header="content-disposition")), []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in parts.items()}


def shortened(value: Any) -> Any:
    """A body without the bytes of its inputs."""
    if isinstance(value, dict):
        return {name: shortened(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shortened(item) for item in value]
    if not isinstance(value, str) or len(value) < 500:
        return value
    return value[:22] + "…" if value.startswith("data:") else "…"
