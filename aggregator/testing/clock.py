"""Virtual time: an hour of sleeping, polling and rate limiting passes in milliseconds, in the same order every time.

```python
from aggregator.testing.clock import VirtualClock, run_virtual


def test_patience() -> None:
    clock = VirtualClock()

    async def wait() -> float:
        await clock.sleep(3600)
        return clock.time()

    assert run_virtual(wait) == VirtualClock.START + 3600
```

`asyncio.sleep`, `asyncio.timeout` and everything else that asks the event loop for the time goes along. Work for
threads (`asyncio.to_thread`) is done at once, in place, so that no thread races the clock. Real sockets do not belong
here: while one is awaited, virtual time passes and every time-out strikes.
"""

import asyncio
import selectors
from asyncio import Future
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any, TypeVar, TypeVarTuple, Unpack

__all__ = ["VirtualClock", "VirtualLoop", "run_virtual"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

TICK_S = 1e-6
"""The shortest time a timer takes."""
STALL_S = 5.0
"""Real seconds without any event, and none scheduled, after which a simulation counts as stuck."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that does not wait: when nothing is ready, it is at once as late as the next timer says."""

    def __init__(self) -> None:
        self._now_s = 0.0
        super().__init__(_Selector(self.advance))

    def time(self) -> float:
        return self._now_s

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self._now_s += seconds

    def call_at(
        self, when: float, callback: Callable[[Unpack[Ts]], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Set a timer; never for this very moment, or a waiter that is short of a rounding error would not end."""
        return super().call_at(max(when, self._now_s + TICK_S), callback, *args, context=context)

    def run_in_executor(self, _executor: Any, func: Callable[[Unpack[Ts]], T], *args: *Ts) -> "Future[T]":
        """Do the work now, on this thread."""
        done: Future[T] = self.create_future()
        try:
            done.set_result(func(*args))
        except StopIteration as error:  # a future cannot hold it
            done.set_exception(RuntimeError(f"{func!r} raised {error!r}"))
        except Exception as error:  # noqa: BLE001  it belongs to whoever awaits
            done.set_exception(error)
        return done


class _Selector(selectors.DefaultSelector):
    """Looks for what is ready without waiting, and tells the loop how long it would have waited."""

    def __init__(self, advance: Callable[[float], None]) -> None:
        super().__init__()
        self._advance = advance

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0 if timeout is not None else STALL_S)
        if timeout is None and not ready:
            raise RuntimeError("the simulation is stuck: every task waits, and no timer is set")
        if timeout and not ready:
            self._advance(timeout)
        return ready


class VirtualClock:
    """An `aggregator.clock.Clock` that shows the event loop's time, counted from a fixed day."""

    START = 1_767_225_600.0
    """2026-01-01T00:00:00Z, in seconds since the epoch."""

    def __init__(self, start: float = START) -> None:
        self._start = start

    def time(self) -> float:
        return self._start + self.monotonic()

    def monotonic(self) -> float:
        """Read the running loop's time; 0 where none runs."""
        try:
            return asyncio.get_running_loop().time()
        except RuntimeError:
            return 0.0

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def run_virtual(coro_fn: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run `coro_fn()` to its end on a loop of its own, in virtual time; call it from a plain `def test_…`.

    Raises:
        RuntimeError: Every task waits for something that nothing will bring about.

    """
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coro_fn())
