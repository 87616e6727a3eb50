"""Every error the library raises, and nothing else.

AggregatorError
├─ ConfigurationError            missing or malformed setting; raised before any call
│  ├─ MissingCredentialError
│  └─ LockError                  what the lock says is not so any more
├─ RequestError                  the caller's request cannot be served; raised before any call
│  ├─ UnknownModelError
│  ├─ RetiredModelError
│  ├─ UnsupportedFieldError
│  └─ KeyConflictError
├─ ProviderError                 something a provider said or did; carries `accepted`
│  ├─ AuthenticationError
│  ├─ QuotaError
│  ├─ RateLimitError
│  ├─ InvalidRequestError
│  ├─ ContentPolicyError
│  ├─ UnavailableError
│  ├─ ResponseFormatError
│  ├─ JobFailedError
│  ├─ JobCanceledError
│  ├─ JobTimeoutError
│  └─ ArtifactLostError
├─ RoutingError
│  ├─ NoRouteError
│  └─ RoutesExhaustedError
├─ PricingError
│  ├─ PriceUnknownError
│  └─ PricePausedError
├─ BudgetExceededError
├─ StoreError
├─ WebhookError                  a delivery that is not taken; `reason` says why
├─ FeedError                     a feed that is not taken; the last good one stays
├─ LedgerError
│  ├─ AlreadySettledError
│  └─ AlreadyReleasedError
├─ EditError                     a local edit that cannot be made; nothing is left behind
└─ WorkflowError                 one step of a chain; the step's own error is `__cause__`
   └─ WorkflowCheckError         a workflow that cannot run as it is written; raised before any call

Decisions read attributes, never the text. No error holds a secret, and all of them can be pickled.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

__all__ = [
    "AggregatorError",
    "AlreadyReleasedError",
    "AlreadySettledError",
    "ArtifactLostError",
    "AuthenticationError",
    "BudgetExceededError",
    "ConfigurationError",
    "ContentPolicyError",
    "EditError",
    "FeedError",
    "InvalidRequestError",
    "JobCanceledError",
    "JobFailedError",
    "JobTimeoutError",
    "KeyConflictError",
    "LedgerError",
    "LockError",
    "MissingCredentialError",
    "NoRouteError",
    "PricePausedError",
    "PriceUnknownError",
    "PricingError",
    "ProviderError",
    "QuotaError",
    "RateLimitError",
    "RequestError",
    "ResponseFormatError",
    "RetiredModelError",
    "RoutesExhaustedError",
    "RoutingError",
    "StoreError",
    "UnavailableError",
    "UnknownModelError",
    "UnsupportedFieldError",
    "WebhookError",
    "WorkflowCheckError",
    "WorkflowError",
]


class AggregatorError(Exception):
    """The root of everything this library raises on purpose."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.args, dict(self.__dict__))


def _rebuild(cls: type[AggregatorError], args: tuple[Any, ...], state: dict[str, Any]) -> AggregatorError:
    error = cls.__new__(cls)
    Exception.__init__(error, *args)
    error.__dict__.update(state)
    return error


class ConfigurationError(AggregatorError):
    """A setting is missing or malformed; the message says where and what to write."""


class MissingCredentialError(ConfigurationError):
    """A provider is asked for but none of its key variables is set."""


class LockError(ConfigurationError):
    """The lock is missing or malformed, or what it says is not so any more; `moved` says what, a line each."""

    def __init__(self, message: str, *, moved: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.moved = tuple(moved)


class RequestError(AggregatorError):
    """The request cannot be served as written; nothing was sent."""


class UnknownModelError(RequestError):
    """No card has this id; `nearest` lists the closest known ids."""

    def __init__(self, message: str, *, nearest: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.nearest = tuple(nearest)


class RetiredModelError(RequestError):
    """The offer is retired; `successor` names what replaced it, if anything did."""

    def __init__(self, message: str, *, successor: str | None = None) -> None:
        super().__init__(message)
        self.successor = successor


class UnsupportedFieldError(RequestError):
    """A field or value the chosen offer cannot carry; `supported` says what it can."""

    def __init__(self, message: str, *, supported: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.supported = tuple(supported)


class KeyConflictError(RequestError):
    """The key already belongs to another request of the same project."""

    def __init__(self, message: str, *, key: str) -> None:
        super().__init__(message)
        self.key = key


class ProviderError(AggregatorError):
    """Something a provider said or did.

    `accepted` is `False` (refused, or it never arrived), `None` (nobody knows) or `True` (taken, then failed or late).
    """

    retryable: bool = False
    """Whether the same may be asked again; a provider may forbid it of a single error."""

    def __init__(
        self,
        message: str,
        *,
        provider: str = "",
        model: str = "",
        task: str = "",
        status_code: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
        accepted: bool | None = None,
        retry_after_s: float | None = None,
        job_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.provider = provider
        self.model = model
        self.task = task
        self.status_code = status_code
        self.code = code
        self.request_id = request_id
        self.accepted = accepted
        self.retry_after_s = retry_after_s
        self.job_id = job_id


class AuthenticationError(ProviderError):
    """The key was refused (401, 403)."""


class QuotaError(ProviderError):
    """The provider's account is out of credit."""


class RateLimitError(ProviderError):
    """Too many requests, or too many jobs at once (429)."""

    retryable = True


class InvalidRequestError(ProviderError):
    """The provider refused the request as malformed, or does not know the endpoint (400, 404, 422)."""


class ContentPolicyError(ProviderError):
    """Refused on content; never retried and never sent elsewhere silently."""


class UnavailableError(ProviderError):
    """No usable answer: connection, time-out or 5xx."""

    retryable = True
    timed_out = False
    """Whether it was waited for in vain."""


class ResponseFormatError(ProviderError):
    """The answer is not what the provider's table says."""


class JobFailedError(ProviderError):
    """Accepted, then failed at the provider."""


class JobCanceledError(ProviderError):
    """Accepted, then canceled."""


class JobTimeoutError(ProviderError):
    """Our deadline passed; the job may still be running and its money stays reserved."""


class ArtifactLostError(ProviderError):
    """Paid for, but the file can no longer be fetched; it is not generated again under the same key."""


class RoutingError(AggregatorError):
    """No offer could be used."""


class NoRouteError(RoutingError):
    """Nothing can serve this request; `reasons` maps each candidate to why not."""

    def __init__(self, message: str, *, reasons: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.reasons = dict(reasons or {})


class RoutesExhaustedError(RoutingError):
    """Every planned offer was tried; `errors` holds one error per attempt."""

    def __init__(self, message: str, *, errors: Sequence[ProviderError] = ()) -> None:
        super().__init__(message)
        self.errors = tuple(errors)


class PricingError(AggregatorError):
    """A price table or a rate is unusable."""


class PriceUnknownError(PricingError):
    """No rate applies and no `max_usd` bounds the call; unknown is never zero."""


class PricePausedError(PricingError):
    """A job at this price was billed above its quote, and nobody has looked at it yet; nothing was sent."""

    def __init__(self, message: str, *, offer: str, quote_usd: Decimal, bill_usd: Decimal) -> None:
        super().__init__(message)
        self.offer = offer
        self.quote_usd = quote_usd
        self.bill_usd = bill_usd


class BudgetExceededError(AggregatorError):
    """The reservation does not fit; nothing was sent."""

    def __init__(
        self,
        message: str,
        *,
        account: str,
        quote_usd: Decimal,
        limit_usd: Decimal,
        spent_usd: Decimal,
        held_usd: Decimal,
        period: str | None = None,
        until: datetime | None = None,
    ) -> None:
        super().__init__(message)
        self.account = account
        self.period = period
        """Which day, week or month (UTC) is used up: `month 2026-11`; `None`: the budget for life."""
        self.until = until
        self.quote_usd = quote_usd
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd
        self.held_usd = held_usd


class StoreError(AggregatorError):
    """The store cannot be opened, read or written as it must be.

    `written` says what became of the transaction: `False`, nothing of it was written; `None`, nobody knows.
    """

    def __init__(self, message: str, *, written: bool | None = False) -> None:
        super().__init__(message)
        self.written = written


class WebhookError(AggregatorError):
    """A delivery that is not taken, to be answered with 401: nothing of it is believed.

    `reason` is `missing` (a header), `signature`, `time` (too old, or from the future), `malformed`, `algorithm`,
    `address` or `attempt` (an address that leads nowhere, or to no attempt of this store). After `signature`, keys that
    were fetched some time ago may be fetched once more.
    """

    def __init__(self, message: str, *, reason: str, provider: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.provider = provider


class FeedError(AggregatorError):
    """A feed of cards and rates that is not taken: nothing of it is used, and the last good one stays.

    `reason` is `unreachable`, `too_large`, `malformed`, `newer` (made for a later version of this package),
    `signature`, `rollback` (older than the last good one), `expired`, `future`, `content` (it says what a feed may not
    say) or `shrunk` (too much of the catalogue would be gone).
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class LedgerError(AggregatorError):
    """A movement of money that the books do not allow."""


class AlreadySettledError(LedgerError):
    """The reservation was settled before."""


class AlreadyReleasedError(LedgerError):
    """The reservation was released before."""


class EditError(AggregatorError):
    """A local edit cannot be made of these inputs: nothing was written.

    `edit` names it; `field` is the input that is in the way, where it is one of them (`clips[1]`).
    """

    def __init__(self, message: str, *, edit: str, field: str | None = None) -> None:
        super().__init__(message)
        self.edit = edit
        self.field = field


class WorkflowError(AggregatorError):
    """One step of a chain failed; `step` names it, the step's own error is `__cause__`.

    `results` holds what the other steps delivered: they are paid for and kept.
    """

    def __init__(self, message: str, *, step: str, results: Sequence[Any] = ()) -> None:
        super().__init__(message)
        self.step = step
        self.results = tuple(results)


class WorkflowCheckError(WorkflowError):
    """A workflow that cannot run as it is written; nothing was sent.

    `problems` holds all that is wrong: where it is written (`film.toml:12`; `None`: nowhere), in which step (`None`: in
    none of them), and what is wrong. `step` is the first of those steps.
    """

    def __init__(self, message: str, *, problems: Sequence[tuple[str | None, str | None, str]]) -> None:
        super().__init__(message, step=next((step for _, step, _ in problems if step is not None), ""))
        self.problems = tuple(problems)
