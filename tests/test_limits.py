"""Requests a second and jobs at once, per provider and credential, in virtual time."""

import asyncio

from aggregator._limits import Limits
from aggregator.testing.clock import run_virtual


def moments(*, per_second: float, requests: int) -> list[float]:
    """When each of many requests was let through."""

    async def main() -> list[float]:
        limits, loop = Limits(), asyncio.get_running_loop()

        async def one() -> float:
            await limits.request("p", "a", per_second)
            return loop.time()

        return sorted(await asyncio.gather(*(one() for _ in range(requests))))

    return run_virtual(main)


def test_a_second_is_let_through_at_once_and_then_the_rate() -> None:
    at = moments(per_second=5, requests=55)
    assert at[:5] == [0.0] * 5
    assert 9.8 <= at[-1] <= 10.5
    for start in at:
        assert len([one for one in at if start <= one < start + 1]) <= 10


def test_less_than_one_a_second_is_kept_too() -> None:
    at = moments(per_second=0.1, requests=4)
    assert [round(one) for one in at] == [0, 10, 20, 30]


def test_no_limit_is_no_wait() -> None:
    async def main() -> float:
        limits = Limits()
        for _ in range(1000):
            await limits.request("p", "a", None)
        return asyncio.get_running_loop().time()

    assert run_virtual(main) == 0.0


def test_another_provider_or_key_has_limits_of_its_own() -> None:
    async def main() -> float:
        limits = Limits()
        for provider, account in (("p", "a"), ("p", "b"), ("q", "a")):
            await limits.request(provider, account, 0.01)
        return asyncio.get_running_loop().time()

    assert run_virtual(main) == 0.0


def most_at_once(at_once: int | None, *, accounts: int = 1, fail: bool = False) -> tuple[int, float]:
    """The most jobs that were in flight together, and how long all of them took."""

    async def main() -> tuple[int, float]:
        limits, running, most = Limits(), 0, 0

        async def job(account: str) -> None:
            nonlocal running, most
            async with limits.job("p", account, at_once):
                running += 1
                most = max(most, running)
                await asyncio.sleep(1)
                running -= 1
                if fail:
                    raise RuntimeError

        await asyncio.gather(*(job(str(number % accounts)) for number in range(12)), return_exceptions=True)
        return most, asyncio.get_running_loop().time()

    return run_virtual(main)


def test_no_more_jobs_than_allowed_are_in_flight() -> None:
    assert most_at_once(3) == (3, 4.0)
    assert most_at_once(3, accounts=2) == (6, 2.0)
    assert most_at_once(None) == (12, 1.0)


def test_a_job_that_fails_gives_its_place_back() -> None:
    assert most_at_once(2, fail=True) == (2, 6.0)


def test_a_job_that_is_canceled_while_waiting_takes_no_place() -> None:
    async def main() -> bool:
        limits = Limits()

        async def hold() -> None:
            async with limits.job("p", "a", 1):
                await asyncio.sleep(10)

        first, second = asyncio.create_task(hold()), asyncio.create_task(hold())
        await asyncio.sleep(1)
        second.cancel()
        first.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        async with asyncio.timeout(1):
            async with limits.job("p", "a", 1):
                return True

    assert run_virtual(main)
