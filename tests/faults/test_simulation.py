"""The simulated world itself: the same seed gives the same history, and an hour takes no time."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from aggregator.errors import AggregatorError
from aggregator.testing.memory import Fate
from aggregator.testing.weather import destiny, weather
from tests.runner.world import World


def history(directory: Path, seed: int) -> tuple[list[str], list[str], list[Any], float]:
    """The ids, the chain of hashes, the exchanges and the virtual duration of one stormy life."""
    world = World(directory, seed=seed)
    world.transport.weather = weather(Random(seed), 0.3)
    world.transport.destiny = destiny(Random(seed))

    async def life(p: Any) -> None:
        async def one(n: int) -> None:
            with suppress(AggregatorError):
                await p.text_to_image(f"shot {n}", key=f"k{n}", deadline_s=900)

        await asyncio.gather(*(one(n) for n in range(5)))

    world.run(life)
    ids = [row["id"] for row in world.rows("attempt")]
    hashes = [row["hash"] for row in world.rows("event")]
    return ids, hashes, world.transport.exchanges, world.clock.time()


def test_the_same_seed_gives_the_same_ids_and_the_same_event_log(quick: Path) -> None:
    first, second = history(quick / "a", 5), history(quick / "b", 5)
    assert first == second
    assert len(first[1]) > 10
    assert history(quick / "c", 6)[1] != first[1]


def test_a_simulated_hour_takes_less_than_a_second(world: World) -> None:
    world.transport.fates.append(Fate(service_s=3600.0))

    async def life(p: Any) -> Any:
        return await p.text_to_image("a slow fox", deadline_s=7200)

    world.run(life)  # imports and compiled statements
    world.transport.fates.append(Fate(service_s=3600.0))
    began, virtual = time.perf_counter(), world.clock.time()
    world.run(life)
    assert time.perf_counter() - began < 10.0
    assert world.clock.time() - virtual > 3600.0
    assert world.transport.count("poll") > 200
