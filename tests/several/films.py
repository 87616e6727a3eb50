"""What the tests of durable runs make, and on what: a film, a draft to be promoted, and the engine's configuration."""

import asyncio
import os
from typing import Any

import pytest

from aggregator.testing.memory import Fate
from aggregator.workflow.model import Step, Workflow
from tests.several.hosts import Hosts

__all__ = ["DRAFT", "FILM", "ON_POSTGRES", "ON_SQLITE", "PAID", "drafted", "engine", "first_order"]

FILM = Workflow(
    name="film",
    steps=(
        Step(name="still", task="text-to-image", values={"prompt": "a lighthouse"}),
        Step(
            name="night", task="image-to-image", values={"image": "@still", "prompt": "{item}"}, each=["dusk", "dawn"]
        ),
        Step(name="small", task="resize", values={"picture": "@still", "width": 8, "height": 8}),
        Step(
            name="extra", task="image-to-image", values={"image": "@still", "prompt": "x"}, when="@still.width > 9000"
        ),
        Step(name="takes", task="image-to-image", values={"image": "@still", "prompt": "more"}, takes=2),
    ),
)
PAID = 5
"""Pictures, at four cents each."""
ON_SQLITE = pytest.mark.parametrize("hosts", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize("hosts", ["postgresql"], indirect=True)


def engine(hosts: Hosts, executor: str = "a", **changes: Any) -> Any:
    """What DBOS is configured with."""
    url = os.environ["STORE_URL"] if hosts.shared else f"sqlite:///{hosts.directory}/dbos.sqlite"
    settings = {"name": "films", "system_database_url": url, "executor_id": executor, "log_level": "CRITICAL"}
    return {**settings, "application_version": "1", **changes}


DRAFT = Workflow(
    name="film",
    steps=(
        Step(name="idea", task="text-to-image", values={"prompt": "a fox"}),
        Step(
            name="board", task="image-to-image", values={"image": "@idea", "prompt": "a board"}, takes=2, pick="person"
        ),
        Step(
            name="extra", task="image-to-image", values={"image": "@board", "prompt": "x"}, when="@board.width > 9000"
        ),
        Step(name="shot", task="image-to-image", values={"image": "@extra", "prompt": "a shot"}),
        Step(name="title", task="text-to-image", values={"prompt": "a title"}),
    ),
)


async def drafted(p: Any) -> None:
    await p.run(DRAFT)
    await p.pick_take("film", "board", 2)
    assert (await p.run(DRAFT)).state == "finished"


def first_order(hosts: Hosts) -> asyncio.Event:
    """Set when the provider takes the first order, which it works at for two seconds of ours."""
    taken = asyncio.Event()
    hosts.transport.fates.append(Fate(service_s=40.0))
    hosts.transport.on_order = lambda _order: taken.set()
    return taken
