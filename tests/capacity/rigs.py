"""Several servers of one kind at the other end of the line: some may be down, or busy with what others sent them."""

import json
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aggregator._http import DEFAULT_TIMEOUTS, SendError, Stream, Timeouts
from aggregator.contract import HttpRequest, HttpResponse
from aggregator.testing.memory import MemoryTransport
from tests.runner.world import World

ONE, TWO, THREE = (f"http://memory.gpu{n}:8188" for n in (1, 2, 3))


class Rigs:
    """The line; what is told apart by address is said by host and port."""

    def __init__(self, line: MemoryTransport) -> None:
        self.line = line
        self.down: set[str] = set()
        self.busy: dict[str, int] = {}
        """By address, the status it refuses with."""
        self.orders: list[str] = []
        """Where each order was taken."""
        self.refused: list[str] = []
        self.followed: set[str] = set()

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        at = _address(request.url)
        if at in self.down:
            self.refused.append(at)
            raise SendError("connection refused", sent=False)
        ordered = request.method == "POST" and request.content is None
        if ordered and at in self.busy:
            self.refused.append(at)
            body = json.dumps({"error": {"message": "at capacity"}}).encode()
            return HttpResponse(self.busy[at], {}, body, request.url)
        (self.orders.append if ordered else self.followed.add)(at)
        return await self.line.send(request, fresh=fresh, timeouts=timeouts)

    def stream(
        self, request: HttpRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> AbstractAsyncContextManager[Stream]:
        return self.line.stream(request, timeouts=timeouts)

    async def aclose(self) -> None:
        await self.line.aclose()


def _address(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def world(
    tmp_path: Path, *addresses: str, table: str = "PROVIDER", own: dict[str, Any] | None = None, **settings: Any
) -> World:
    """A rig of these addresses; with `referring` beside it as a seller where an offer names it."""
    rig = {
        "table": f"aggregator.testing.memory:{table}" if ":" not in table else table,
        "self_hosted": True,
        "base_urls": list(addresses or (ONE, TWO)),
        **(own or {}),
    }
    providers = {"memory": rig, "referring": {"table": "aggregator.testing.memory:REFERRING", "self_hosted": False}}
    made = World(tmp_path, offers=settings.pop("offers", {"memory:cheap": "0.04"}), providers=providers, **settings)
    made.transport = Rigs(made.transport)  # type: ignore[assignment]
    return made


def rigs(of: World) -> Rigs:
    assert isinstance(of.transport, Rigs)
    return of.transport
