"""The line between a client and a provider: what goes wrong on it is scripted for one kind of exchange."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

from aggregator._http import DEFAULT_TIMEOUTS, SendError, Stream, Timeouts, _form
from aggregator.contract import Auth, Body, Call, Endpoint, Files, HttpRequest, HttpResponse, Meter, Provider
from aggregator.tasks import TASKS
from aggregator.testing.emulator.mischief import CUTS, spoiled
from aggregator.testing.emulator.wire import Heard, Reply
from tests.providers.taxonomy.rows import TAKEN, Fault

BACKUP = Provider(
    name="zz_backup",
    docs="README.md",
    checked="2026-11-21",
    base_url="http://backup.invalid",
    auth=Auth(env=()),
    submit=Call("POST", "/jobs", capture={"id": "id"}),
    tasks={
        task: Endpoint({name: name for name in of.model_fields}, files=Files("url"), meters=(Meter("request", "1"),))
        for task, of in TASKS.items()
    },
)
"""Who would be asked next: it serves everything, costs nobody knows what, and refuses whatever it is asked."""
GONE = (401, 403, 404, 410)
HANG_S = 3_600.0
DOING: ContextVar[str] = ContextVar("doing", default="")
STEPS = {
    "submit": "before",
    "upload": "upload",
    "poll": "poll",
    "result": "poll",
    "cancel": "cancel",
    "lookup": "lookup",
}
"""What is asked within each call of the engine, on other connections than the paid one's."""


@dataclass
class Line:
    """Moves requests to the emulator and back, without sockets; the next ones of a kind meet with what is scripted."""

    answer: Callable[[Heard], Any]
    desk: Any
    kind: str = ""
    fault: Fault | None = None
    times: int = 0
    asked: Counter[str] = field(default_factory=Counter)
    """Requests that may have left, by their kind."""
    met: int = 0
    """How often the fault struck."""
    paid: bool = False

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        del timeouts
        if request.url.startswith(BACKUP.base_url):
            return HttpResponse(400, {"content-type": "application/json"}, b"{}", request.url)
        kind = "submit" if fresh else DOING.get()
        kind = "after" if kind == "before" and self.paid else "upload" if kind == "before" else kind
        self.paid = self.paid or fresh
        reply = await self._through(kind, request)
        body = reply.body if isinstance(reply.body, bytes) else b"".join([piece async for piece in reply.body])
        if reply.headers.get("content-encoding"):
            raise SendError("it is compressed", sent=None)
        if int(reply.headers.get("content-length", len(body))) != len(body):
            raise SendError("the answer broke off", sent=None)
        return HttpResponse(reply.status, reply.headers, body, request.url)

    @asynccontextmanager
    async def stream(self, request: HttpRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS) -> AsyncIterator[Stream]:
        del timeouts
        if request.headers.get("accept") == "text/event-stream":
            raise SendError("nothing is pushed here", sent=None)
        reply = await self._through("download", request)
        body = reply.body if isinstance(reply.body, bytes) else b"".join([piece async for piece in reply.body])

        async def chunks() -> AsyncIterator[bytes]:
            yield body
            if int(reply.headers.get("content-length", len(body))) != len(body):
                raise SendError("the answer broke off", sent=None)

        yield Stream(reply.status, {"content-length": str(len(body)), **reply.headers}, chunks())

    async def aclose(self) -> None:
        """Nothing is open."""

    async def _through(self, kind: str, request: HttpRequest) -> Reply:
        fault = self._strikes(kind)
        moves = fault is not None and kind == "download" and fault.status in GONE and self.times
        if moves and not urlsplit(request.url).path.startswith("/files/"):
            self.met -= 1  # it is a path of the API
            fault = None
        if fault is not None and fault.what == "unsent":
            raise SendError("no route to the host", sent=False)
        asked = heard(request)
        self.asked[kind] += 1
        reply = await self.answer(asked) if fault is None or fault.taken else Reply()
        if fault is None:
            return reply
        is_json = reply.headers.get("content-type", "").startswith("application/json")
        if fault.spoiled in ("broken_json", "odd_word") and not is_json:
            self.met -= 1  # it is a file
            return reply
        if fault.what == "answer":
            if moves:
                await self._renewed(request)
            return Reply(fault.status, {"content-type": "application/json", **dict(fault.headers)}, b'{"x": "y"}')
        if fault.what == "hangs":
            await asyncio.sleep(HANG_S)
        if fault.what in ("lost", "hangs") or fault.spoiled in CUTS:
            raise SendError("the line was cut", sent=None)
        return await spoiled(fault.spoiled, reply, self.desk)

    async def _renewed(self, request: HttpRequest) -> None:
        """Have the provider give the file another address."""
        job = next(reversed(self.desk.jobs.values()))
        job.oddity = "expired_once"
        await self.answer(heard(request))

    def _strikes(self, kind: str) -> Fault | None:
        if self.kind == "lookup" and kind == "submit" and not self.asked["submit"]:
            return TAKEN  # or nobody would look
        if kind != self.kind or self.fault is None or (self.times and self.met >= self.times):
            return None
        self.met += 1
        return self.fault

    def clear(self) -> None:
        """The sun shines."""
        self.fault = None


def heard(request: HttpRequest) -> Heard:
    """A request as it would arrive."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    content: Any = request.content or b""
    if isinstance(content, Body):
        raw = Path(content.path).read_bytes()
        content = raw[content.offset : content.offset + content.size_bytes]
    if request.json is not None:
        headers["content-type"], content = "application/json", json.dumps(request.json).encode()
    if request.parts:
        with ExitStack() as files:
            form = httpx.Request(request.method, request.url, files=_form(request.parts, files))
            headers["content-type"], content = form.headers["content-type"], form.read()
    parts = urlsplit(request.url)
    return Heard(request.method, parts.path + (f"?{parts.query}" if parts.query else ""), headers, content)


def doing(true: Callable[..., Any], step: str) -> Callable[..., Any]:
    """A function of the engine that leaves word of what it does."""

    @wraps(true)
    async def told(*args: Any, **kwargs: Any) -> Any:
        before = DOING.set(step)
        try:
            return await true(*args, **kwargs)
        finally:
            DOING.reset(before)

    return told
