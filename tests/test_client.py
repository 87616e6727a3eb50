"""The client: opened and closed, again and again, and what it finds of those before it."""

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest

from aggregator import Aggregator, errors
from aggregator.config import Config
from aggregator.tasks import TextToImage
from aggregator.testing.memory import Fate
from tests.runner.test_outcomes import PAID, order, state
from tests.runner.world import World


def test_a_client_that_is_not_open_says_how_to_open_it() -> None:
    with pytest.raises(errors.ConfigurationError, match="async with"):
        Aggregator().project("film")


async def test_a_client_can_be_opened_again(tmp_path: Path) -> None:
    client = Aggregator.local(tmp_path, budget_usd="5")
    for _ in range(2):
        async with client as agg:
            assert (await agg.spend()).budget_usd == 5
    with pytest.raises(errors.ConfigurationError):
        client.project("film")


async def test_a_client_that_cannot_open_leaves_nothing_open(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"not a database at all" * 100)
    client = Aggregator.local(tmp_path)
    for _ in range(2):
        with pytest.raises(errors.StoreError):
            await client.__aenter__()
    (tmp_path / "store.sqlite").unlink()
    async with client:
        pass


def test_without_a_provider_the_client_says_what_to_configure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAL_KEY", raising=False)

    async def main() -> None:
        async with Aggregator({"directory": str(tmp_path)}) as agg, agg.project("film") as p:
            with pytest.raises(errors.ConfigurationError, match=r"Aggregator.local\(\)"):
                await p.text_to_image("a fox")

    asyncio.run(main())


def test_it_is_configured_by_a_file_a_mapping_or_a_config(world: World, tmp_path: Path) -> None:
    file = tmp_path / "aggregator.toml"
    file.write_text('directory = "here"\nallow_ephemeral = true\n[providers.local]\n')

    async def main(config: Any) -> str:
        async with Aggregator(config) as agg:
            assert agg.opened.store.database is not None
            return agg.opened.store.database.name

    def store(name: str) -> str:
        return str(tmp_path / name / "store.sqlite")

    assert store("here") in asyncio.run(main(file))
    assert store("here") in asyncio.run(main(str(file)))
    assert store("there") in asyncio.run(main({"directory": str(tmp_path / "there")}))
    assert store("config") in asyncio.run(main(Config.of({"directory": str(tmp_path / "config")})))


def test_local_keeps_to_the_embedded_backend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAL_KEY", "a-key-that-costs")

    async def main() -> Any:
        async with Aggregator.local(tmp_path) as agg, agg.project("film") as p:
            return await p.plan(TextToImage(prompt="a fox"))

    plan = asyncio.run(main())
    assert plan.offer.provider == "local"
    assert all(item.offer.provider == "local" for item in plan.alternatives)


def test_resuming_goes_on_with_everything_and_tells_each_end(world: World) -> None:
    async def leave(p: Any) -> None:
        for n in range(4):
            await p.submit(TextToImage(prompt=f"shot {n}"), key=f"k{n}")
        await world.clock.sleep(1)

    world.transport.fates.extend([Fate(), Fate(end="failed_free"), Fate(service_s=9e9), Fate()])
    world.run(leave)
    assert state(world) == ["submitted"] * 4

    async def resume(_: Any) -> Any:
        return await world.agg.resume()

    ends = list(world.run(resume).values())
    assert sorted(end if isinstance(end, str) else type(end).__name__ for end in ends) == [
        "JobFailedError",
        "JobTimeoutError",
        "stored",
        "stored",
    ]
    assert (world.transport.count("submit"), world.money()["held"]) == (4, 40_000)
    assert len(world.run(resume)) == 1


def test_resuming_one_project_leaves_the_others(world: World) -> None:
    async def leave(p: Any) -> None:
        for name in ("film", "film/one", "film_1", "filmX1/deep"):
            async with world.agg.project(name) as q:
                await q.submit(TextToImage(prompt=name), key="k")
        await world.clock.sleep(1)

    async def resume(_: Any) -> Any:
        return [
            [record.project for record in await world.agg.jobs(project=name, open_only=True)]
            for name in ("film", "film_1", "nobody")
        ], await world.agg.resume(project="film")

    world.run(leave)
    names, ends = world.run(resume)
    assert names == [["film", "film/one"], ["film_1"], []]
    assert len(ends) == 2
    assert state(world) == ["stored", "stored", "submitted", "submitted"]


def test_a_job_that_is_not_in_the_store_is_an_error(world: World) -> None:
    async def life(_: Any) -> None:
        with pytest.raises(errors.RequestError, match="no job nobody"):
            await world.agg.job("nobody").record()
        with pytest.raises(errors.RequestError, match="no job nobody"):
            await world.agg.job("nobody").result()

    world.run(life)


def test_the_clock_and_the_dice_may_be_given(world: World) -> None:
    async def main() -> Any:
        config = {**world.config}
        client = Aggregator(config, clock=world.clock, rng=Random(3), transport=world.transport, inline_store=True)
        async with client as agg, agg.project("film", budget_usd="1") as p:
            return await order(p)

    result = world.virtual(main)
    assert result.job_id == f"{int(world.clock.START * 1000):011x}{Random(3).getrandbits(52):013x}"
    assert world.money() == PAID
