"""Inputs that were handed over lately: many orders with one picture upload it once, where its provider keeps it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aggregator.clock import Clock
from aggregator.runner.faults import Source
from aggregator.store.journal import Attempt

__all__ = ["Handed"]

SHARE = 0.25
"""Of the time that an upload lives, the part in which further orders name it: they may wait in a queue themselves."""

Key = tuple[str, str, str, tuple[tuple[str, str], ...], str, str]
"""Provider, account, model, what addresses are made of, the file's hash and type: some uploads serve one model only."""


@dataclass(frozen=True, slots=True)
class Handed:
    """The uploads of one client. What they are called dies with it: whoever comes later uploads for themselves."""

    _kept: dict[Key, tuple[float, asyncio.Task[str]]] = field(default_factory=dict)
    """Each with the moment, by the monotonic clock, from which it is uploaded anew."""

    async def once(
        self, of: Attempt, source: Source, clock: Clock, ttl_s: float | None, upload: Callable[[], Awaitable[str]]
    ) -> str:
        """What the provider calls a file: from an earlier upload or one under way, else from a new one.

        Args:
            ttl_s: How long an upload serves how many orders ever; `None`: nobody says, so that each has its own.

        Raises:
            ProviderError, SendError: The upload failed, for everyone who waits for it; the next one tries anew.

        """
        if ttl_s is None:
            return await upload()
        names = tuple(sorted(of.plan["names"].items()))
        now_s, key = clock.monotonic(), (of.provider, of.account_ref, of.model, names, source.sha256, source.mime_type)
        until_s, task = self._kept.get(key, (now_s, None))
        if task is None or until_s <= now_s:
            self._forget_old(now_s)
            task = asyncio.ensure_future(upload())
            task.add_done_callback(lambda ended: ended.cancelled() or ended.exception())  # all may have given up
            self._kept[key] = now_s + ttl_s * SHARE, task
        try:
            return await asyncio.shield(task)  # whoever gives up leaves it to the others
        except BaseException:
            if task.done() and self._kept.get(key, (0.0, None))[1] is task:
                del self._kept[key]
            raise

    def forget(self, of: Attempt) -> None:
        """An order failed, perhaps for what it named: the next ones at that place upload their inputs anew."""
        for key in [key for key in self._kept if key[:3] == (of.provider, of.account_ref, of.model)]:
            del self._kept[key]

    def _forget_old(self, now_s: float) -> None:
        for key in [key for key, (until_s, _) in self._kept.items() if until_s <= now_s]:
            del self._kept[key]

    async def aclose(self) -> None:
        """End what is under way."""
        tasks = [task for _, task in self._kept.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
