"""The only file that imports tenacity: repeats an operation that is safe to repeat, within an end."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import TYPE_CHECKING, TypeVar

from aggregator.clock import Clock
from aggregator.errors import UnavailableError

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["Quota", "retrying"]

T = TypeVar("T")

BASE_S = 0.5
CAP_S = 30.0
MAX_ASKED_S = 300.0
"""A server that asks for more is not waited for here: its error is raised, and who knows the deadline decides."""

QUOTA = 500
COST = 5
COST_OF_A_TIME_OUT = 10


class Quota:
    """How many repeats of free calls an account has left, over all that it does: while a provider is down, each call
    is made once instead of many times (the retry quota of botocore's standard mode).
    """

    def __init__(self) -> None:
        self._left = QUOTA

    def take(self, error: BaseException) -> int | None:
        """Pay for one repeat; `None` if there is not enough left."""
        cost = COST_OF_A_TIME_OUT if isinstance(error, UnavailableError) and error.timed_out else COST
        if cost > self._left:
            return None
        self._left -= cost
        return cost

    def give_back(self, cost: int) -> None:
        """A call succeeded: what its last repeat cost comes back; without one, a little."""
        self._left = min(QUOTA, self._left + (cost or 1))


async def retrying(
    operation: Callable[[], Awaitable[T]],
    *,
    safe: Callable[[BaseException], float | None],
    attempts: int,
    clock: Clock,
    rng: Random,
    quota: Quota | None = None,
) -> T:
    """Run `operation` up to `attempts` times, with full jitter between.

    Args:
        safe: Whether an error allows another try: `None` for no, else the seconds the server asked for (0 if it did
        not).
        quota: What repeats are paid from; once it is empty, the error is raised as it is.

    Raises:
        The last error, unchanged.

    """
    paid = 0
    try:
        done = await operation()
    except Exception as error:  # noqa: BLE001  whether it may be repeated is asked below
        policy = _Policy(safe, attempts, quota)
        done = await policy.on_from(error, operation, clock, rng)
        paid = policy.paid
    if quota is not None:
        quota.give_back(paid)
    return done


class _Policy:
    """What is done about one failure: made only once there is one, since most calls have none."""

    def __init__(self, safe: Callable[[BaseException], float | None], attempts: int, quota: Quota | None) -> None:
        self._safe = safe
        self._attempts = attempts
        self._quota = quota
        self._tried = 0
        self.paid = 0
        """What the last repeat cost."""

    async def on_from(self, failure: Exception, operation: Callable[[], Awaitable[T]], clock: Clock, rng: Random) -> T:
        """Go on from the first failure."""
        import tenacity

        failed: Exception | None = failure

        async def after() -> T:
            nonlocal failed
            if failed is not None:
                first, failed = failed, None
                raise first
            return await operation()

        def wait(state: "RetryCallState") -> float:
            error = state.outcome.exception() if state.outcome else None
            asked_s = (self._safe(error) or 0.0) if error else 0.0
            jitter_s = rng.uniform(0.0, min(CAP_S, BASE_S * 2 ** (state.attempt_number - 1)))
            return max(asked_s, jitter_s)

        policy = tenacity.AsyncRetrying(
            sleep=clock.sleep,
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=wait,
            retry=tenacity.retry_if_exception(self._again),
            reraise=True,
        )
        return await policy(after)

    def _again(self, error: BaseException) -> bool:
        asked_s = self._safe(error)
        self._tried += 1
        if asked_s is None or asked_s > MAX_ASKED_S:
            return False
        if self._quota is None or self._tried == self._attempts:
            return True
        cost = self._quota.take(error)
        self.paid = cost or 0
        return cost is not None
