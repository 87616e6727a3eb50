"""Promotion: the recipe of a draft on the final stage, with what was approved kept, and nothing paid twice."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aggregator import Aggregator, errors
from aggregator.tasks import TextToImage
from aggregator.testing.memory import PNG, Fate
from tests.runner.world import World

OFFERS = {"memory:draft": "0.04", "memory:grand": "0.50"}


@pytest.fixture
def stages(quick: Any) -> World:
    """One workhorse and one hero."""
    return World(quick, offers=OFFERS, tiers={"memory:grand": "hero"})


async def chain(p: Any) -> tuple[Any, Any, Any]:
    """A picture, an edit of it, and an edit of that."""
    still = await p.text_to_image("a lighthouse", seed=5, key="still")
    night = await p.image_to_image(still, "at night", key="night")
    return still, night, await p.image_to_image(night, "in the rain", key="rain")


def ordered(world: World) -> list[tuple[str, str]]:
    return [(order.endpoint, order.prompt) for order in world.transport.book.values()]


def test_the_step_is_made_again_from_the_same_inputs_by_a_hero(stages: World) -> None:
    async def life(p: Any) -> None:
        _, night, rain = await chain(p)
        final = await p.promote(rain)
        assert (final.model, final.lineage.stage, final.key) == ("memory-grand", "final", "rain@final")
        assert final.lineage.request == rain.lineage.request
        assert list(final.lineage.parents.values()) == [night.job_id]

    stages.run(life)
    assert ordered(stages)[3:] == [("grand", "in the rain")]


def test_the_whole_chain_is_made_again_each_step_from_the_new_one(stages: World) -> None:
    async def life(p: Any) -> None:
        _, _, rain = await chain(p)
        final = await p.promote(rain, through="all")
        night = await p.result_of(next(iter(final.lineage.parents.values())))
        still = await p.result_of(next(iter(night.lineage.parents.values())))
        assert [item.key for item in (still, night, final)] == ["still@final", "night@final", "rain@final"]

    stages.run(life)
    assert ordered(stages)[3:] == [("grand", "a lighthouse"), ("grand", "at night"), ("grand", "in the rain")]


def test_what_is_kept_stays_and_what_is_made_from_it_is_made_from_it(stages: World) -> None:
    async def life(p: Any) -> None:
        still, _, rain = await chain(p)
        final = await p.promote(rain, through="all", keep=[still])
        night = await p.result_of(next(iter(final.lineage.parents.values())))
        assert list(night.lineage.parents.values()) == [still.job_id]

    stages.run(life)
    assert ordered(stages)[3:] == [("grand", "at night"), ("grand", "in the rain")]


def test_keeping_what_is_promoted_is_a_contradiction(stages: World) -> None:
    async def life(p: Any) -> None:
        _, _, rain = await chain(p)
        with pytest.raises(errors.RequestError, match="keep"):
            await p.promote(rain, through="all", keep=[rain])

    stages.run(life)


def test_promoting_twice_pays_once(stages: World) -> None:
    async def life(p: Any) -> Any:
        _, _, rain = await chain(p)
        return [await p.promote(rain, through="all") for _ in range(2)]

    first, second = stages.run(life)
    assert (second.reused, second.artifact) == (True, first.artifact)
    assert len(stages.transport.book) == 6
    stages.run(life)
    assert len(stages.transport.book) == 6


def test_a_plan_shows_the_difference_and_sends_nothing(stages: World) -> None:
    async def life(p: Any) -> Any:
        still, _, rain = await chain(p)
        sent = len(stages.transport.exchanges)
        plan = await p.promote(rain, plan=True, through="all", keep=[still])
        assert len(stages.transport.exchanges) == sent
        return plan

    plan = stages.run(life)
    assert [step.draft.key for step in plan.steps] == ["night", "rain"]
    assert [step.difference_usd for step in plan.steps] == [Decimal("0.46")] * 2
    assert (plan.kept, plan.high_usd) == (("still",), Decimal("1.00"))
    assert any("the draft's input" in note for note in plan.steps[1].notes)
    document = plan.as_json()
    assert document["high_usd"] == "1.00"
    assert document["steps"][0]["draft"]["model"] == "memory-draft"
    assert stages.money()["held"] == 0


def test_a_seed_means_another_picture_on_another_model_and_is_left_out(stages: World) -> None:
    async def life(p: Any) -> Any:
        still = await p.text_to_image("a lighthouse", seed=5, key="still")
        plan = await p.promote(still, plan=True)
        return plan, await p.promote(still)

    plan, final = stages.run(life)
    assert "seed 5 is left out: it means another picture on memory-grand" in plan.steps[0].notes
    assert "seed" not in plan.steps[0].plan.body
    assert final.lineage.request.seed is None


def test_max_usd_bounds_the_whole_chain_together(stages: World) -> None:
    async def life(p: Any) -> None:
        _, _, rain = await chain(p)
        sent = stages.transport.count("submit")
        with pytest.raises(errors.NoRouteError, match=r"\$1.50"):
            await p.promote(rain, through="all", max_usd="1.49")
        assert stages.transport.count("submit") == sent
        await p.promote(rain, through="all", max_usd="1.50")

    stages.run(life)


def test_steps_that_turn_out_dearer_leave_less_for_the_rest(stages: World) -> None:
    """The plan was made with the drafts: what was really paid counts against the bound."""

    async def life(p: Any) -> Any:
        _, _, rain = await chain(p)
        stages.transport.fates.append(Fate(images="1.01"))  # not so much that its price is paused
        with pytest.raises(errors.WorkflowError, match="'rain'") as caught:
            await p.promote(rain, through="all", model="memory:grand", max_usd="1.504")
        return caught.value

    error = stages.run(life)
    assert [result.key for result in error.results] == ["still@final", "night@final"]
    assert ordered(stages)[3:] == [("grand", "a lighthouse"), ("grand", "at night")]


def test_a_step_that_fails_keeps_what_was_made_before_it(stages: World) -> None:
    async def life(p: Any) -> Any:
        _, _, rain = await chain(p)
        stages.transport.fates.extend([Fate(), Fate(end="failed_free")])
        with pytest.raises(errors.WorkflowError, match="'night'") as caught:
            await p.promote(rain, through="all")
        await p.promote(rain, through="all")
        return caught.value

    error = stages.run(life)
    assert ([result.key for result in error.results], error.step) == (["still@final"], "night")
    assert isinstance(error.__cause__, errors.JobFailedError)
    assert ordered(stages)[3:] == [("grand", "a lighthouse"), *[("grand", "at night")] * 2, ("grand", "in the rain")]


def test_a_picked_take_is_kept_as_an_input(stages: World) -> None:
    async def life(p: Any) -> Any:
        takes = await p.takes(TextToImage(prompt="a lighthouse", seed=1), 3, key="still")
        night = await p.image_to_image(takes[1], "at night", key="night")
        final = await p.promote(night)
        return takes[1], final

    picked, final = stages.run(life)
    assert list(final.lineage.parents.values()) == [picked.job_id]


def test_the_draft_of_one_input_given_as_bytes_is_promoted_without_the_caller_having_it(stages: World) -> None:
    async def draft(p: Any) -> None:
        await p.image_to_image(PNG, "at night", key="night")

    async def later(p: Any) -> Any:
        [job] = await stages.agg.jobs()
        return await p.promote(await stages.agg.job(job.id).result())

    stages.run(draft)
    assert stages.run(later).model == "memory-grand"


def test_an_option_that_is_no_option_is_refused(stages: World) -> None:
    async def life(p: Any) -> None:
        still = await p.text_to_image("a lighthouse", key="still")
        with pytest.raises(errors.RequestError, match="unknown option 'seed'"):
            await p.promote(still, seed=3)

    stages.run(life)


async def test_between_models_that_share_seeds_the_seed_is_carried_and_said(tmp_path: Path) -> None:
    async with Aggregator.local(tmp_path) as agg, agg.project("film", budget_usd="5") as p:
        still = await p.text_to_image("a lighthouse", size="64x64", key="still")
        plan = await p.promote(still, plan=True)
        final = await p.promote(still)
    seed = still.lineage.seed
    assert seed is not None
    assert f"seed {seed} is carried" in plan.steps[0].notes
    assert (final.model, final.lineage.seed, final.lineage.request.seed) == ("animatic-final", seed, seed)
