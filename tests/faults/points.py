"""Numbers everything that a process makes durable or says to a server, and kills it there.

No function of the product is named: whatever is committed, flushed to a file or sent over HTTP is a point.
"""

import os
import signal
from collections.abc import Callable
from contextlib import asynccontextmanager
from threading import Lock
from typing import Any
from urllib.parse import urlsplit

from aggregator import _http
from aggregator._http import HttpxTransport
from aggregator.contract import HttpRequest
from aggregator.store.postgres import PostgreSQL
from aggregator.store.sqlite import SQLite

__all__ = ["At", "Plant", "plant"]

At = Callable[[str], None]
"""Takes the name of a point that a process comes by."""
Plant = Callable[[At], None]
"""Puts points into what a process does."""

SENT = "http11.send_request_body.complete"
"""What httpcore says when the last byte of a request has left."""


def plant(kill_at: int | str | None, *more: Plant) -> list[str]:
    """Count the points that this process comes by, and kill it at one of them: by its number (the first is 1), or at
    the first one of a name. `more` plants points in other libraries.

    Returns the names of those it came by, to be read at the end.
    """
    names: list[str] = []
    lock = Lock()

    def at(name: str) -> None:
        with lock:
            names.append(name)
            if kill_at in (len(names), name):
                os.kill(os.getpid(), signal.SIGKILL)

    for database in (SQLite, PostgreSQL):
        _plant_in_commits(database, at)
    for one in (_plant_in_flushes, _plant_in_exchanges, *more):
        one(at)
    return names


def _plant_in_commits(database: Any, at: At) -> None:
    begin, commit = database.begin, database.commit
    writes = False

    def noting(self: Any, *, write: bool) -> Any:
        nonlocal writes
        writes = write
        return begin(self, write=write)

    def passing(self: Any) -> None:
        if not writes:
            commit(self)
            return
        at("before a commit")
        commit(self)
        at("after a commit")

    database.begin, database.commit = noting, passing


def _plant_in_flushes(at: At) -> None:
    fsync = os.fsync

    def flushing(opened: int) -> None:
        fsync(opened)
        at("after a flush")

    os.fsync = flushing  # type: ignore[assignment]


def _plant_in_exchanges(at: At) -> None:
    message, send, stream = _http._message, HttpxTransport.send, HttpxTransport.stream

    def traced(request: HttpRequest, *rest: Any) -> Any:
        made = message(request, *rest)
        what = _name(request)

        async def trace(event: str, _info: Any) -> None:
            if event == SENT:
                at(f"after {what} was sent")

        made.extensions["trace"] = trace
        return made

    async def sending(self: Any, request: HttpRequest, **more: Any) -> Any:
        at(f"before {_name(request)} is sent")
        answer = await send(self, request, **more)
        at(f"after {_name(request)} was answered")
        return answer

    @asynccontextmanager
    async def streaming(self: Any, request: HttpRequest, **more: Any) -> Any:
        at(f"before {_name(request)} is sent")
        async with stream(self, request, **more) as answer:
            yield answer
        at(f"after {_name(request)} was answered")

    _http._message = traced  # type: ignore[assignment]
    HttpxTransport.send, HttpxTransport.stream = sending, streaming  # type: ignore[method-assign]


def _name(request: HttpRequest) -> str:
    """What kind of exchange it is: `POST jobs`, `GET files`."""
    return f"{request.method} {urlsplit(request.url).path.split('/')[3]}"
