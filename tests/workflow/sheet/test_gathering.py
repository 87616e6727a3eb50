"""What a sheet says of a run is what the store has of it: takes, picks, charges, and what each is made from."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aggregator.errors import RequestError
from aggregator.testing.memory import Fate
from aggregator.workflow.model import Carried, Step, Workflow
from aggregator.workflow.sheet.data import Origin, Sheet
from aggregator.workflow.sheet.gathering import read_sheet, version_of
from tests.runner.world import World
from tests.workflow.graphs import edit, flow, picture, world

D = Decimal


@pytest.fixture
def one(quick: Path) -> World:
    return world(quick)


def picked_film(**more: Any) -> Workflow:
    """Three stills for a person to pick from, and a shot of the one."""
    return flow(picture("still", takes=3, pick="person"), edit("shot", "@still"), seed=7, **more)


def ran(one: World, workflow: Workflow, run: str = "film") -> Sheet:
    async def life(p: Any) -> Sheet:
        await p.run(workflow, name=run)
        return await read_sheet(p, run)

    return one.run(life)


def test_takes_say_who_made_them_for_how_much_and_from_what(one: World) -> None:
    of = ran(one, flow(picture("still", takes=2), edit("shot", "@still#2", "at night"), seed=7))
    assert (of.project, of.run, of.stage, of.state) == ("film", "film", "prototype", "finished")
    still, shot = of.steps
    assert [(take.number, take.seed, take.cost_usd, take.offer) for take in still.takes] == [
        (1, 7, D("0.04"), "memory:cheap"),
        (2, 8, D("0.04"), "memory:cheap"),
    ]
    assert (still.picked, still.picked_by, still.state) == (1, "first", "made")
    assert (shot.needs, shot.recipe.origins) == (("still",), (Origin(field="image", step="still", take=2),))
    [take] = shot.takes
    assert (take.recipe.words, take.recipe.origins) == ("at night", (Origin(field="image", step="still", take=2),))
    assert take.took_s is not None
    assert take.took_s > 1
    assert take.file is not None
    assert take.file.path is not None
    assert take.file.path.is_file()
    assert [(bill.name, bill.cost_usd, bill.unknown, bill.run) for bill in of.bills] == [
        ("prototype", D("0.12"), 0, "film")
    ]


def test_a_step_waits_for_a_person_and_then_goes_on_with_the_pick(one: World) -> None:
    paused = ran(one, picked_film())
    assert (paused.state, paused.waiting) == ("paused", ("still",))
    assert [step.state for step in paused.steps] == ["pick", "waiting"]
    assert (paused.steps[0].picked, paused.steps[0].can_pick) == (None, True)
    assert paused.steps[1].why == "waits for a pick at still"

    async def life(p: Any) -> tuple[str, str, Sheet]:
        before = await version_of(p, "film")
        await p.pick_take("film", "still", 2)
        after = await version_of(p, "film")
        await p.run(picked_film())
        return before, after, await read_sheet(p, "film")

    before, after, of = one.run(life)
    assert before != after
    still, shot = of.steps
    assert (of.waiting, still.picked, still.picked_by, still.state) == ((), 2, "person", "made")
    assert shot.takes[0].recipe.origins == (Origin(field="image", step="still", take=2),)
    assert all(take.is_reused for take in still.takes)


def test_what_failed_says_why_and_its_siblings_are_there(one: World) -> None:
    one.transport.fates.extend([Fate(), Fate(end="moderated"), Fate()])
    of = ran(one, flow(picture("still", takes=2), picture("title"), edit("shot", "@still")))
    by_name = {step.name: step for step in of.steps}
    [failed] = [take for step in of.steps for take in step.takes if take.problem]
    assert "memory accepted the job, then it failed" in failed.problem
    assert (failed.file, failed.cost_usd, failed.held_usd) == (None, None, D("0.04"))  # whether it is billed is unknown
    assert by_name["shot"].takes[0].file is not None
    assert (of.bills[0].cost_usd, of.bills[0].unknown) == (D("0.12"), 1)


def test_a_step_of_which_everything_failed_and_what_follows_from_it(one: World) -> None:
    one.transport.fates.append(Fate(end="moderated"))
    of = ran(one, flow(picture("still"), edit("shot", "@still")))
    assert [step.state for step in of.steps] == ["failed", "waiting"]
    assert of.steps[0].why
    assert of.steps[1].why == "follows from still, which failed"


def test_an_edit_takes_steps_and_takes_off_the_sheet(one: World) -> None:
    ran(one, flow(picture("still", takes=3), picture("title"), edit("shot", "@still")))
    less = flow(picture("still", takes=2, pick="person"), edit("shot", "@still"))
    of = ran(one, less)
    assert [(step.name, len(step.takes)) for step in of.steps] == [("still", 2), ("shot", 0)]
    assert of.bills[0].cost_usd == D("0.08")

    async def life(p: Any) -> Sheet:
        with pytest.raises(RequestError, match=r"has no take 3; it has 1, 2"):
            await p.pick_take("film", "still", 3)
        await p.pick_take("film", "still", 2)
        await p.run(less)
        return await read_sheet(p, "film")

    again = one.run(life)
    assert (again.state, again.steps[0].picked) == ("finished", 2)


def test_what_is_under_way_has_no_charge_that_anybody_knows(one: World) -> None:
    async def life(p: Any) -> tuple[Sheet, Sheet]:
        running = asyncio.create_task(p.run(flow(picture("still"))))
        await asyncio.sleep(5)
        during = await read_sheet(p, "film")
        await running
        return during, await read_sheet(p, "film")

    during, after = one.run(life)
    [take] = during.steps[0].takes
    assert (during.state, during.steps[0].state, take.is_coming) == ("running", "running", True)
    assert (take.cost_usd, take.held_usd) == (None, D("0.04"))
    [bill] = during.bills
    assert (bill.cost_usd, bill.unknown, bill.held_usd) == (0, 1, D("0.04"))
    assert after.steps[0].takes[0].cost_usd == D("0.04")


def test_what_is_booked_at_its_bound_is_no_price(tmp_path: Path) -> None:
    one = World(tmp_path, offers={"memory:cheap": None})

    async def life(p: Any) -> Sheet:
        await p.run(flow(picture("still")), budget_usd="0.50")
        return await read_sheet(p, "film")

    of = one.run(life)
    [take] = of.steps[0].takes
    assert (take.cost_usd, take.is_unpriced) == (D("0.5"), True)
    assert str(of.bills[0]) == "at most $0.50"


def test_a_file_that_is_gone_is_said_to_be(one: World) -> None:
    of = ran(one, flow(picture("still")))
    [take] = of.steps[0].takes
    assert take.file is not None
    assert take.file.path is not None
    take.file.path.unlink()
    again = one.run(lambda p: read_sheet(p, "film"))
    [take] = again.steps[0].takes
    assert (take.file, take.problem) == (None, "its file was stored and is there no more")


def test_what_is_made_here_costs_nothing_and_has_no_job(one: World) -> None:
    resize = Step(name="small", task="resize", values={"picture": "@still", "width": 32})
    of = ran(one, flow(picture("still"), resize))
    small = of.steps[1]
    [take] = small.takes
    assert (small.is_edit, take.job, take.cost_usd, take.model) == (True, None, D(0), None)
    assert small.recipe.origins == (Origin(field="picture", step="still"),)
    assert dict(small.recipe.values) == {"width": 32}
    assert take.took_s is not None
    assert take.file is not None


def test_what_a_model_cannot_carry_is_a_warning(one: World) -> None:
    anna = Carried(name="anna", images=("@portrait",))
    of = ran(one, flow(picture("portrait"), picture("scene"), references=(anna,)))
    [take] = of.steps[1].takes
    assert of.steps[1].carried == ("anna",)
    assert take.warnings == ("references (anna) left out: memory:cheap takes none",)


def test_a_promotion_is_counted_beside_its_draft_and_kept_takes_once(one: World) -> None:
    ran(one, picked_film())

    async def life(p: Any) -> Sheet:
        await p.pick_take("film", "still", 2)
        await p.run(picked_film())
        await p.promote_run("film")
        return await read_sheet(p, "film@final")

    of = one.run(life)
    assert [(bill.run, bill.name, bill.cost_usd) for bill in of.bills] == [
        ("film", "prototype", D("0.16")),
        ("film@final", "final", D("0.50")),
    ]
    assert of.steps[0].picked == 2


def test_an_unknown_run_is_named_with_those_there_are(one: World) -> None:
    ran(one, flow(picture("still")))
    with pytest.raises(RequestError, match=r"no run 'flim'; it has film"):
        one.run(lambda p: read_sheet(p, "flim"))


def test_the_sheet_is_plain_data(one: World) -> None:
    written = ran(one, flow(picture("still"))).as_json()
    take = written["steps"][0]["takes"][0]
    assert (take["cost_usd"], take["recipe"]["words"]) == ("0.040000", "a still")
    assert take["files"][0]["path"].endswith(".png")
