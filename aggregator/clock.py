"""Time as an argument: what the library knows of clocks, so that a whole job can be simulated without sleeping."""

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """Where time comes from. `aggregator.testing.VirtualClock` is the other one."""

    def time(self) -> float:
        """Seconds since the epoch: for what is written down and compared across processes."""
        ...

    def monotonic(self) -> float:
        """Seconds from anywhere, never going back: for measuring."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The real one."""

    def time(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        import asyncio

        await asyncio.sleep(seconds)
