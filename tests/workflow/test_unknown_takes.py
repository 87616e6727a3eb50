"""A step of which one take is unknown for good, and another went on: what follows is not priced again."""

from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.workflow.graphs import edit, flow, picture, states, world


def test_what_follows_from_the_take_that_went_on_is_not_priced_again(quick: Path) -> None:
    one = world(quick)
    one.transport.script("submit", "drop_after")
    workflow = flow(picture("board", takes=2), edit("shot", "@board", model="memory-grand"))

    async def life(p: Any) -> Any:
        await p.run(workflow)
        plan = await p.plan_run(workflow)
        return plan, await p.run(workflow)

    plan, run = one.run(life, budget_usd="0.59")
    assert [(step.name, step.state) for step in plan.steps] == [("board", "attached"), ("shot", "reused")]
    assert plan.high_usd == 0
    assert (states(run)["shot"], run.cost_usd) == ("reused", Decimal(0))
