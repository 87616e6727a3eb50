"""A circuit breaker, told what happened and when."""

import pytest

from aggregator import errors
from aggregator.routing.health import GONE_S, MAX_REST_S, REST_S, TRIAL_S, Health, Where

HERE = Where("p", "a", "m", "e")
OTHER = Where("p", "a", "other", "e2")
DOWN = errors.UnavailableError("x", status_code=503, accepted=False)
NOBODY_KNOWS = errors.UnavailableError("x", accepted=None)


def rests(health, at, where=HERE):
    return health.why_resting(where, at) is not None


def failing(times, *, error=DOWN, at=0.0):
    health = Health()
    for _ in range(times):
        health.failed(HERE, error, at)
    return health


def test_five_failures_in_a_row_and_not_four():
    assert not rests(failing(4), 1)
    assert (
        failing(5).why_resting(HERE, 1)
        == "rests for another 29 s: several requests in a row failed (the last: HTTP 503)"
    )


def test_a_job_that_was_taken_ends_the_row():
    health = failing(4)
    health.took(HERE, 1)
    health.failed(HERE, DOWN, 2)
    assert not rests(health, 3)


def test_what_nobody_knows_counts_twice():
    assert not rests(failing(2, error=NOBODY_KNOWS), 1)
    assert rests(failing(3, error=NOBODY_KNOWS), 1)


def test_more_than_half_of_at_least_twenty_within_a_minute():
    def mixed(failed, taken, *, later=0.0):
        health = Health()
        for turn in range(failed + taken):  # never five in a row
            if turn % 2 and turn // 2 < taken:
                health.took(HERE, turn * later)
            else:
                health.failed(HERE, DOWN, turn * later)
        return rests(health, (failed + taken) * later)

    assert mixed(11, 9)
    assert not mixed(10, 10)
    assert not mixed(10, 9)  # too few
    assert not mixed(11, 9, later=10.0)  # of which a minute holds six


@pytest.mark.parametrize("error", [errors.AuthenticationError("x", status_code=401), errors.QuotaError("x")])
def test_a_refused_account_rests_at_once_with_all_its_models(error):
    health = failing(1, error=error)
    assert rests(health, 1)
    assert rests(health, 1, OTHER)
    assert not rests(health, 1, HERE._replace(account="b"))


def test_what_a_key_may_not_do_is_said_of_one_model():
    health = failing(1, error=errors.AuthenticationError("x", status_code=403))
    assert rests(health, 1)
    assert not rests(health, 1, OTHER)


@pytest.mark.parametrize("error", [errors.RateLimitError("x"), errors.InvalidRequestError("x", status_code=422)])
def test_what_does_not_blame_the_provider_opens_nothing(error):
    assert not rests(failing(50, error=error), 1)


def test_each_rest_is_longer_up_to_ten_minutes():
    health, at = failing(5), 0.0
    for rest in range(1, 30):
        lasts = min(MAX_REST_S, REST_S * rest)
        assert rests(health, at + lasts - 0.01)
        assert not rests(health, at + lasts)
        at += lasts
        health.failed(HERE, DOWN, at)


def test_after_a_rest_one_is_let_through_and_decides():
    health = failing(5)
    health.asked(HERE, REST_S)
    assert rests(health, REST_S)  # the next one waits for what becomes of it
    health.took(HERE, REST_S + 5)
    assert not rests(health, REST_S + 5)
    health.failed(HERE, DOWN, REST_S + 6)
    assert not rests(health, REST_S + 6)  # it begins from the beginning


def test_one_that_never_comes_back_does_not_close_it_for_ever():
    health = failing(5)
    health.asked(HERE, REST_S)
    assert not rests(health, REST_S + TRIAL_S)


def test_what_was_under_way_when_it_opened_makes_no_rest_longer():
    health = failing(50)
    assert not rests(health, REST_S)
    unpaid = failing(50, error=errors.QuotaError("x"))
    assert not rests(unpaid, REST_S)


def test_after_a_long_time_without_it_rests_are_short_again():
    health = failing(5)
    health.took(HERE, REST_S)
    late = REST_S + MAX_REST_S + 1
    for _ in range(5):
        health.failed(HERE, DOWN, late)
    assert not rests(health, late + REST_S)


def test_an_endpoint_that_is_gone_is_left_alone_and_its_model_is_not():
    health = failing(1, error=errors.InvalidRequestError("x", status_code=404, accepted=False))
    assert rests(health, GONE_S - 1)
    assert not rests(health, 1, HERE._replace(endpoint="another"))
    assert not rests(health, GONE_S)
    health.took(HERE, 5)  # it was asked all the same, and is there
    assert not rests(health, 6)
