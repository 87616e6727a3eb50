"""Whether another offer may be tried after an error: only when it is certain that nothing was bought or judged.

The runner sees to the rest: each attempt has a reservation of its own, made only once that of the one before was given
back, and one call makes no more than `MAX_ATTEMPTS`.
"""

from aggregator.errors import (
    AuthenticationError,
    InvalidRequestError,
    JobFailedError,
    ProviderError,
    QuotaError,
    RateLimitError,
    UnavailableError,
)

__all__ = ["MAX_ATTEMPTS", "may_fall_back"]

MAX_ATTEMPTS = 3
_GONE = frozenset({404, 410})


def may_fall_back(error: ProviderError) -> bool:
    """Whether the next offer of the plan may be tried.

    Never when the job may have been taken (`accepted` is `None`): that could pay twice. One that was taken must have
    failed at the provider; where that was billed, or may be, the runner does not go on. Never after a refusal on
    content: what one provider refuses is not handed round. Of requests called malformed only those whose endpoint is
    gone.
    """
    if error.accepted is not False:
        return error.accepted is True and isinstance(error, JobFailedError)
    if isinstance(error, InvalidRequestError):
        return error.status_code in _GONE
    return isinstance(error, UnavailableError | RateLimitError | QuotaError | AuthenticationError)
