"""The thread an emulator lives in: two listening sockets, one event loop, started when first needed."""

import asyncio
import socket
import threading
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from aggregator.testing.emulator.wire import Heard, Reply, Wire

__all__ = ["Serving"]

T = TypeVar("T")
WAIT_S = 10.0


class Serving:
    """Answers on a port of its own choice or the one given, and on a second one.

    The second is for files: a client that trusts the first with its key must be seen to keep it from the other.
    """

    def __init__(self, answer: Callable[[Heard], Awaitable[Reply]], host: str, port: int) -> None:
        self._answer = answer
        self._address = (host, port)
        self._turn = threading.Lock()
        self._origins = ("", "")
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self) -> tuple[str, str]:
        """Listen, if it does not yet; returns both addresses.

        Raises:
            OSError: The port is taken.

        """
        with self._turn:
            if self._thread is None:
                api = socket.create_server(self._address, backlog=128)
                files = socket.create_server((self._address[0], 0), backlog=128)
                hosts = (listening.getsockname()[:2] for listening in (api, files))
                self._origins = tuple(f"http://{host}:{port}" for host, port in hosts)  # type: ignore[assignment]
                ready = threading.Event()
                serve = self._serve((api, files), ready)
                self._thread = threading.Thread(target=asyncio.run, args=(serve,), daemon=True)
                self._thread.start()
                ready.wait(WAIT_S)
        return self._origins

    @property
    def is_started(self) -> bool:
        return self._thread is not None

    def close(self) -> None:
        """Stop listening, and end what is under way."""
        with self._turn:
            if self._thread is not None and self._thread.is_alive():
                self._loop.call_soon_threadsafe(self._stop.set)
                self._thread.join(WAIT_S)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something on the server's thread, and wait for it."""
        self.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_S)

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let something go on beside the answers; for the server's own thread."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, sockets: tuple[socket.socket, ...], ready: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        wire = Wire(self._answer)
        for listening in sockets:
            # Heads and bodies are written apart: without this each waits 40 ms for the other side's acknowledgement.
            listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await wire.open(listening)
        ready.set()
        await self._stop.wait()
        await wire.aclose()
        for task in tuple(self._tasks):
            task.cancel()
