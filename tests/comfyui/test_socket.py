"""Progress over a websocket: what is told, what is looked for, and that a job is only polled where it cannot be had."""

import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from aggregator.backend import Backend
from aggregator.clock import SystemClock
from aggregator.contract import HttpResponse, State
from aggregator.engine import Engine
from aggregator.providers.comfyui import PROVIDER, _progress
from aggregator.secret import Secret

JOB = "5b1f7a52-6a3d-4f0e-9d0e-3f6a0c7a9e11"
HANDLE = {"id": JOB, "task": "text-to-image", "dialect": ""}
"""What the server sent for a KSampler of four steps, as it was seen (0.33.0)."""


def said(kind: str, **data: Any) -> str:
    return json.dumps({"type": kind, "data": {"prompt_id": JOB, **data}})


def nodes(**steps: tuple[int, int]) -> dict[str, Any]:
    return {name: {"value": value, "max": most, "state": "running"} for name, (value, most) in steps.items()}


TOLD = [
    json.dumps({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": 1}}, "sid": JOB}}),
    said("execution_start"),
    said("execution_cached", nodes=["4"]),
    said("progress_state", nodes=nodes(n6=(1, 1), n3=(0, 4))),
    b"\x00\x00\x00\x01\x00\x00\x00\x01\xff\xd8\xff\xe0",  # a preview
    b"\x00\x00\x00\x03\x00\x00\x00\x01text",
    b"\x00",
    said("progress_state", nodes=nodes(n6=(1, 1), n3=(2, 4))),
    said("progress", value=3, max=4, node="3"),
    json.dumps({"type": "progress", "data": {"prompt_id": "another", "value": 1, "max": 4}}),
    said("execution_success"),  # it is not in the history yet
    said("executing", node=None),
]


class Server:
    """Tells what it is given, and keeps the head of each request."""

    def __init__(self, told: list[Any]) -> None:
        self.told = told
        self.heads: list[Any] = []

    async def __call__(self, line: ServerConnection) -> None:
        assert line.request is not None
        self.heads.append((line.request.path, dict(line.request.headers)))
        for one in self.told:
            await line.send(one)


@asynccontextmanager
async def listening(*told: Any, answers: list[Any]) -> AsyncIterator[tuple[Engine, Backend, Server]]:
    server = Server(list(told))
    async with serve(server, "127.0.0.1", 0) as socket:
        port = socket.sockets[0].getsockname()[1]
        table = replace(PROVIDER, base_url=f"http://127.0.0.1:{port}")
        engine = Engine(transport=transport(answers), clock=SystemClock(), rng=Random(1))
        yield engine, Backend(table, Secret("k-1234567890"), own_host="127.0.0.1"), server


def transport(answers: list[Any]) -> Any:
    class Polled:
        """Answers each look with the next of these."""

        async def send(self, request: Any, **_more: Any) -> HttpResponse:
            body = answers.pop(0) if "/api/jobs/" in request.url else {"jobs": []}
            return HttpResponse(200, {"content-type": "application/json"}, json.dumps(body).encode())

    return Polled()


def job(status: str) -> dict[str, Any]:
    return {"id": JOB, "status": status, "priority": 1}


async def test_progress_is_told_and_the_end_is_looked_for():
    answers = [job("pending"), job("in_progress"), job("completed")]
    async with listening(*TOLD, answers=answers) as (engine, backend, server):
        readings = [one async for one in engine.watch(backend, HANDLE)]
    states = [one.state for one in readings]
    assert states == [State.QUEUED, *[State.RUNNING] * 5, State.SUCCEEDED]
    assert [one.progress for one in readings] == [None, None, 0.0, 0.0, 0.5, 0.75, None]
    assert [one.preview for one in readings if one.preview] == [b"\xff\xd8\xff\xe0"]
    assert readings[-1].body["id"] == JOB
    ((path, head),) = server.heads
    assert path == f"/ws?clientId={JOB}"
    assert "origin" not in {name.lower() for name in head}
    assert head["authorization"] == "Bearer k-1234567890"
    assert not answers


async def test_a_failure_is_told_in_the_servers_words():
    died = {**job("failed"), "execution_error": {"node_type": "KSampler", "node_id": "3", "exception_message": "no"}}
    told = (said("execution_error", exception_message="no"), said("executing", node=None))
    async with listening(*told, answers=[job("in_progress"), died]) as (engine, backend, _):
        *_, last = [one async for one in engine.watch(backend, HANDLE)]
    assert "KSampler (3): no" in str(last.error)


async def test_a_line_that_breaks_ends_the_telling_and_not_the_job():
    async with listening(*TOLD[:2], answers=[job("pending"), job("in_progress")]) as (engine, backend, _):
        readings = [one async for one in engine.watch(backend, HANDLE)]
    assert [one.state for one in readings] == [State.QUEUED, State.RUNNING]  # the caller polls from here on


async def test_a_job_that_was_over_before_anyone_listened_is_found_at_once():
    async with listening(answers=[job("completed")]) as (engine, backend, _):
        readings = [one async for one in engine.watch(backend, HANDLE)]
    assert [one.state for one in readings] == [State.SUCCEEDED]


async def test_without_the_library_it_is_polled(monkeypatch):
    monkeypatch.setitem(sys.modules, "websockets.asyncio.client", None)
    async with listening(*TOLD, answers=[]) as (engine, backend, server):
        assert [one async for one in engine.watch(backend, HANDLE)] == []
    assert server.heads == []


async def test_only_the_configured_host_is_asked():
    async with listening(*TOLD, answers=[]) as (engine, backend, server):
        elsewhere = replace(backend, own_host="gpu.example")
        assert [one async for one in engine.watch(elsewhere, HANDLE)] == []
    assert server.heads == []


@pytest.mark.parametrize(
    "message",
    [None, 7, [], {}, {"type": "progress"}, {"type": "progress", "data": {"prompt_id": JOB, "value": 1, "max": 0}}],
)
def test_what_says_nothing_of_the_job_is_nothing(message):
    assert _progress(message, HANDLE) is None
