"""When to look next: within the named limits, from what was learned, and never more often than it pays."""

import math
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aggregator import polling
from aggregator.polling import ServiceTime, next_poll_s

seconds = st.floats(min_value=0.0, max_value=1e7, allow_nan=False)
service_s = st.floats(min_value=1e-3, max_value=1e6)


def learned_from(times, **how):
    known = ServiceTime()
    for time_s in times:
        known = known.observe(time_s, **how)
    return known


def log_normal(median_s, sigma, count, seed=3):
    random = Random(seed)
    return [median_s * random.lognormvariate(0, sigma) for _ in range(count)]


def looks(known, takes_s):
    """When a job that takes so long is looked at; the last look finds it done."""
    at = [next_poll_s(known, 0.0)]
    while at[-1] < takes_s:
        at.append(at[-1] + next_poll_s(known, at[-1]))
    return at


def simulated(median_s, sigma, jobs, known=None, seed=7):
    """Jobs one after the other, each taught by what its own looks showed: looks and overshoot (in medians) per job."""
    known, random = known or ServiceTime(), Random(seed)
    count, late_s = 0, 0.0
    for _ in range(jobs):
        takes_s = median_s * random.lognormvariate(0, sigma)
        at = [0.0, *looks(known, takes_s)]
        known = known.observe(at[-1], unfinished_s=at[-2])
        count, late_s = count + len(at) - 1, late_s + at[-1] - takes_s
    return count / jobs, late_s / jobs / median_s, known


# ------------------------------------------------------------------------------------------------------------ limits


@given(st.lists(service_s, max_size=12), seconds)
def test_an_interval_is_within_the_named_limits(times, elapsed_s):
    assert polling.MIN_INTERVAL_S <= next_poll_s(learned_from(times), elapsed_s) <= polling.MAX_INTERVAL_S


@given(st.lists(st.tuples(service_s, st.floats(0, 1)), max_size=12), seconds)
def test_so_it_is_when_only_looks_are_known(pairs, elapsed_s):
    known = ServiceTime()
    for time_s, share in pairs:
        known = known.observe(time_s, unfinished_s=time_s * share)
    assert polling.MIN_INTERVAL_S <= next_poll_s(known, elapsed_s) <= polling.MAX_INTERVAL_S


@given(st.lists(service_s, max_size=12), seconds)
def test_the_same_knowledge_gives_the_same_interval(times, elapsed_s):
    assert next_poll_s(learned_from(times), elapsed_s) == next_poll_s(learned_from(times), elapsed_s)


@pytest.mark.parametrize("odd_s", [0.0, -1.0, 1e-9])
def test_a_clock_that_went_back_teaches_nothing_absurd(odd_s):
    known = learned_from([odd_s] * 5)
    assert math.isfinite(next_poll_s(known, 0.0))
    assert math.isfinite(next_poll_s(known.observe(odd_s, unfinished_s=odd_s), 5.0))


# -------------------------------------------------------------------------------------------- before anything is known


def test_the_first_jobs_are_looked_at_in_growing_steps():
    steps = [next_poll_s(ServiceTime(), elapsed_s) for elapsed_s in (0.0, 1.0, 2.0, 4.0, 10.0, 1000.0)]
    assert steps == pytest.approx([polling.MIN_INTERVAL_S, 0.3, 0.6, 1.2, 3.0, polling.MAX_INTERVAL_S])


@pytest.mark.parametrize("count", range(polling.ENOUGH))
def test_too_little_is_not_used(count):
    assert next_poll_s(learned_from([60.0] * count), 4.0) == next_poll_s(ServiceTime(), 4.0)


def test_an_unknown_offer_is_overshot_by_a_share_of_its_time_at_most():
    for takes_s in (0.5, 3.0, 20.0):
        late_s = looks(ServiceTime(), takes_s)[-1] - takes_s
        assert late_s <= max(polling.MIN_INTERVAL_S, polling.STEP * takes_s)


# ------------------------------------------------------------------------------------------------------------ learned


def test_the_first_look_comes_when_some_jobs_are_done():
    known = learned_from(log_normal(8.0, 0.2, 40))
    first_s = next_poll_s(known, 0.0)
    assert known.distribution.cdf(math.log(first_s)) == pytest.approx(polling.STEP)


def test_each_look_takes_the_same_share_of_what_is_left():
    known = learned_from(log_normal(8.0, 0.5, 40))
    first_s, second_s = looks(known, 9.0)[:2]
    left = [1.0 - known.distribution.cdf(math.log(at)) for at in (first_s, second_s)]
    assert left[1] / left[0] == pytest.approx(1.0 - polling.STEP)


def test_it_learns_the_median_and_the_spread():
    distribution = learned_from(log_normal(12.0, 0.4, 400)).distribution
    assert math.exp(distribution.mean) == pytest.approx(12.0, rel=0.15)
    assert distribution.stdev == pytest.approx(0.4, rel=0.25)


def test_equal_times_leave_some_doubt():
    assert learned_from([5.0] * 30).distribution.stdev == polling.MIN_SIGMA


def test_old_observations_fade():
    known = learned_from([100.0] * 500 + [2.0] * 200)
    assert math.exp(known.distribution.mean) < 4.0


def test_far_beyond_what_was_learned_steps_grow_with_the_time_so_far():
    known = learned_from([2.0] * 50)
    assert next_poll_s(known, 20.0) == pytest.approx(20.0 * polling.STEP)
    assert next_poll_s(known, 1e6) == polling.MAX_INTERVAL_S


# ------------------------------------------------------------------------------------------ learned from looks alone


def test_what_lies_between_two_looks_is_learned_not_the_look():
    between = learned_from([10.0] * 5, unfinished_s=8.0)
    assert 8.0 < math.exp(between.distribution.mean) < 10.0


@pytest.mark.parametrize(("sigma", "most"), [(0.1, 0.115), (0.25, 0.26), (0.5, 0.50), (0.8, 0.80)])
def test_late_looks_do_not_confirm_themselves(sigma, most):
    """Looks × overshoot; learning the moment of the look itself would come to 0.18, 0.52, 1.0 and 1.6."""
    looks_per_job, overshoot, _ = simulated(10.0, sigma, 3000)
    assert 3.0 < looks_per_job < 3.7
    assert looks_per_job * overshoot < most


@pytest.mark.parametrize("sigma", [0.05, 0.1, 0.25, 0.5])
def test_an_offer_that_became_faster_is_noticed(sigma):
    *_, known = simulated(10.0, sigma, 300)
    *_, known = simulated(3.0, sigma, 200, known)
    _, overshoot, _ = simulated(3.0, sigma, 100, known)
    assert overshoot < 0.35


def test_an_offer_that_became_slower_is_not_hammered():
    *_, known = simulated(3.0, 0.25, 300)
    looks_per_job, _, _ = simulated(10.0, 0.25, 100, known)
    assert looks_per_job < 8
