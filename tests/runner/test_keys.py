"""Keys are for ever, per project and on both databases: what finished comes back, what is in flight is attached to."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from aggregator import errors
from aggregator.testing.memory import Fate
from tests.runner.test_outcomes import ONE, order
from tests.runner.world import World


@pytest.fixture(params=["sqlite", "postgresql"])
def one(request: pytest.FixtureRequest, quick: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose store is on each database."""
    if request.param == "sqlite":
        return World(quick, offers=ONE)
    monkeypatch.setenv("STORE_URL", request.getfixturevalue("postgres_url"))
    return World(quick, offers=ONE, store={"url_env": "STORE_URL"})


def side_by_side(world: World, *lives: Any) -> list[Any]:
    """Several clients at once, each with a life of its own; what each of them returns or raises."""

    async def main() -> list[Any]:
        async def client(life: Any) -> Any:
            async with world.client() as agg, agg.project("film", budget_usd="100") as p:
                return await life(p)

        return await asyncio.gather(*map(client, lives), return_exceptions=True)

    return list(world.virtual(main))


async def other(p: Any) -> Any:
    return await p.text_to_image("a hen", key="fox")


def test_a_key_that_many_processes_order_at_once_is_bought_once(one: World) -> None:
    ended = side_by_side(one, *[order] * 5)
    assert len({result.job_id for result in ended}) == 1
    assert one.transport.count("submit") == 1


def test_what_has_finished_comes_back_in_any_process(one: World) -> None:
    first = one.run(order)
    again = one.run(order)
    assert (again.job_id, again.reused, one.transport.count("submit")) == (first.job_id, True, 1)


def test_of_two_requests_with_one_key_one_is_a_conflict_whoever_comes_first(one: World) -> None:
    ended = side_by_side(one, order, other)
    [conflict] = [end for end in ended if isinstance(end, BaseException)]
    assert isinstance(conflict, errors.KeyConflictError)
    assert conflict.key == "fox"
    assert one.transport.count("submit") == 1


@pytest.mark.parametrize("when", ["under way", "finished", "unknown"])
def test_another_request_with_a_known_key_is_a_conflict_whatever_became_of_it(one: World, when: str) -> None:
    async def first(p: Any) -> None:
        if when == "under way":
            one.transport.fates.append(Fate(service_s=100))
            with pytest.raises(TimeoutError):
                await order(p, wait_s=5)
        elif when == "unknown":
            one.transport.script("submit", "drop_after")
            with pytest.raises(errors.UnavailableError):
                await order(p)
        else:
            await order(p)

    one.run(first)
    with pytest.raises(errors.KeyConflictError):
        one.run(other)
    assert one.transport.count("submit") == 1


def test_a_key_whose_end_nobody_knows_says_so_in_every_process_and_buys_nothing(one: World) -> None:
    one.transport.script("submit", "drop_after")
    first, *others = side_by_side(one, *[order] * 3)
    again = side_by_side(one, *[order] * 3)
    assert {str(end) for end in (*others, *again)} == {str(first)}
    assert {end.accepted for end in again} == {None}
    assert one.transport.count("submit") == 1


def test_one_key_in_two_projects_is_two_keys(one: World) -> None:
    async def both(p: Any) -> Any:
        async with one.agg.project("play", budget_usd="1") as q:
            return await asyncio.gather(order(p), order(q))

    first, second = one.run(both)
    assert first.job_id != second.job_id
    assert one.transport.count("submit") == 2
