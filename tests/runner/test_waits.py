"""Every wait has an end: sockets that never return, leases of silent followers, clocks that jump."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import update

from aggregator import engine, errors
from aggregator._http import Stream
from aggregator.runner.context import LEASE_S, SEND_LEASE_S
from aggregator.store.schema import attempt
from aggregator.tasks import TextToImage
from aggregator.testing import memory
from aggregator.testing.memory import Fate, MemoryTransport
from tests.runner.test_outcomes import HELD, ONE, PAID, ends, order, state
from tests.runner.world import World

FOX = TextToImage(prompt="a fox")
FOR_EVER_S = 1e7


@pytest.fixture
def one(quick: Any) -> World:
    return World(quick, offers=ONE)


@pytest.fixture
def stuck(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Has the exchanges with a method never return, whatever their time-outs say."""
    send = MemoryTransport.send

    def method(name: str, times: int = 10**6) -> None:
        left = iter(range(times))

        async def never(self: Any, request: Any, **options: Any) -> Any:
            answer = await send(self, request, **options)
            if request.method == name and next(left, None) is not None:
                await asyncio.sleep(FOR_EVER_S)
            return answer

        monkeypatch.setattr(MemoryTransport, "send", never)

    return method


# ----------------------------------------------------------------------------------------------------- the watchdog


def test_a_paid_exchange_that_never_returns_is_cut_within_its_lease(one: World, stuck: Any) -> None:
    stuck("POST")
    began = one.clock.time()
    error = ends(one, errors.UnavailableError)
    assert error.accepted is None
    assert one.clock.time() - began <= engine.PAID_TIMEOUTS.whole_s + 1 < SEND_LEASE_S
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["unknown"], HELD)


def test_a_look_that_never_returns_is_cut_and_looked_again(one: World, stuck: Any) -> None:
    stuck("GET", times=2)
    one.run(order)
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)


def test_looks_that_never_return_end_soon_after_the_deadline(one: World, stuck: Any) -> None:
    stuck("GET")
    began = one.clock.time()
    assert ends(one, errors.JobTimeoutError, deadline_s=600).accepted is True
    assert one.clock.time() - began < 600 + engine.READ_ATTEMPTS * 300 + 120
    assert (state(one), one.money()) == (["unknown"], HELD)


def test_a_file_that_stops_arriving_is_fetched_again(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stream, cut = MemoryTransport.stream, iter(range(2))

    @asynccontextmanager
    async def stops(self: Any, request: Any, **options: Any) -> AsyncIterator[Stream]:
        async with stream(self, request, **options) as found:
            stuck = next(cut, None) is not None

            async def chunks() -> AsyncIterator[bytes]:
                async for chunk in found.chunks:
                    yield chunk
                    if stuck:
                        await asyncio.sleep(FOR_EVER_S)

            yield replace(found, chunks=chunks())

    monkeypatch.setattr(MemoryTransport, "stream", stops)
    one.run(order)
    assert (one.transport.count("file"), one.transport.count("submit"), state(one)) == (3, 1, ["stored"])


# ------------------------------------------------------------------------------------------------------- the leases


def a_second_client_is_idle_while(world: World, first: Callable[[Any], Any], *, since_s: float, for_s: float) -> None:
    """Another client waits for the same key, and touches nothing while the first one lives."""

    async def main() -> None:
        async with world.client() as one, one.project("film", budget_usd="5") as p:
            mine = asyncio.create_task(first(p))
            await world.clock.sleep(since_s)
            async with world.client() as two, two.project("film") as q:
                other = asyncio.create_task(order(q))
                for _ in range(int(for_s / 5)):
                    await world.clock.sleep(5)
                    [row] = world.attempts()
                    assert row["lease_owner"] == one.opened.runner._context.owner
                    assert row["lease_until"] > world.clock.time() * 1000
                await asyncio.gather(mine, other)

    world.virtual(main)


def test_a_lease_is_renewed_while_nothing_is_heard_of_the_job(one: World) -> None:
    one.transport.fates.append(Fate(service_s=1000))
    one.transport.script("poll", *["500_before"] * 60)
    a_second_client_is_idle_while(one, order, since_s=5, for_s=5 * LEASE_S)
    assert (one.transport.count("submit"), state(one)) == (1, ["stored"])


def test_a_lease_is_renewed_while_a_file_arrives_slowly(one: World, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = MemoryTransport.stream

    @asynccontextmanager
    async def slow(self: Any, request: Any, **options: Any) -> AsyncIterator[Stream]:
        async with stream(self, request, **options) as found:

            async def chunks() -> AsyncIterator[bytes]:
                async for chunk in found.chunks:
                    await asyncio.sleep(150)
                    yield chunk

            yield replace(found, chunks=chunks())

    monkeypatch.setattr(MemoryTransport, "stream", slow)
    monkeypatch.setattr("aggregator._pace.MIN_BYTES_PER_S", 0)
    one.transport.fates.append(Fate(service_s=1))
    a_second_client_is_idle_while(one, order, since_s=30, for_s=4 * LEASE_S)
    assert (one.transport.count("file"), state(one)) == (1, ["stored"])


def test_a_follower_that_lost_its_lease_stops(one: World) -> None:
    """It was suspended, say, and another one has taken over: it only watches from then on."""
    one.transport.fates.append(Fate(service_s=600))

    async def life(p: Any) -> int:
        job = await p.submit(FOX, key="fox")
        await one.clock.sleep(10)
        other = one.agg.opened.runner._context.owner.rpartition("/")[0] + "/other"
        until = one.clock.time() + 400
        taken = update(attempt).values(lease_owner=other, lease_until=int(until * 1000), version=attempt.c.version + 1)
        await one.agg.opened.store.transact(lambda c: c.execute(taken))
        await one.clock.sleep(LEASE_S)
        polls = one.transport.count("poll")
        await one.clock.sleep(250)
        assert one.transport.count("poll") == polls
        await job.result()
        return polls

    one.run(life)
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)


# -------------------------------------------------------------------------------------------------------- the clocks


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
@pytest.mark.parametrize("after_s", [0.02, 10.0])
def test_a_clock_that_jumps_by_an_hour_changes_nothing_for_a_job(one: World, jump_s: float, after_s: float) -> None:
    """While the paid request is on its way, and while the job is waited for."""
    one.transport.fates.append(Fate(service_s=100))

    async def life(p: Any) -> Any:
        job = await p.submit(FOX, key="fox", deadline_s=1800)
        await one.clock.sleep(after_s)
        began = one.clock.monotonic()
        one.pass_time(jump_s)
        for taken in one.transport.book.values():
            taken.at += jump_s  # the provider's clock is right all the time
        result = await job.result()
        assert one.clock.monotonic() - began < 200
        return result

    one.run(life)
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)


@pytest.mark.parametrize("jump_s", [3600.0, -3600.0])
def test_a_clock_that_jumps_makes_no_wait_endless_nor_shorter(one: World, jump_s: float) -> None:
    one.transport.fates.append(Fate(service_s=FOR_EVER_S))

    async def life(p: Any) -> float:
        job = await p.submit(FOX, key="fox", deadline_s=600)
        began = one.clock.monotonic()
        await one.clock.sleep(10)
        one.pass_time(jump_s)
        for taken in one.transport.book.values():
            taken.at += jump_s
        with pytest.raises(errors.JobTimeoutError):
            await job.result()
        return one.clock.monotonic() - began

    assert 595 < one.run(life) < 620


def test_a_living_process_whose_lease_ended_by_a_jump_keeps_its_answer(one: World) -> None:
    """A second process thinks the send is over and calls it unknown; the answer arrives and counts."""
    one.transport.latency_s = 100.0

    async def main() -> Any:
        async with one.client() as first, first.project("film", budget_usd="5") as p:
            job = await p.submit(FOX, key="fox")
            await one.clock.sleep(150)
            one.pass_time(3600)
            async with one.client() as second, second.project("film") as q:
                with pytest.raises(errors.UnavailableError):
                    await order(q)
            assert state(one) == ["unknown"]
            one.transport.latency_s = 0.05
            return await job.result()

    one.virtual(main)
    assert (one.transport.count("submit"), state(one), one.money()) == (1, ["stored"], PAID)


def test_a_send_that_was_held_up_until_its_lease_was_nearly_over_is_announced_again(
    one: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the intent and the first byte the machine slept: another process may think that it was sent."""
    ready = engine.Engine.ready

    async def slept(self: Any, backend: Any) -> None:
        await ready(self, backend)
        one.pass_time(3600.0)
        monkeypatch.setattr(engine.Engine, "ready", ready)

    monkeypatch.setattr(engine.Engine, "ready", slept)
    one.run(order)
    announced = [row["at"] for row in one.rows("event") if row["kind"] == "submitting"]
    assert len(announced) == 2
    assert (one.attempts()[0]["sends"], one.transport.count("submit")) == (1, 1)


# --------------------------------------------------------------------------------------------------------- credentials


def test_a_key_that_is_refused_while_polling_is_never_a_reason_to_order_again(
    quick: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was exchanged for the key is exchanged anew, once; the job is asked for again."""
    from aggregator.contract import Auth, HttpRequest

    tokens = iter(range(10**6))

    def exchange(_key: str, now: float) -> Any:
        yield HttpRequest("GET", "/jobs?since=9e9", trusted=False)
        return f"token-{next(tokens)}", now + 3600

    keyed = Auth(env=("MEMORY_KEY",), token=exchange)
    monkeypatch.setattr(memory, "PROVIDER", replace(memory.PROVIDER, auth=keyed))
    monkeypatch.setenv("MEMORY_KEY", "one-key-of-many")
    world = World(quick, offers=ONE)
    world.transport.script("poll", "401", "401")
    with pytest.raises(errors.AuthenticationError):
        world.run(order)
    assert next(tokens) == 2
    world.transport.script("poll", "401")
    world.run(order)
    assert (world.transport.count("submit"), state(world), world.money()) == (1, ["stored"], PAID)
