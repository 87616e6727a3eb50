"""What a client does about offers that rest: it passes them over, says so, and never gives up on all of them."""

import asyncio
from typing import Any

import pytest

from aggregator import errors
from aggregator.routing.health import REST_S
from aggregator.tasks import TextToImage
from tests.runner.test_outcomes import order
from tests.runner.world import World

TWO = {"memory:cheap": "0.04", "replaying:second": "0.10"}
"""Two providers, so that each has an account of its own; far apart, so that one failure alone changes nothing."""


async def ill(p: Any, world: World) -> None:
    """What two jobs send to the first offer goes nowhere: it rests from the fifth failure on."""
    world.transport.script("submit", *["never_arrives"] * 4, None, *["never_arrives"] * 4)
    await order(p, key="a")
    await order(p, key="b")


def offers(world: World) -> list[str]:
    return [f"{row['provider']}:{row['endpoint']}" for row in world.attempts()]


def test_an_offer_that_rests_is_passed_over_and_the_plan_says_why(quick: Any) -> None:
    world = World(quick, offers=TWO)

    async def life(p: Any) -> Any:
        await ill(p, world)
        plan = await p.plan(TextToImage(prompt="a fox"))
        return await order(p, key="c"), plan

    made, plan = world.run(life)
    assert made.lineage.offer == "replaying:second"
    assert plan.offer.id == "replaying:second"
    assert "memory:cheap rests for another" in plan.why
    (behind,) = plan.alternatives
    assert behind.passed_over == plan.as_json()["alternatives"][0]["passed_over"] != None  # noqa: E711
    assert behind.passed_over.endswith("several requests in a row failed (the last: UnavailableError)")


def test_after_its_rest_one_job_is_let_through_and_then_all(quick: Any) -> None:
    world = World(quick, offers=TWO)

    async def life(p: Any) -> list[str]:
        await ill(p, world)
        await world.clock.sleep(REST_S)
        made = await asyncio.gather(*(order(p, key=f"{n}") for n in range(3)))
        made.append(await order(p, key="later"))
        return [one.lineage.offer.partition(":")[0] for one in made]

    assert world.run(life) == ["memory", "replaying", "replaying", "memory"]


def test_a_fallback_is_not_asked_while_it_rests_and_the_error_says_so(quick: Any) -> None:
    world = World(quick, offers={"replaying:first": "0.03", "memory:cheap": "0.04"})

    async def life(p: Any) -> Any:
        world.transport.script("submit", "402")
        with pytest.raises(errors.QuotaError):
            await order(p, key="a", model="memory:cheap")
        world.transport.script("submit", "404")
        with pytest.raises(errors.InvalidRequestError) as caught:
            await order(p, key="b")
        return caught.value

    said = str(world.run(life))
    assert "Not asked: memory:cheap rests for another" in said
    assert said.endswith("the account is refused (HTTP 402)")
    assert offers(world) == ["memory:cheap", "replaying:first"]


def test_where_everybody_rests_the_first_is_asked_all_the_same(quick: Any) -> None:
    world = World(quick, offers=TWO)

    async def life(p: Any) -> Any:
        world.transport.script("submit", "402", "402")
        with pytest.raises(errors.RoutesExhaustedError):
            await order(p, key="a")
        made = await order(p, key="b")
        return made.lineage.offer

    assert world.run(life) == "memory:cheap"


def test_a_pinned_offer_is_asked_though_it_rests(quick: Any) -> None:
    world = World(quick, offers={"memory:cheap": "0.04"})

    async def life(p: Any) -> Any:
        world.transport.script("submit", "402")
        with pytest.raises(errors.QuotaError):
            await order(p, key="a")
        return await order(p, key="b"), await p.plan((await order(p, key="b")).lineage.request)

    made, plan = world.run(life)
    assert made.lineage.offer == "memory:cheap"
    assert plan.chosen.passed_over is None  # it took a job, so it rests no more


def test_polls_are_not_held_back_by_a_breaker(quick: Any) -> None:
    world = World(quick, offers={"memory:cheap": "0.04"})

    async def life(p: Any) -> Any:
        first = asyncio.create_task(order(p, key="a"))
        await world.clock.sleep(1)
        world.transport.script("submit", "402")
        with pytest.raises(errors.QuotaError):
            await order(p, key="b")
        return await first

    assert world.run(life).artifact is not None


def test_another_tier_does_not_stand_in_for_one_that_rests(quick: Any) -> None:
    world = World(quick, offers=TWO, tiers={"replaying:second": "hero"})

    async def life(p: Any) -> Any:
        world.transport.script("submit", "402")
        with pytest.raises(errors.QuotaError):
            await order(p, key="a")
        return (await order(p, key="b")).lineage.offer

    assert world.run(life) == "memory:cheap"


def test_an_endpoint_that_is_gone_is_left_alone_by_the_next_jobs(world: World) -> None:
    async def life(p: Any) -> list[str]:
        world.transport.script("submit", "404")
        return [(await order(p, key=key)).lineage.offer for key in "abc"]

    assert world.run(life) == ["memory:second"] * 3
    assert offers(world) == ["memory:cheap", *["memory:second"] * 3]  # asked once
