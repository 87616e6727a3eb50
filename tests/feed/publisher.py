"""Whoever publishes a feed, in tests: a small catalogue on the memory provider, a key, bundles, and a web server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from aggregator.contract import Provider
from aggregator.pricing.rows import read_rates
from aggregator.registry.bounds import Catalogue, check
from aggregator.registry.bundle import catalogue_text, pack, public_text
from aggregator.registry.schema import Rows, read_directory
from aggregator.testing.memory import PROVIDER, registry

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
PRIVATE, OTHER = bytes(range(32)), bytes(range(1, 33))
PUBLIC = public_text(PRIVATE)
TABLES: Mapping[str, Provider] = {"memory": PROVIDER}
OFFERS = {"memory:cheap": "0.04", "memory:second": "0.05", "memory:third": "0.06"}
Said = dict[str, Any]


def said(directory: Path, offers: Mapping[str, str | None] = OFFERS) -> Said:
    """What a small feed says, as the JSON of its document."""
    rows = read_directory(registry(directory, offers))
    by_task: dict[str, list[Any]] = {}
    for row in rows.offers.values():
        by_task.setdefault(row["task"], []).append(row)
    rates = {provider: list(listed) for provider, listed in read_rates(directory / "rates").rows.items()}
    board = {"title": "A board", "task": "text-to-image", "kind": "arena", "unit": "elo"}
    readings = [["", "Cheap", 1100.0, "2026-10-01", 5.0, 1, 900, "the board's page"]]
    return {
        "cards": rows.cards,
        "offers": by_task,
        "boards": {"some/board": {**board, "readings": readings}},
        "rates": rates,
    }


def document(words: Said) -> bytes:
    offers = {(row["provider"], row["endpoint"], row["task"]): row for rows in words["offers"].values() for row in rows}
    return catalogue_text(Rows(words["cards"], offers, words["boards"]), words["rates"])


def catalogue(words: Said, tables: Mapping[str, Provider] = TABLES) -> Catalogue:
    return check(words, tables, source="feed")


@dataclass
class Publisher:
    """Bundles one after the other, each a change of the one before."""

    words: Said
    serial: int = 0
    now: datetime = NOW

    def bundle(self, change: Callable[[Said], object] = lambda words: None, **head: Any) -> bytes:
        """The next one; `serial`, `issued_at`, `expires_at` and `private` as said."""
        self.words = deepcopy(self.words)
        change(self.words)
        self.serial += 1
        given = {"serial": self.serial, "issued_at": self.now, "expires_at": self.now + timedelta(days=30), **head}
        return pack(document(self.words), given.pop("private", PRIVATE), **given)


def price(words: Said, endpoint: str, usd: str, **more: Any) -> None:
    """Change a price in place."""
    row = next(row for row in words["rates"]["memory"] if row["endpoint"] == endpoint)
    row.update(usd=usd, **more)


@dataclass
class Site:
    """A web server that answers with what it is given: status, headers, body in pieces."""

    body: bytes = b""
    etag: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, str]] = field(default_factory=list)
    gate: asyncio.Event | None = None
    """The answer waits for it."""
    length: int | None = None
    """Claimed, where it is not that of the body."""
    sent: int = 0
    url: str = ""

    open: int = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            await self._answer(reader, writer)
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            self.open -= 1

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        given = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        self.asked.append(given)
        if self.gate is not None:
            await self.gate.wait()
        known = bool(self.etag) and given.get("if-none-match") == self.etag
        status, body = (304, b"") if known else (self.status, self.body)
        length = len(body) if self.length is None else self.length
        head = {**self.headers, **({"etag": self.etag} if self.etag else {}), "content-length": str(length)}
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        writer.write(f"HTTP/1.1 {status} OK\r\n{lines}\r\n".encode())
        try:
            for start in range(0, len(body), 65536):
                writer.write(body[start : start + 65536])
                await writer.drain()
                self.sent += len(body[start : start + 65536])
        except ConnectionError:  # the client has had enough
            return


@asynccontextmanager
async def site(**words: Any) -> AsyncIterator[Site]:
    found = Site(**words)
    server = await asyncio.start_server(found.answer, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/feed.bundle"
    try:
        yield found
    finally:
        if found.gate is not None:
            found.gate.set()
        server.close()
        while found.open:
            await asyncio.sleep(0)
