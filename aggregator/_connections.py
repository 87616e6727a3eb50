"""The only file that imports httpcore: a connection to one origin, at an address that was checked before.

A name is looked up once. Every address it has must be public, and the connection goes to one of those, so that a name
cannot mean one thing when it is checked and another when it is used. TLS and the Host header keep the name.
"""

import asyncio
import socket
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from itertools import chain, zip_longest
from ssl import SSLContext
from typing import TYPE_CHECKING, Any

import httpcore

from aggregator._addresses import is_public
from aggregator._http import KEEPALIVE_S, YOURS, Answer, SendError

if TYPE_CHECKING:
    from aggregator._http import Message

__all__ = ["Connection", "Resolver", "system_resolver"]

MAX_ADDRESSES = 64
ADDRESSES_TRIED = 6
Resolver = Callable[[str, int], Awaitable[Sequence[str]]]
"""From a name and a port to every address of it, the best first. Raises `OSError` where there is none."""

_NEVER_SENT = (httpcore.ConnectError, httpcore.ConnectTimeout, httpcore.PoolTimeout, httpcore.UnsupportedProtocol)
_BROKEN = (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError)


async def system_resolver(host: str, port: int) -> Sequence[str]:
    """What the system's own resolver says."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


class _CheckedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to public addresses only."""

    def __init__(self, resolver: Resolver) -> None:
        self._resolver = resolver
        self._plain = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore calls it so
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        clock = asyncio.get_running_loop().time
        until = clock() + (timeout or 60.0)
        left = await self._addresses(host, port, until)
        while True:
            address = left.pop(0)
            share_s = max(0.0, until - clock()) / (len(left) + 1)  # one that does not answer leaves time for the next
            try:
                return await self._plain.connect_tcp(address, port, share_s, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                if not left:
                    raise

    async def _addresses(self, host: str, port: int, until: float) -> list[str]:
        """Where a name may be connected to, or `SendError` if one address of it is not public."""
        try:
            async with asyncio.timeout_at(until):
                found = list(await self._resolver(host, port))
        except TimeoutError:
            raise SendError(f"{host} could not be looked up in time", sent=False) from None
        except (OSError, UnicodeError) as error:
            raise SendError(f"{host} could not be looked up ({type(error).__name__})", sent=False) from None
        if not 0 < len(found) <= MAX_ADDRESSES:
            raise SendError(f"{host} has {len(found)} addresses", sent=False)
        private = [address for address in found if not is_public(address)]
        if private:
            raise SendError(
                f"{host} is not asked: it leads to {private[0]}, which is not a public address. {YOURS}", sent=False
            )
        families = [[one for one in found if (":" in one) is six] for six in (":" in found[0], ":" not in found[0])]
        return [one for one in chain(*zip_longest(*families)) if one][:ADDRESSES_TRIED]

    async def connect_unix_socket(self, path: str, *_given: Any, **_more: Any) -> httpcore.AsyncNetworkStream:
        raise SendError(f"a unix socket is not connected to ({path})", sent=False)


class Connection:
    """One connection to one origin, kept alive between requests and made anew when it is gone."""

    def __init__(self, tls: SSLContext, *, resolver: Resolver | None) -> None:
        """`resolver=None`: the origin is the user's own, and its addresses are not looked at."""
        self._tls = tls
        self._network = _CheckedNetwork(resolver) if resolver else httpcore.AnyIOBackend()
        self._line: httpcore.AsyncHTTPConnection | None = None

    async def _open(self, origin: httpcore.Origin) -> httpcore.AsyncHTTPConnection:
        """The connection as it is, or a new one where the other side has ended it, or may have by now.

        Without httpcore's pool: what it keeps is the account of many connections, and here there is one.
        """
        if self._line is None or not self._line.is_available() or self._line.has_expired():
            await self.aclose()
            self._line = httpcore.AsyncHTTPConnection(
                origin, self._tls, keepalive_expiry=KEEPALIVE_S, retries=0, network_backend=self._network
            )
        return self._line

    async def exchange(self, message: "Message", *, streamed: bool) -> Answer:
        """Send a request and read the head of its answer, or say what is known of what left.

        Args:
            streamed: Whether the body comes from a file. One shorter than announced is found too late to be "not sent".

        """
        url = message.url
        request = httpcore.Request(
            message.method,
            httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
            headers=message.headers.raw,
            content=message.stream,
            extensions=message.extensions,
        )
        try:
            line = await self._open(request.url.origin)
            answer = await line.handle_async_request(request)
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - told apart below
            failed = _without_frames(error, streamed=streamed)
        else:
            assert isinstance(answer.stream, AsyncIterable)
            return Answer(answer.status, answer.headers, _chunks(answer.stream), answer.aclose)
        raise failed

    async def aclose(self) -> None:
        """End it. Never fails: closing says nothing of what was answered."""
        if self._line is not None:
            with suppress(Exception):
                await self._line.aclose()


async def _chunks(stream: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    try:
        async for chunk in stream:
            yield chunk
    except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - told apart below
        failed = _without_frames(error)
    else:
        return
    raise failed


def _without_frames(error: BaseException, *, streamed: bool = True) -> BaseException:
    """What to raise for it, outside its own `except`: the frames below hold the headers, with the key, and whoever
    reports a crash with its local variables would send them along, even those of a context that is not shown.
    """
    timed_out = isinstance(error, httpcore.TimeoutException)
    if isinstance(error, _NEVER_SENT):
        return SendError(_reason(error), sent=False, timed_out=timed_out)
    if isinstance(error, (httpcore.LocalProtocolError, UnicodeError)):
        said = f"{type(error).__name__}: HTTP cannot carry this request"  # its own text may quote a header
        return SendError(said, sent=None if streamed else False)
    if isinstance(error, _BROKEN):
        return SendError(_reason(error), sent=None, timed_out=timed_out)
    error.__context__ = error.__cause__ = None
    return error.with_traceback(None)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
