"""Jobs of whole clients against a provider that takes only so many at once."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from aggregator import errors
from aggregator.contract import HttpResponse
from aggregator.testing.memory import Fate
from tests.runner.world import World

ONE = {"memory:cheap": "0.04"}
SERVICE_S = 20.0


class Crowded(World):
    """The provider refuses a job more than it takes at once, and writes down how many it had."""

    def __init__(self, directory: Any, takes: int, *, retry_after: str | None = None, **settings: Any) -> None:
        super().__init__(directory, offers=ONE, **settings)
        self.most = self.refused = arriving = 0
        true_send = self.transport.send

        async def send(request: Any, **more: Any) -> HttpResponse:
            nonlocal arriving
            if request.method != "POST":
                return await true_send(request, **more)
            now = self.clock.time()
            at_work = sum(order.state(now) in ("queued", "running") for order in self.transport.book.values())
            inside = arriving + at_work
            if inside >= takes:
                self.refused += 1
                self.transport.exchanges.append(("submit", "/jobs", "429"))
                return HttpResponse(429, {"retry-after": retry_after} if retry_after else {}, b"{}", request.url)
            self.most = max(self.most, inside + 1)
            arriving += 1
            booked = len(self.transport.book)
            waiting = asyncio.ensure_future(true_send(request, **more))
            while len(self.transport.book) == booked and not waiting.done():
                await asyncio.sleep(0.001)
            arriving -= 1
            return await waiting

        self.transport = _Sending(self.transport, send)

    def limited(self, **limits: Any) -> dict[str, Any]:
        return {"providers": {name: {**of, **limits} for name, of in self.config["providers"].items()}}


class _Sending:
    """A transport with another way to send."""

    def __init__(self, inner: Any, send: Any) -> None:
        self._inner, self.send = inner, send

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


async def orders(p: Any, count: int, first: int = 0) -> list[Any]:
    return await asyncio.gather(*(p.text_to_image(f"fox {n}", key=f"fox {n}") for n in range(first, first + count)))


def submits(world: World) -> int:
    return world.transport.count("submit")


def test_no_more_jobs_than_configured_are_in_flight_and_none_is_refused(quick: Any) -> None:
    world = Crowded(quick, takes=3)

    async def life(p: Any) -> float:
        began = world.clock.monotonic()
        await orders(p, 12)
        return world.clock.monotonic() - began

    took_s = world.run(life, **world.limited(concurrency=3))
    assert (world.most, world.refused, submits(world)) == (3, 0, 12)
    assert took_s < 4 * (SERVICE_S + 6)  # four rounds; a place is taken again as soon as it is left


def test_jobs_are_ordered_in_the_order_they_were_asked_for(quick: Any) -> None:
    world = Crowded(quick, takes=1)
    world.run(lambda p: orders(p, 6), **world.limited(concurrency=1))
    assert [order.prompt for order in world.transport.book.values()] == [f"fox {n}" for n in range(6)]


def test_two_clients_share_the_places(quick: Any) -> None:
    world = Crowded(quick, takes=2)

    async def main() -> None:
        async with (
            world.client(**world.limited(concurrency=2)) as one,
            world.client(**world.limited(concurrency=2)) as two,
            one.project("film", budget_usd="9") as p,
            two.project("film", budget_usd="9") as q,
        ):
            await asyncio.gather(orders(p, 4), orders(q, 4, first=4))

    world.virtual(main)
    assert (world.most, world.refused, submits(world)) == (2, 0, 8)


def test_without_a_known_limit_nothing_is_written_about_one(quick: Any) -> None:
    world = Crowded(quick, takes=99)
    world.run(lambda p: orders(p, 8))
    assert (world.most, world.rows("throttle")) == (8, [])


def test_a_limit_that_nobody_documents_is_learned_from_refusals(quick: Any) -> None:
    world = Crowded(quick, takes=4)

    async def life(p: Any) -> list[Any]:
        return await orders(p, 24)

    assert len(world.run(life)) == 24  # none of them gave up
    assert world.most == 4
    assert world.refused < 30  # of a burst each is refused once; after that they wait
    (learned,) = world.rows("throttle")
    assert 1 <= learned["at_once"] < 6
    before = world.refused
    world.run(lambda p: orders(p, 8, first=24))  # another client knows it from the beginning
    assert world.refused - before <= 2


def test_nothing_is_ordered_before_the_time_the_provider_asks_for(quick: Any) -> None:
    world = Crowded(quick, takes=1, retry_after="60")
    at: list[float] = []
    send = world.transport.send

    async def seen(request: Any, **more: Any) -> Any:
        if request.method == "POST":
            at.append(world.clock.time())
        return await send(request, **more)

    world.transport.send = seen

    async def main() -> None:
        async with (
            world.client() as one,
            world.client() as two,
            one.project("film", budget_usd="9") as p,
            two.project("film", budget_usd="9") as q,
        ):
            jobs = [asyncio.create_task(orders(p, 2))]
            await world.clock.sleep(1)
            jobs.append(asyncio.create_task(orders(q, 1, first=2)))
            await asyncio.gather(*jobs)

    world.virtual(main)
    assert all(later - at[1] >= 60 for later in at[2:])
    assert len(world.transport.book) == 3


def test_who_waits_until_the_deadline_has_ordered_nothing_and_gets_the_money_back(quick: Any) -> None:
    world = Crowded(quick, takes=1)
    world.transport.fates.append(Fate(service_s=500))

    async def life(p: Any) -> None:
        first = asyncio.create_task(p.text_to_image("a", key="a"))
        await world.clock.sleep(1)
        with pytest.raises(errors.JobTimeoutError, match="nothing was ordered") as caught:
            await p.text_to_image("b", key="b", deadline_s=60)
        assert caught.value.accepted is False
        await first

    world.run(life, **world.limited(concurrency=1))
    assert submits(world) == 1
    assert world.money() == {"held": 0, "settled": 40_000, "overrun": 0}


def test_a_job_in_flight_is_followed_by_whoever_resumes_it_whatever_the_limit(quick: Any) -> None:
    world = Crowded(quick, takes=9)

    async def leave(p: Any) -> None:
        for n in range(3):
            await p.submit(_request(n), key=f"fox {n}")
        await world.clock.sleep(2)

    world.run(leave)

    async def resume(p: Any) -> Any:
        began = world.clock.monotonic()
        ends = await world.agg.resume()
        return set(ends.values()), world.clock.monotonic() - began

    ends, took_s = world.run(resume, **world.limited(concurrency=1))
    assert ends == {"stored"}
    assert took_s < 2 * SERVICE_S  # side by side: the provider is at work on all of them anyway


def _request(n: int) -> Any:
    from aggregator.tasks import TextToImage

    return TextToImage(prompt=f"fox {n}")


def test_closing_does_not_wait_for_a_place(quick: Any) -> None:
    world = Crowded(quick, takes=1)
    world.transport.fates.append(Fate(service_s=500))

    async def life(p: Any) -> float:
        for n in range(2):
            await p.submit(_request(n), key=f"fox {n}")
        await world.clock.sleep(5)
        return world.clock.monotonic()

    left = world.run(life, **world.limited(concurrency=1))
    assert world._ended - world.clock.START - left < 1
    assert [row["state"] for row in world.attempts()][1] == "reserved"


def test_the_rate_counts_every_request(quick: Any) -> None:
    world = World(quick, offers=ONE)
    at: list[float] = []

    def seen(point: str) -> None:
        if point in ("before submit", "before poll"):  # files come from elsewhere
            at.append(world.clock.time())

    world.transport.tap = seen
    limits = {name: {**of, "requests_per_second": 2.0} for name, of in world.config["providers"].items()}
    world.run(lambda p: orders(p, 6), providers=limits)
    assert len(at) > 12
    assert all(later - earlier > 0.499 for earlier, later in pairwise(sorted(at)))
