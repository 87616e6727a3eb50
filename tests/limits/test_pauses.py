"""A bill above its quote: booked in full, and nothing more is bought at that price until somebody has looked."""

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from aggregator import errors
from aggregator.pricing.drift import is_above, rates_of
from aggregator.tasks import TextToImage
from aggregator.testing.memory import Fate, registry
from tests.runner.test_outcomes import ends, order
from tests.runner.world import World

ONE = {"memory:cheap": "0.04"}


@pytest.mark.parametrize(
    ("bill", "quoted", "above"),
    [
        (42_000, 40_000, False),  # 5 %
        (42_001, 40_000, True),
        (10_010_000, 10_000_000, False),  # a cent
        (10_010_001, 10_000_000, True),
        (0, 0, False),
        (1, 0, True),  # free means free
        (1, 40_000, False),
    ],
)
def test_what_counts_as_above_a_quote(bill: int, quoted: int, above: bool) -> None:
    assert is_above(bill, quoted) is above


def test_the_identity_of_rates_is_their_rows_and_their_figures() -> None:
    line = {"row": "p/e/image@2025-01-01", "rate_usd": "0.04"}
    assert rates_of({"lines": [line, line]}) == rates_of({"lines": [line]}) == "p/e/image@2025-01-01=0.04"
    assert rates_of({"lines": [{**line, "rate_usd": "0.08"}]}) != rates_of({"lines": [line]})
    assert rates_of({"lines": []}) == "unpriced"


def dear(world: World, images: str = "2") -> Any:
    """One order whose bill counts more pictures than were ordered."""
    world.transport.fates.append(Fate(images=images))
    return world.run(order)


def test_the_bill_is_booked_in_full_and_the_next_purchase_is_refused_before_any_byte(quick: Any) -> None:
    world = World(quick, offers=ONE)
    assert dear(world).cost.amount_usd == Decimal("0.08")
    assert world.money() == {"held": 0, "settled": 80_000, "overrun": 40_000}
    sent = len(world.transport.exchanges)
    error = ends(world, errors.PricePausedError, key="another")
    assert (error.offer, error.quote_usd, error.bill_usd) == ("memory:cheap", Decimal("0.04"), Decimal("0.08"))
    assert "was to cost up to $0.04 and was billed $0.08. Nothing was sent." in str(error)
    assert "`aggregator pauses lift memory:cheap`" in str(error)
    assert (len(world.transport.exchanges), len(world.rows("job"))) == (sent, 1)
    assert world.money()["held"] == 0
    assert world.run(order).reused  # what was paid is still there


def test_a_bill_within_the_tolerance_pauses_nothing(quick: Any) -> None:
    world = World(quick, offers=ONE)
    assert dear(world, "1.05").cost.amount_usd == Decimal("0.042")
    assert world.rows("pause") == []


def test_in_one_process_and_in_another_the_next_offer_is_used_and_the_plan_says_why(world: World) -> None:
    async def life(p: Any) -> list[str]:
        first = await order(p)
        plan = await p.plan(first.lineage.request)
        assert "memory:cheap is paused: job" in plan.why
        assert plan.alternatives[0].passed_over
        return [first.lineage.offer, (await order(p, key="b")).lineage.offer]

    world.transport.fates.append(Fate(images="2"))
    offers = world.run(life)
    assert offers == ["memory:cheap", "memory:second"]
    assert world.run(lambda p: order(p, key="c")).lineage.offer == "memory:second"


def test_another_process_that_planned_before_the_bill_goes_to_the_next_offer(world: World) -> None:
    async def main() -> list[str]:
        async with (
            world.client() as one,
            world.client() as two,
            one.project("film", budget_usd="9") as p,
            two.project("film", budget_usd="9") as q,
        ):
            before = await order(q, key="before")
            world.transport.fates.append(Fate(images="2"))
            await order(p, key="dear")
            after = await order(q, key="after")
            return [before.lineage.offer, after.lineage.offer]

    assert world.virtual(main) == ["memory:cheap", "memory:second"]


def test_a_fallback_does_not_go_to_a_paused_price(world: World) -> None:
    async def life(p: Any) -> Any:
        await order(p, key="dear", model="memory:second")
        with pytest.raises(errors.InvalidRequestError) as caught:
            await order(p, key="next")
        return caught.value

    world.transport.fates.append(Fate(images="2"))
    world.transport.script("submit", None, "404")
    error = world.run(life)
    assert "Not asked: memory:second is paused" in str(error)
    assert [row["endpoint"] for row in world.attempts()] == ["second", "cheap"]


def test_lifting_allows_it_again_and_the_next_high_bill_pauses_it_again(quick: Any) -> None:
    world = World(quick, offers=ONE)
    dear(world)

    async def lift(p: Any) -> None:
        (pause,) = await world.agg.pauses()
        assert (pause.offer, pause.quote_usd, pause.bill_usd) == ("memory:cheap", Decimal("0.04"), Decimal("0.08"))
        with pytest.raises(errors.RequestError, match="'memory:chaep' is not paused; paused: memory:cheap"):
            await world.agg.lift_pause("memory:chaep")
        fox = TextToImage(prompt="a fox")
        assert (await p.plan(fox)).chosen.passed_over is not None
        await world.agg.lift_pause("memory:cheap")
        assert await world.agg.pauses() == []
        assert (await p.plan(fox)).chosen.passed_over is None
        world.transport.fates.append(Fate(images="2"))
        await order(p, key="b")
        assert len(await world.agg.pauses()) == 1

    world.run(lift)
    ends(world, errors.PricePausedError, key="c")


def test_one_that_was_lifted_elsewhere_is_used_again(world: World) -> None:
    async def main() -> list[str]:
        async with world.client() as one, world.client() as two, one.project("film", budget_usd="9") as p:
            world.transport.fates.append(Fate(images="2"))
            made = [await order(p, key="dear"), await order(p, key="passed over")]
            await two.lift_pause("memory:cheap")
            made += [await order(p, key="learns it"), await order(p, key="again")]
            return [one.lineage.offer.partition(":")[2] for one in made]

    assert world.virtual(main) == ["cheap", "second", "second", "cheap"]


def test_a_corrected_rate_is_another_price(quick: Any) -> None:
    world = World(quick, offers=ONE)
    dear(world)
    registry(quick / "registry", {"memory:cheap": "0.08"})
    world.transport.fates.append(Fate(images="1"))
    assert world.run(lambda p: order(p, key="b")).cost.amount_usd == Decimal("0.08")


def test_an_unpriced_offer_pauses_when_its_bill_is_above_max_usd(quick: Any) -> None:
    from tests.limits.charging import charging

    world = World(quick, offers={"memory:cheap": None})
    with charging(world, "0.07"):
        made = world.run(lambda p: order(p, max_usd="0.05"))
    assert made.cost.amount_usd == Decimal("0.07")
    assert [row["rates"] for row in world.rows("pause")] == ["unpriced"]
    ends(world, errors.PricePausedError, key="b", max_usd="0.05")


def test_the_pause_is_written_with_the_settlement_or_not_at_all(quick: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from aggregator.store import pauses

    world = World(quick, offers=ONE)
    world.transport.fates.append(Fate(images="2"))

    def dies(*_: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pauses, "pause_if_above", dies)
        with pytest.raises(KeyboardInterrupt):
            world.run(order)
    assert world.money()["settled"] == 0
    world.run(order)
    assert (world.money()["settled"], len(world.rows("pause"))) == (80_000, 1)


def test_many_orders_at_once_find_it_out_together(world: World) -> None:
    async def life(p: Any) -> list[str]:
        await order(p, key="dear")
        made = await asyncio.gather(*(order(p, key=f"{n}") for n in range(5)))
        return [one.lineage.offer for one in made]

    world.transport.fates.append(Fate(images="2"))
    assert world.run(life) == ["memory:second"] * 5
