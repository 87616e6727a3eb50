"""An end for every exchange, whatever the transport does: a socket that never returns is cut.

The transport has time-outs of its own, which strike first. What is cut may have been sent: nobody knows.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from aggregator._http import SendError, Stream, Timeouts, Transport
from aggregator.contract import Body, HttpRequest, HttpResponse

__all__ = ["PAID_S", "exchange", "streamed"]

PAID_S = 740.0
"""The most for a paid exchange as a whole: less than the lease it is sent under."""
MARGIN_S = 60.0
SLOWEST_BYTES_PER_S = 50_000
"""How fast a file that is sent is expected to leave at least."""


async def exchange(
    transport: Transport, request: HttpRequest, timeouts: Timeouts, *, fresh: bool = False
) -> HttpResponse:
    """Send once. `fresh`: it is paid, on a connection of its own."""
    most_s = _most_s(timeouts) + _sent_bytes(request) / SLOWEST_BYTES_PER_S
    try:
        async with asyncio.timeout(min(most_s, PAID_S) if fresh else most_s):
            return await transport.send(request, fresh=fresh, timeouts=timeouts)
    except TimeoutError:
        raise SendError("the exchange did not end by itself and was cut", sent=None) from None


@asynccontextmanager
async def streamed(transport: Transport, request: HttpRequest, timeouts: Timeouts) -> AsyncGenerator[Stream, None]:
    """Open an answer that arrives in pieces; none of them is waited for without end."""
    most_s = _most_s(timeouts)
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(most_s):
                stream = await stack.enter_async_context(transport.stream(request, timeouts=timeouts))
        except TimeoutError:
            raise SendError("the exchange did not end by itself and was cut", sent=None) from None
        yield replace(stream, chunks=_awaited(stream.chunks, most_s))


def _most_s(timeouts: Timeouts) -> float:
    """The longest that a transport with these time-outs may take: for an answer's first byte, and for the rest."""
    return timeouts.connect_s + timeouts.write_s + 2 * timeouts.read_s + MARGIN_S


def _sent_bytes(request: HttpRequest) -> int:
    """How large the files are that a request carries."""
    contents = [request.content, *(part.value for part in request.parts)]
    return sum(content.size_bytes for content in contents if isinstance(content, Body))


async def _awaited(chunks: AsyncIterator[bytes], most_s: float) -> AsyncIterator[bytes]:
    """The chunks, none of which is waited for longer than that."""
    while True:
        try:
            async with asyncio.timeout(most_s):
                chunk = await anext(chunks)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise SendError("the answer broke off without an end and was cut", sent=None) from None
        yield chunk
