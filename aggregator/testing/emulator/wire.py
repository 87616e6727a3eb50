"""HTTP/1.1 on a socket: h11 reads and writes, this file moves the bytes and breaks off where it is told to.

A server library would answer 500 where a line is to be cut without a word; that is why there is none here.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Literal

import h11

__all__ = ["Heard", "Reply", "Wire"]

READ_BYTES = 65_536
BODILESS = (204, 304)


@dataclass(frozen=True, slots=True)
class Heard:
    """One request, read whole."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said. `cut`: nothing at all, and the line ends (`drop`) or stays open (`hang`); only the first half of
    the head, or of the body (`truncate`); or all of a body that is said to be longer (`short`).
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | AsyncIterator[bytes] = b""
    cut: Literal["", "drop", "hang", "half_head", "truncate", "short"] = ""


class Wire:
    """Serves listening sockets until it is closed, on the running event loop."""

    def __init__(self, answer: Callable[[Heard], Awaitable[Reply]]) -> None:
        self._answer = answer
        self._servers: list[asyncio.Server] = []
        self._tasks: set[asyncio.Task[Any]] = set()

    async def open(self, listening: socket.socket) -> None:
        """Serve one more socket."""
        self._servers.append(await asyncio.start_server(self._connected, sock=listening))

    async def aclose(self) -> None:
        """Break everything off."""
        for server in self._servers:
            server.close()
        await asyncio.sleep(0)  # a connection that was just made gets as far as its task
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        http = h11.Connection(h11.SERVER)
        try:
            while (heard := await _read(http, reader, writer)) is not None:
                reply = await self._answer(heard)
                if reply.cut == "hang":
                    await reader.read()
                if reply.cut in ("drop", "hang") or not await _say(http, writer, heard, reply):
                    break
                http.start_next_cycle()
        except (OSError, h11.RemoteProtocolError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._tasks.discard(task)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()


async def _read(http: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Heard | None:
    """The next request; `None`: the other side has gone."""
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = http.next_event()
        if event is h11.NEED_DATA:
            if http.they_are_waiting_for_100_continue:
                writer.write(http.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            http.receive_data(await reader.read(READ_BYTES))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head is not None:
            headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in head.headers}
            return Heard(head.method.decode(), head.target.decode("latin-1"), headers, bytes(body))
        else:
            return None


async def _say(http: h11.Connection, writer: asyncio.StreamWriter, heard: Heard, reply: Reply) -> bool:
    """Write the answer; `False`: the connection is over."""
    headers = dict(reply.headers)
    if isinstance(reply.body, bytes):
        headers.setdefault("content-length", str(len(reply.body)))
    if reply.status in BODILESS:
        headers.pop("content-length", None)
    known = reply.status in HTTPStatus.__members__.values()
    reason = HTTPStatus(reply.status).phrase.encode() if known else b""
    head = http.send(h11.Response(status_code=reply.status, headers=list(headers.items()), reason=reason)) or b""
    writer.write(head[: len(head) // 2] if reply.cut == "half_head" else head)
    if reply.cut == "half_head":
        return False
    if heard.method != "HEAD" and reply.status not in BODILESS:
        async for piece in _pieces(reply):
            writer.write(http.send(h11.Data(data=piece)) or b"")
            await writer.drain()
    if reply.cut in ("truncate", "short"):
        return False
    writer.write(http.send(h11.EndOfMessage()) or b"")
    await writer.drain()
    return http.our_state is h11.DONE and http.their_state is h11.DONE


async def _pieces(reply: Reply) -> AsyncIterator[bytes]:
    if not isinstance(reply.body, bytes):
        async for piece in reply.body:
            yield piece
    elif reply.body:
        yield reply.body[: len(reply.body) // 2] if reply.cut == "truncate" else reply.body
