"""How fast requests may follow each other, and whose turn it is: per provider and credential, in the order of asking.

Between processes the store decides, if there is one (`Shared`); within this one a queue does. What waits for something
else than a moment, such as for a job to end, is woken by `nudge`.
"""

import asyncio
from collections.abc import Awaitable
from typing import Protocol

from aggregator.clock import Clock

__all__ = ["Limits", "Shared", "Turn"]

Account = tuple[str, str]
"""A provider, and a fingerprint of the credential."""


class Shared(Protocol):
    """What all processes on one store share."""

    def wait_s(self, account: Account, interval_s: float) -> Awaitable[float]:
        """Take the next moment at which a request is due; how far away it is."""
        ...

    def freeze(self, account: Account, seconds: float) -> Awaitable[None]:
        """Order nothing for so long."""
        ...


class Alone:
    """One process without a store."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._next_at: dict[Account, float] = {}

    async def wait_s(self, account: Account, interval_s: float) -> float:
        now = self._clock.monotonic()
        due = max(self._next_at.get(account, now), now)
        self._next_at[account] = due + interval_s
        return due - now

    async def freeze(self, account: Account, seconds: float) -> None:
        """Nothing is ordered without a store."""


class Turn:
    """A place at the head of a queue; the next one moves up when it is ended."""

    def __init__(self, lock: asyncio.Lock | None = None) -> None:
        self._lock = lock

    def end(self) -> None:
        """May be called twice."""
        lock, self._lock = self._lock, None
        if lock is not None:
            lock.release()


class Limits:
    """The queues of this process."""

    def __init__(self, clock: Clock, shared: Shared | None = None) -> None:
        self._clock = clock
        self._shared = shared or Alone(clock)
        self._requests: dict[Account, asyncio.Lock] = {}
        self._jobs: dict[Account, asyncio.Lock] = {}
        self._nudged: dict[Account, asyncio.Event] = {}
        self._frozen_until: dict[Account, float] = {}

    async def request(self, account: Account, per_second: float | None) -> None:
        """Wait for room for one more request. The moments are evenly spread: no second sees more than the figure."""
        while (left_s := self._frozen_until.get(account, 0.0) - self._clock.monotonic()) > 0:
            await self._clock.sleep(left_s)
        if per_second is None:
            return
        async with self._requests.setdefault(account, asyncio.Lock()):
            await self._clock.sleep(await self._shared.wait_s(account, 1.0 / per_second))

    async def freeze(self, account: Account, seconds: float) -> None:
        """The provider asks to be left alone for a while: no request leaves here, and no process orders anything."""
        self._frozen_until[account] = max(self._frozen_until.get(account, 0.0), self._clock.monotonic() + seconds)
        await self._shared.freeze(account, seconds)

    # ------------------------------------------------------------------------------------------------- whose turn it is

    def is_awaited(self, account: Account) -> bool:
        """Whether somebody is in the queue to order a job."""
        lock = self._jobs.get(account)
        return lock is not None and lock.locked()

    async def turn(self, account: Account) -> Turn:
        """Queue up to order a job."""
        lock = self._jobs.setdefault(account, asyncio.Lock())
        await lock.acquire()
        return Turn(lock)

    async def nudged(self, account: Account, at_most_s: float) -> None:
        """Wait until a job of the account has ended here, or for so long."""
        event = self._nudged.setdefault(account, asyncio.Event())
        waits = [asyncio.ensure_future(event.wait()), asyncio.ensure_future(self._clock.sleep(at_most_s))]
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
        event.clear()

    def nudge(self, account: Account) -> None:
        """A job of the account has ended."""
        event = self._nudged.get(account)
        if event is not None:
            event.set()
