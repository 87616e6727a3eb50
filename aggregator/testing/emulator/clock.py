"""A clock for tests over real sockets: whoever sleeps on it moves it on at once, so that waiting takes no time."""

import asyncio
import threading

from aggregator.testing.clock import VirtualClock

__all__ = ["LeapingClock"]


class LeapingClock:
    """An `aggregator.clock.Clock` that the client and the emulator share: one sleep of an hour, and both are an hour
    later. It may be used from several threads; it never goes back.
    """

    def __init__(self, start: float = VirtualClock.START) -> None:
        self._start = start
        self._passed_s = 0.0
        self._turn = threading.Lock()

    def time(self) -> float:
        return self._start + self._passed_s

    def monotonic(self) -> float:
        return self._passed_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        with self._turn:
            self._passed_s += max(0.0, seconds)

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)
        await asyncio.sleep(0)
