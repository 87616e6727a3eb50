"""When another offer may be tried: only when nothing can have been bought, and nobody judged the content."""

import pytest

from aggregator import errors
from aggregator.routing.fallback import MAX_ATTEMPTS, may_fall_back


@pytest.mark.parametrize(
    ("kind", "status", "allowed"),
    [
        (errors.UnavailableError, 503, True),
        (errors.RateLimitError, 429, True),
        (errors.QuotaError, 403, True),
        (errors.AuthenticationError, 401, True),
        (errors.InvalidRequestError, 404, True),
        (errors.InvalidRequestError, 410, True),
        (errors.InvalidRequestError, 422, False),
        (errors.InvalidRequestError, None, False),
        (errors.ContentPolicyError, 422, False),
        (errors.ResponseFormatError, 200, False),
        (errors.JobFailedError, 200, False),
        (errors.JobTimeoutError, None, False),
    ],
)
def test_a_definite_no_may_be_followed_by_another(kind, status, allowed):
    assert may_fall_back(kind("x", status_code=status, accepted=False)) is allowed


@pytest.mark.parametrize("accepted", [None, True, False])
@pytest.mark.parametrize("status", [None, 200, 403, 404, 422, 451, 503])
def test_a_judgement_of_the_content_is_never_handed_round(accepted, status):
    assert may_fall_back(errors.ContentPolicyError("x", status_code=status, accepted=accepted)) is False


@pytest.mark.parametrize("accepted", [None, True, False])
def test_a_time_out_is_no_reason_to_ask_another(accepted):
    assert may_fall_back(errors.JobTimeoutError("x", accepted=accepted)) is False
    waited_for = errors.UnavailableError("x", accepted=None)
    waited_for.timed_out = True
    assert may_fall_back(waited_for) is False


@pytest.mark.parametrize("accepted", [None, True])
@pytest.mark.parametrize("kind", [errors.UnavailableError, errors.RateLimitError, errors.ContentPolicyError])
def test_what_may_have_been_bought_is_never_bought_again(kind, accepted):
    assert may_fall_back(kind("x", status_code=503, accepted=accepted)) is False


def test_three_attempts():
    assert MAX_ATTEMPTS == 3
