"""The only file that imports aiolimiter: how many requests a second, and how many jobs at once, per provider and
credential.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiolimiter import AsyncLimiter

__all__ = ["Limits"]


class Limits:
    """One budget of requests and jobs per (provider, account). No entry: no limit."""

    def __init__(self) -> None:
        self._rates: dict[tuple[str, str], AsyncLimiter] = {}
        self._jobs: dict[tuple[str, str], asyncio.Semaphore] = {}

    async def request(self, provider: str, account: str, per_second: float | None) -> None:
        """Wait for room for one more request."""
        if per_second is None:
            return
        limiter = self._rates.get((provider, account))
        if limiter is None:
            from aiolimiter import AsyncLimiter

            # One second's worth at once, and never less than one.
            limiter = AsyncLimiter(max(1.0, per_second), max(1.0, per_second) / per_second)
            self._rates[provider, account] = limiter
        await limiter.acquire()

    @asynccontextmanager
    async def job(self, provider: str, account: str, at_once: int | None) -> AsyncGenerator[None, None]:
        """Hold a place for one job in flight."""
        if at_once is None:
            yield
            return
        async with self._jobs.setdefault((provider, account), asyncio.Semaphore(at_once)):
            yield
