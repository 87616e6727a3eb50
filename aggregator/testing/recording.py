"""What was said between us and a provider, kept as JSON: written down from real exchanges, and said again.

A `Recording` holds cases: one request of ours, every exchange it took, and how it ended. `Keeper` is a transport that
writes exchanges down, `Prompter` one that answers from them and notes every difference in what is asked.
"""

import base64
import hashlib
import json
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aggregator._http import DEFAULT_TIMEOUTS, SendError, Stream, Timeouts, Transport
from aggregator.contract import Body, HttpRequest, HttpResponse, Part

__all__ = ["Exchange", "Keeper", "Prompter", "Recording", "written_request"]

KEPT_HEADERS = ("content-type", "retry-after", "location")
"""Headers of answers that are always kept; of the others those that begin with `x-` and the ones a table may read."""
LONG_TEXT = 600
"""Base64 and hex beyond this many characters is cut: no case looks inside a file."""


def _sha(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()[:16]


def written_request(request: HttpRequest) -> dict[str, Any]:
    """A request as JSON: files by hash and size, no credential left out."""
    written: dict[str, Any] = {"method": request.method, "url": request.url}
    if request.headers:
        written["headers"] = {name.lower(): value for name, value in sorted(request.headers.items())}
    if request.json is not None:
        written["json"] = _cut(request.json)
    if request.parts:
        written["parts"] = [_part(part) for part in request.parts]
    if request.content is not None:
        written["content"] = _bytes(request.content)
    return written


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part.value, str):
        return {"name": part.name, "text": part.value}
    return {"name": part.name, "file": _bytes(part.value), "filename": part.filename, "mime_type": part.mime_type}


def _bytes(value: bytes | Body) -> str:
    raw = value if isinstance(value, bytes) else _slice(value)
    return f"{len(raw)} bytes sha256:{_sha(raw)}"


def _slice(body: Body) -> bytes:
    with Path(body.path).open("rb") as file:
        file.seek(body.offset)
        return file.read(body.size_bytes)


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > LONG_TEXT and " " not in value:
        return value[: LONG_TEXT // 4 * 4]
    if isinstance(value, list):
        return [_cut(item) for item in value]
    if isinstance(value, dict):
        return {name: _cut(item) for name, item in value.items()}
    return value


@dataclass(frozen=True)
class Exchange:
    """One request as it was written down, and its answer; `fault`: there was none, and what is known of the sending."""

    request: Mapping[str, Any]
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None
    text: str | None = None
    file: str | None = None

    @property
    def response(self) -> HttpResponse:
        if self.file is not None:
            raw = base64.b64decode(self.file)
        elif self.text is not None:
            raw = self.text.encode()
        else:
            raw = b"" if self.json is None else json.dumps(self.json).encode()
        return HttpResponse(self.status, dict(self.headers), raw)

    def as_json(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"status": self.status, "headers": dict(self.headers)}
        answer |= {name: value for name in ("json", "text", "file") if (value := getattr(self, name)) is not None}
        return {"request": dict(self.request), "answer": answer}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Self:
        return cls(value["request"], **value["answer"])

    @classmethod
    def of(cls, request: HttpRequest, response: HttpResponse) -> Self:
        headers = {
            name: value for name, value in response.headers.items() if name in KEPT_HEADERS or not _is_plumbing(name)
        }
        written = written_request(request)
        try:
            body = json.loads(response.body) if response.body else None
            return cls(written, response.status, headers, json=_cut(body))
        except ValueError:
            pass
        try:
            return cls(written, response.status, headers, text=response.body[:LONG_TEXT].decode())
        except UnicodeDecodeError:
            file = base64.b64encode(response.body[:LONG_TEXT]).decode()
            return cls(written, response.status, headers, file=file)


def _is_plumbing(name: str) -> bool:
    return name in ("content-length", "date", "server", "connection", "transfer-encoding", "accept-ranges")


class Keeper:
    """A transport that sends through another one and writes every exchange down."""

    def __init__(self, through: Transport) -> None:
        self._through = through
        self.exchanges: list[Exchange] = []

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        response = await self._through.send(request, fresh=fresh, timeouts=timeouts)
        self.exchanges.append(Exchange.of(request, response))
        return response

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> AsyncIterator[Stream]:
        async with self._through.stream(request, timeouts=timeouts) as stream:
            yield stream

    async def aclose(self) -> None:
        await self._through.aclose()


class Prompter:
    """A transport that answers from what was written down, in order; what is asked otherwise is in `differences`."""

    def __init__(self, *answers: Exchange | HttpResponse | SendError) -> None:
        self.left = deque(answers)
        self.sent: list[HttpRequest] = []
        self.differences: list[str] = []
        self.open = 0

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        del fresh, timeouts
        self.sent.append(request)
        if not self.left:
            self.differences.append(f"one more request than was written down: {request.method} {request.url}")
            raise SendError("nothing more was written down", sent=None)
        answer = self.left.popleft()
        if isinstance(answer, SendError):
            raise answer
        if isinstance(answer, HttpResponse):
            return answer
        self.differences.extend(_differences(written_request(request), answer.request))
        return answer.response

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> AsyncIterator[Stream]:
        """Answers `send` what was written down: a stream is a `send` whose body is one chunk."""
        response = await self.send(request, timeouts=timeouts)

        async def chunks() -> AsyncIterator[bytes]:
            yield response.body

        yield Stream(response.status, response.headers, chunks())

    async def aclose(self) -> None: ...


def _differences(ours: Mapping[str, Any], kept: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted({*ours, *kept}):
        now, then = (json.dumps(one.get(name), sort_keys=True) for one in (ours, kept))
        if now != then:  # as texts: 5.0 is not 5, and 1 is not true
            yield f"{name}: {now[:300]} is sent, {then[:300]} was written down"


@dataclass
class Recording:
    """All that was written down of one provider."""

    about: str
    """Where the exchanges are from, and when."""
    base_url: str
    """The address they were had at: it takes the place of the table's own."""
    key: str
    pins: Mapping[str, Any]
    """What the table said that no exchange shows: its addresses, its words, its codes, its limits."""
    cases: list[dict[str, Any]]

    @classmethod
    def read(cls, path: Path) -> Self:
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def write(self, path: Path) -> None:
        text = json.dumps(vars(self), indent=1, ensure_ascii=False, sort_keys=True)
        path.write_text(text + "\n", encoding="utf-8")
