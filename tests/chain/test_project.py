"""`Project.quote` and `Project.fit`, on offers with prices, readings, records and bills."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aggregator.errors import ConfigurationError, NoRouteError, RequestError, UnknownModelError
from aggregator.routing.chain import ChainStep
from aggregator.tasks import ImageToImage, TextToImage, TextToVideo
from aggregator.testing.memory import Fate
from tests.runner.world import World

OFFERS = {"memory:cheap": "0.04", "memory:second": "0.05", "memory:fine": "0.20", "memory:finest": "0.50"}
TIERS = {"memory:fine": "hero", "memory:finest": "hero"}
BOARD = """model,name,score,as_of,ci95,rank,votes,source,confidence,note
memory-finest,finest,1200,2025-12-20,5,1,9000,x,confirmed,
memory-fine,fine,1150,2025-12-20,5,2,9000,x,confirmed,
memory-second,second,1000,2025-12-20,5,3,9000,x,confirmed,
memory-cheap,cheap,900,2025-12-20,5,4,9000,x,confirmed,
"""
STILL = ChainStep("still", TextToImage(prompt="a harbour"))
STEPS = (STILL, ChainStep("edit", ImageToImage(image=STILL.output(width=64, height=64), prompt="at night")))


@pytest.fixture
def world(quick: Path) -> World:
    made = World(quick, offers=OFFERS, tiers=TIERS)
    boards = quick / "registry" / "boards"
    boards.mkdir()
    tables = []
    for task in ("text-to-image", "image-to-image"):
        (boards / f"{task}.csv").write_text(BOARD)
        tables.append(f'["{task}"]\ntitle = "x"\ntask = "{task}"\nkind = "arena"\nunit = "elo"\n')
    (boards / "boards.toml").write_text("\n".join(tables))
    return made


def offers(steps: Any) -> list[tuple[str, str]]:
    return [(step.way.offer, step.way.stage) for step in steps]


def test_a_quote_is_of_what_would_be_called_now(world: World) -> None:
    async def life(p: Any) -> Any:
        return await p.quote(STEPS)

    found = world.run(life)
    assert offers(found.steps) == [("memory:cheap", "prototype")] * 2
    assert found.cost.high_usd == Decimal("0.08")
    assert (found.time, found.untimed, found.worst_s) == (None, ("still", "edit"), 7200)
    assert world.transport.exchanges == []
    assert world.rows("job") == []


def test_stage_role_and_model_of_a_step_count(world: World) -> None:
    async def life(p: Any) -> Any:
        still = ChainStep("still", STILL.request, stage="final", model="memory-fine")
        other = ChainStep("other", STILL.request, role="poster")
        return await p.quote((still, other))

    found = world.run(life, roles={"poster": "memory:second"})
    assert offers(found.steps) == [("memory:fine", "final"), ("memory:second", "prototype")]


def test_times_come_from_what_was_done_before(world: World) -> None:
    world.transport.destiny = lambda: Fate(service_s=20)

    async def life(p: Any) -> Any:
        for _ in range(3):
            await p.text_to_image("a fox")
        return await p.quote(STEPS)

    found = world.run(life)
    assert 20 <= found.time.p50_s / 2 < 30
    assert found.time.p90_s < 60


def test_bills_above_the_quotes_are_expected_again(world: World) -> None:
    world.transport.destiny = lambda: Fate(service_s=1, images=2)

    async def life(p: Any) -> Any:
        await p.text_to_image("a fox", model="memory:cheap")
        return await p.quote([replace(step, model="memory:cheap") for step in STEPS])

    found = world.run(life)
    assert found.cost.high_usd == Decimal("0.16")
    assert found.steps[0].way.high_usd == Decimal("0.04")


@pytest.mark.parametrize(
    ("budget", "chosen"),
    [
        ("0.08", ["cheap", "cheap"]),
        ("0.24", ["cheap", "fine"]),
        ("0.40", ["fine", "fine"]),
        ("0.99", ["fine", "finest"]),
        ("1", ["finest", "finest"]),
    ],
)
def test_a_fit_buys_the_most_quality(world: World, budget: str, chosen: list[str]) -> None:
    async def life(p: Any) -> Any:
        return await p.fit(STEPS, budget_usd=budget)

    fit = world.run(life)
    stages = {"memory:cheap": "prototype", "memory:second": "prototype"}
    assert sorted(offers(fit.quote.steps)) == sorted(
        (f"memory:{name}", stages.get(f"memory:{name}", "final")) for name in chosen
    )
    assert fit.quote.cost.high_usd <= Decimal(budget)
    assert bool(fit.gave_up) == (budget != "1")
    assert fit.best_usd == 1


def test_what_was_fitted_can_be_ordered_as_it_stands(world: World) -> None:
    async def life(p: Any) -> Any:
        fit = await p.fit(STEPS, budget_usd="0.40")
        first, second = (step.way for step in fit.quote.steps)
        still = await p.text_to_image("a harbour", model=first.offer, stage=first.stage)
        edit = await p.image_to_image(still, "at night", model=second.offer, stage=second.stage)
        return fit, still.cost.amount_usd + edit.cost.amount_usd

    fit, spent = world.run(life)
    assert fit.quote.cost.low_usd <= spent <= fit.quote.cost.high_usd


def test_what_nobody_can_make_names_its_step(world: World) -> None:
    async def life(p: Any, steps: Any) -> None:
        await p.quote(steps)

    with pytest.raises(NoRouteError, match="step 'clip': nothing serves this text-to-video"):
        world.run(
            lambda p: life(p, (*STEPS, ChainStep("clip", TextToVideo(prompt="x")))), routing={"allow": ["memory"]}
        )
    with pytest.raises(UnknownModelError, match="step 'still'"):
        world.run(lambda p: life(p, (ChainStep("still", STILL.request, model="nothing-like-it"),)))
    with pytest.raises(RequestError, match="no step before it makes"):
        world.run(lambda p: life(p, STEPS[1:]))


def test_a_budget_is_no_float(world: World) -> None:
    async def life(p: Any) -> None:
        await p.fit(STEPS, budget_usd=0.5)

    with pytest.raises(ConfigurationError, match="float"):
        world.run(life)


def test_an_offer_that_rests_is_not_planned_with(world: World) -> None:
    async def life(p: Any) -> Any:
        world.transport.script("submit", "404")
        await p.text_to_image("a fox")
        return await p.fit(STEPS[:1], budget_usd="0.08")

    assert offers(world.run(life).quote.steps) == [("memory:second", "prototype")]
