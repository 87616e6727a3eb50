"""The only file that imports httpx: sends one request, streams one body, and says what certainly did not leave.

It knows no provider and no retry. A failure is a `SendError` whose `sent` is `False` only when no byte of the request
can have reached the server's application. Connections are `aggregator._connections`, where addresses are checked.
"""

import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from aggregator._addresses import refusal
from aggregator.contract import Body, HttpRequest, HttpResponse, Part
from aggregator.secret import SecretHeaders

if TYPE_CHECKING:
    import ssl

    import httpx

    from aggregator._connections import Connection, Resolver

    Message = httpx.Request

__all__ = ["DEFAULT_TIMEOUTS", "HttpxTransport", "SendError", "Stream", "Timeouts", "Transport", "origin"]

MAX_ANSWER_BYTES = 32 * 2**20
MAX_PAID_ANSWER_BYTES = 256 * 2**20
"""The answer to a paid request may be the file itself, or several in base64."""
UPLOAD_CHUNK_BYTES = 256 * 2**10
KEEPALIVE_CONNECTIONS = 100
KEEPALIVE_S = 15.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds without progress, each phase for itself; and for all of it, since a byte now and then is progress, and a
    socket may hang whatever was asked of it.
    """

    connect_s: float = 10.0
    read_s: float = 60.0
    write_s: float = 60.0
    whole_s: float = 300.0
    """The most for one exchange, or for each piece of a stream; `aggregator._watchdog` sees to it."""

    def as_extension(self) -> dict[str, float | None]:
        return {"connect": self.connect_s, "read": self.read_s, "write": self.write_s, "pool": None}


DEFAULT_TIMEOUTS = Timeouts()
YOURS = "If this server is yours, name it: [providers.<name>] base_url"
"""What to do where an address is refused."""


class SendError(Exception):
    """No usable answer. `sent` is `False` (nothing left) or `None` (nobody knows)."""

    def __init__(self, reason: str, *, sent: bool | None, timed_out: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.timed_out = timed_out


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body is still arriving."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    """Raw bytes, exactly as sent; the caller counts."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The head of an answer, and what reads the rest."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    chunks: AsyncIterator[bytes]
    aclose: Callable[[], Awaitable[None]]


class Transport(Protocol):
    """What the engine needs from HTTP. `aggregator.testing` has one that answers from memory."""

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        """Send once. `fresh`: on a connection of its own, never a kept-alive one."""
        ...

    def stream(
        self, request: HttpRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> AbstractAsyncContextManager[Stream]: ...

    async def aclose(self) -> None: ...


def origin(url: str) -> str:
    """Scheme, host and port, with the default port left out; empty for what is no URL."""
    try:
        parts = urlsplit(url)
        number = parts.port
    except ValueError:
        return ""
    port = f":{number}" if number is not None and number != {"http": 80, "https": 443}.get(parts.scheme) else ""
    return f"{parts.scheme}://{(parts.hostname or '').lower()}{port}"


@cache
def _tls() -> "ssl.SSLContext":
    """One TLS context for the process: making one costs about 100 ms."""
    import httpx

    return httpx.create_ssl_context(trust_env=False)


@cache
def _no_tls() -> "ssl.SSLContext":
    """What httpx wants even for plain http, where it is not used."""
    import ssl

    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class HttpxTransport:
    """HTTP/1.1: no redirects, no cookies, no environment proxies, no hidden retries, no decompression, and no address
    that is not public, unless the user configured it.

    Each connection is a pool of its own, and those that are idle wait here: looking for a free one in a larger pool
    takes time that grows with the square of its connections (6 ms a request at 64 at once).
    """

    def __init__(self, apps: Mapping[str, Any] | None = None, *, resolver: "Resolver | None" = None) -> None:
        self._apps = dict(apps or {})
        """ASGI applications by origin: reached without a socket."""
        self._resolver = resolver
        self._open_ones: set[Connection] = set()
        self._idle: dict[Place, deque[tuple[float, Connection]]] = {}
        """By place, the longest idle first, each with when it was last used."""

    def _take(self, place: "Place", *, fresh: bool) -> "Connection":
        """A connection that nobody else uses until `_give_back`."""
        from aggregator._connections import Connection, system_resolver

        idle = self._idle.get(place)
        if idle and not fresh:
            return idle.pop()[1]
        at, own = place
        tls = _tls() if at.startswith("https:") else _no_tls()
        made = Connection(tls, resolver=None if own else self._resolver or system_resolver)
        self._open_ones.add(made)
        return made

    async def _give_back(self, place: "Place", used: "Connection", *, fresh: bool) -> None:
        """Keep a connection, if it is not one that was to be `fresh`; close those that have been idle for long."""
        now_s = time.monotonic()
        if fresh:
            await self._close(used)
        elif used in self._open_ones:
            self._idle.setdefault(place, deque()).append((now_s, used))
        for idle in list(self._idle.values()):
            while idle and (len(idle) > KEEPALIVE_CONNECTIONS or idle[0][0] < now_s - KEEPALIVE_S):
                await self._close(idle.popleft()[1])

    async def _close(self, connection: "Connection") -> None:
        self._open_ones.discard(connection)
        await connection.aclose()

    @asynccontextmanager
    async def _open(
        self, request: HttpRequest, *, fresh: bool, timeouts: Timeouts
    ) -> AsyncGenerator[tuple["Answer", dict[str, str]], None]:
        import httpx

        with ExitStack() as files:
            message = _message(request, files, timeouts)
            app = self._apps.get(origin(request.url)) if request.trusted else None
            place = (origin(str(message.url)), False) if app else _place(request, message.url)
            connection = _InProcess(app) if app else self._take(place, fresh=fresh)
            try:
                answer = await _answered(connection, message, request)
                files.close()
                try:
                    yield answer, dict(httpx.Headers(answer.headers))
                finally:
                    with suppress(Exception):  # an answer that was read is not lost with its connection
                        await answer.aclose()
            finally:
                if not isinstance(connection, _InProcess):
                    await self._give_back(place, connection, fresh=fresh)

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        async with self._open(request, fresh=fresh, timeouts=timeouts) as (answer, headers):
            if headers.get("content-encoding", "identity").lower() != "identity":
                raise SendError("the answer arrives compressed, which was not asked for", sent=None)
            body = await _read(answer.chunks, MAX_PAID_ANSWER_BYTES if fresh else MAX_ANSWER_BYTES)
            return HttpResponse(answer.status, headers, body, request.url)

    @asynccontextmanager
    async def stream(
        self, request: HttpRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> AsyncGenerator[Stream, None]:
        async with self._open(request, fresh=False, timeouts=timeouts) as (answer, headers):
            yield Stream(answer.status, headers, answer.chunks)

    async def aclose(self) -> None:
        self._idle.clear()
        for connection in list(self._open_ones):
            await self._close(connection)


Place = tuple[str, bool]
"""An origin, and whether it was asked for as the user's own: what was connected to unchecked serves nobody else."""


def _place(request: HttpRequest, url: "httpx.URL") -> Place:
    """Where a request goes, if it may go there. The URL is the one that is connected to, not a second reading of it."""
    host = url.raw_host.decode("ascii")
    refused = refusal(url.scheme, host, url.port, userinfo=bool(url.userinfo), own_host=request.own_host)
    if refused:
        raise SendError(f"{origin(str(url)) or 'an address'} is not asked: {refused}. {YOURS}", sent=False)
    return origin(str(url)), bool(request.own_host) and host == request.own_host


def _message(request: HttpRequest, files: ExitStack, timeouts: Timeouts) -> "Message":
    """The request as httpx writes it."""
    import httpx

    headers = SecretHeaders({"accept-encoding": "identity", "user-agent": _user_agent(), **request.headers})
    content: Any = None
    if isinstance(request.content, Body):
        headers.setdefault("content-length", str(request.content.size_bytes))
        content = _file_chunks(request.content)
    elif request.content is not None:
        content = request.content
    try:
        return httpx.Request(
            request.method,
            httpx.URL(request.url),
            headers=headers,
            content=content,
            json=request.json,
            files=_form(request.parts, files) or None,
            extensions={"timeout": timeouts.as_extension()},
        )
    except (httpx.InvalidURL, UnicodeError) as error:  # their texts quote what they cannot read
        failed = SendError(f"{type(error).__name__}: HTTP cannot carry this request", sent=False)
    raise failed  # out here it has no context, whose frames would hold the headers


async def _answered(connection: "Connection | _InProcess", message: "Message", request: HttpRequest) -> "Answer":
    """Send a request and read the head of its answer, or say what is known of what left."""
    try:
        return await connection.exchange(message, streamed=isinstance(request.content, Body))
    except (OSError, SendError):
        raise  # the file that should be sent
    except Exception as error:  # noqa: BLE001
        # What comes through from below, such as a body shorter than announced, or an application that broke.
        raise SendError(type(error).__name__, sent=None) from None


class _InProcess:
    """An ASGI application, asked as a connection is."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def exchange(self, message: "Message", *, streamed: bool) -> "Answer":
        import httpx

        del streamed
        response = await httpx.ASGITransport(self._app).handle_async_request(message)
        return Answer(response.status_code, response.headers.raw, response.aiter_raw(), response.aclose)


async def _read(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    """A body of at most `limit` bytes."""
    parts: list[bytes] = []
    size = 0
    async for chunk in chunks:
        size += len(chunk)
        if size > limit:
            raise SendError(f"the answer is longer than {limit} bytes", sent=None)
        parts.append(chunk)
    return b"".join(parts)


@cache
def _user_agent() -> str:
    from aggregator._version import __version__

    return f"aggregator/{__version__}"


def _form(parts: tuple[Part, ...], files: ExitStack) -> list[tuple[str, tuple[str | None, Any, str | None]]]:
    try:
        return [_form_part(part, files) for part in parts]
    except OSError as error:  # nothing has left yet
        raise SendError(f"{type(error).__name__}: a file of the form cannot be read", sent=False) from None


def _form_part(part: Part, files: ExitStack) -> tuple[str, tuple[str | None, Any, str | None]]:
    """One part as httpx takes it; files are opened here and closed with the exchange."""
    value: Any = part.value
    if isinstance(value, Body):
        value = files.enter_context(Path(value.path).open("rb"))  # noqa: SIM115 - the stack closes it
    return part.name, (part.filename, value, part.mime_type)


async def _file_chunks(body: Body) -> AsyncIterator[bytes]:
    with Path(body.path).open("rb") as file:  # noqa: ASYNC230  a page-cache read of 256 KiB is quicker than a thread
        file.seek(body.offset)
        left = body.size_bytes
        while left and (chunk := file.read(min(UPLOAD_CHUNK_BYTES, left))):
            left -= len(chunk)
            yield chunk
