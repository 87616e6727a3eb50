"""Durable runs of several processes: whoever goes on with one comes to the same; what is refused."""

import asyncio
import fcntl
import importlib
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from dbos import DBOS

from aggregator.errors import ConfigurationError, StoreError, WorkflowError
from aggregator.testing.memory import PNG, Fate
from aggregator.workflow import durable
from aggregator.workflow.durable import register
from aggregator.workflow.events import RunEvent
from aggregator.workflow.model import Step, Workflow
from aggregator.workflow.reading import read_back
from tests.several.films import FILM, ON_POSTGRES, ON_SQLITE, PAID, drafted, engine, first_order
from tests.several.hosts import Hosts

pytestmark = pytest.mark.usefixtures("quickly")


@ON_POSTGRES
async def test_another_host_takes_a_promotion_over_with_what_it_keeps(hosts: Hosts) -> None:
    async with hosts.on("a") as agg, agg.project("film", budget_usd="9") as p:
        await drafted(p)
        made = len(hosts.transport.book)
        ordered = first_order(hosts)
        async with register(agg, engine(hosts, "a")) as runs:
            promoting = asyncio.create_task(runs.promote_run(p, "film", keep=["title"]))
            await ordered.wait()
            promoting.cancel()
    async with (
        hosts.on("b") as agg,
        agg.project("film", budget_usd="9") as p,
        register(agg, engine(hosts, "b")) as runs,
    ):
        [workflow_id] = await runs.take_over("a")
        run = await runs.wait(p, workflow_id)
        assert (run.name, run.state, run.outcomes["board"].picked) == ("film@final", "finished", 2)
        assert run.cost_usd == Decimal("0.50")  # which the other one has ordered
        assert len(hosts.transport.book) == made + 1


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
            assert await runs.take_over("a") == [workflow_id]
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
async def test_a_process_that_comes_back_goes_on_by_itself_and_tells_of_it(hosts: Hosts) -> None:
    ordered, before, after = first_order(hosts), list[RunEvent](), list[RunEvent]()
    async with (
        hosts.on("a") as agg,
        agg.project("film", budget_usd="1", tags={"client": "us"}) as p,
        register(agg, engine(hosts, "a")) as runs,
    ):
        workflow_id = await runs.start(p, FILM, on_event=before.append)
        await ordered.wait()
    async with (
        hosts.on("a") as agg,
        agg.project("film", budget_usd="1") as p,
        register(agg, engine(hosts, "a")) as runs,
    ):
        run = await runs.wait(p, workflow_id, on_event=after.append)
        assert (run.state, run.cost_usd) == ("finished", Decimal("0.20"))
        assert {job.tags["client"] for job in await agg.jobs()} == {"us"}
    assert len(hosts.transport.book) == PAID
    assert [one.kind for one in before][:2] == ["planned", "ordered"]
    assert {one.step for one in after if one.kind == "step"} == set(run.outcomes)
    assert (after[-1].kind, after[-1].state) == ("ended", "finished")


@ON_POSTGRES
async def test_an_end_that_the_engine_was_not_told_is_the_end(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    """What failed is not begun again by whoever goes on, but by the next start."""
    is_over, over = durable._Work.is_over, asyncio.Event()

    async def untold(work: Any) -> bool:
        if await is_over(work):
            over.set()
            await asyncio.Event().wait()
        return False

    hosts.transport.fates.extend([Fate(service_s=0.0), Fate(service_s=0.0, end="failed_free")])
    with monkeypatch.context() as patch:
        patch.setattr(durable._Work, "is_over", untold)
        async with (
            hosts.on("a") as agg,
            agg.project("film", budget_usd="1") as p,
            register(agg, engine(hosts, "a")) as runs,
        ):
            await runs.start(p, FILM)
            await over.wait()
    ordered = len(hosts.transport.book)
    async with (
        hosts.on("b") as agg,
        agg.project("film", budget_usd="1") as p,
        register(agg, engine(hosts, "b")) as runs,
    ):
        [workflow_id] = await runs.take_over("a")
        assert (await runs.wait(p, workflow_id)).state == "failed"
        assert len(hosts.transport.book) == ordered
        assert (await runs.run(p, FILM)).state == "finished"


@ON_SQLITE
async def test_a_run_that_is_canceled_in_the_engine_orders_nothing_more(
    hosts: Hosts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ordered, stopped, stop = asyncio.Queue[Any](), asyncio.Event(), durable._Work.stop

    async def noted(work: Any) -> None:
        await stop(work)
        stopped.set()

    monkeypatch.setattr(durable._Work, "stop", noted)
    hosts.transport.fates.append(Fate(service_s=1e6))
    hosts.transport.on_order = ordered.put_nowait
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p, register(agg, engine(hosts)) as runs:
        workflow_id = await runs.start(p, FILM)
        order = await ordered.get()
        await DBOS.cancel_workflow_async(workflow_id)
        await stopped.wait()
        assert [task for task in asyncio.all_tasks() if task.get_name().startswith("step ")] == []
        order.fate = Fate(service_s=0.0)  # what is under way goes on
        [record] = await agg.jobs()
        await agg.job(record.id).result()
        assert len(hosts.transport.book) == 1
        assert (await runs.run(p, FILM)).state == "finished"
    assert len(hosts.transport.book) == PAID


@ON_SQLITE
async def test_while_the_store_is_away_a_run_waits(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    execute, away = durable.execute, [StoreError("away"), StoreError("away")]

    async def sometimes(*given: Any, **options: Any) -> Any:
        if away:
            raise away.pop()
        return await execute(*given, **options)

    monkeypatch.setattr(durable, "execute", sometimes)
    async with hosts.on("a") as agg, agg.project("film", budget_usd="1") as p, register(agg, engine(hosts)) as runs:
        assert (await runs.run(p, FILM)).state == "finished"
        away.extend(StoreError("for long") for _ in range(durable.MAX_AWAY + 1))
        with pytest.raises(WorkflowError, match="for long"):
            await runs.run(p, FILM)
        assert away == []


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
