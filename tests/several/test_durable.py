"""Workflows on DBOS: the same results, news and bill as without it."""

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from dbos import DBOS

from aggregator.errors import BudgetExceededError, ConfigurationError, RequestError, WorkflowError
from aggregator.testing.memory import Fate
from aggregator.workflow import durable
from aggregator.workflow.durable import register
from aggregator.workflow.events import RunEvent
from aggregator.workflow.model import Step, Workflow
from tests.several.films import FILM, ON_POSTGRES, ON_SQLITE, PAID, drafted, engine
from tests.several.hosts import Hosts

pytestmark = pytest.mark.usefixtures("quickly")


async def test_a_run_comes_to_the_same_as_without_it_and_is_paid_for_once(hosts: Hosts) -> None:
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p:
        async with register(agg, engine(hosts)) as runs:
            run = await runs.run(p, FILM, budget_usd="0.30")
        assert {name: one.state for name, one in run.outcomes.items()} == {
            "still": "done",
            "night.1": "done",
            "night.2": "done",
            "small": "done",
            "extra": "skipped",
            "takes": "done",
        }
        assert (run.state, len(hosts.transport.book)) == ("finished", PAID)
        spend = await p.spend()
        assert (str(spend.settled_usd), spend.held_usd) == ("0.200000", 0)
        plain = await p.run(FILM, budget_usd="0.30")
        assert plain.cost_usd == 0
        assert {name: one.of(None) for name, one in plain.outcomes.items()} == {
            name: one.of(None) for name, one in run.outcomes.items()
        }
    assert len(hosts.transport.book) == PAID
    assert max(Counter(order.attempt for order in hosts.transport.book.values()).values()) == 1


@ON_SQLITE
async def test_started_twice_it_is_one_run_and_edited_only_what_follows_is_made(hosts: Hosts) -> None:
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p, register(agg, engine(hosts)) as runs:
        ids = {await runs.start(p, FILM) for _ in range(3)}
        assert len(ids) == 1
        await runs.wait(p, ids.pop())
        edited = FILM.with_step("takes", values={"prompt": "less"})
        run = await runs.run(p, edited)
        assert run.state == "finished"
        assert len(hosts.transport.book) == PAID + 2
        again = await runs.run(p, edited)  # it is over: another start of it finds everything
        assert again.state == "finished"
    assert len(hosts.transport.book) == PAID + 2


@ON_POSTGRES
async def test_no_step_of_the_engine_waits_for_a_run_and_none_is_repeated(hosts: Hosts) -> None:
    hosts.transport.fates.append(Fate(service_s=60.0))  # three seconds of ours
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p, register(agg, engine(hosts)) as runs:
        workflow_id = await runs.start(p, FILM)
        await runs.wait(p, workflow_id)
        steps = await DBOS.list_workflow_steps_async(workflow_id)
    names = [one["function_name"].rpartition(".")[2] for one in steps]
    looks, sleeps = names.count("look"), names.count("sleep")
    assert looks == sleeps + 1 > 3
    assert looks + sleeps == len(steps)
    took = [
        one["completed_at_epoch_ms"] - one["started_at_epoch_ms"]
        for one in steps
        if "sleep" not in one["function_name"]
    ]
    assert max(took) < 2000
    assert durable.LOOK["retries_allowed"] is False


@ON_SQLITE
async def test_a_branch_that_fails_keeps_its_siblings_and_is_made_by_the_next_start(hosts: Hosts) -> None:
    hosts.transport.fates.extend([Fate(service_s=0.0), Fate(service_s=0.0, end="failed_free")])
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p:
        async with register(agg, engine(hosts)) as runs:
            run = await runs.run(p, FILM)
            assert run.state == "failed"
            [failed] = run.failed
            assert failed.startswith(("night", "takes"))
            run = await runs.run(p, FILM)
            assert run.state == "finished"
        assert str((await p.spend()).settled_usd) == "0.200000"


@ON_SQLITE
async def test_a_run_waits_for_a_person_and_goes_on_with_the_pick(hosts: Hosts) -> None:
    steps = (
        Step(name="still", task="text-to-image", values={"prompt": "a fox"}, takes=2, pick="person"),
        Step(name="night", task="image-to-image", values={"image": "@still", "prompt": "at night"}),
    )
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p, register(agg, engine(hosts)) as runs:
        run = await runs.run(p, Workflow(name="pick", steps=steps))
        assert (run.state, run.waiting) == ("paused", ("still",))
        await run.pick("still", 2)
        run = await runs.run(p, Workflow(name="pick", steps=steps))
        assert run.state == "finished"
    assert len(hosts.transport.book) == 3
    assert list(hosts.transport.uploads.values()) == [hosts.transport.book["memory-2"].file]


@ON_SQLITE
async def test_takes_are_scored_by_the_function_that_was_registered(hosts: Hosts) -> None:
    step = Step(name="still", task="text-to-image", values={"prompt": "a fox"}, takes=3, pick="score:last")
    workflow = Workflow(name="scored", steps=(step,))
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p:
        scored: list[str] = []

        def last(result: Any) -> float:
            scored.append(result.job_id)
            return float(len(scored))

        async with register(agg, engine(hosts), scorers={"last": last}) as runs:
            with pytest.raises(ConfigurationError, match="given to register"):
                await runs.run(p, workflow, scorers={"last": last})
            run = await runs.run(p, workflow)
        assert run.outcomes["still"].picked == 3
        async with register(agg, engine(hosts)) as runs:
            with pytest.raises(RequestError, match="no such function"):
                await runs.run(p, workflow.with_step("still", takes=2))


@ON_POSTGRES
async def test_what_does_not_fit_is_refused_before_anything_is_written(hosts: Hosts) -> None:
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p, register(agg, engine(hosts)) as runs:
        with pytest.raises(BudgetExceededError):
            await runs.start(p, FILM, budget_usd="0.10")
        assert await DBOS.list_workflows_async() == []
        small = agg.project("small", budget_usd="0.05")
        await small.__aenter__()
        with pytest.raises(WorkflowError, match=r"project:small|does not fit|budget"):
            await runs.run(small, FILM)
    assert hosts.transport.book == {}


async def test_what_two_steps_share_is_told_once_and_what_was_there_before_not_at_all(hosts: Hosts) -> None:
    still = Step(name="still", task="text-to-image", values={"prompt": "a fox"})
    twin = Step(name="twin", task="text-to-image", values={"prompt": "a fox"}, takes=2)
    night = Step(name="night", task="image-to-image", values={"image": "@twin", "prompt": "at night"})
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p, register(agg, engine(hosts)) as runs:
        run = await runs.run(p, Workflow(name="twins", steps=(still, twin)))
        assert (run.cost_usd, len(hosts.transport.book)) == (Decimal("0.08"), 2)
        run = await runs.run(p, Workflow(name="twins", steps=(still, twin, night)))
        assert {name: (one.reused, one.cost_usd) for name, one in run.outcomes.items()} == {
            "still": (True, 0),
            "twin": (True, 0),
            "night": (False, Decimal("0.04")),
        }
    assert len(hosts.transport.book) == 3


def told(run: Any) -> Any:
    """What a run says of itself, but for the jobs."""
    outcomes = {name: (one.state, one.picked, one.reused, one.cost_usd) for name, one in run.outcomes.items()}
    return run.name, run.stage, run.state, run.cost_usd, outcomes


@ON_SQLITE
async def test_a_promotion_comes_to_the_same_and_to_the_same_bill_as_without_it(hosts: Hosts) -> None:
    async with (
        hosts.on("a") as agg,
        agg.project("plain", budget_usd="9") as plain,
        agg.project("film", budget_usd="9") as p,
        register(agg, engine(hosts)) as runs,
    ):
        await drafted(plain)
        await drafted(p)
        with pytest.raises(BudgetExceededError):
            await runs.promote_run(p, "film", keep=["title"], budget_usd="0.40")
        one = await runs.promote_run(p, "film", keep=["title"])
        other = await plain.promote_run("film", keep=["title"])
        assert told(one) == told(other)
        assert one.cost_usd == Decimal("0.50")
        assert one.results("shot")[0].model == "memory-grand"
        assert one.results("shot")[0].lineage.request.image.job_id == one.results("board")[1].job_id
        assert (await p.spend()).settled_usd == (await plain.spend()).settled_usd == Decimal("0.70")
        assert (await runs.promote_run(p, "film", keep=["title"])).cost_usd == 0
        assert told(await p.open_run("film"))[:3] == ("film", "prototype", "finished")


@ON_SQLITE
async def test_what_happens_is_told_as_of_any_run(hosts: Hosts) -> None:
    durably: list[RunEvent] = []
    plainly: list[RunEvent] = []
    async with (
        hosts.on("a") as agg,
        agg.project("plain", budget_usd="1") as plain,
        agg.project("film", budget_usd="1") as p,
        register(agg, engine(hosts)) as runs,
    ):
        await plain.run(FILM, on_event=plainly.append)
        await runs.run(p, FILM, on_event=durably.append)
        assert Counter(map(of_event, durably)) == Counter(map(of_event, plainly))
        assert [durably[0].kind, durably[-1].kind] == ["planned", "ended"]
        assert {one.job for one in durably if one.kind == "ordered"} == {
            job.id for job in await agg.jobs(project="film")
        }
        durably.clear()
        await runs.run(p, FILM)
    assert durably == []


def of_event(event: RunEvent) -> Any:
    return event.kind, event.state, event.step, event.take, event.cost_usd
