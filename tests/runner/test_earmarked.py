"""What is kept for a step of a run goes into the step's reservation: once, whatever becomes of the purchase."""

from typing import Any

from aggregator import ledger
from aggregator.store import runs
from aggregator.tasks import TextToImage
from tests.runner.world import World

KEPT = 60_000
STEP = ("cut", "still#1")


async def kept(p: Any) -> None:
    """A run with money for two steps."""

    def write(c: Any) -> None:
        asked = {"workflow": [], "inputs": {}, "stage": "prototype", "generation": "1", "settings": {}}
        runs.open_run(c, p.account, "cut", run_id="cut", at=1, **asked)
        ledger.earmark(c, p.account, "cut", {"still#1": KEPT, "shot#1": KEPT}, at=p.opened.context.now())

    await p.opened.store.transact(write)


async def order(p: Any) -> Any:
    job = await p.order(TextToImage(prompt="a fox"), {"key": "fox"}, earmark=STEP)
    return await job.result()


def left(world: World) -> dict[str, int]:
    return {row["step"]: row["amount"] for row in world.rows("earmark")}


def test_a_step_is_bought_with_what_was_kept_for_it(world: World) -> None:
    """Of 0.13 dollars there are 0.01 left: it would be refused by itself."""

    async def life(p: Any) -> None:
        await kept(p)
        await order(p)

    world.run(life, budget_usd="0.13")
    assert left(world) == {"shot#1": KEPT}
    assert world.money() == {"held": KEPT, "settled": 40_000, "overrun": 0}


def test_a_purchase_that_is_made_again_takes_nothing_more(world: World) -> None:
    """The first offer refuses, and the next one reserves like any other call."""
    world.transport.script("submit", "404")

    async def life(p: Any) -> None:
        await kept(p)
        await order(p)

    world.run(life, budget_usd="0.13")
    assert [row["endpoint"] for row in world.attempts()] == ["cheap", "second"]
    assert left(world) == {"shot#1": KEPT}
    assert world.money() == {"held": KEPT, "settled": 50_000, "overrun": 0}


def test_what_was_bought_before_takes_nothing(world: World) -> None:
    async def life(p: Any) -> None:
        await kept(p)
        await order(p)
        await kept(p)
        await order(p)

    world.run(life)
    assert left(world) == {"still#1": KEPT, "shot#1": KEPT}
    assert world.money() == {"held": 2 * KEPT, "settled": 40_000, "overrun": 0}
