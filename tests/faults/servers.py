"""Two servers of one provider: each knows its own orders alone, and one of them is out of reach for a while."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

from aggregator._http import DEFAULT_TIMEOUTS, SendError, Stream, Timeouts
from aggregator.contract import HttpRequest, HttpResponse
from aggregator.testing.memory import Fault, Kind, MemoryTransport, Order

__all__ = ["Outage", "TwoServers", "addresses"]

LONGEST_S = 1800.0
NOT_THERE = 404, {"error": {"code": "not_found", "message": "no such job"}}


def addresses(provider: str) -> list[str]:
    """Where they are."""
    return [f"http://{provider}.{place}.invalid" for place in ("north", "south")]


@dataclass(frozen=True)
class Outage:
    """One server answers nobody for a while."""

    host: str = ""
    since: float = 0.0
    until: float = 0.0

    @classmethod
    def drawn(cls, rng: Random, provider: str, now: float) -> "Outage":
        since = now + rng.choice((0.0, 0.0, rng.uniform(0, 60)))
        return cls(urlsplit(rng.choice(addresses(provider))).netloc, since, since + rng.uniform(0, LONGEST_S))

    def hits(self, request: HttpRequest, now: float) -> bool:
        return urlsplit(request.url).netloc == self.host and self.since <= now < self.until


@dataclass(slots=True)
class TwoServers(MemoryTransport):
    """The line to both."""

    outage: Outage = Outage()
    homes: dict[str, str] = field(default_factory=dict)
    """Where each order was taken."""

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        self._reached(request)
        return await MemoryTransport.send(self, request, fresh=fresh, timeouts=timeouts)

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> AsyncIterator[Stream]:
        self._reached(request)
        async with MemoryTransport.stream(self, request, timeouts=timeouts) as found:
            yield found

    def _reached(self, request: HttpRequest) -> None:
        if self.outage.hits(request, self.clock.time()):
            raise SendError("no route to the host", sent=False)

    def _taken(self, request: HttpRequest, at: float | None = None) -> Order:
        order = MemoryTransport._taken(self, request, at)
        self.homes[order.id] = urlsplit(request.url).netloc
        return order

    def _is_here(self, order: str, request: HttpRequest) -> bool:
        return self.homes.get(order) == urlsplit(request.url).netloc

    def _under_its_key(self, request: HttpRequest, at: float | None = None) -> Order | None:
        known = MemoryTransport._under_its_key(self, request, at)
        return known if known is not None and self._is_here(known.id, request) else None

    def _listed(self, request: HttpRequest) -> list[dict[str, Any]]:
        return [one for one in MemoryTransport._listed(self, request) if self._is_here(one["id"], request)]

    def _of_order(self, kind: Kind, request: HttpRequest, fault: Fault | None) -> tuple[int, Any]:
        if not self._is_here(urlsplit(request.url).path.rpartition("/")[2], request):
            return NOT_THERE
        return MemoryTransport._of_order(self, kind, request, fault)
