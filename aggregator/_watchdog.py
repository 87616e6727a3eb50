"""An end for every exchange, whatever the transport does: a socket that never returns is cut.

The transport has time-outs of its own, for each phase, which strike first. What is cut may have been sent: nobody
knows.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace

from aggregator._http import SendError, Stream, Timeouts, Transport
from aggregator.contract import Body, HttpRequest, HttpResponse

__all__ = ["exchange", "streamed"]

SLOWEST_BYTES_PER_S = 16 * 2**10
"""How fast an input that is handed over is expected to leave at least."""


async def exchange(
    transport: Transport, request: HttpRequest, timeouts: Timeouts, *, fresh: bool = False
) -> HttpResponse:
    """Send once. `fresh`: it is paid, on a connection of its own, and ends within its lease whatever it carries."""
    most_s = timeouts.whole_s + (0.0 if fresh else _sent_bytes(request) / SLOWEST_BYTES_PER_S)
    try:
        async with asyncio.timeout(most_s):
            return await transport.send(request, fresh=fresh, timeouts=timeouts)
    except TimeoutError:
        raise _cut(most_s) from None


@asynccontextmanager
async def streamed(transport: Transport, request: HttpRequest, timeouts: Timeouts) -> AsyncGenerator[Stream, None]:
    """Open an answer that arrives in pieces; none of them is waited for without end."""
    async with AsyncExitStack() as stack:
        try:
            async with asyncio.timeout(timeouts.whole_s):
                stream = await stack.enter_async_context(transport.stream(request, timeouts=timeouts))
        except TimeoutError:
            raise _cut(timeouts.whole_s) from None
        yield replace(stream, chunks=_awaited(stream.chunks, timeouts.whole_s))


def _cut(after_s: float) -> SendError:
    return SendError(f"it did not end within {after_s:g} s, and was cut", sent=None, timed_out=True)


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
            raise _cut(most_s) from None
        yield chunk
