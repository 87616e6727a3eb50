"""Whether another offer may be tried after an error: only when it is certain that nothing was bought or judged."""

from aggregator.errors import (
    AuthenticationError,
    InvalidRequestError,
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

    Never when the job was taken or may have been (`accepted` is not `False`): that could pay twice. Never after a
    refusal on content: what one provider refuses is not handed round. Of requests called malformed only those whose
    endpoint is gone.
    """
    if error.accepted is not False:
        return False
    if isinstance(error, InvalidRequestError):
        return error.status_code in _GONE
    return isinstance(error, UnavailableError | RateLimitError | QuotaError | AuthenticationError)
