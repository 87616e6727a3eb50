"""The clock and the loop that are shipped for tests."""

import asyncio
import time

import pytest

from aggregator.clock import Clock
from aggregator.testing.clock import VirtualClock, VirtualLoop, run_virtual


def test_an_hour_takes_no_time() -> None:
    clock: Clock = VirtualClock()
    started = time.perf_counter()

    async def main() -> tuple[float, float]:
        await asyncio.gather(*(clock.sleep(seconds) for seconds in range(0, 3601, 5)))
        return clock.monotonic(), clock.time()

    assert run_virtual(main) == (3600.0, VirtualClock.START + 3600.0)
    assert time.perf_counter() - started < 10.0


def test_the_order_is_that_of_the_clock_every_time() -> None:
    def once() -> list[str]:
        seen: list[str] = []

        async def one(name: str, *waits: float) -> None:
            for wait in waits:
                await asyncio.sleep(wait)
                seen.append(f"{name}{asyncio.get_running_loop().time():g}")

        async def main() -> None:
            await asyncio.gather(one("a", 3, 3), one("b", 1, 5), one("c", 2, 2, 2))

        run_virtual(main)
        return seen

    assert once()[:4] == ["b1", "c2", "a3", "c4"]
    assert sorted(once()[4:]) == ["a6", "b6", "c6"]
    assert all(once() == once() for _ in range(20))


def test_time_outs_strike_in_virtual_time() -> None:
    async def main() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(30):
                await asyncio.sleep(3600)
        return asyncio.get_running_loop().time()

    assert run_virtual(main) == 30.0


def test_work_for_threads_is_done_in_place() -> None:
    async def main() -> tuple[int, float]:
        answer = await asyncio.to_thread(sum, [1, 2])
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncio.to_thread(next, iter(()))
        return answer, asyncio.get_running_loop().time()

    assert run_virtual(main) == (3, 0.0)


def test_a_simulation_that_is_stuck_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aggregator.testing.clock.STALL_S", 0.01)

    async def main() -> None:
        await asyncio.Event().wait()

    with pytest.raises(RuntimeError, match="stuck"):
        run_virtual(main)


def test_a_thread_may_still_wake_the_loop() -> None:
    async def main() -> str:
        loop, done = asyncio.get_running_loop(), asyncio.Event()
        assert isinstance(loop, VirtualLoop)
        await asyncio.to_thread(loop.call_soon_threadsafe, done.set)
        await done.wait()
        return "woken"

    assert run_virtual(main) == "woken"


def test_a_clock_may_start_anywhere_and_needs_no_loop() -> None:
    clock = VirtualClock(start=100.0)
    assert (clock.time(), clock.monotonic()) == (100.0, 0.0)
