"""A provider in memory: its server, its book, and everything that can go wrong between it and a client.

`MemoryTransport` answers without sockets, so that with `VirtualClock` and a seed a whole client runs an hour in
milliseconds, twice the same way. Its tables (`aggregator.testing.memory_tables`) differ in how a client may find out
about a request whose answer never came. They are named in a configuration:

```toml
[providers.memory]
table = "aggregator.testing.memory:PROVIDER"
```

`registry` writes the cards, offers and rates that go with them.
"""

import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from aggregator._http import DEFAULT_TIMEOUTS, SendError, Stream, Timeouts
from aggregator.clock import Clock
from aggregator.contract import Body, HttpRequest, HttpResponse
from aggregator.testing.memory_book import JUDGING, LATE_S, PNG, STATUSES, UNANSWERED, UNSENT, Fate, Fault, Kind, Order
from aggregator.testing.memory_tables import (
    CALLING,
    EXPIRING,
    KEPT_S,
    KEY_TTL_S,
    LISTING,
    PROVIDER,
    REFERRING,
    REJECTING,
    REPLAYING,
    registry,
)

__all__ = [
    "CALLING",
    "EXPIRING",
    "LISTING",
    "PNG",
    "PROVIDER",
    "REFERRING",
    "REJECTING",
    "REPLAYING",
    "Fate",
    "Fault",
    "Kind",
    "MemoryTransport",
    "Order",
    "registry",
]


@dataclass(slots=True)
class MemoryTransport:
    """The line and the servers at its other end. Faults and fates are scripted, or drawn by `weather` and `destiny`.

    `dataclasses.replace(transport, tap=…)` is another client's line to the same servers.
    """

    clock: Clock
    usd: Mapping[str, Decimal] = field(default_factory=dict)
    """What one picture costs, by endpoint."""
    weather: Callable[[Kind], Fault | None] = lambda _kind: None
    destiny: Callable[[], Fate] = Fate
    tap: Callable[[str], None] = lambda _point: None
    """Called before and after every exchange: what it raises is what a process dies of."""
    latency_s: float = 0.05
    faults: dict[Kind, deque[Fault | None]] = field(default_factory=dict)
    fates: deque[Fate] = field(default_factory=deque)
    book: dict[str, Order] = field(default_factory=dict)
    exchanges: list[tuple[Kind, str, Fault | None]] = field(default_factory=list)
    """Every exchange: its kind, its path, and what went wrong."""
    uploads: dict[str, bytes] = field(default_factory=dict)
    on_order: Callable[[Order], None] = lambda _order: None
    """Called when a job is taken: who calls back does so from here."""
    on_the_way: list[tuple[float, HttpRequest]] = field(default_factory=list)
    """Requests that arrive after their senders gave them up, each with its time."""
    judged: set[str] = field(default_factory=set)
    """Attempts whose request was refused for what it says: it is refused whenever it comes."""

    # ------------------------------------------------------------------------------------------------ for the tests

    def script(self, kind: Kind, *faults: Fault | None) -> None:
        """Say what becomes of the next exchanges of a kind; the weather decides again after them."""
        self.faults.setdefault(kind, deque()).extend(faults)

    def count(self, kind: Kind) -> int:
        """How many exchanges of a kind there were, whatever became of them."""
        return sum(one == kind for one, _, _ in self.exchanges)

    @property
    def charged_usd(self) -> Decimal:
        """The invoice by now."""
        return sum((order.charged_usd(self.clock.time()) for order in self.book.values()), Decimal(0))

    def accepted(self, attempt: str) -> list[Order]:
        return [order for order in self.book.values() if order.attempt == attempt]

    def arrive(self) -> None:
        """Let the server have what has arrived by now."""
        due = [item for item in self.on_the_way if item[0] <= self.clock.time()]
        for item in due:
            self.on_the_way.remove(item)
            if self._under_its_key(item[1], item[0]) is None and _attempt(item[1]) not in self.judged:
                self._taken(item[1], at=item[0])

    # ------------------------------------------------------------------------------------------------------ the line

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        """Carry one request there and its answer back, as far as they come."""
        del fresh
        kind = _kind(request)
        fault = await self._begin(kind, request)
        if fault == "arrives_late" and kind == "submit":
            self.on_the_way.append((self.clock.time() + LATE_S, request))
        await self._arrived(fault, timeouts)
        status, answer = self._answer(kind, request, fault)
        await self.clock.sleep(timeouts.read_s if fault == "hang_after" else self.latency_s)
        self.tap(f"after {kind}")
        if fault in UNANSWERED:
            raise SendError("no answer" if fault == "hang_after" else "the line was cut", sent=None)
        body = json.dumps(answer).encode()
        headers = {"retry-after": "7"} if fault == "429" else {}
        return HttpResponse(status, headers, body[:-4] if fault == "truncated" else body, request.url)

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> AsyncIterator[Stream]:
        """Open a file."""
        fault = await self._begin("file", request)
        await self._arrived(fault, timeouts)
        if fault in UNANSWERED:
            raise SendError("the line was cut", sent=None)
        status, raw = self._file(request, fault)
        if fault is not None and fault in STATUSES:
            status = STATUSES[fault][0]
        length = len(raw)
        if fault == "short":
            raw = raw[:-3]
        elif fault in ("empty", "page"):
            raw = b"" if fault == "empty" else b"<html><body>one moment, please</body></html>"
            length = len(raw)

        async def chunks() -> AsyncIterator[bytes]:
            yield raw[: len(raw) // 2]
            await self.clock.sleep(timeouts.read_s - 1.0 if fault == "slow" else self.latency_s)
            self.tap("within file")
            if fault in ("cut", "truncated"):
                raise SendError("the line was cut", sent=None)
            yield raw[len(raw) // 2 :]

        coding = {"content-encoding": "gzip"} if fault == "encoded" else {}
        yield Stream(status, {"content-length": str(length), **coding}, chunks())

    async def aclose(self) -> None:
        """Nothing is open."""

    async def _begin(self, kind: Kind, request: HttpRequest) -> Fault | None:
        scripted = self.faults.get(kind)
        fault = scripted.popleft() if scripted else self.weather(kind)
        self.exchanges.append((kind, urlsplit(request.url).path, fault))
        self.tap(f"before {kind}")
        await self.clock.sleep(self.latency_s)
        self.arrive()
        if fault in UNSENT:
            raise SendError("no route to the host", sent=False)
        return fault

    async def _arrived(self, fault: Fault | None, timeouts: Timeouts) -> None:
        """The request is there, or lost on its way."""
        if fault == "hang_before":
            await self.clock.sleep(timeouts.read_s)
            raise SendError("no answer", sent=None)
        if fault in ("drop_before", "arrives_late"):
            raise SendError("the line was cut", sent=None)

    # ------------------------------------------------------------------------------------------------ the other end

    def _answer(self, kind: Kind, request: HttpRequest, fault: Fault | None) -> tuple[int, Any]:
        known = self._under_its_key(request)
        spared = (fault in JUDGING and known is not None) or (fault == "409" and _keyed(request) and known is None)
        if fault is not None and fault in STATUSES and not fault.endswith("_after") and not spared:
            if kind == "submit" and fault in JUDGING:
                self.judged.add(_attempt(request))
            return _refused(fault)
        if kind == "upload":
            name = f"{len(self.uploads)}.png"
            self.uploads[name] = _content(request)
            return 201, {"url": f"{_origin(request)}/files/{name}"}
        if kind == "submit":
            status, answer = self._submitted(request, known, fault)
        elif kind == "lookup":
            status, answer = 200, {"jobs": self._listed(request)}
        else:
            status, answer = self._of_order(kind, request, fault)
        return _refused(fault) if fault is not None and fault in STATUSES and not spared else (status, answer)

    def _submitted(self, request: HttpRequest, known: Order | None, fault: Fault | None) -> tuple[int, Any]:
        if known is not None and _provider(request) == REJECTING.name:
            return 409, {"error": {"code": "key_taken", "message": "there is a job with this key"}}
        others = [other.id for other in self.book.values() if other.asked_for]
        order = known or self._taken(request)
        shown = others[0] if fault == "duplicate_id" and others else order.id
        return 202, {} if fault == "no_id" else {"id": shown}

    def _under_its_key(self, request: HttpRequest, at: float | None = None) -> Order | None:
        """The job that was taken under the key of this request, at a server that knows keys, as long as it does."""
        if not _keyed(request):
            return None
        known = self.accepted(_attempt(request))
        now = self.clock.time() if at is None else at
        if known and _provider(request) == EXPIRING.name and now > known[-1].at + KEY_TTL_S:
            return None
        return known[-1] if known else None

    def _taken(self, request: HttpRequest, at: float | None = None) -> Order:
        assert isinstance(request.json, dict)
        provider, attempt = _provider(request), _attempt(request)
        endpoint, prompt = str(request.json["endpoint"]), str(request.json["prompt"])
        fate = self.fates.popleft() if self.fates else self.destiny()
        if fate.forgets_after_s is not None and provider in (REFERRING.name, LISTING.name):
            fate = replace(fate, forgets_after_s=max(fate.forgets_after_s, KEPT_S))  # their lists are to be believed
        usd = self.usd.get(endpoint, Decimal(0))
        made = f"{provider}-{len(self.book) + 1}"
        seed, callback = int(str(request.json.get("seed", 7))), str(request.json.get("callback", ""))
        at = self.clock.time() if at is None else at
        order = Order(made, provider, endpoint, attempt, prompt, at, fate, usd, seed, callback=callback)
        self.book[made] = order
        self.on_order(order)
        return order

    def _listed(self, request: HttpRequest) -> list[dict[str, Any]]:
        """The jobs of a reference, or those since a moment, newest first."""
        asked, now = parse_qs(urlsplit(request.url).query), self.clock.time()
        since, reference = float(asked.get("since", ["0"])[0]), asked.get("reference", [None])[0]
        return [
            {
                "id": order.id,
                "reference": order.attempt,
                "created": order.at,
                "prompt": order.prompt,
                "endpoint": order.endpoint,
            }
            for order in reversed(self.book.values())
            if order.known(now)
            and order.provider == _provider(request)
            and order.at >= since
            and reference in (None, order.attempt)
        ]

    def _of_order(self, kind: Kind, request: HttpRequest, fault: Fault | None) -> tuple[int, Any]:
        order, now = self.book.get(urlsplit(request.url).path.rpartition("/")[2]), self.clock.time()
        if order is None or not order.known(now):
            return 404, {"error": {"code": "not_found", "message": "no such job"}}
        if kind == "cancel":
            if order.state(now) not in ("queued", "running"):
                return 409, {"error": {"code": "too_late", "message": "it is over"}}
            order.canceled = True
        order.asked_for = True
        state = order.state(now)
        word = {"odd_word": "dreaming", "aborted": "aborted", "backwards": "queued"}.get(fault or "", state)
        answer: dict[str, Any] = {"id": order.id, "status": word}
        if word == "succeeded":
            url = f"{_origin(request)}/files/{order.id}.png?n={order.addresses}"
            files = [] if fault == "no_url" else [{"url": url}]
            answer |= {"files": files, "usage": {"images": order.fate.images}, "seed": order.seed}
        elif word == "failed":
            answer["error"] = {"code": order.fate.end, "message": "it could not be made"}
        return 200, answer

    def _file(self, request: HttpRequest, fault: Fault | None) -> tuple[int, bytes]:
        parts = urlsplit(request.url)
        name = parts.path.rpartition("/")[2]
        order = self.book.get(name.removesuffix(".png"))
        if order is None:
            return (200, self.uploads[name]) if name in self.uploads else (404, b"")
        if fault == "expired":
            order.addresses += 1
        current = parse_qs(parts.query)["n"] == [str(order.addresses)]
        return (200, order.file) if current and fault != "gone" else (410, b"")


def _refused(fault: Fault) -> tuple[int, Any]:
    status, code, text = STATUSES[fault]
    return status, {"error": {"code": code, "message": text}}


def _kind(request: HttpRequest) -> Kind:
    if request.method == "POST":
        return "upload" if request.content is not None else "submit"
    if request.method == "DELETE":
        return "cancel"
    return "lookup" if urlsplit(request.url).query else "poll"


def _content(request: HttpRequest) -> bytes:
    given = request.content
    return Path(given.path).read_bytes() if isinstance(given, Body) else given or b""


def _provider(request: HttpRequest) -> str:
    return (urlsplit(request.url).hostname or "").partition(".")[0]


def _attempt(request: HttpRequest) -> str:
    return request.headers.get("X-Attempt", "")


def _keyed(request: HttpRequest) -> bool:
    """Whether this server knows keys."""
    return _provider(request) in (REPLAYING.name, EXPIRING.name, REJECTING.name)


def _origin(request: HttpRequest) -> str:
    parts = urlsplit(request.url)
    return f"{parts.scheme}://{parts.netloc}"
