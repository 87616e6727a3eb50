"""A provider in memory: its table, its server, its book, and everything that can go wrong between it and a client.

`MemoryTransport` answers without sockets, so that with `VirtualClock` and a seed a whole client runs an hour in
milliseconds, twice the same way. Two tables speak to it: `PROVIDER` knows no idempotency keys, `REPLAYING` replays
them. Both are named in a configuration:

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
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from aggregator._http import DEFAULT_TIMEOUTS, SendError, Stream, Timeouts
from aggregator.clock import Clock
from aggregator.contract import (
    Auth,
    Body,
    Call,
    Codes,
    Endpoint,
    Files,
    Flow,
    HttpRequest,
    HttpResponse,
    Meter,
    Provider,
    State,
    Status,
    UploadSource,
)
from aggregator.errors import ProviderError

__all__ = ["PROVIDER", "REPLAYING", "Fate", "Fault", "Kind", "MemoryTransport", "Order", "registry"]

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
    "0000000c49444154789c63606060000000040001f61738550000000049454e44ae426082"
)

Fault = Literal[
    "never_arrives",  # nothing leaves this machine
    "drop_before",  # the line is cut before the request is taken
    "drop_after",  # and after it
    "truncated",  # it is taken, and the answer breaks off
    "no_id",  # it is taken, and the answer does not say as what
    "500_before",
    "500_after",
    "429",  # not taken, with Retry-After
    "429_bare",
    "401",
    "402",
    "404",
    "422",  # the request is malformed
    "451",  # refused on content
    "odd_word",  # a status that is not in the table
    "expired",  # the address of a file holds no more: the next look brings another
    "gone",  # and no other one either
    "cut",  # a file breaks off
]
"""What may become of one exchange."""

Kind = Literal["submit", "poll", "cancel", "upload", "file"]

STATUSES: Mapping[str, tuple[int, str, str]] = {
    "500_before": (500, "internal", "something broke"),
    "500_after": (500, "internal", "something broke"),
    "429": (429, "rate_limit", "too many requests"),
    "429_bare": (429, "rate_limit", "too many requests"),
    "401": (401, "authentication", "who are you"),
    "402": (402, "quota", "no credit"),
    "404": (404, "not_found", "no such thing"),
    "422": (422, "invalid", "the prompt is malformed"),
    "451": (422, "moderated", "the prompt is refused"),
}
AFTER = ("drop_after", "truncated", "no_id", "500_after")
"""Faults of a submit that was taken all the same."""


def _bills(error: ProviderError) -> bool | None:
    return {"failed_free": False, "failed_billed": True}.get(error.code or "")


def _upload(source: UploadSource) -> Flow:
    content = Body(source.path, source.size_bytes)
    answer = yield HttpRequest("POST", "/files", {"content-type": source.mime_type}, content=content)
    return str(json.loads(answer.body)["url"])


PROVIDER = Provider(
    name="memory",
    docs="README.md",
    checked="2026-11-21",
    base_url="http://memory.invalid",
    auth=Auth(env=()),
    submit=Call("POST", "/jobs", capture={"id": "id"}),
    poll=Call("GET", "/jobs/{id}"),
    cancel=Call("DELETE", "/jobs/{id}"),
    status=Status("status", {state.value: state for state in State}, error="error.message", progress="progress"),
    codes=Codes(
        ("error.code",),
        {
            "moderated": "content_policy",
            "failed_free": "job_failed",
            "failed_billed": "job_failed",
            "failed_unclear": "job_failed",
            "invalid": "invalid_request",
        },
    ),
    idempotency_header="X-Attempt",  # for the server's book; this table does not say that it is replayed
    upload=_upload,
    bills_failures=_bills,
    tasks={
        task: Endpoint(
            fields={"prompt": "prompt", "seed": "seed", **({"image": "image"} if task == "image-to-image" else {})},
            fixed={"endpoint": "{endpoint}"},
            files=Files("files[].url", "image/png"),
            meters=(Meter("image", "1", reported="usage.images"),),
            facts={"seed": "seed"},
        )
        for task in ("text-to-image", "image-to-image")
    },
)
REPLAYING = replace(PROVIDER, name="replaying", base_url="http://replaying.invalid", idempotency="replay")


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of one job that was taken."""

    service_s: float = 20.0
    end: Literal["succeeded", "failed_free", "failed_billed", "failed_unclear", "moderated", "canceled"] = "succeeded"
    images: str = "1"
    """What is counted and billed, whatever was ordered."""
    forgets_after_s: float | None = None
    """From then on the job is not known any more."""


@dataclass(slots=True)
class Order:
    """One entry of the server's book: a request that was taken."""

    id: str
    provider: str
    endpoint: str
    attempt: str
    prompt: str
    at: float
    fate: Fate
    usd: Decimal
    seed: int = 7
    addresses: int = 0
    """How often the address of its file was renewed."""
    canceled: bool = False

    def state(self, now: float) -> str:
        if self.canceled:
            return "canceled"
        passed = now - self.at
        if passed < self.fate.service_s:
            return "queued" if passed < self.fate.service_s / 4 else "running"
        return "failed" if self.fate.end.startswith(("failed", "moderated")) else self.fate.end

    def charged_usd(self, now: float) -> Decimal:
        """What it is billed with by now: from the moment it is taken; given back where a failure is free."""
        state = self.state(now)
        if state == "succeeded":
            return self.usd * Decimal(self.fate.images)
        free = state == "canceled" or (state == "failed" and self.fate.end != "failed_billed")
        return Decimal(0) if free else self.usd

    @property
    def file(self) -> bytes:
        return PNG + self.id.encode()


@dataclass(slots=True)
class MemoryTransport:
    """The line and the servers at its other end. Faults and fates are scripted, or drawn by `weather` and `destiny`."""

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

    # ------------------------------------------------------------------------------------------------------ the line

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        """Carry one request there and its answer back, as far as they come."""
        del fresh, timeouts
        kind = _kind(request)
        fault = await self._begin(kind, request)
        if fault == "drop_before":
            raise SendError("the line was cut", sent=None)
        status, answer = self._answer(kind, request, fault)
        await self.clock.sleep(self.latency_s)
        self.tap(f"after {kind}")
        if fault == "drop_after":
            raise SendError("the line was cut", sent=None)
        body = json.dumps(answer).encode()
        headers = {"retry-after": "7"} if fault == "429" else {}
        return HttpResponse(status, headers, body[:-4] if fault == "truncated" else body, request.url)

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> AsyncIterator[Stream]:
        """Open a file."""
        del timeouts
        fault = await self._begin("file", request)
        if fault in ("drop_before", "drop_after"):
            raise SendError("the line was cut", sent=None)
        status, raw = self._file(request, fault)
        if fault is not None and fault in STATUSES:
            status = STATUSES[fault][0]

        async def chunks() -> AsyncIterator[bytes]:
            yield raw[: len(raw) // 2]
            await self.clock.sleep(self.latency_s)
            self.tap("within file")
            if fault in ("cut", "truncated"):
                raise SendError("the line was cut", sent=None)
            yield raw[len(raw) // 2 :]

        yield Stream(status, {"content-length": str(len(raw))}, chunks())

    async def aclose(self) -> None:
        """Nothing is open."""

    async def _begin(self, kind: Kind, request: HttpRequest) -> Fault | None:
        scripted = self.faults.get(kind)
        fault = scripted.popleft() if scripted else self.weather(kind)
        self.exchanges.append((kind, urlsplit(request.url).path, fault))
        self.tap(f"before {kind}")
        await self.clock.sleep(self.latency_s)
        if fault == "never_arrives":
            raise SendError("no route to the host", sent=False)
        return fault

    # ------------------------------------------------------------------------------------------------ the other end

    def _answer(self, kind: Kind, request: HttpRequest, fault: Fault | None) -> tuple[int, Any]:
        judged = fault in ("422", "451") and self._replayed(request) is not None  # it was taken: that is replayed
        if fault is not None and fault in STATUSES and fault not in AFTER and not judged:
            status, code, text = STATUSES[fault]
            return status, {"error": {"code": code, "message": text}}
        if kind == "upload":
            name = f"{len(self.uploads)}.png"
            self.uploads[name] = _content(request)
            return 201, {"url": f"{_origin(request)}/files/{name}"}
        if kind == "submit":
            order = self._taken(request)
            status, answer = 202, {} if fault == "no_id" else {"id": order.id}
        else:
            status, answer = self._of_order(kind, request, fault)
        return (
            (500, {"error": {"code": "internal", "message": "something broke"}})
            if fault in AFTER[3:]
            else (status, answer)
        )

    def _replayed(self, request: HttpRequest) -> Order | None:
        """What a known key stands for, at a server that replays keys."""
        known = self.accepted(request.headers.get("X-Attempt", ""))
        return known[0] if known and _provider(request) == REPLAYING.name else None

    def _taken(self, request: HttpRequest) -> Order:
        known = self._replayed(request)
        if known is not None:
            return known
        provider, attempt = _provider(request), request.headers.get("X-Attempt", "")
        assert isinstance(request.json, dict)
        endpoint, prompt = str(request.json["endpoint"]), str(request.json["prompt"])
        fate = self.fates.popleft() if self.fates else self.destiny()
        usd = self.usd.get(endpoint, Decimal(0))
        made = f"{provider}-{len(self.book) + 1}"
        seed = int(str(request.json.get("seed", 7)))
        self.book[made] = Order(made, provider, endpoint, attempt, prompt, self.clock.time(), fate, usd, seed)
        return self.book[made]

    def _of_order(self, kind: Kind, request: HttpRequest, fault: Fault | None) -> tuple[int, Any]:
        order, now = self.book.get(urlsplit(request.url).path.rpartition("/")[2]), self.clock.time()
        if order is None or (order.fate.forgets_after_s is not None and now > order.at + order.fate.forgets_after_s):
            return 404, {"error": {"code": "not_found", "message": "no such job"}}
        if kind == "cancel":
            if order.state(now) not in ("queued", "running"):
                return 409, {"error": {"code": "too_late", "message": "it is over"}}
            order.canceled = True
        state = order.state(now)
        answer: dict[str, Any] = {"id": order.id, "status": "dreaming" if fault == "odd_word" else state}
        if state == "succeeded":
            url = f"{_origin(request)}/files/{order.id}.png?n={order.addresses}"
            answer |= {"files": [{"url": url}], "usage": {"images": order.fate.images}, "seed": order.seed}
        elif state == "failed":
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
        return (
            (410, b"") if fault == "gone" or parse_qs(parts.query)["n"] != [str(order.addresses)] else (200, order.file)
        )


def _kind(request: HttpRequest) -> Kind:
    if request.method == "POST":
        return "upload" if request.content is not None else "submit"
    return "cancel" if request.method == "DELETE" else "poll"


def _content(request: HttpRequest) -> bytes:
    given = request.content
    return Path(given.path).read_bytes() if isinstance(given, Body) else given or b""


def _provider(request: HttpRequest) -> str:
    return (urlsplit(request.url).hostname or "").partition(".")[0]


def _origin(request: HttpRequest) -> str:
    parts = urlsplit(request.url)
    return f"{parts.scheme}://{parts.netloc}"


# ------------------------------------------------------------------------------------------------------- the registry


def registry(directory: Path, offers: Mapping[str, str | None], *, tiers: Mapping[str, str] | None = None) -> Path:
    """Write a registry directory: one model per offer id (`memory:cheap`), at so many dollars a picture.

    `None` writes no rate. `tiers` names the models that are heroes.
    """
    rates: dict[str, list[str]] = {}
    for offer, usd in offers.items():
        provider, _, endpoint = offer.partition(":")
        model = f"{provider}-{endpoint}"
        card = f'[model]\nmaker = "nobody"\ntier = "{(tiers or {}).get(offer, "workhorse")}"\n'
        tables = "".join(f"[tasks.{task}]\n" for task in PROVIDER.tasks)
        _write(directory / "models" / f"{model}.toml", card)
        row = f'model = "{model}"\nendpoint = "{endpoint}"\nchecked = 2026-01-01\n{tables}'
        _write(directory / "offers" / provider / f"{endpoint}.toml", row)
        if usd is not None:
            rates.setdefault(provider, []).append(
                f'[[rate]]\nendpoint = "{endpoint}"\nunit = "image"\nusd = "{usd}"\nfrom = 2025-01-01\n'
            )
    for provider, rows in rates.items():
        _write(directory / "rates" / f"{provider}.toml", "\n".join(rows))
    return directory


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
