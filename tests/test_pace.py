"""A file that drips is given up by the clock, one that comes at its own pace is not."""

from collections.abc import AsyncIterator

import pytest

from aggregator._http import SendError
from aggregator._pace import MIN_BYTES_PER_S, WHOLE_S, WINDOW_S, paced


class Clock:
    """Goes on by `step_s` with every chunk."""

    def __init__(self, step_s: float) -> None:
        self.step_s = step_s
        self.now = -step_s

    def time(self) -> float:
        raise AssertionError("a file is timed by a clock that nobody sets")

    def monotonic(self) -> float:
        self.now += self.step_s
        return self.now

    async def sleep(self, seconds: float) -> None:
        raise AssertionError(seconds)


async def chunks(size: int, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield bytes(size)


async def arrived(size: int, count: int, step_s: float) -> tuple[int, float]:
    clock = Clock(step_s)
    total = 0
    async for chunk in paced(chunks(size, count), clock):
        total += len(chunk)
    return total, clock.now


async def test_what_is_quick_enough_arrives_whole() -> None:
    assert await arrived(MIN_BYTES_PER_S * 10, 50, 10.0) == (MIN_BYTES_PER_S * 500, 500.0)
    assert await arrived(1, 5, 10.0) == (5, 50.0)  # over before a minute is


async def test_a_drip_is_given_up_after_a_minute() -> None:
    with pytest.raises(SendError, match="slower than 1024 bytes/s") as cut:
        await arrived(MIN_BYTES_PER_S * 10 - 1, 7, 10.0)
    assert cut.value.sent is None


async def test_every_minute_counts_for_itself() -> None:
    async def quick_then_slow() -> AsyncIterator[bytes]:
        yield bytes(2**24)
        for _ in range(30):
            yield bytes(10)

    with pytest.raises(SendError, match="slower"):
        async for _ in paced(quick_then_slow(), Clock(WINDOW_S / 3)):
            pass


async def test_nothing_arrives_for_ever() -> None:
    with pytest.raises(SendError, match="not whole after 7200 s"):
        await arrived(2**20, 1000, WHOLE_S / 100)
