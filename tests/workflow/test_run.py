"""Running a graph: each purchase once, siblings kept, what was made found again, money kept before anything is sent."""

import asyncio
from dataclasses import replace
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from aggregator import Aggregator
from aggregator.cli.run_view import draw_run
from aggregator.errors import BudgetExceededError, ContentPolicyError, NoRouteError, PriceUnknownError, RequestError
from aggregator.testing.memory import Fate
from aggregator.workflow.events import RunEvent
from aggregator.workflow.model import Carried, Step, Workflow
from aggregator.workflow.planning import plan_run
from aggregator.workflow.run import set_aside
from aggregator.workflow.runs import open_desk
from tests.runner.world import World
from tests.workflow.graphs import diamond, edit, flow, picture, states, world

D = Decimal


@pytest.fixture
def one(quick: Path) -> World:
    return world(quick)


def ran(one: World, workflow: Workflow, **given: Any) -> Any:
    async def life(p: Any) -> Any:
        return await p.run(workflow, **given)

    return one.run(life)


def planned(one: World, workflow: Workflow, **given: Any) -> Any:
    async def life(p: Any) -> Any:
        return await p.plan_run(workflow, **given)

    return one.run(life)


def refused(one: World, *counts: int) -> None:
    """The orders of these numbers are refused for what they show."""
    one.transport.fates.extend(Fate(end="moderated") if n in counts else Fate() for n in range(1, max(counts) + 1))


# ------------------------------------------------------------------------------------------------------ once, and again


def test_a_graph_is_made_as_parallel_as_its_data_allow(one: World) -> None:
    before = one.clock.time()
    run = ran(one, diamond())
    assert (run.state, set(states(run).values())) == ("finished", {"done"})
    assert len(one.transport.book) == 5
    assert run.cost_usd == one.transport.charged_usd == D("0.20")
    assert one.clock.time() - before < 3 * 20 * 1.25  # three steps of 20 s one after another, not five
    assert set(run.outputs) == {"left-more", "right-more"}
    assert all(path.exists() for path in run.outputs.values())


def test_to_run_it_again_pays_nothing(one: World) -> None:
    first = ran(one, diamond())
    again = ran(one, diamond())
    assert set(states(again).values()) == {"reused"}
    assert (len(one.transport.book), again.cost_usd) == (5, 0)
    assert again.outputs == first.outputs


def test_an_edit_pays_for_what_follows_from_it_and_the_preview_says_so(one: World) -> None:
    ran(one, diamond())
    edited = diamond().with_step("left", values={"prompt": "left, at noon"})
    plan = planned(one, edited)
    assert {step.name: step.state for step in plan.steps if step.state != "reused"} == {
        "left": "run",
        "left-more": "run",
    }
    whys = {step.name: step.why for step in plan.steps}
    assert whys["left"] == "prompt: 'left, at night' → 'left, at noon'"
    assert whys["left-more"] == "follows from left"
    assert (plan.high_usd, plan.kept_usd) == (D("0.08"), D("0.12"))
    run = ran(one, edited)
    assert run.cost_usd == plan.high_usd
    assert {name for name, state in states(run).items() if state == "done"} == {"left", "left-more"}
    assert ran(one, diamond()).cost_usd == 0  # and back again: it is still there


def test_to_rename_steps_or_to_add_one_pays_for_the_new_alone(one: World) -> None:
    ran(one, flow(picture("still", "a fox")))
    run = ran(one, flow(picture("opening", "a fox"), edit("night", "@opening")))
    assert states(run) == {"opening": "reused", "night": "done"}


def test_what_is_the_same_twice_in_a_graph_is_bought_once(one: World) -> None:
    """However the twin is asked for; and it is priced and told once."""
    twin = picture("b", "a fox", model="memory-cheap")
    run = ran(one, flow(picture("a", "a fox"), twin, edit("c", "@b")))
    assert len(one.transport.book) == 2
    assert run.media("a").sha256 == run.media("b").sha256
    assert [(step.state, step.why) for step in run.plan.steps][1] == ("attached", "the same as a")
    assert run.plan.high_usd == run.cost_usd == one.transport.charged_usd == D("0.08")
    assert one.money()["held"] == 0


def test_takes_of_which_some_are_there_have_their_money(one: World) -> None:
    board = flow(picture("board", takes=2))
    ran(one, board)

    async def life(p: Any) -> Any:
        await p.set_budget(budget_usd="0.16")
        return await p.run(flow(picture("board", takes=4)))

    run = one.run(life, budget_usd=None)
    assert (run.state, run.cost_usd) == ("finished", D("0.08"))


def test_options_of_a_provider_make_it_another_step(one: World) -> None:
    plain, sharp = picture("still"), picture("still", provider_options={"memory": {"sharp": True}})
    ran(one, flow(plain))
    assert states(ran(one, flow(sharp))) == {"still": "done"}


def test_a_local_edit_is_made_once(one: World) -> None:
    small = Step(name="small", task="resize", values={"picture": "@still", "width": 8})
    workflow = flow(picture("still"), small)
    assert states(ran(one, workflow)) == {"still": "done", "small": "done"}
    again = ran(one, workflow)
    assert states(again) == {"still": "reused", "small": "reused"}
    assert again.outputs["small"].exists()


def test_another_model_makes_a_step_again_and_says_why(one: World) -> None:
    ran(one, flow(picture("still")))
    changed = flow(picture("still", model="memory-second"))
    (step,) = planned(one, changed).steps
    assert (step.state, step.why) == ("run", "model: memory-cheap → memory-second")
    assert ran(one, changed).results("still")[0].model == "memory-second"


def test_an_offer_that_rests_makes_nothing_again(one: World) -> None:
    """What was paid for stays, however its offer fares by now."""
    ran(one, diamond())

    async def life(p: Any) -> Any:
        where = p.planner.where("memory", "cheap", "memory-cheap")
        p.planner.quarantined = {"memory:cheap": "a probe found it gone"}
        assert p.planner.plan(next(iter(_requests())), p.ask({})).offer.id == "memory:second"
        assert where
        return await p.run(diamond())

    assert set(states(one.run(life)).values()) == {"reused"}


def _requests() -> Any:
    from aggregator.tasks import TextToImage

    yield TextToImage(prompt="anything")


# -------------------------------------------------------------------------------------------------- failures, crashes


def test_one_failure_keeps_its_siblings(one: World) -> None:
    refused(one, 2)
    run = ran(one, diamond())
    assert run.state == "failed"
    found = states(run)
    assert sorted(found.values()) == ["blocked", "done", "done", "done", "failed"]
    (failed,) = run.failed
    assert isinstance(run.failed[failed], ContentPolicyError)
    assert found[f"{failed}-more"] == "blocked"
    assert run.outcomes[f"{failed}-more"].why == f"follows from {failed}, which failed"
    assert one.money()["held"] == 40_000  # of the refusal alone: nobody knows whether it is billed
    again = ran(one, diamond())
    assert again.state == "finished"
    assert sorted(states(again).values()) == ["done", "done", "reused", "reused", "reused"]


def test_a_run_that_is_cut_off_goes_on_and_attaches(one: World) -> None:
    async def cut(p: Any) -> None:
        task = asyncio.create_task(p.run(diamond()))
        await p._opened.clock.sleep(30.0)  # the picture is made, its edits are under way
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    one.run(cut)
    assert len(one.transport.book) == 3
    assert one.money()["held"] > 0  # what is under way, and what is still to come
    plan = planned(one, diamond())
    assert {step.name: step.state for step in plan.steps} == {
        "still": "reused",
        "left": "attached",
        "right": "attached",
        "left-more": "run",
        "right-more": "run",
    }
    run = ran(one, diamond())
    assert (run.state, len(one.transport.book)) == ("finished", 5)
    assert one.transport.charged_usd == D("0.20")
    assert one.money() == {"held": 0, "settled": 200_000, "overrun": 0}


def test_a_run_that_is_cut_off_goes_on_with_who_made_it_whoever_would_make_it_now(one: World) -> None:
    async def cut(p: Any) -> None:
        task = asyncio.create_task(p.run(diamond()))
        await p._opened.clock.sleep(30.0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    one.run(cut)
    run = ran_with(one, diamond(), routing={"allow": ["memory"], "deny": ["memory:cheap"]})
    assert run.state == "finished"
    assert len(one.transport.book) == 5
    assert [run.results(name)[0].model for name in ("still", "left", "left-more")] == [
        "memory-cheap",
        "memory-cheap",
        "memory-second",
    ]


def ran_with(one: World, workflow: Workflow, **settings: Any) -> Any:
    async def life(p: Any) -> Any:
        return await p.run(workflow)

    return one.run(life, **settings)


def test_a_run_that_was_cut_off_after_an_edit_does_not_take_the_old_for_the_new(one: World) -> None:
    """What counts for a run that goes on is what was made since it was last changed."""
    ran(one, flow(picture("still")))
    changed = flow(picture("still", model="memory-second"))

    async def begin(p: Any) -> None:
        desk = await open_desk(p, changed)
        await set_aside(desk, await plan_run(desk))  # and killed before its first order

    one.run(begin)
    run = ran(one, changed)
    assert run.results("still")[0].model == "memory-second"
    assert one.money()["held"] == 0


# --------------------------------------------------------------------------------------------------------------- money


def test_the_money_of_the_whole_run_is_kept_before_anything_is_sent(one: World) -> None:
    async def life(p: Any) -> Any:
        held: list[Decimal] = []

        async def look() -> None:
            for _ in range(6):
                await p._opened.clock.sleep(9.0)
                spend = await p.spend()
                held.append(spend.held_usd + spend.settled_usd)

        looking = asyncio.create_task(look())
        await p.run(diamond())
        await looking
        return held

    assert set(one.run(life)) == {D("0.20")}  # kept or spent, from the first order to the last
    assert one.money() == {"held": 0, "settled": 200_000, "overrun": 0}


def test_a_run_that_does_not_fit_sends_nothing(one: World) -> None:
    async def life(p: Any) -> None:
        with pytest.raises(BudgetExceededError, match=r"0\.20"):
            await p.run(diamond())

    one.run(life, budget_usd="0.19")
    with pytest.raises(BudgetExceededError, match=r"it may cost \$0\.20, and budget_usd is \$0\.19"):
        ran(world(one.directory / "other"), diamond(), budget_usd="0.19")
    assert not one.transport.book


def test_others_cannot_take_the_money_of_a_run(one: World) -> None:
    async def life(p: Any) -> Any:
        run = asyncio.create_task(p.run(diamond()))
        await p._opened.clock.sleep(5.0)
        with pytest.raises(BudgetExceededError):
            await p.text_to_image("something else", max_usd="0.04")
        return await run

    assert one.run(life, budget_usd="0.23").state == "finished"


def test_an_unknown_price_needs_a_bound(tmp_path: Path) -> None:
    one = World(tmp_path, offers={"memory:cheap": None})
    with pytest.raises(PriceUnknownError, match="nobody knows yet what still may cost: give the run budget_usd"):
        ran(one, flow(picture("still")))
    assert not one.transport.book
    plan = planned(one, flow(picture("still"), edit("night", "@still")))
    assert (plan.unpriced, plan.high_usd) == (("still", "night"), None)
    run = ran(one, flow(picture("still"), edit("night", "@still")), budget_usd="1")
    assert run.plan.high_usd == 1
    assert [step.high_usd for step in run.plan.steps] == [D("0.5"), D("0.5")]
    assert one.money()["held"] == 0


def test_a_step_has_its_share_of_the_budget(one: World) -> None:
    with pytest.raises(NoRouteError, match="step 'still'"):
        ran(one, flow(picture("still", share=0.1)), budget_usd="0.30")
    assert ran(one, flow(picture("still", share=0.2)), budget_usd="0.30").state == "finished"


def test_fit_chooses_who_makes_what(one: World) -> None:
    async def life(p: Any) -> Any:
        fit = await p.fit_run(diamond(), budget_usd="0.30")
        run = await p.run(diamond(), fit=fit, budget_usd="0.30")
        return fit, run

    fit, run = one.run(life)
    assert fit.quote.priced.high_usd <= D("0.30")
    assert run.state == "finished"
    chosen = {step.name: step.way.model for step in fit.quote.steps}
    assert {name: run.results(name)[0].model for name in chosen} == chosen


# -------------------------------------------------------------------------------------------------------------- takes


def test_a_person_picks_and_the_run_goes_on(one: World) -> None:
    workflow = flow(picture("board", takes=3, pick="person"), edit("night", "@board"))
    run = ran(one, workflow)
    assert (run.state, run.waiting, states(run)["night"]) == ("paused", ("board",), "blocked")
    assert len({result.artifact.sha256 for result in run.results("board")}) == 3
    assert one.money()["held"] == 40_000  # the rest of the run has its money still

    async def pick(p: Any) -> Any:
        with pytest.raises(RequestError, match="no take 4; it has 1, 2, 3"):
            await p.pick_take("film", "board", 4)
        await p.pick_take("film", "board", 2)
        return await p.run(workflow)

    run = one.run(pick)
    assert (run.state, run.outcomes["board"].picked) == ("finished", 2)
    assert run.results("night")[0].lineage.request.image.job_id == run.results("board")[1].job_id
    assert len(one.transport.book) == 4
    edited = workflow.with_step("board", values={"prompt": "another board"})
    assert ran(one, edited).waiting == ("board",)  # a pick holds for what it was made of


def test_a_function_picks(one: World) -> None:
    workflow = flow(picture("board", takes=3, pick="score:last"), edit("night", "@board"))
    run = ran(one, workflow, scorers={"last": lambda result: int(result.lineage.request.values().get("seed", 0))})
    assert run.outcomes["board"].picked == 1  # all alike: the first

    async def size(result: Any) -> float:
        return float(result.job_id == run.results("board")[2].job_id)

    again = ran(one, flow(picture("board", takes=3, pick="score:size"), name="other"), scorers={"size": size})
    assert again.outcomes["board"].picked == 3
    with pytest.raises(RequestError, match="'none', and no such function was given: scorers has size"):
        ran(one, flow(picture("b", takes=2, pick="score:none")), scorers={"size": size})


def test_all_takes_go_on(one: World) -> None:
    workflow = flow(picture("board", takes=3, pick="all"), edit("night", "@item", each="@board"))
    run = ran(one, workflow)
    assert [name for name in run.outcomes if name != "board"] == ["night.1", "night.2", "night.3"]
    parents = [run.results(f"night.{n}")[0].lineage.request.image.job_id for n in (1, 2, 3)]
    assert parents == [result.job_id for result in run.results("board")]


def test_a_take_that_fails_leaves_the_others(one: World) -> None:
    refused(one, 1)
    run = ran(one, flow(picture("board", takes=3), edit("night", "@board")))
    assert run.state == "finished"
    assert "1 of 3 takes failed" in run.outcomes["board"].why
    assert one.run(lambda p: p.open_run("film")).outcomes["board"].why == run.outcomes["board"].why
    assert [result is None for result in run.results("board")].count(True) == 1
    out = StringIO()
    draw_run(Console(file=out, width=100, color_system=None), run, plan=None, took_s={}, saved={}, again="again")
    assert "Missing takes" in out.getvalue()
    assert "board: 1 of 3 takes failed: " in out.getvalue()


# --------------------------------------------------------------------------------------------------- what is carried


def test_what_a_model_cannot_carry_is_left_out_and_said(one: World) -> None:
    workflow = flow(
        picture("portrait"),
        picture("scene"),
        references=(Carried(name="anna", images=("@portrait",), prompt="on 16 mm film"),),
        seed=7,
    )
    plan = planned(one, workflow)
    portrait, scene = plan.steps
    assert scene.notes == ("anna (references) left out: memory:cheap takes no references",)
    assert portrait.notes == ()  # it is the reference
    run = ran(one, workflow)
    request = run.results("scene")[0].lineage.request
    assert (request.prompt, request.seed) == ("a scene, on 16 mm film", 7)
    assert run.results("portrait")[0].lineage.request.prompt == "a portrait"


def test_a_step_that_is_skipped_passes_its_input_on(one: World) -> None:
    workflow = flow(
        picture("still"),
        edit("wide", "@still", when="@still.size_bytes > 4000"),
        edit("night", "@wide"),
        picture("extra", when="{extra}"),
        edit("more", "@extra"),
        inputs={"extra": False},
    )
    run = ran(one, workflow)
    assert states(run) == {"still": "done", "wide": "skipped", "night": "done", "extra": "skipped", "more": "skipped"}
    assert run.results("night")[0].lineage.request.image.job_id == run.results("still")[0].job_id
    assert (run.outcomes["wide"].why, run.outcomes["more"].why) == (
        "not @still.size_bytes > 4000",
        "what it is made of was skipped",
    )
    assert states(ran(one, workflow, inputs={"extra": True}))["more"] == "done"


def test_a_condition_about_what_was_skipped_does_not_hold(one: World) -> None:
    """Nobody knows how wide a picture is that is not made: that buys nothing."""
    workflow = flow(picture("still"), picture("extra", when="0"), edit("wide", "@still", when="@extra.size_bytes > 1"))
    run = ran(one, workflow)
    assert states(run) == {"still": "done", "extra": "skipped", "wide": "skipped"}
    assert len(one.transport.book) == 1


def test_what_was_paid_for_what_is_kept_is_unknown_where_a_part_is(one: World) -> None:
    ran(one, flow(picture("still"), edit("night", "@still")))
    assert planned(one, flow(picture("still"))).kept_usd == D("0.04")

    async def life(p: Any) -> Any:
        result_of = p.result_of

        async def unknown(job: str) -> Any:
            result = await result_of(job)
            return replace(result, cost=replace(result.cost, amount_usd=None))

        p.result_of = unknown
        return await p.plan_run(flow(picture("still"), edit("night", "@still")))

    plan = one.run(life)
    assert (plan.kept_usd, [step.was_usd for step in plan.steps]) == (None, [None, None])
    assert "unknown was paid for what is kept" in str(plan)


def test_a_step_that_waits_for_a_pick_is_no_output_yet(one: World) -> None:
    assert ran(one, flow(picture("board", takes=2, pick="person"))).outputs == {}


# ---------------------------------------------------------------------------------------------------------- promotion


def test_a_promotion_keeps_what_was_picked_and_makes_what_follows_on_heroes(one: World) -> None:
    workflow = flow(
        picture("idea"),
        edit("board", "@idea", takes=2, pick="person"),
        edit("shot", "@board"),
        edit("grade", "@shot", model="memory-second"),
        picture("title", model="memory-second"),
    )

    async def life(p: Any) -> Any:
        await p.run(workflow)
        with pytest.raises(RequestError, match="waits for a pick at board"):
            await p.promote_run("film")
        await p.pick_take("film", "board", 2)
        draft = await p.run(workflow)
        plan = await p.promote_run("film", plan=True)
        final = await p.promote_run("film")
        again = await p.promote_run("film")
        return draft, plan, final, again

    draft, plan, final, again = one.run(life)
    assert {step.name: step.state for step in plan.steps} == {
        "idea": "reused",
        "board": "reused",
        "title": "reused",
        "shot": "run",
        "grade": "run",
    }
    assert (plan.draft_usd, plan.final_usd) == (D("0.26"), D("0.55"))
    assert final.name == "film@final"
    assert final.cost_usd == plan.final_usd
    assert final.results("shot")[0].model == "memory-grand"
    assert final.results("shot")[0].lineage.request.image.job_id == draft.results("board")[1].job_id
    assert set(states(again).values()) == {"reused"}
    assert str(plan).splitlines()[-1] == "film $0.26 → film@final $0.55 more"
    assert next(step for step in plan.steps if step.name == "shot").draft_s == pytest.approx(20, abs=6)


def test_a_promotion_keeps_what_a_function_picked_and_needs_it_no_more(one: World) -> None:
    workflow = flow(picture("board", takes=3, pick="score:two"), edit("night", "@board"))

    async def life(p: Any) -> Any:
        made: list[str] = []

        def two(result: Any) -> float:
            made.append(result.job_id)
            return float(len(set(made)) == 2)

        await p.run(workflow, scorers={"two": two})
        plan = await p.plan_run(workflow)
        return plan, await p.promote_run("film")

    plan, final = one.run(life)
    assert [step.state for step in plan.steps] == ["reused", "reused"]
    assert (final.state, final.outcomes["board"].picked) == ("finished", 2)


def test_what_a_function_will_pick_is_planned_with_the_first(one: World) -> None:
    board = picture("board", takes=3, pick="score:two")
    ran(one, flow(picture("board", takes=3)))
    plan = planned(one, flow(board, edit("night", "@board"), name="other"))
    assert [step.state for step in plan.steps] == ["reused", "run"]


def test_a_promotion_keeps_what_is_named(one: World) -> None:
    async def life(p: Any) -> Any:
        await p.run(diamond())
        with pytest.raises(RequestError, match="no step 'nothing'"):
            await p.promote_run("film", keep=["nothing"])
        return await p.promote_run("film", keep=["left"])

    found = states(one.run(life))
    assert {name for name, state in found.items() if state == "reused"} == {"still", "left"}


# -------------------------------------------------------------------------------------------------- looking, giving up


def test_a_run_is_read_back_as_it_is(one: World) -> None:
    workflow = flow(picture("board", takes=2, pick="person"), edit("night", "@board"), picture("other"))
    refused(one, 3)
    made = ran(one, workflow)

    async def life(p: Any) -> Any:
        with pytest.raises(RequestError, match="has no run 'another'; it has film"):
            await p.open_run("another")
        return await p.open_run("film"), await one.agg.runs(project="film")

    back, (record,) = one.run(life)
    assert (back.state, record.state, record.name) == (made.state, made.state, "film")
    assert states(back) == states(made)
    assert [r and r.job_id for r in back.results("board")] == [r and r.job_id for r in made.results("board")]
    assert back.waiting == ("board",)


def test_a_run_that_is_given_up_frees_its_money(one: World) -> None:
    ran(one, flow(picture("board", takes=2, pick="person"), edit("night", "@board")))
    assert one.money()["held"] == 40_000

    async def life(p: Any) -> Any:
        await p.cancel_run("film")
        return (await p.open_run("film")).state

    assert (one.run(life), one.money()["held"]) == ("canceled", 0)


def test_its_news_are_told_in_order(one: World) -> None:
    news: list[RunEvent] = []
    ran(one, flow(picture("still"), edit("night", "@still")), on_event=news.append)
    assert [(event.kind, event.step, event.state) for event in news] == [
        ("planned", None, "running"),
        ("ordered", "still", "run"),
        ("step", "still", "done"),
        ("ordered", "night", "run"),
        ("step", "night", "done"),
        ("ended", None, "finished"),
    ]
    assert news[-1].cost_usd == D("0.08")
    assert news[1].job is not None
    assert news[0].plan is not None
    assert all(event.as_json()["run"] == "film" for event in news)


def test_a_step_that_nobody_makes_is_said_before_anything_is_sent(one: World) -> None:
    workflow = flow(picture("still"), Step(name="clip", task="image-to-video", values={"image": "@still"}))
    with pytest.raises(NoRouteError, match="step 'clip'"):
        ran(one, workflow)
    assert not one.transport.book


def test_spend_is_told_by_step(one: World) -> None:
    ran(one, diamond())

    async def life(p: Any) -> Any:
        return await p.spend(by="tag", tags={"step": "left"})

    assert one.run(life).settled_usd == D("0.04")


async def test_the_embedded_backend_makes_a_film(tmp_path: Path) -> None:
    """Fan-out, last frames, a voice, cuts and sound, all real files."""
    workflow = Workflow(
        name="film",
        inputs={"shots": ["slow push-in", "pan left"]},
        seed=3,
        steps=(
            Step(name="still", task="text-to-image", values={"prompt": "a lighthouse", "size": "128x72"}),
            Step(
                name="shot",
                each="{shots}",
                task="image-to-video",
                values={"image": "@still", "prompt": "{item}", "duration_s": 1, "size": "128x72"},
                continues="previous",
            ),
            Step(name="voice", task="text-to-sound", values={"prompt": "waves", "duration_s": 1}),
            Step(name="cut", task="concatenate", values={"clips": "@shot"}),
            Step(name="film", task="mux-sound", values={"video": "@cut", "audio": "@voice"}),
        ),
    )
    async with Aggregator.local(tmp_path / "store") as agg, agg.project("film", budget_usd="1") as p:
        run = await p.run(workflow)
        assert run.state == "finished", str(run)
        film = run.media("film")
        assert (film.width, film.height, film.mime_type) == (128, 72, "video/mp4")
        assert film.duration_s == pytest.approx(2, abs=0.2)
        assert (
            run.outcomes["shot.2"].results[0].lineage.request.values()["image"].sha256
            == run.media("shot.1-last").sha256
        )
        again = await p.run(workflow)
        assert set(states(again).values()) == {"reused"}
        assert again.cost_usd == 0


@pytest.mark.parametrize("at_least", [0, 10**9], ids=["made", "skipped"])
def test_the_twin_that_orders_first_takes_the_money_that_is_kept_for_both(one: World, at_least: int) -> None:
    """The plan keeps it for the first in the graph, which may wait for something, or not be made at all."""
    late = picture("late", "a fox", when=f"@slow.size_bytes > {at_least}")
    workflow = flow(picture("slow"), late, picture("early", "a fox"))

    async def life(p: Any) -> Any:
        return await p.run(workflow)

    run = one.run(life, budget_usd="0.08")
    assert (run.state, run.cost_usd, len(one.transport.book)) == ("finished", D("0.08"), 2), str(run)
    assert one.money() == {"held": 0, "settled": 80_000, "overrun": 0}
