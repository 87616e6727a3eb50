"""The only file that imports tenacity: repeats an operation that is safe to repeat, within an end."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import TYPE_CHECKING, TypeVar

from aggregator.clock import Clock

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["retrying"]

T = TypeVar("T")

BASE_S = 0.5
CAP_S = 30.0
MAX_ASKED_S = 300.0
"""A server that asks for more is not waited for here: its error is raised, and who knows the deadline decides."""


async def retrying(
    operation: Callable[[], Awaitable[T]],
    *,
    safe: Callable[[BaseException], float | None],
    attempts: int,
    clock: Clock,
    rng: Random,
) -> T:
    """Run `operation` up to `attempts` times, with full jitter between.

    Args:
        safe: Whether an error allows another try: `None` for no, else the seconds the server asked for (0 if it did
        not).

    Raises:
        The last error, unchanged.

    """
    import tenacity

    def wait(state: "RetryCallState") -> float:
        error = state.outcome.exception() if state.outcome else None
        asked_s = (safe(error) or 0.0) if error else 0.0
        jitter_s = rng.uniform(0.0, min(CAP_S, BASE_S * 2 ** (state.attempt_number - 1)))
        return max(asked_s, jitter_s)

    def again(error: BaseException) -> bool:
        asked_s = safe(error)
        return asked_s is not None and asked_s <= MAX_ASKED_S

    policy = tenacity.AsyncRetrying(
        sleep=clock.sleep,
        stop=tenacity.stop_after_attempt(attempts),
        wait=wait,
        retry=tenacity.retry_if_exception(again),
        reraise=True,
    )
    return await policy(operation)
