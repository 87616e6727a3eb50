"""Several takes of one request: always a list, each with a seed of its own, bounded together, and none lost."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aggregator import errors
from aggregator.tasks import TextToImage
from aggregator.testing.memory import Fate
from tests.runner.test_outcomes import state
from tests.runner.world import World

FOX = TextToImage(prompt="a fox", seed=10)


def takes(world: World, n: int, request: Any = FOX, *, budget_usd: str = "100", **options: Any) -> Any:
    async def life(p: Any) -> Any:
        return await p.takes(request, n, **options)

    return world.run(life, budget_usd=budget_usd)


def test_one_take_is_a_list_too(world: World) -> None:
    [only] = takes(world, 1)
    assert only.cost.amount_usd == Decimal("0.04")


def test_takes_come_in_order_with_seeds_that_differ(world: World) -> None:
    found = takes(world, 4, key="fox")
    assert [take.lineage.request.seed for take in found] == [10, 11, 12, 13]
    assert [take.key for take in found] == ["fox#1", "fox#2", "fox#3", "fox#4"]
    assert len({take.artifact.sha256 for take in found}) == 4
    assert world.money()["settled"] == 160_000


def test_takes_without_a_seed_are_orders_of_their_own(world: World) -> None:
    assert len(takes(world, 3, TextToImage(prompt="a fox"), key="fox")) == 3
    assert len(world.transport.book) == 3


def test_takes_run_side_by_side(world: World) -> None:
    world.transport.fates.extend([Fate(service_s=100)] * 5)
    began = world.clock.time()
    takes(world, 5)
    assert world.clock.time() - began < 150


def test_the_same_takes_again_pay_nothing_and_more_of_them_pay_for_the_rest(world: World) -> None:
    first = takes(world, 2, key="fox")
    again = takes(world, 3, key="fox")
    assert [take.reused for take in again] == [True, True, False]
    assert [take.artifact for take in again[:2]] == [take.artifact for take in first]
    assert len(world.transport.book) == 3


def test_max_usd_bounds_all_takes_together(world: World) -> None:
    with pytest.raises(errors.NoRouteError) as caught:
        takes(world, 3, max_usd="0.11")
    assert "max_usd" in caught.value.reasons["memory:cheap"]
    assert not world.transport.exchanges
    assert len(takes(world, 3, max_usd="0.12")) == 3


def test_what_is_bounded_is_never_more_to_the_micro_dollar(quick: Any) -> None:
    world = World(quick, offers={"memory:dark": None})
    takes(world, 3, max_usd="1.00")
    assert world.money()["settled"] == 999_999


@pytest.mark.parametrize("n", [0, -1, 65])
def test_a_number_of_takes_has_bounds(world: World, n: int) -> None:
    with pytest.raises(errors.RequestError, match="from 1 to 64"):
        takes(world, n)


def test_a_take_that_fails_keeps_the_others(quick: Path) -> None:
    world = World(quick, offers={"memory:cheap": "0.04"})  # nobody to fall back on
    world.transport.fates.extend([Fate(), Fate(end="failed_free"), Fate()])
    with pytest.raises(errors.WorkflowError, match="1 of 3 takes") as caught:
        takes(world, 3, key="fox")
    kept = [result.key for result in caught.value.results]
    keys = [f"fox#{take}" for take in (1, 2, 3)]
    (failed,) = (take for take, key in enumerate(keys, 1) if key not in kept)  # the second to arrive, whichever it was
    assert kept == [key for take, key in enumerate(keys, 1) if take != failed]
    assert caught.value.step == f"take {failed}"
    assert isinstance(caught.value.__cause__, errors.JobFailedError)
    again = takes(world, 3, key="fox")
    assert [take.reused for take in again] == [key in kept for key in keys]
    assert world.money()["settled"] == 120_000


def test_a_budget_that_ends_half_way_keeps_what_was_ordered(world: World) -> None:
    with pytest.raises(errors.WorkflowError, match="2 of 4 takes") as caught:
        takes(world, 4, key="fox", budget_usd="0.10")
    assert [result.key for result in caught.value.results] == ["fox#1", "fox#2"]
    assert isinstance(caught.value.__cause__, errors.BudgetExceededError)
    assert state(world) == ["stored", "stored"]


def test_a_budget_without_room_for_the_first_take_is_a_plain_refusal(world: World) -> None:
    with pytest.raises(errors.BudgetExceededError):
        takes(world, 4, budget_usd="0.03")
    assert not world.transport.exchanges


def test_whoever_stops_waiting_for_takes_stops_none(world: World) -> None:
    async def life(p: Any) -> Any:
        task = asyncio.create_task(p.takes(FOX, 3, key="fox"))
        await world.clock.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return await p.takes(FOX, 3, key="fox")

    assert len(world.run(life)) == 3
    assert len(world.transport.book) == 3


def test_takes_that_are_not_finished_in_time_go_on(world: World) -> None:
    world.transport.fates.extend([Fate(service_s=100)] * 2)

    async def life(p: Any) -> Any:
        with pytest.raises(TimeoutError, match="2 of 2 takes are not finished yet"):
            await p.takes(FOX, 2, key="fox", wait_s=5)
        return await p.takes(FOX, 2, key="fox")

    assert len(world.run(life)) == 2
    assert len(world.transport.book) == 2
