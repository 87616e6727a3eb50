"""How fast requests follow each other, and whose turn it is, in one process and in virtual time."""

import asyncio

from aggregator._limits import Limits
from aggregator.testing.clock import VirtualClock, run_virtual

HERE = ("p", "a")


def moments(*, per_second, requests):
    """When each of many requests was let through, in the order of asking."""

    async def main():
        clock = VirtualClock()
        limits, at = Limits(clock), []

        async def one(number):
            await limits.request(HERE, per_second)
            at.append((number, clock.monotonic()))

        await asyncio.gather(*(one(number) for number in range(requests)))
        return at

    return run_virtual(main)


def test_no_second_sees_more_than_the_figure_and_none_is_wasted():
    at = [moment for _, moment in moments(per_second=5, requests=50)]
    assert 9.79 <= at[-1] <= 9.81
    for start in at:
        assert len([one for one in at if start <= one < start + 0.999]) <= 5


def test_requests_leave_in_the_order_of_asking():
    assert [number for number, _ in moments(per_second=5, requests=20)] == list(range(20))


def test_less_than_one_a_second_is_kept_too():
    assert [round(one) for _, one in moments(per_second=0.1, requests=4)] == [0, 10, 20, 30]


def test_no_limit_is_no_wait_and_another_account_has_limits_of_its_own():
    async def main():
        clock = VirtualClock()
        limits = Limits(clock)
        for _ in range(100):
            await limits.request(HERE, None)
        for account in (HERE, ("p", "b"), ("q", "a")):
            await limits.request(account, 0.01)
        return clock.monotonic()

    assert run_virtual(main) < 0.001


def test_what_the_provider_asks_for_holds_every_request_of_the_account():
    async def main():
        clock = VirtualClock()
        limits = Limits(clock)
        await limits.freeze(HERE, 8)
        await limits.freeze(HERE, 3)  # the longer one counts
        await limits.request(("p", "b"), None)
        before = clock.monotonic()
        await limits.request(HERE, None)
        return before, clock.monotonic()

    before, after = run_virtual(main)
    assert (round(before, 3), round(after, 3)) == (0, 8)


def test_turns_are_taken_in_order_and_a_canceled_one_is_skipped():
    async def main():
        limits, order = Limits(VirtualClock()), []

        async def one(number):
            turn = await limits.turn(HERE)
            order.append(number)
            await asyncio.sleep(1)
            turn.end()
            turn.end()  # twice is once

        tasks = [asyncio.create_task(one(number)) for number in range(4)]
        await asyncio.sleep(0.5)
        assert limits.is_awaited(HERE)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return order, limits.is_awaited(HERE)

    assert run_virtual(main) == ([0, 2, 3], False)


def test_who_waits_for_a_job_to_end_is_woken_or_looks_again():
    async def main():
        clock = VirtualClock()
        limits = Limits(clock)
        asyncio.get_running_loop().call_later(2, limits.nudge, HERE)
        await limits.nudged(HERE, 10)
        woken = clock.monotonic()
        await limits.nudged(HERE, 10)
        return round(woken, 3), round(clock.monotonic(), 3)

    assert run_virtual(main) == (2, 12)
