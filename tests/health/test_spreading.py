"""Where an account takes no more jobs, the next offer of the tier is asked, if the configuration says so."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aggregator.routing.health import FULL_S
from aggregator.tasks import TextToImage
from aggregator.testing.memory import Fate
from tests.runner.world import World

OFFERS = {"memory:cheap": "0.04", "replaying:second": "0.05"}
LIMITED = {"memory": 2}


def full_world(directory: Path, *, limits: Any = LIMITED, **routing: Any) -> World:
    world = World(directory, offers=OFFERS)
    for name, most in limits.items():
        world.config["providers"][name]["concurrency"] = most  # type: ignore[index]
    world.config["routing"] = {**world.config["routing"], **routing}  # type: ignore[dict-item]
    world.transport.destiny = lambda: Fate(service_s=60)
    return world


async def burst(p: Any, count: int, **options: Any) -> None:
    jobs = (p.submit(TextToImage(prompt=f"picture {n}"), **options) for n in range(count))
    for job in await asyncio.gather(*jobs):
        await job.result()


def providers(world: World) -> list[str]:
    return [row["provider"] for row in world.attempts()]


def test_a_burst_goes_to_the_next_offer_once_the_first_is_full(quick: Path) -> None:
    world = full_world(quick, spread=True)
    began = world.clock.time()
    world.run(lambda p: burst(p, 5))
    assert providers(world) == ["memory", "memory", "replaying", "replaying", "replaying"]
    assert world.clock.time() - began < 90  # nobody waited for another to end
    assert world.money()["settled"] == 2 * 40_000 + 3 * 50_000


def test_without_the_setting_it_is_waited_for_room(quick: Path) -> None:
    world = full_world(quick)
    world.run(lambda p: burst(p, 5))
    assert providers(world) == ["memory"] * 5


def test_where_all_are_full_the_first_is_waited_for(quick: Path) -> None:
    world = full_world(quick, limits={"memory": 1, "replaying": 1}, spread=True)
    world.run(lambda p: burst(p, 4))
    assert providers(world) == ["memory", "replaying", "memory", "memory"]
    assert {row["state"] for row in world.attempts()} == {"stored"}


def test_a_pinned_offer_is_waited_for(quick: Path) -> None:
    world = full_world(quick, spread=True)
    world.run(lambda p: burst(p, 4, model="memory:cheap"))
    assert providers(world) == ["memory"] * 4


def test_what_the_call_may_cost_bounds_the_spreading_too(quick: Path) -> None:
    world = full_world(quick, spread=True)
    world.run(lambda p: burst(p, 4, max_usd="0.04"))
    assert providers(world) == ["memory"] * 4


def test_the_plan_says_why_and_forgets_it(quick: Path) -> None:
    world = full_world(quick, spread=True)

    async def life(p: Any) -> tuple[str, str]:
        jobs = [await p.submit(TextToImage(prompt=str(n))) for n in range(3)]
        full = await p.plan(TextToImage(prompt="x"))
        await world.clock.sleep(FULL_S)
        again = await p.plan(TextToImage(prompt="x"))
        for job in jobs:
            await job.result()
        return full.why, again.why

    full, again = world.run(life)
    assert "memory:cheap has no room for another job now" in full
    assert "no room" not in again


@pytest.mark.parametrize("spread", [True, False])
def test_one_key_is_one_job_however_it_spreads(quick: Path, spread: bool) -> None:
    world = full_world(quick, limits={"memory": 1}, spread=spread)

    async def life(p: Any) -> None:
        await asyncio.gather(*(p.generate(TextToImage(prompt="x"), key="one") for _ in range(3)))

    world.run(life)
    assert len(world.transport.book) == 1
