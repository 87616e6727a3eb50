"""Who may move a job: two clients and one key, leases, callers that go away, providers that are not there any more."""

import asyncio
import threading
from dataclasses import replace
from typing import Any

import pytest

from aggregator import Aggregator, engine, errors
from aggregator.clock import SystemClock
from aggregator.job import AttemptState as S
from aggregator.runner import context as context_module
from aggregator.store import journal
from aggregator.store.database import Store
from aggregator.tasks import TextToImage
from aggregator.testing.memory import Fate
from tests.runner.test_outcomes import HELD, NOTHING, ONE, PAID, ends, order, state
from tests.runner.world import World

FOX = TextToImage(prompt="a fox")


@pytest.fixture
def one(quick: Any) -> World:
    return World(quick, offers=ONE)


def together(world: World, *lives: Any) -> list[Any]:
    """Several clients at once, each with a life of its own."""

    async def main() -> list[Any]:
        async def client(life: Any) -> Any:
            async with world.client() as agg, agg.project("film", budget_usd="100") as p:
                return await life(p)

        return await asyncio.gather(*map(client, lives), return_exceptions=True)

    return world.virtual(main)


def test_two_clients_with_one_key_pay_once_and_both_get_the_result(one: World) -> None:
    first, second = together(one, order, order)
    assert first.artifact.sha256 == second.artifact.sha256
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)


def test_many_callers_of_one_client_with_one_key_pay_once(one: World) -> None:
    async def life(p: Any) -> Any:
        return await asyncio.gather(*(order(p) for _ in range(20)))

    assert len({result.job_id for result in one.run(life)}) == 1
    assert (one.transport.count("submit"), one.money()) == (1, PAID)


def test_a_failed_key_that_two_clients_run_again_is_bought_once(one: World) -> None:
    one.transport.script("submit", "402")
    ends(one, errors.QuotaError)
    first, second = together(one, order, order)
    assert first.artifact.sha256 == second.artifact.sha256
    assert (one.transport.count("submit"), len(one.transport.book)) == (2, 1)
    assert (state(one), one.money()) == (["refused", "stored"], PAID)


def test_a_failed_key_that_many_callers_run_again_is_bought_once(one: World) -> None:
    one.transport.script("submit", "402")
    ends(one, errors.QuotaError)

    async def life(p: Any) -> Any:
        return await asyncio.gather(*(order(p) for _ in range(10)))

    one.run(life)
    assert (one.transport.count("submit"), len(one.transport.book)) == (2, 1)


def test_whoever_falls_back_after_the_key_was_bought_again_elsewhere_buys_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One process is about to try the next offer; meanwhile another runs the program again, and gets its result."""
    from aggregator.planning import Planner

    async def main() -> Any:
        async with world.client() as agg, agg.project("film", budget_usd="100") as p:
            opened, again = p._opened.planner, []
            plan = Planner.next_purchase

            def slow(self: Any, *args: Any) -> Any:
                if self is opened:
                    again.append(args)
                return plan(self, *args)

            monkeypatch.setattr(Planner, "next_purchase", slow)
            transact = p._opened.store.transact

            async def overtaken(work: Any) -> Any:
                if again and not again.count("done"):
                    again.append("done")
                    async with world.client() as other, other.project("film") as q:
                        await order(q)
                return await transact(work)

            monkeypatch.setattr(
                type(p._opened.store),
                "transact",
                lambda self, work: overtaken(work) if self is p._opened.store else true(self, work),
            )
            with pytest.raises(errors.QuotaError):
                await order(p)

    true = Store.transact
    world.transport.script("submit", "402")
    world.virtual(main)
    assert (len(world.transport.book), state(world)) == (1, ["refused", "stored"])
    assert world.money() == PAID


def test_a_caller_that_goes_away_stops_nothing(one: World) -> None:
    async def life(p: Any) -> Any:
        task = asyncio.create_task(order(p))
        await one.clock.sleep(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await p.drain()
        return await order(p)

    assert one.run(life).reused
    assert (one.transport.count("submit"), one.money()) == (1, PAID)


def test_a_caller_that_goes_away_at_any_step_leaves_no_unknown(quick: Any) -> None:
    """Cancelled between the purchase and the send, too: what is written down is sent."""
    for steps in range(12):
        world = World(quick / str(steps), offers=ONE)

        async def life(p: Any, steps: int = steps) -> Any:
            task = asyncio.create_task(order(p))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            return await order(p)

        world.run(life)
        assert (state(world), world.money()) == (["stored"], PAID)
        assert len(world.transport.book) == 1


def test_a_caller_that_goes_away_while_a_thread_commits_leaves_no_unknown(quick: Any) -> None:
    """The same with the writer thread: the commit goes on without the caller."""
    world = World(quick, offers=ONE)
    world.transport.fates.append(Fate(service_s=0.0))

    async def main() -> Any:
        client = Aggregator(world.config, transport=world.transport)
        async with client as agg, agg.project("film", budget_usd="1") as p:
            held, entered = threading.Event(), threading.Event()
            now = Store.now

            def slow(self: Any, work: Any, **options: Any) -> Any:
                if getattr(work, "__name__", "") == "begin":
                    entered.set()
                    held.wait(5)
                return now(self, work, **options)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(Store, "now", slow)
                task = asyncio.create_task(order(p))
                assert await asyncio.to_thread(entered.wait, 60)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                held.set()
            return await order(p)

    world.transport.clock = SystemClock()
    world.transport.latency_s = 0.0
    asyncio.run(main())
    assert (state(world), world.money()) == (["stored"], PAID)


def test_closing_waits_for_the_answer_of_a_paid_request(one: World) -> None:
    one.transport.latency_s = 5.0

    async def life(p: Any) -> None:
        await p.submit(FOX, key="fox")
        await one.clock.sleep(1)

    one.run(life)
    assert (state(one), one.money()) == (["submitted"], HELD)


def test_closing_gives_up_on_an_answer_that_does_not_come(one: World) -> None:
    one.transport.latency_s = 100.0

    async def life(p: Any) -> None:
        await p.submit(FOX, key="fox")
        await one.clock.sleep(1)

    one.run(life)
    one.transport.latency_s = 0.05
    assert (state(one), one.money()) == (["submitting"], HELD)
    assert ends(one, errors.UnavailableError).accepted is None
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["unknown"], HELD)


def test_leaving_and_coming_back_goes_on_at_once(one: World) -> None:
    one.transport.fates.append(Fate(service_s=300))

    async def leave(p: Any) -> None:
        with pytest.raises(TimeoutError, match="it goes on"):
            await order(p, wait_s=10)

    one.run(leave)
    assert one.attempts()[0]["lease_owner"] is None
    one.run(order)
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)


def test_the_lease_of_a_paid_request_is_longer_than_its_answer_may_take() -> None:
    paid = engine.PAID_TIMEOUTS
    assert paid.connect_s + paid.write_s + paid.read_s <= paid.whole_s
    assert paid.whole_s + 30 < context_module.SEND_LEASE_S


def test_an_answer_that_takes_long_is_waited_for_by_everybody(one: World) -> None:
    """A slow provider without keys, and a second client: one request, its job is both of theirs."""

    async def patient(p: Any) -> Any:
        one.transport.latency_s = 100.0
        job = await p.submit(FOX, key="fox")
        await one.clock.sleep(99)
        one.transport.latency_s = 0.05
        return await job.result()

    async def second(p: Any) -> Any:
        await one.clock.sleep(70)
        return await order(p)

    first, other = together(one, patient, second)
    assert other.artifact.sha256 == first.artifact.sha256
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)


def test_an_answer_that_comes_late_counts_whoever_gave_up_in_the_meantime(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sender hangs for longer than its lease, as a suspended one does, and then has its answer."""
    patient_s = replace(engine.PAID_TIMEOUTS, whole_s=5000.0)
    monkeypatch.setattr(engine, "PAID_TIMEOUTS", patient_s)

    async def patient(p: Any) -> Any:
        one.transport.latency_s = 1000.0
        job = await p.submit(FOX, key="fox")
        await one.clock.sleep(999)
        one.transport.latency_s = 0.05
        return await job.result()

    async def second(p: Any) -> Any:
        await one.clock.sleep(70)
        return await order(p)

    first, other = together(one, patient, second)
    assert isinstance(other, errors.UnavailableError)
    assert other.accepted is None
    assert first.cost.amount_usd is not None
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)


def test_a_job_is_followed_with_the_account_that_ordered_it(quick: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from aggregator.contract import Auth
    from aggregator.testing import memory

    monkeypatch.setattr(memory, "PROVIDER", replace(memory.PROVIDER, auth=Auth(env=("MEMORY_KEY",))))
    monkeypatch.setenv("MEMORY_KEY", "one-key-of-many")
    world = World(quick, offers=ONE)

    async def leave(p: Any) -> None:
        await p.submit(FOX, key="fox")
        await world.clock.sleep(1)

    world.run(leave)
    monkeypatch.setenv("MEMORY_KEY", "another-key")
    assert "with another key" in str(ends(world, errors.ConfigurationError))
    monkeypatch.delenv("MEMORY_KEY")
    monkeypatch.setattr(memory, "PROVIDER", replace(memory.PROVIDER, auth=Auth(env=("MEMORY_KEY",))))
    assert "not configured any more" in str(ends(world, errors.ConfigurationError))
    assert (state(world), world.money()) == (["submitted"], HELD)
    monkeypatch.setenv("MEMORY_KEY", "one-key-of-many")
    world.run(order)
    assert (state(world), world.money()) == (["stored"], PAID)


async def test_every_move_that_is_not_in_the_table_is_refused(one: World) -> None:
    async with one.client() as agg, agg.project("film") as p:
        job = await p.submit(FOX, key="fox")
        context = agg.opened.runner._context
        of = await context.load(job.id)
        with pytest.raises(errors.StoreError, match="cannot go from"):
            await context.move(of, S.STORED)
        stale = of
        await context.move(of, S.SUBMITTING)
        with pytest.raises(journal.MovedElsewhereError):
            await context.move(stale, S.SUBMITTING)


def test_an_upload_that_fails_orders_nothing(one: World) -> None:
    from aggregator.testing.memory import PNG

    async def edit(p: Any) -> Any:
        return await p.image_to_image(PNG, "at night", key="edit")

    async def fails(p: Any) -> Any:
        with pytest.raises(errors.ProviderError) as caught:
            await edit(p)
        return caught.value

    one.transport.script("upload", "401")
    assert one.run(fails).accepted is False
    assert (one.transport.count("submit"), state(one), one.money()) == (0, ["failed"], NOTHING)
    one.transport.script("upload", "500_before", "drop_after")
    one.run(edit)
    assert (one.transport.count("submit"), one.money()) == (1, PAID)
    [sent] = [order.id for order in one.transport.book.values()]
    assert sent


def test_a_second_caller_joins_one_that_is_about_to_ask_the_next_offer(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aggregator.runner.runner import Runner

    true = Runner._next_offer

    async def slow(*args: Any) -> bool:
        await world.clock.sleep(5)
        return await true(*args)

    monkeypatch.setattr(Runner, "_next_offer", slow)
    world.transport.script("submit", "404")

    async def life(p: Any) -> Any:
        first = asyncio.create_task(order(p))
        await world.clock.sleep(1)
        assert state(world) == ["refused"]
        return await order(p), await first

    second, first = world.run(life)
    assert second.artifact == first.artifact
    assert [row["endpoint"] for row in world.attempts()] == ["cheap", "second"]
    assert len(world.transport.book) == 1


def test_closing_begins_no_paid_request(one: World) -> None:
    """While one answer is waited for, another job is done with its upload: its request does not leave any more."""
    from aggregator.testing.memory import PNG

    async def life(p: Any) -> None:
        one.transport.latency_s = 5.0
        await p.submit(FOX, key="fox")
        await one.clock.sleep(1)
        one.transport.latency_s = 3.0
        upload = asyncio.create_task(p.image_to_image(PNG, "at night", key="night"))
        await one.clock.sleep(1)
        upload.cancel()
        one.transport.latency_s = 20.0

    one.run(life)
    assert (state(one), one.transport.count("submit")) == (["submitted", "reserved"], 1)


def test_what_was_not_sent_by_the_deadline_is_given_back_and_ordered_by_the_next_run(one: World) -> None:
    from aggregator.testing.memory import PNG

    async def night(p: Any) -> Any:
        return await p.image_to_image(PNG, "at night", key="night", wait_s=1e6)

    async def leave(p: Any) -> None:
        one.transport.latency_s = 60.0
        asyncio.create_task(night(p)).add_done_callback(lambda task: task.cancelled() or task.exception())
        await one.clock.sleep(1)

    async def late(p: Any) -> Any:
        one.transport.latency_s = 0.05
        with pytest.raises(errors.JobTimeoutError, match="nothing was ordered") as caught:
            await night(p)
        return caught.value

    one.run(leave)
    assert state(one) == ["reserved"]
    one.pass_time(2 * 3600)
    assert one.run(late).accepted is False
    assert (state(one), one.money(), one.transport.count("submit")) == (["failed"], NOTHING, 0)
    one.run(night)
    assert (state(one), one.money()) == (["failed", "stored"], PAID)


def test_an_answer_that_was_only_in_memory_is_unknown_to_the_next_process(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from aggregator.testing import memory

    async def leave(p: Any) -> None:
        await p.submit(FOX, key="fox")
        await one.clock.sleep(1)

    one.run(leave)
    monkeypatch.setattr(memory, "PROVIDER", replace(memory.PROVIDER, poll=None))
    assert ends(one, errors.UnavailableError).accepted is True
    assert (state(one), one.money()) == (["unknown"], HELD)
