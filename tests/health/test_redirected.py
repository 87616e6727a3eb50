"""An answer that names another model than the one that was asked for: kept, said, counted; a dated name is none."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from aggregator import _observe
from aggregator.artifact import Shortfall
from aggregator.runner.served import is_same
from aggregator.store.redirections import redirections
from aggregator.testing import memory
from aggregator.testing.memory import MemoryTransport
from tests.runner.test_outcomes import order
from tests.runner.world import World

NAMING = replace(memory.PROVIDER, served_model="model")


class Naming(MemoryTransport):
    """A server that says which model it used."""

    served: str | None = None

    def _of_order(self, kind: Any, request: Any, fault: Any) -> tuple[int, Any]:
        status, answer = super()._of_order(kind, request, fault)
        return status, {**answer, "model": self.served} if self.served else answer


@pytest.fixture
def world(quick: Path) -> World:
    made = World(quick)
    made.transport = Naming(made.clock, usd=made.transport.usd)
    made.config["providers"]["memory"]["table"] = f"{__name__}:NAMING"  # type: ignore[index]
    return made


def made_by(world: World, served: str | None) -> Any:
    world.transport.served = served  # type: ignore[attr-defined]
    return world.run(lambda p: p.text_to_image("a fox", model="memory:cheap"))


@pytest.mark.parametrize("served", [None, "cheap", "maker/cheap", "cheap-2026-05-30", "memory-cheap", "CHEAP-001"])
def test_the_model_that_was_asked_for_is_no_news(world: World, served: str | None) -> None:
    result = made_by(world, served)
    assert (result.warnings, result.lineage.served_model) == ((), served)
    assert world.rows("redirected") == []


def test_another_model_is_said_in_every_place(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(_observe, "emit", lambda name, **fields: told.append((name, fields)))
    result = made_by(world, "cheap-2.0")
    assert result.warnings == (Shortfall("redirected", "cheap", "cheap-2.0"),)
    assert str(result.warnings[0]) == "redirected: ordered cheap, delivered cheap-2.0"
    assert result.lineage.served_model == "cheap-2.0"
    assert result.lineage.as_json()["served_model"] == "cheap-2.0"
    [[_, event]] = [one for one in told if one[0] == "redirected"]
    assert (event["asked"], event["served"], event["offer"]) == ("cheap", "cheap-2.0", "memory:cheap")
    [log] = [json.loads(row["data"]) for row in world.rows("event") if row["kind"] == "redirected"]
    assert log == {"offer": "memory:cheap", "asked": "cheap", "served": "cheap-2.0"}


def test_the_audit_finds_it_counted(world: World) -> None:
    for served in ("cheap-2.0", "cheap", "cheap-2.0", "other"):
        made_by(world, served)

    async def life(_p: Any) -> Any:
        return await world.agg.opened.store.read(redirections)

    found = world.run(life)
    assert [(one.offer, one.served_model, one.count) for one in found] == [
        ("memory:cheap", "cheap-2.0", 2),
        ("memory:cheap", "other", 1),
    ]
    assert found[0].first_at < found[0].last_at < found[1].first_at


def test_a_later_process_still_knows_who_served(world: World) -> None:
    world.transport.served = "cheap-2.0"  # type: ignore[attr-defined]
    world.run(order)
    again = world.run(order)
    assert (again.reused, again.lineage.served_model, len(again.warnings)) == (True, "cheap-2.0", 1)


@pytest.mark.parametrize(
    ("served", "asked", "same"),
    [
        ("grok-imagine-video-1.5-2026-05-30", "grok-imagine-video-1.5", True),
        ("grok-imagine-video-1.5", "grok-imagine-video", False),
        ("grok-imagine-image-2.0", "grok-imagine-image-quality", False),
        ("gemini-3.8-flash-tts", "gemini-3.8-flash-tts-preview", True),
        ("publishers/google/models/lyria-002", "lyria-002", True),
        ("seedance-1-0-pro-250528", "seedance-1-0-pro-250528", True),
        ("seedance-1-0-pro-260101", "seedance-1-0-pro-250528", False),
        ("ltx-2-3-pro", "ltx-2-pro", False),
        ("black-forest-labs/flux-schnell", "black-forest-labs/flux-schnell:5599ed30", True),
    ],
)
def test_names(served: str, asked: str, same: bool) -> None:
    assert is_same(served, [asked]) is same
