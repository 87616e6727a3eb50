"""The servers in memory behind a real socket: what a killed process has sent is in their book all the same.

One process serves any number of worlds, each with a book of its own, below the first step of the path:
`http://127.0.0.1:<port>/<world>/<provider>/jobs`. `GET /<world>` gives a world's book, and forgets the world.
"""

import asyncio
import http.client
import json
import os
import socket
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from aggregator.contract import Endpoint, Files, HttpRequest, Meter
from aggregator.testing import memory
from aggregator.testing.inputs import sample_files
from aggregator.testing.memory import PNG, Fate, Kind, MemoryTransport
from aggregator.testing.memory_book import Fault

__all__ = ["MADE", "MEMORY", "REJECTING", "REPLAYING", "TABLES", "TASKS", "FastClock", "Offer", "Shop", "market"]

SPEED = 20.0
"""Polls, leases and back-off are so much quicker; sockets and disks are what they are."""


class FastClock:
    """The real time, only faster: the same in every process."""

    def __init__(self, since: float) -> None:
        self._since = since

    def time(self) -> float:
        return self._since + (time.time() - self._since) * SPEED

    def monotonic(self) -> float:
        return time.monotonic() * SPEED

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


# ------------------------------------------------------------------------------------------------- what is to be had

TASKS = {
    "text-to-image": ({"prompt": "prompt"}, "image/png"),
    "image-to-image": ({"prompt": "prompt", "image": "image"}, "image/png"),
    "image-to-video": ({"prompt": "prompt", "image": "image"}, "video/mp4"),
    "text-to-speech": ({"text": "prompt"}, "audio/wav"),
}
MADE = {path.suffix: path.read_bytes() for path in sample_files().values()} | {".png": PNG}
"""How the files begin that are delivered; the id of their order follows."""
SUFFIXES = {"clip": ".mp4", "voice": ".wav"}
"""By endpoint; the others make pictures."""
BROKEN = "broken"
"""The endpoint whose jobs all fail, free of charge."""


def _table(provider: Any) -> Any:
    tasks = {
        task: Endpoint(
            fields=fields,
            fixed={"endpoint": "{endpoint}"},
            files=Files("files[].url", mime_type),
            meters=(Meter("request", "1"),),
        )
        for task, (fields, mime_type) in TASKS.items()
    }
    return replace(provider, tasks=tasks)


MEMORY, REPLAYING, REJECTING = (_table(one) for one in (memory.PROVIDER, memory.REPLAYING, memory.REJECTING))
TABLES = {"none": MEMORY, "replay": REPLAYING, "reject": REJECTING}
"""By what a second request under the same key does."""


@dataclass(frozen=True)
class Offer:
    """One thing to buy."""

    usd: str
    tasks: tuple[str, ...]
    tier: str = "workhorse"


def market(directory: Path, provider: str, offers: Mapping[str, Offer]) -> Path:
    """Write a registry directory: one model per endpoint."""
    rates = []
    for endpoint, offer in offers.items():
        model = f"{provider}-{endpoint}"
        tables = "".join(f"[tasks.{task}]\n" for task in offer.tasks)
        _write(directory / "models" / f"{model}.toml", f'[model]\nmaker = "nobody"\ntier = "{offer.tier}"\n')
        row = f'model = "{model}"\nendpoint = "{endpoint}"\nchecked = 2026-01-01\n{tables}'
        _write(directory / "offers" / provider / f"{endpoint}.toml", row)
        rates.append(f'[[rate]]\nendpoint = "{endpoint}"\nunit = "request"\nusd = "{offer.usd}"\nfrom = 2025-01-01\n')
    _write(directory / "rates" / f"{provider}.toml", "\n".join(rates))
    return directory


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


# ------------------------------------------------------------------------------------------------------- who sells it


@dataclass(slots=True)
class World(MemoryTransport):
    """One book. The first look at a job finds it at work, the next one done."""

    looked: set[str] = field(default_factory=set)
    posts: Counter[str] = field(default_factory=Counter)
    """How many paid requests came in, by attempt."""

    def _of_order(self, kind: Kind, request: HttpRequest, fault: Fault | None) -> tuple[int, Any]:
        name = request.url.rpartition("/")[2]
        if kind == "poll" and name in self.book and name not in self.looked:
            self.looked.add(name)
            return 200, {"id": name, "status": "running"}
        return MemoryTransport._of_order(self, kind, request, fault)

    def _file(self, request: HttpRequest, fault: Fault | None) -> tuple[int, bytes]:
        status, raw = MemoryTransport._file(self, request, fault)
        order = self.book.get(request.url.rpartition("/")[2].partition(".png")[0])
        return status, raw if order is None else raw.replace(PNG, MADE[SUFFIXES.get(order.endpoint, ".png")])

    def said(self) -> dict[str, Any]:
        """The book, for who asks: what was taken, what is charged for it, what was made."""
        now = self.clock.time()
        orders = [
            {
                "id": order.id,
                "attempt": order.attempt,
                "micro_usd": int(order.charged_usd(now) * 1_000_000),
                "good": order.state(now) == "succeeded",
            }
            for order in self.book.values()
        ]
        return {"orders": orders, "posts": self.posts}


class Server:
    """HTTP/1.1 with kept connections, as little of it as the client speaks."""

    def __init__(self, clock: FastClock, usd: Mapping[str, Decimal]) -> None:
        self._clock, self._usd = clock, usd
        self._worlds: dict[str, World] = {}

    def world(self, name: str) -> World:
        if name not in self._worlds:
            world = World(self._clock, usd=self._usd, latency_s=0.0, destiny=lambda: Fate(service_s=0.0))
            world.on_order = _decide
            self._worlds[name] = world
        return self._worlds[name]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                method, path, _ = head[0].split(" ")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:-2])}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                status, answer = await self._answer(method, path, headers, body)
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: {len(answer)}\r\n\r\n".encode() + answer)
                await writer.drain()
        writer.close()

    async def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> tuple[int, bytes]:
        name, provider, rest = (*path[1:].split("/", 2), "", "")[:3]
        world = self.world(name)
        if not provider:
            return 200, json.dumps(self._worlds.pop(name).said()).encode()
        far, near = f"http://{provider}.invalid", f"http://{headers['host']}/{name}/{provider}"
        paid = method == "POST" and rest == "jobs"
        given = {"json": json.loads(body)} if paid else {"content": body} if body else {}
        attempt = headers.get("x-attempt", "")
        request = HttpRequest(method, f"{far}/{rest}", {"X-Attempt": attempt}, **given)
        if paid:
            world.posts[attempt] += 1
        if method == "GET" and rest.startswith("files/"):
            async with world.stream(request) as stream:
                return stream.status, b"".join([chunk async for chunk in stream.chunks])
        answered = await world.send(request)
        return answered.status, answered.body.replace(far.encode(), near.encode())


def _decide(order: Any) -> None:
    if order.endpoint == BROKEN:
        order.fate = Fate(service_s=0.0, end="failed_free")


class Shop:
    """The server in a process of its own, which ends with this one."""

    def __init__(self, clock: FastClock, usd: Mapping[str, Decimal]) -> None:
        listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        reads, self._alive = os.pipe()
        if os.fork() == 0:
            os.close(self._alive)
            asyncio.run(_run(Server(clock, usd), listening, reads))
        listening.close()
        os.close(reads)
        self._line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def url(self, world: str, provider: str) -> str:
        return f"http://127.0.0.1:{self.port}/{world}/{provider}"

    def book(self, world: str) -> dict[str, Any]:
        """The book of a world, which ends with that."""
        self._line.request("GET", f"/{world}")
        found: dict[str, Any] = json.loads(self._line.getresponse().read())
        return found


async def _run(server: Server, listening: socket.socket, alive: int) -> None:
    asyncio.get_running_loop().add_reader(alive, os._exit, 0)
    await (await asyncio.start_server(server.serve, sock=listening)).serve_forever()
