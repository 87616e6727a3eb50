"""What a delivery does to a job: it brings the next look forward, and tells where a lost one is; it settles nothing."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from aggregator import errors
from aggregator.job import AttemptState
from aggregator.testing.memory import Fate
from tests.runner.world import World
from tests.webhooks.world import HookWorld

Hooks = Callable[..., HookWorld]
LONG_S = 3_000.0


def ordered(p: Any, **options: Any) -> "asyncio.Task[Any]":
    return asyncio.create_task(p.text_to_image("a lighthouse", key="still", **options))


async def submitted(world: HookWorld, *, seconds: float = 60.0) -> None:
    """Until the server has taken the job, and some time later."""
    while not world.transport.book:
        await world.clock.sleep(0.01)
    await world.clock.sleep(seconds)


def polls(world: HookWorld) -> int:
    return world.transport.count("poll")


@pytest.mark.parametrize("name", ["calling", "signing", "telling"])
def test_a_delivery_makes_the_follower_look_at_once(hooks: Hooks, name: str) -> None:
    world = hooks(name)
    world.transport.fates.append(Fate(service_s=1000.5))

    async def life(p: Any) -> float:
        order = ordered(p)
        await submitted(world, seconds=1000.5)
        before, began = polls(world), world.clock.time()
        answer = await world.deliver(world.order())
        assert (answer.status, answer.body) == (200, b"")
        await order
        assert polls(world) == before + 1
        return world.clock.time() - began

    took_s = world.run(life)
    assert took_s < 1, "without it the next look was up to a minute away"
    [row] = world.inbox()
    assert row["handled_at"] is not None
    assert world.money()["settled"] == 40_000


def test_an_order_says_where_to_call(hooks: Hooks) -> None:
    world = hooks("telling")

    async def life(p: Any) -> None:
        await p.text_to_image("a lighthouse")

    world.run(life)
    attempt = world.attempts()[0]["id"]
    assert world.order().callback.startswith(f"https://api.example.com/hooks/telling/{attempt}.")
    assert len(world.transport.book) == 1


def test_what_a_body_claims_is_not_what_is_booked(hooks: Hooks) -> None:
    world = hooks("signing")
    world.transport.fates.append(Fate(service_s=100, end="failed_free"))

    async def life(p: Any) -> None:
        order = ordered(p)
        await submitted(world, seconds=20)
        assert (await world.deliver(world.order(), "succeeded", msg_id="early lie")).status == 200
        await world.clock.sleep(1)
        assert world.attempts()[0]["state"] in ("submitted", "running")
        await world.clock.sleep(100)
        await world.deliver(world.order(), "succeeded", msg_id="late lie")
        with pytest.raises(errors.JobFailedError):
            await order

    world.run(life)
    assert world.attempts()[0]["state"] == "failed"
    assert world.money() == {"held": 0, "settled": 0, "overrun": 0}


def test_without_a_delivery_looks_are_fewer_and_never_none(hooks: Hooks, quick: Path) -> None:
    told, alone = hooks("calling"), World(quick / "alone")

    async def life(p: Any) -> None:
        await p.text_to_image("a lighthouse", deadline_s=7200)

    counts = []
    for one in (told, alone):
        one.transport.fates.append(Fate(service_s=LONG_S))
        one.run(life)
        counts.append(one.transport.count("poll"))
        assert one.attempts()[0]["state"] == "stored"
    assert 3 < counts[0] < counts[1] / 2


def test_the_same_delivery_again_changes_nothing(hooks: Hooks) -> None:
    world = hooks("signing")
    world.transport.fates.append(Fate(service_s=500))

    async def life(p: Any) -> None:
        order = ordered(p)
        await submitted(world, seconds=120)
        before = polls(world)
        for _ in range(5):
            assert (await world.deliver(world.order(), "failed")).status == 200
            await world.clock.sleep(0.5)
        assert polls(world) <= before + 2
        assert len(world.inbox()) == 1
        await order
        again = await world.deliver(world.order(), "succeeded")
        assert again.status == 200
        assert len(world.inbox()) == 1

    world.run(life)
    assert world.money()["settled"] == 40_000


def test_the_order_of_deliveries_does_not_matter_and_nothing_goes_back(hooks: Hooks) -> None:
    world = hooks("signing")

    async def life(p: Any) -> None:
        order = ordered(p)
        await submitted(world, seconds=25)
        await world.deliver(world.order(), "succeeded", msg_id="3")
        await world.deliver(world.order(), "queued", msg_id="1")
        await order
        for n, word in enumerate(("running", "failed", "canceled", "succeeded")):
            assert (await world.deliver(world.order(), word, msg_id=f"late {n}")).status == 200
        await world.clock.sleep(60)

    world.run(life)
    [attempt] = world.attempts()
    assert attempt["state"] == "stored"
    assert all(row["handled_at"] is not None for row in world.inbox())
    assert sum(row["kind"] == "post" for row in world.rows("transfer")) == 1


def test_a_delivery_while_the_file_is_fetched_is_news_for_nobody_afterwards(hooks: Hooks) -> None:
    world = hooks("calling")

    async def life(p: Any) -> None:
        order = ordered(p)
        while not world.transport.book or world.attempts()[0]["state"] != "succeeded":
            await world.clock.sleep(0.04)
        assert (await world.deliver(world.order())).status == 200
        assert [row["handled_at"] for row in world.inbox()] == [None]
        await order

    world.run(life)
    assert world.inbox()[0]["handled_at"] is not None


def test_news_that_nothing_has_changed_is_kept_and_wakes_nobody(hooks: Hooks) -> None:
    world = hooks("signing")
    world.transport.fates.append(Fate(service_s=LONG_S))

    async def life(p: Any) -> None:
        ordered(p, deadline_s=7200)
        await submitted(world, seconds=300)
        before = polls(world)
        for n in range(20):
            assert (await world.deliver(world.order(), "running", msg_id=f"step {n}")).status == 200
        await world.clock.sleep(2)
        assert polls(world) <= before + 1
        world.order().fate = Fate(service_s=0)

    world.run(life)
    assert len(world.inbox()) == 20
    assert all(row["handled_at"] is not None for row in world.inbox())


@pytest.mark.parametrize("name", ["calling", "signing"])  # that it goes on is news of a job without an answer
@pytest.mark.parametrize("when", ["before", "while it is unknown"])
def test_a_job_whose_answer_never_came_is_found_by_its_delivery(hooks: Hooks, name: str, when: str) -> None:
    world = hooks(name)
    world.transport.script("submit", "drop_after")
    found: list[Any] = []

    async def lost(p: Any) -> None:
        order = ordered(p)
        if when == "before":
            while not world.transport.book:
                await world.clock.sleep(0.001)
            assert (await world.deliver(world.order(), "running")).status == 200
            found.append(await order)
            return
        with pytest.raises(errors.UnavailableError):
            await order
        assert world.attempts()[0]["state"] == "unknown"
        await world.clock.sleep(30)
        assert (await world.deliver(world.order(), "running")).status == 200
        await world.agg.drain()
        found.append(await p.text_to_image("a lighthouse", key="still"))

    world.run(lost)
    assert len(world.transport.book) == 1
    assert found[0].artifact.size_bytes > 0
    [attempt] = world.attempts()
    assert (attempt["state"], attempt["found_by"]) == ("stored", "callback")
    assert attempt["remote_id"] == world.order().id
    assert world.money() == {"held": 0, "settled": 40_000, "overrun": 0}


def test_a_process_that_comes_later_looks_at_once(hooks: Hooks) -> None:
    world = hooks("calling")
    world.transport.fates.append(Fate(service_s=400))

    async def leave(p: Any) -> None:
        ordered(p)
        await submitted(world, seconds=10)

    async def only_receives(_p: Any) -> None:
        assert (await world.deliver(world.order())).status == 200

    async def goes_on(_p: Any) -> float:
        began = world.clock.time()
        await world.agg.resume()
        return world.clock.time() - began

    world.run(leave)
    world.pass_time(500)
    world.run(only_receives)
    assert [row["handled_at"] for row in world.inbox()] == [None]
    world.pass_time(1)
    assert world.run(goes_on) < 2


def test_another_process_is_woken(hooks: Hooks) -> None:
    world = hooks("calling")
    world.transport.fates.append(Fate(service_s=1000.5))

    async def life(p: Any) -> float:
        order = ordered(p)
        await submitted(world, seconds=1000.5)
        async with world.client() as other:
            follower, world.agg = world.agg, other
            began = world.clock.time()
            assert (await world.deliver(world.order())).status == 200
            await order
            world.agg = follower
            return world.clock.time() - began

    assert world.run(life) < 2.5


def test_an_early_delivery_of_a_registered_address_is_kept_for_the_job(hooks: Hooks) -> None:
    world = hooks("hooked")
    world.transport.latency_s = 5.0
    world.transport.fates.append(Fate(service_s=2))
    at = "https://api.example.com/hooks/hooked"

    async def life(p: Any) -> None:
        order = ordered(p)
        while not world.transport.book:
            await world.clock.sleep(0.1)
        await world.clock.sleep(2.5)
        assert world.attempts()[0]["remote_id"] is None, "it comes before the answer to the order"
        assert (await world.deliver(world.order(), url=at)).status == 200
        assert [(row["attempt"], row["handled_at"]) for row in world.inbox()] == [(None, None)]
        await order

    world.run(life)
    assert [row["remote_id"] for row in world.inbox()] == [world.order().id]
    assert world.inbox()[0]["handled_at"] is not None


def test_a_delivery_about_a_job_that_is_not_ours_is_acknowledged_and_forgotten(hooks: Hooks) -> None:
    world = hooks("hooked")
    at = "https://api.example.com/hooks/hooked"

    async def life(p: Any) -> None:
        await p.text_to_image("a lighthouse")
        body = b'{"id": "somebody-elses", "status": "succeeded"}'
        assert (await world.deliver(world.order(), url=at, body=body)).status == 200

    world.run(life)
    [row] = world.inbox()
    assert (row["attempt"], row["remote_id"]) == (None, "somebody-elses")
    assert row["handled_at"] is not None


def test_what_was_handled_is_removed_after_a_week(hooks: Hooks) -> None:
    world = hooks("hooked")
    at = "https://api.example.com/hooks/hooked"
    world.transport.fates.append(Fate(service_s=20 * 86_400))

    async def handled(p: Any) -> None:
        ordered(p, deadline_s=30 * 86_400)
        await submitted(world, seconds=1)
        body = b'{"id": "somebody-elses", "status": "succeeded"}'
        await world.deliver(world.order(), url=at, body=body, msg_id="1")

    async def open_only(_p: Any) -> None:
        return

    async def waits(_p: Any) -> None:
        await world.deliver(world.order(), "succeeded", url=at, msg_id="2")

    world.run(handled)
    world.run(waits)
    assert [row["handled_at"] is None for row in world.inbox()] == [False, True]
    world.pass_time(6 * 86_400)
    world.run(open_only)
    assert len(world.inbox()) == 2
    world.pass_time(2 * 86_400)
    world.run(open_only)
    assert [row["remote_id"] for row in world.inbox()] == [world.order().id], "nobody has looked at that job yet"


def test_a_delivery_after_the_deadline_is_late_evidence(hooks: Hooks) -> None:
    world = hooks("calling")
    world.transport.fates.append(Fate(service_s=400))

    async def life(p: Any) -> None:
        with pytest.raises(errors.JobTimeoutError):
            await p.text_to_image("a lighthouse", key="still", deadline_s=100)
        await world.clock.sleep(400)
        assert AttemptState(world.attempts()[0]["state"]) is AttemptState.UNKNOWN
        assert (await world.deliver(world.order())).status == 200
        await world.agg.drain()

    world.run(life)
    assert world.attempts()[0]["state"] == "stored"
    assert world.money()["held"] == 0
