"""A purchase of several exchanges: what is known before the paid one is written down, and looked at later."""

import json
from dataclasses import replace
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import HttpRequest, Order, Paid
from aggregator.testing import memory
from aggregator.testing.memory import MemoryTransport
from tests.runner.test_outcomes import HELD, ONE, PAID, ends, order, state
from tests.runner.test_reconcile import FOX
from tests.runner.world import World


def _described(order: Order) -> Any:
    """Describe for nothing, then pay; the first job of a world has this name."""
    yield HttpRequest("GET", "/jobs?since=9e9")
    answer = yield Paid(HttpRequest("POST", "/jobs", json=order.body), {"id": "memory-1"})
    return {"id": json.loads(answer.body)["id"]}


@pytest.fixture
def world(quick: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(memory, "PROVIDER", replace(memory.PROVIDER, submit=_described))
    return World(quick, offers=ONE)


def leave_after(world: World, seconds: float) -> None:
    """Die that long after the order; each exchange takes 200 s."""
    world.transport.latency_s = 100.0

    async def life(p: Any) -> None:
        await p.submit(FOX, key="fox")
        await world.clock.sleep(seconds)

    world.run(life)
    world.transport.latency_s = 0.05


def test_it_is_paid_once_and_settled(world: World) -> None:
    world.run(order)
    assert (world.transport.count("submit"), state(world), world.money()) == (1, ["stored"], PAID)
    [row] = world.attempts()
    assert json.loads(row["known"])["id"] == "memory-1"


def test_a_death_between_the_payment_and_its_answer_leaves_something_to_look_at(world: World) -> None:
    leave_after(world, 350)
    [row] = world.attempts()
    assert (row["state"], json.loads(row["known"])["id"], row["remote_id"]) == ("submitting", "memory-1", None)
    world.run(order)
    assert (len(world.transport.book), world.transport.count("submit")) == (1, 1)
    assert (state(world), world.attempts()[0]["found_by"], world.money()) == (["stored"], "poll", PAID)


def test_an_answer_that_breaks_off_is_looked_at_in_the_same_process(world: World) -> None:
    world.transport.script("submit", "drop_after")
    world.run(order)
    assert (len(world.transport.book), state(world), world.attempts()[0]["found_by"]) == (1, ["stored"], "poll")


def test_a_job_that_is_not_known_proves_nothing(world: World) -> None:
    world.transport.script("submit", "drop_before")
    assert ends(world, errors.UnavailableError).accepted is None
    assert (state(world), world.money()) == (["unknown"], HELD)


def test_a_death_before_the_payment_has_certainly_bought_nothing(world: World) -> None:
    leave_after(world, 150)
    assert (state(world), world.transport.count("submit")) == (["submitting"], 0)
    world.run(order)
    assert (state(world), world.attempts()[0]["found_by"]) == (["failed", "stored"], "absent")
    assert (world.transport.count("submit"), world.money()) == (1, PAID)


def test_whoever_lost_the_attempt_before_the_payment_does_not_pay(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process slept through its lease while it described the order; another one has taken over."""
    send, once = MemoryTransport.send, iter([True])

    async def overtaken(self: Any, request: Any, **options: Any) -> Any:
        answer = await send(self, request, **options)
        if request.method == "GET" and next(once, False):
            context = world.agg.opened.runner._context
            of = await context.load(world.attempts()[0]["job"])
            await context.let_go(of)
        return answer

    monkeypatch.setattr(MemoryTransport, "send", overtaken)
    world.run(order)
    assert world.transport.count("submit") == 1
    assert (state(world), world.attempts()[0]["found_by"], world.money()) == (["failed", "stored"], "absent", PAID)


def test_a_second_try_of_the_whole_purchase_forgets_what_the_first_had_described(world: World) -> None:
    world.transport.script("submit", "never_arrives", "never_arrives")
    seen: list[Any] = []

    async def life(p: Any) -> None:
        job = await p.submit(FOX, key="fox")
        while not world.transport.book:
            await world.clock.sleep(0.01)
            seen.extend((row["state"], row["known"]) for row in world.attempts())
        await job.result()

    world.run(life)
    assert {known for was, known in seen if was == "reserved"} == {None}
    assert (world.transport.count("submit"), world.money()) == (3, PAID)
