"""Bills that are not as quoted, time after time: told, shown by the next plan, and gone when bills are right again."""

from typing import Any

import structlog
from structlog.testing import capture_logs

from tests.limits.charging import charging
from tests.runner.test_outcomes import order
from tests.runner.world import World

ONE = {"memory:cheap": "0.04"}


def orders(world: World, usd: str, *keys: str) -> list[Any]:
    """Orders that are billed so much each; returns the events about drift."""

    async def life(p: Any) -> None:
        for key in keys:
            await order(p, key=key)

    with capture_logs() as told, charging(world, usd):
        world.run(life)
    structlog.reset_defaults()
    return [event for event in told if event["event"] == "price_drift"]


def notes(world: World) -> tuple[str, ...]:
    async def life(p: Any) -> tuple[str, ...]:
        first = await order(p, key="a")
        return tuple((await p.plan(first.lineage.request)).chosen.notes)

    return world.run(life)  # type: ignore[no-any-return]


def test_bills_below_their_quotes_are_told_from_the_third_on_and_every_plan_says_so(quick: Any) -> None:
    world = World(quick, offers=ONE)
    (told,) = orders(world, "0.03", "a", "b", "c")
    assert (told["offer"], told["bills"], told["ratio"], told["log_level"]) == ("memory:cheap", 3, 0.75, "warning")
    assert "its bills are 25 % below their quotes (median of 3)" in notes(world)  # in another process


def test_bills_as_quoted_are_nobodys_news(quick: Any) -> None:
    world = World(quick, offers=ONE)
    assert orders(world, "0.04", "a", "b", "c", "d") == []
    assert not any("quotes" in note for note in notes(world))


def test_right_bills_end_it(quick: Any) -> None:
    world = World(quick, offers=ONE)
    orders(world, "0.03", "a", "b", "c")
    assert orders(world, "0.04", "d", "e", "f", "g") != []  # the median has still to turn
    assert not any("quotes" in note for note in notes(world))
    assert world.money()["settled"] == 3 * 30_000 + 4 * 40_000


def test_what_a_person_corrects_counts_as_the_bill(quick: Any) -> None:
    world = World(quick, offers=ONE)
    orders(world, "0.04", "a", "b", "c")

    async def correcting() -> None:
        async with world.client() as client:
            for row in world.attempts():
                await client.correct_charge(row["id"], charged_usd="0.06")

    world.virtual(correcting)
    assert "its bills are 50 % above their quotes (median of 3)" in notes(world)
