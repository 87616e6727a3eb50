"""The only file that imports httpx: sends one request, streams one body, and says what certainly did not leave.

It knows no provider and no retry. A failure is a `SendError` whose `sent` is `False` only when no byte of the request
can have reached the server's application.
"""

import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from aggregator.contract import Body, HttpRequest, HttpResponse, Part
from aggregator.secret import SecretHeaders

if TYPE_CHECKING:
    import ssl

    import httpx

__all__ = ["DEFAULT_TIMEOUTS", "HttpxTransport", "SendError", "Stream", "Timeouts", "Transport", "origin"]

MAX_ANSWER_BYTES = 32 * 2**20
MAX_PAID_ANSWER_BYTES = 256 * 2**20
"""The answer to a paid request may be the file itself, or several in base64."""
UPLOAD_CHUNK_BYTES = 256 * 2**10
KEEPALIVE_CONNECTIONS = 100
KEEPALIVE_S = 15.0


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds without progress, each phase for itself."""

    connect_s: float = 10.0
    read_s: float = 60.0
    write_s: float = 60.0

    def as_extension(self) -> dict[str, float | None]:
        return {"connect": self.connect_s, "read": self.read_s, "write": self.write_s, "pool": None}


DEFAULT_TIMEOUTS = Timeouts()


class SendError(Exception):
    """No usable answer. `sent` is `False` (nothing left) or `None` (nobody knows)."""

    def __init__(self, reason: str, *, sent: bool | None) -> None:
        super().__init__(reason)
        self.sent = sent


@dataclass(frozen=True, slots=True)
class Stream:
    """An answer whose body is still arriving."""

    status: int
    headers: Mapping[str, str]
    chunks: AsyncIterator[bytes]
    """Raw bytes, exactly as sent; the caller counts."""


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
    """HTTP/1.1 over httpx's transports: no redirects, no cookies, no environment proxies, no hidden retries.

    Each connection is a transport of its own, and those that are idle wait here: looking for a free one in httpx's own
    pool takes time that grows with the square of its connections (6 ms a request at 64 at once).
    """

    def __init__(self, apps: Mapping[str, Any] | None = None) -> None:
        self._apps = dict(apps or {})
        """ASGI applications by origin: reached without a socket."""
        self._open_ones: set[httpx.AsyncBaseTransport] = set()
        self._idle: dict[str, deque[tuple[float, httpx.AsyncBaseTransport]]] = {}
        """By origin, the longest idle first, each with when it was last used."""

    def _take(self, at: str, *, fresh: bool) -> "httpx.AsyncBaseTransport":
        """A connection to an origin that nobody else uses until `_give_back`."""
        import httpx

        if at in self._apps:
            return httpx.ASGITransport(self._apps[at])
        idle = self._idle.get(at)
        if idle and not fresh:
            return idle.pop()[1]
        limits = httpx.Limits(max_connections=1, keepalive_expiry=KEEPALIVE_S)
        tls = _tls() if at.startswith("https:") else _no_tls()
        made = httpx.AsyncHTTPTransport(verify=tls, limits=limits, trust_env=False, retries=0)
        self._open_ones.add(made)
        return made

    async def _give_back(self, at: str, used: "httpx.AsyncBaseTransport", *, fresh: bool) -> None:
        """Keep a connection, if it is not one that was to be `fresh`; close those that have been idle for long."""
        now_s = time.monotonic()
        if fresh:
            await self._close(used)
        elif used in self._open_ones:
            self._idle.setdefault(at, deque()).append((now_s, used))
        for idle in list(self._idle.values()):
            while idle and (len(idle) > KEEPALIVE_CONNECTIONS or idle[0][0] < now_s - KEEPALIVE_S):
                await self._close(idle.popleft()[1])

    async def _close(self, transport: "httpx.AsyncBaseTransport") -> None:
        self._open_ones.discard(transport)
        with suppress(Exception):  # closing says nothing of what was answered
            await transport.aclose()

    @asynccontextmanager
    async def _open(
        self, request: HttpRequest, *, fresh: bool, timeouts: Timeouts
    ) -> AsyncGenerator[tuple[int, dict[str, str], "httpx.Response"], None]:
        import httpx

        at = origin(request.url)
        connection = self._take(at, fresh=fresh)
        try:
            response = await self._exchange(connection, request, timeouts)
            try:
                yield response.status_code, dict(response.headers), response
            except httpx.HTTPError as error:
                raise SendError(_reason(error), sent=None) from None
            finally:
                with suppress(Exception):  # an answer that was read is not lost with its connection
                    await response.aclose()
        finally:
            await self._give_back(at, connection, fresh=fresh)

    @staticmethod
    async def _exchange(
        connection: "httpx.AsyncBaseTransport", request: HttpRequest, timeouts: Timeouts
    ) -> "httpx.Response":
        """Send a request and read the head of its answer, or say what is known of what left."""
        import httpx

        headers = SecretHeaders({"accept-encoding": "identity", "user-agent": _user_agent(), **request.headers})
        content: Any = None
        if isinstance(request.content, Body):
            headers.setdefault("content-length", str(request.content.size_bytes))
            content = _file_chunks(request.content)
        elif request.content is not None:
            content = request.content
        files = ExitStack()
        try:
            message = httpx.Request(
                request.method,
                request.url,
                headers=headers,
                content=content,
                json=request.json,
                files=_form(request.parts, files) or None,
                extensions={"timeout": timeouts.as_extension()},
            )
            response = await connection.handle_async_request(message)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as error:
            raise SendError(_reason(error), sent=False) from None
        except (httpx.UnsupportedProtocol, httpx.InvalidURL) as error:
            raise SendError(_reason(error), sent=False) from None
        except (httpx.LocalProtocolError, UnicodeError) as error:
            # Its text may quote a header. A file shorter than announced is found too late to say "not sent".
            sent = None if isinstance(request.content, Body) else False
            raise SendError(f"{type(error).__name__}: HTTP cannot carry this request", sent=sent) from None
        except httpx.HTTPError as error:
            raise SendError(_reason(error), sent=None) from None
        except (OSError, SendError):
            raise  # the file that should be sent
        except Exception as error:  # noqa: BLE001
            # What httpx lets through from below, such as a body shorter than announced.
            raise SendError(type(error).__name__, sent=None) from None
        finally:
            files.close()
        response.request = message
        return response

    async def send(
        self, request: HttpRequest, *, fresh: bool = False, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> HttpResponse:
        async with self._open(request, fresh=fresh, timeouts=timeouts) as (status, headers, response):
            parts: list[bytes] = []
            size = 0
            limit = MAX_PAID_ANSWER_BYTES if fresh else MAX_ANSWER_BYTES
            async for chunk in response.aiter_bytes():
                size += len(chunk)
                if size > limit:
                    raise SendError(f"the answer is longer than {limit} bytes", sent=None)
                parts.append(chunk)
            return HttpResponse(status, headers, b"".join(parts), request.url)

    @asynccontextmanager
    async def stream(
        self, request: HttpRequest, *, timeouts: Timeouts = DEFAULT_TIMEOUTS
    ) -> AsyncGenerator[Stream, None]:
        async with self._open(request, fresh=False, timeouts=timeouts) as (status, headers, response):
            yield Stream(status, headers, response.aiter_raw())

    async def aclose(self) -> None:
        self._idle.clear()
        for transport in list(self._open_ones):
            await self._close(transport)


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


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
