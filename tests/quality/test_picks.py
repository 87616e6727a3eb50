"""What you say of outputs is kept in the store, and the standings of the models follow from it."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from aggregator.errors import ContentPolicyError, JobFailedError, RequestError
from aggregator.registry.quality import Quality
from aggregator.tasks import TextToImage
from aggregator.testing.memory import Fate
from tests.runner.world import World

FOX = TextToImage(prompt="a fox", seed=10)
CHEAP, SECOND = "memory-cheap", "memory-second"
OFFERS = ("memory:cheap", "memory:second")


def judged(world: World, say: Any, **options: Any) -> Quality:
    """Make the fox on both models, say something, and return the quality that a new client sees."""

    async def life(p: Any) -> None:
        made = [await p.generate(FOX, model=name, **options) for name in OFFERS]
        await say(p, made)

    world.run(life)
    return world.run(seen)


async def seen(p: Any) -> Quality:
    return p.planner.view.quality


def today(world: World) -> date:
    return datetime.fromtimestamp(world.clock.time(), UTC).date()


def share(world: World, quality: Quality, model: str, role: str | None = None) -> float:
    standing = quality.standing(model, "text-to-image", today(world), role=role)
    assert standing is not None
    assert standing.basis == "own"
    return standing.share


def test_the_take_that_was_picked_stands_above_the_other_in_the_next_process(world: World) -> None:
    async def second(p: Any, made: Any) -> None:
        await p.pick(made, made[1])

    quality = judged(world, second)
    assert share(world, quality, SECOND) > share(world, quality, CHEAP)


def test_a_verdict_counts_at_once_in_the_process_it_was_given_in(world: World) -> None:
    async def life(p: Any) -> None:
        made = [await p.generate(FOX, model=name) for name in OFFERS]
        assert p.planner.view.quality.standing(CHEAP, "text-to-image", today(world)) is None
        await p.pick(made, made[0])
        quality = p.planner.view.quality
        assert share(world, quality, CHEAP) > share(world, quality, SECOND)

    world.run(life)


def test_a_verdict_of_another_process_counts_after_a_reload(world: World) -> None:
    async def life(p: Any) -> None:
        assert p.planner.view.quality.standing(SECOND, "text-to-image", today(world)) is None
        async with world.client() as other, other.project("film", budget_usd="100") as elsewhere:
            made = [await elsewhere.generate(FOX, model=name) for name in OFFERS]
            await elsewhere.pick(made, made[1])
        assert p.planner.view.quality.standing(SECOND, "text-to-image", today(world)) is None
        await world.agg.reload(world.config)
        assert share(world, p.planner.view.quality, SECOND) > share(world, p.planner.view.quality, CHEAP)

    world.run(life)


def test_of_a_pair_the_last_word_counts_and_is_one_row(world: World) -> None:
    async def changed_my_mind(p: Any, made: Any) -> None:
        await p.pick(made, made[1])
        await p.pick(made, made[0])
        await p.thumb(made[0], "down")
        await p.thumb(made[0], "up")

    quality = judged(world, changed_my_mind)
    assert share(world, quality, CHEAP) > share(world, quality, SECOND)
    assert [(row["kind"], row["model"], row["against"]) for row in world.rows("verdict")] == [
        ("pick", CHEAP, SECOND),
        ("up", CHEAP, None),
    ]


def test_a_thumb_up_lifts_and_a_thumb_down_lowers(world: World) -> None:
    async def thumbs(p: Any, made: Any) -> None:
        await p.thumb(made[0], "up")
        await p.thumb(made[1], "down")

    quality = judged(world, thumbs)
    nothing_special = 1 / (1 + 10 ** (-quality.rules.own.typical_elo / 400))
    assert share(world, quality, CHEAP) > nothing_special > share(world, quality, SECOND)


def test_verdicts_under_a_role_say_nothing_of_another(world: World) -> None:
    async def second(p: Any, made: Any) -> None:
        await p.pick(made, made[1])

    world.config["roles"] = {"shot": {"prototype": CHEAP}}
    quality = judged(world, second, role="shot")
    assert share(world, quality, SECOND, role="shot") > share(world, quality, CHEAP, role="shot")
    assert quality.standing(SECOND, "text-to-image", today(world)) is None


def ended(world: World, end: Any, error: type[Exception], **options: Any) -> Quality:
    """The fox ends like this on one model; the quality that a new client sees."""

    async def life(p: Any) -> None:
        world.transport.fates.append(Fate(end=end))
        with pytest.raises(error):
            await p.generate(FOX, model="memory:cheap", **options)

    world.run(life)
    return world.run(seen)


def test_a_job_that_was_taken_and_failed_counts_against_its_model_in_its_role(world: World) -> None:
    quality = ended(world, "failed_free", JobFailedError, role="shot")
    nothing_special = 1 / (1 + 10 ** (-quality.rules.own.typical_elo / 400))
    assert share(world, quality, CHEAP, role="shot") < nothing_special
    assert quality.standing(CHEAP, "text-to-image", today(world)) is None


def test_a_refusal_of_the_content_says_nothing_of_the_model(world: World) -> None:
    assert ended(world, "moderated", ContentPolicyError).standing(CHEAP, "text-to-image", today(world)) is None


def test_takes_of_one_model_say_nothing_of_models(world: World) -> None:
    async def life(p: Any) -> None:
        made = await p.takes(FOX, 3)
        await p.pick(made, made[2])

    world.run(life)
    assert len(world.rows("verdict")) == 2
    assert world.run(seen).standing(CHEAP, "text-to-image", today(world)) is None


def test_only_takes_of_one_request_compare(world: World) -> None:
    async def life(p: Any) -> None:
        fox = await p.text_to_image("a fox")
        hen = await p.text_to_image("a hen")
        for takes, best in (([fox, hen], fox), ([fox], fox), ([fox], hen)):
            with pytest.raises(RequestError, match="pick"):
                await p.pick(takes, best)
        with pytest.raises(RequestError, match="up or down"):
            await p.thumb(fox, "meh")

    world.run(life)
    assert world.rows("verdict") == []


def test_an_output_of_another_store_is_refused(world: World, tmp_path: Any) -> None:
    elsewhere = World(tmp_path / "elsewhere")

    async def made(p: Any) -> Any:
        return await p.generate(FOX)

    result = elsewhere.run(made)

    async def life(p: Any) -> None:
        with pytest.raises(RequestError, match="in this store"):
            await p.thumb(result, "up")

    world.run(life)
    assert world.rows("verdict") == []


def test_the_next_choice_by_quality_is_the_one_that_was_picked(quick: Any) -> None:
    tiers = {CHEAP: "hero", SECOND: "hero"}
    world = World(quick, offers=dict.fromkeys(OFFERS, "0.04"), tiers=tiers)

    async def life(p: Any) -> None:
        made = [await p.generate(FOX, model=name) for name in OFFERS]
        for best in made:
            await p.pick(made, best)
            plan = await p.plan(FOX, stage="final")
            assert plan.offer.model == best.model

    world.run(life)
