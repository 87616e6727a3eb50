"""Repeating what is safe to repeat, in virtual time."""

from random import Random

import pytest

from aggregator._retry import BASE_S, CAP_S, COST, COST_OF_A_TIME_OUT, MAX_ASKED_S, QUOTA, Quota, retrying
from aggregator.errors import ProviderError, RateLimitError, UnavailableError
from aggregator.testing.clock import VirtualClock, run_virtual


class Flaky:
    """Fails with what it is given, then says so no more."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.at: list[float] = []

    async def __call__(self) -> str:
        self.at.append(VirtualClock().monotonic())
        if self.failures:
            raise self.failures.pop(0)
        return "done"

    @property
    def waits(self) -> list[float]:
        return [later - earlier for earlier, later in zip(self.at, self.at[1:], strict=False)]


def safe(error: BaseException) -> float | None:
    return (error.retry_after_s or 0.0) if isinstance(error, ProviderError) and error.retryable else None


def run(flaky: Flaky, *, attempts: int = 6, seed: int = 0, quota: Quota | None = None) -> str:
    clock, rng = VirtualClock(), Random(seed)
    return run_virtual(lambda: retrying(flaky, safe=safe, attempts=attempts, quota=quota, clock=clock, rng=rng))


def test_a_success_is_not_repeated() -> None:
    flaky = Flaky()
    assert run(flaky) == "done"
    assert flaky.at == [0.0]


def test_what_is_safe_is_repeated_with_growing_jitter() -> None:
    waits = []
    for seed in range(50):
        flaky = Flaky(*[UnavailableError("x")] * 5)
        assert run(flaky, seed=seed) == "done"
        waits.append(flaky.waits)
    for turn in range(5):
        limit = BASE_S * 2**turn
        assert all(0 <= one[turn] <= limit for one in waits)
        assert max(one[turn] for one in waits) > 0.8 * limit
        assert min(one[turn] for one in waits) < 0.2 * limit  # full jitter


def test_the_jitter_is_capped() -> None:
    flaky = Flaky(*[UnavailableError("x")] * 40)
    assert run(flaky, attempts=50) == "done"
    assert CAP_S * 0.5 < max(flaky.waits) <= CAP_S


def test_the_same_seed_waits_the_same() -> None:
    first, second = Flaky(*[UnavailableError("x")] * 4), Flaky(*[UnavailableError("x")] * 4)
    run(first, seed=3)
    run(second, seed=3)
    assert first.at == second.at


def test_what_is_not_safe_is_raised_at_once() -> None:
    flaky = Flaky(ProviderError("no"), UnavailableError("later"))
    with pytest.raises(ProviderError, match="no"):
        run(flaky)
    assert len(flaky.at) == 1


def test_the_last_error_is_raised_unchanged() -> None:
    last = UnavailableError("third", code="c", accepted=True)
    flaky = Flaky(UnavailableError("first"), UnavailableError("second"), last)
    with pytest.raises(UnavailableError) as caught:
        run(flaky, attempts=3)
    assert caught.value is last
    assert len(flaky.at) == 3


def test_the_server_is_given_the_time_it_asks_for() -> None:
    flaky = Flaky(RateLimitError("x", retry_after_s=120.0), RateLimitError("x", retry_after_s=MAX_ASKED_S))
    assert run(flaky) == "done"
    assert flaky.waits == [120.0, 300.0]


def test_a_server_that_asks_for_longer_is_not_waited_for() -> None:
    flaky = Flaky(RateLimitError("x", retry_after_s=MAX_ASKED_S + 1))
    with pytest.raises(RateLimitError) as caught:
        run(flaky)
    assert caught.value.retry_after_s == MAX_ASKED_S + 1
    assert flaky.at == [0.0]


# ----------------------------------------------------------------------------------------------------- the retry quota


def late() -> UnavailableError:
    error = UnavailableError("x")
    error.timed_out = True
    return error


def fails(quota: Quota, error: ProviderError, *, attempts: int = 2) -> int:
    """How often an operation that only ever fails is tried; its last error comes as it is."""
    flaky = Flaky(*[error] * attempts)
    with pytest.raises(type(error)) as caught:
        run(flaky, attempts=attempts, quota=quota)
    assert caught.value is error
    return len(flaky.at)


@pytest.mark.parametrize(("error", "cost"), [(UnavailableError("x"), COST), (late(), COST_OF_A_TIME_OUT)])
def test_repeats_are_paid_from_a_quota_and_then_each_call_is_made_once(error: ProviderError, cost: int) -> None:
    quota = Quota()
    tries = [fails(quota, error) for _ in range(QUOTA // cost + 3)]
    assert tries == [2] * (QUOTA // cost) + [1] * 3


def test_a_repeat_that_helps_costs_nothing() -> None:
    quota = Quota()
    for _ in range(QUOTA):
        run(Flaky(late()), quota=quota)
    assert fails(quota, UnavailableError("x")) == 2


def test_successes_fill_it_again_up_to_where_it_began() -> None:
    quota = Quota()
    while fails(quota, UnavailableError("x")) == 2:
        pass
    for _ in range(COST - 1):
        run(Flaky(), quota=quota)
    assert fails(quota, UnavailableError("x")) == 1
    run(Flaky(), quota=quota)
    assert fails(quota, UnavailableError("x")) == 2
    for _ in range(2 * QUOTA):
        run(Flaky(), quota=quota)
    assert [fails(quota, UnavailableError("x")) for _ in range(QUOTA // COST + 1)][-2:] == [2, 1]


def test_what_is_not_repeated_anyway_costs_nothing() -> None:
    quota = Quota()
    for _ in range(QUOTA):
        assert fails(quota, ProviderError("no"), attempts=1) == 1
        assert fails(quota, UnavailableError("x"), attempts=1) == 1
    assert fails(quota, UnavailableError("x")) == 2
