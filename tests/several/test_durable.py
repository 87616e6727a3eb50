"""Workflows on DBOS: the same results and the same bill as without it, whoever goes on with them; what is refused."""

import asyncio
import fcntl
import importlib
import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS

from aggregator.errors import BudgetExceededError, ConfigurationError, WorkflowError
from aggregator.testing.memory import PNG, Fate
from aggregator.workflow import durable
from aggregator.workflow.durable import register
from aggregator.workflow.model import Step, Workflow
from aggregator.workflow.reading import read_back
from tests.several.hosts import Hosts

FILM = Workflow(
    name="film",
    steps=(
        Step(name="still", task="text-to-image", values={"prompt": "a lighthouse"}),
        Step(
            name="night", task="image-to-image", values={"image": "@still", "prompt": "{item}"}, each=["dusk", "dawn"]
        ),
        Step(name="small", task="resize", values={"picture": "@still", "width": 8, "height": 8}),
        Step(
            name="extra", task="image-to-image", values={"image": "@still", "prompt": "x"}, when="@still.width > 9000"
        ),
        Step(name="takes", task="image-to-image", values={"image": "@still", "prompt": "more"}, takes=2),
    ),
)
PAID = 5
"""Pictures, at four cents each."""
ON_SQLITE = pytest.mark.parametrize("hosts", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize("hosts", ["postgresql"], indirect=True)


@pytest.fixture(autouse=True)
def quickly(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name, seconds in {"FIRST_SLEEP_S": 0.05, "LONGEST_SLEEP_S": 0.2, "WAIT_S": 0.05}.items():
        monkeypatch.setattr(durable, name, seconds)
    yield
    DBOS.destroy(destroy_registry=True)


def engine(hosts: Hosts, executor: str = "a", **changes: Any) -> Any:
    """What DBOS is configured with."""
    url = os.environ["STORE_URL"] if hosts.shared else f"sqlite:///{hosts.directory}/dbos.sqlite"
    settings = {"name": "films", "system_database_url": url, "executor_id": executor, "log_level": "CRITICAL"}
    return {**settings, "application_version": "1", **changes}


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
async def test_no_step_of_the_engine_waits_for_a_job_and_none_that_orders_is_repeated(hosts: Hosts) -> None:
    hosts.transport.fates.append(Fate(service_s=60.0))  # three seconds of ours
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p, register(agg, engine(hosts)) as runs:
        workflow_id = await runs.start(p, FILM)
        await runs.wait(p, workflow_id)
        steps = await DBOS.list_workflow_steps_async(f"{workflow_id}/still")
    names = [one["function_name"].rpartition(".")[2] for one in steps]
    looks, sleeps = names.count("look"), names.count("sleep")
    assert (names[:2], names[-1]) == (["decide", "submit"], "fetch")
    assert looks == sleeps + 1 > 3
    took = [
        one["completed_at_epoch_ms"] - one["started_at_epoch_ms"]
        for one in steps
        if "sleep" not in one["function_name"]
    ]
    assert max(took) < 2000
    assert durable.PAID["retries_allowed"] is False


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
            run = await runs.run(p, workflow, scorers={"last": last})
        assert run.outcomes["still"].picked == 3


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


# ---------------------------------------------------------------------------------------------------- several processes


def first_order(hosts: Hosts) -> asyncio.Event:
    """Set when the provider takes the first order, which it works at for two seconds of ours."""
    taken = asyncio.Event()
    hosts.transport.fates.append(Fate(service_s=40.0))
    hosts.transport.on_order = lambda _order: taken.set()
    return taken


@ON_POSTGRES
async def test_another_host_takes_over_what_one_has_left_with_its_files(hosts: Hosts, tmp_path: Path) -> None:
    picture = tmp_path / "mine.png"
    picture.write_bytes(PNG + b"mine")
    night = Step(name="night", task="image-to-image", values={"image": str(picture), "prompt": "at night"})
    small = Step(name="small", task="resize", values={"picture": "@night", "width": 8, "height": 8})
    then = Step(name="more", task="image-to-image", values={"image": "@night", "prompt": "more"})
    workflow = Workflow(name="own", steps=(night, small, then))
    ordered = first_order(hosts)
    async with (
        hosts.on("a") as agg,
        agg.project("film", budget_usd="1") as p,
        register(agg, engine(hosts, "a")) as runs,
    ):
        workflow_id = await runs.start(p, workflow)
        await ordered.wait()
    picture.unlink()
    async with hosts.on("b") as agg, agg.project("film", budget_usd="1") as p:
        async with register(agg, engine(hosts, "b")) as runs:
            assert await runs.take_over("nobody") == []
            assert sorted(await runs.take_over("a")) == [workflow_id, f"{workflow_id}/night"]
            run = await runs.wait(p, workflow_id)
            assert await runs.take_over("a") == []
        assert run.state == "finished"
        assert [path.is_file() for path in run.outputs.values()] == [True, True]
        assert str((await p.spend()).settled_usd) == "0.080000"
    async with hosts.on("c") as agg:  # which has made nothing
        run = await read_back(agg.project("film"), "own")
        assert [path.is_file() for path in run.outputs.values()] == [True, True]
    assert len(hosts.transport.book) == 2


@ON_POSTGRES
async def test_a_process_that_comes_back_goes_on_by_itself(hosts: Hosts) -> None:
    ordered = first_order(hosts)
    async with (
        hosts.on("a") as agg,
        agg.project("film", budget_usd="1") as p,
        register(agg, engine(hosts, "a")) as runs,
    ):
        workflow_id = await runs.start(p, FILM)
        await ordered.wait()
    async with (
        hosts.on("a") as agg,
        agg.project("film", budget_usd="1") as p,
        register(agg, engine(hosts, "a")) as runs,
    ):
        assert (await runs.wait(p, workflow_id)).state == "finished"
    assert len(hosts.transport.book) == PAID


@ON_POSTGRES
@pytest.mark.parametrize("executor", ["local", None])
async def test_on_postgres_a_process_has_a_name_of_its_own(
    hosts: Hosts, executor: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DBOS__VMID", raising=False)
    async with hosts.on("a") as agg:
        with pytest.raises(ConfigurationError, match="give its configuration an executor_id"):
            register(agg, engine(hosts, executor_id=executor))
        monkeypatch.setenv("DBOS__VMID", "host-7")
        if executor is None:
            register(agg, engine(hosts, executor_id=None))


@ON_POSTGRES
async def test_on_postgres_the_books_are_there_too(hosts: Hosts) -> None:
    async with hosts.on("a", store={}) as agg:
        with pytest.raises(ConfigurationError, match=r"needs our store there too.*\[store\]"):
            register(agg, engine(hosts))


@ON_SQLITE
async def test_on_sqlite_there_is_one_process(hosts: Hosts) -> None:
    with (hosts.directory / "dbos.sqlite.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        async with hosts.on("a") as agg:
            with pytest.raises(ConfigurationError, match="SQLite is for one"):
                register(agg, engine(hosts))
    async with hosts.on("a") as agg:
        for _ in range(2):  # and when that is over, the next one may
            async with register(agg, engine(hosts)):
                pass


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dbos", None)
    monkeypatch.delitem(sys.modules, "aggregator.workflow.durable")
    with pytest.raises(ConfigurationError, match=r"aggregator\[dbos\]"):
        importlib.import_module("aggregator.workflow.durable")
