"""A client with a feed: jobs on their way, plans being made, the user's own files, and opening without TOML."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from aggregator.errors import ConfigurationError, FeedError, NoRouteError
from aggregator.routing.plan import Ask
from aggregator.tasks import TextToImage
from tests.feed.publisher import NOW, PUBLIC, Publisher, price
from tests.runner.world import World

FOX = TextToImage(prompt="a fox")
CHEAP = Ask(model="memory:cheap", max_usd=None)


@pytest.fixture
def fed(quick: Path, publisher: Publisher) -> World:
    """The memory provider, which only the feed knows."""
    world = World(quick)
    world.clock._start = NOW.timestamp()
    world.config["registry"] = {"feed": str(quick / "feed.bundle"), "feed_key": PUBLIC}
    publish(world, publisher.bundle())
    return world


def publish(world: World, data: bytes) -> None:
    (world.directory / "feed.bundle").write_bytes(data)


def usd(world: World) -> str:
    return str(world.agg.opened.planner.plan(FOX, CHEAP).quote.high_usd)


def test_a_job_on_its_way_keeps_what_it_was_ordered_with(fed: World, publisher: Publisher) -> None:
    fed.transport.script("submit", "slow")

    async def life(p):
        await fed.agg.refresh_registry()
        job = await p.submit(FOX, model="memory:cheap", key="fox")
        publish(fed, publisher.bundle(lambda words: (price(words, "cheap", "0.05"), end(words, "cheap"))))
        assert (await fed.agg.refresh_registry()).serial == 2
        assert (await job.record()).state.value not in ("succeeded", "stored")
        await job.result()
        with pytest.raises(Exception, match="retired"):
            await p.text_to_image("a hen", model="memory:cheap", key="hen")
        return await job.record()

    def end(words, endpoint):
        for rows in words["offers"].values():
            for row in rows:
                if row["endpoint"] == endpoint:
                    row |= {"status": "retired", "retires": "2026-11-21"}

    record = fed.run(life)
    assert record.state.value == "stored"
    assert fed.transport.count("submit") == 1
    assert fed.money() == {"held": 0, "settled": 40_000, "overrun": 0}


def test_plans_see_the_old_or_the_new_and_nothing_between(fed: World, publisher: Publisher) -> None:
    """Registry and prices are exchanged together: a price of the one is never seen beside an offer of the other."""

    def both(words):
        price(words, "cheap", "0.05")
        words["cards"]["memory-cheap"]["title"] = "cheap at 0.05"

    async def life(_p):
        await fed.agg.refresh_registry()
        publish(fed, publisher.bundle(both))
        planner, seen = fed.agg.opened.planner, set()
        asking = asyncio.create_task(fed.agg.refresh_registry())
        while not asking.done():
            view = planner.view
            found = planner.plan(FOX, CHEAP)
            await asyncio.sleep(0)
            seen.add((view.registry.card("memory-cheap").title, str(found.quote.high_usd)))
        seen.add((planner.registry.card("memory-cheap").title, usd(fed)))
        return seen

    assert fed.run(life) == {("", "0.04"), ("cheap at 0.05", "0.05")}


def test_it_is_refreshed_in_the_background_and_a_failure_changes_nothing(fed: World, publisher: Publisher) -> None:
    async def life(_p):
        planner = fed.agg.opened.planner
        seen = []
        for data in (None, publisher.bundle(lambda words: price(words, "cheap", "0.05")), b"broken"):
            if data is not None:
                publish(fed, data)
            await fed.clock.sleep(4000)
            seen.append(usd(fed))
        view = planner.view
        await fed.clock.sleep(40_000)
        assert planner.view is view
        return seen

    assert fed.run(life) == ["0.04", "0.05", "0.05"]


def test_the_next_client_starts_with_the_last_good_one(fed: World) -> None:
    async def first(_p):
        await fed.agg.refresh_registry()

    async def second(_p):
        return usd(fed)

    fed.run(first)
    (fed.directory / "feed.bundle").unlink()
    assert fed.run(second) == "0.04"


def test_the_users_own_files_win_over_the_feed(fed: World, tmp_path: Path) -> None:
    own = tmp_path / "own" / "rates" / "memory.toml"
    own.parent.mkdir(parents=True)
    own.write_text('[[rate]]\nendpoint = "cheap"\nunit = "image"\nusd = "0.01"\nfrom = 2026-01-01\n')

    async def life(_p):
        await fed.agg.refresh_registry()
        return usd(fed)

    settings = {**fed.config["registry"], "paths": [str(tmp_path / "own")]}
    assert fed.run(life, registry=settings) == "0.01"


def test_users_files_that_need_what_the_feed_has_not_keep_the_old(
    fed: World, publisher: Publisher, tmp_path: Path
) -> None:
    own = tmp_path / "own" / "offers" / "memory" / "mine.toml"
    own.parent.mkdir(parents=True)
    own.write_text('model = "animatic-draft"\nendpoint = "mine"\ntask = "text-to-image"\nchecked = 2026-11-01\n')

    async def life(_p):
        view = fed.agg.opened.planner.view
        with pytest.raises(FeedError, match=r"your own files.*mine.toml: line 1: model: unknown"):
            await fed.agg.refresh_registry()
        assert fed.agg.opened.planner.view is view

    fed.run(life, registry={**fed.config["registry"], "paths": [str(tmp_path / "own")]})


def test_a_feed_that_takes_everything_away_leaves_the_client_alone(fed: World, publisher: Publisher) -> None:
    async def life(p):
        await fed.agg.refresh_registry()
        publish(fed, publisher.bundle(lambda words: words.update(cards={}, offers={}, boards={}, rates={})))
        assert (await fed.agg.refresh_registry()).counts["offers"][2] > 0  # a few may go
        with pytest.raises(NoRouteError):
            await p.text_to_image("a fox", key="fox")

    fed.run(life)


def test_without_a_feed_it_says_what_to_write(world: World) -> None:
    async def life(_p):
        with pytest.raises(ConfigurationError, match="feed_key"):
            await world.agg.refresh_registry()

    world.run(life)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"feed": "feed.bundle"}, "needs the key"),
        ({"feed_key": PUBLIC}, "needs the key"),
        ({"feed": "https://user:word@example.com/x", "feed_key": PUBLIC}, "no user or password"),
        ({"feed": "ftp://example.com/x", "feed_key": PUBLIC}, "write an address"),
        ({"feed": "x", "feed_key": "c2hvcnQ="}, "pattern"),
        ({"feed": "x", "feed_key": PUBLIC, "feed_ttl_s": 1}, "60"),
        ({"feed": "x", "feed_key": [PUBLIC, ""]}, "pattern"),
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(words: dict, said: str) -> None:
    from aggregator.config import Config

    with pytest.raises(ConfigurationError, match=said):
        Config.of({"registry": words})


def test_a_path_is_relative_to_the_file_that_names_it(tmp_path: Path) -> None:
    from aggregator.config import load_config

    (tmp_path / "aggregator.toml").write_text(f'[registry]\nfeed = "feeds/own.bundle"\nfeed_key = "{PUBLIC}"\n')
    config = load_config(tmp_path / "aggregator.toml", {})
    assert config.registry.feed == str(tmp_path / "feeds" / "own.bundle")


OPENING = """
import asyncio, tomllib
def refuse(*_):
    raise AssertionError("TOML is parsed")
tomllib.loads = tomllib.load = refuse
from aggregator import Aggregator
async def main():
    async with Aggregator({"directory": ".", "providers": {"local": {}}, "allow_ephemeral": True}) as agg:
        opened = agg.opened.planner
        print(len(opened.registry.all_offers()), len(opened.view.prices.rates("fal")))
asyncio.run(main())
"""


def test_opening_parses_no_toml(tmp_path: Path) -> None:
    """Hundreds of files were compiled to two indexes; what is built from them is built when it is asked for."""
    done = subprocess.run([sys.executable, "-c", OPENING], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    offers, rates = map(int, done.stdout.split())
    assert offers > 500
    assert rates > 50
