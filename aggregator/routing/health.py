"""Which offers rest, because what was asked of them failed: a circuit breaker per account and model, in this process.

It is told what became of paid requests and asked before the next one. Polls never pass it: what was taken is followed.
It only says who rests; that somebody is asked all the same where everybody rests is for routing to see to. Moments are
seconds of a clock that never goes back.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from aggregator.errors import (
    AuthenticationError,
    ContentPolicyError,
    InvalidRequestError,
    ProviderError,
    QuotaError,
    RateLimitError,
)

__all__ = ["Health", "Where"]

FAILURES_IN_A_ROW = 5
WINDOW_S = 60.0
WINDOW_LEAST = 20
"""From how many requests within the window on their share of failures counts; more than half of them is too many."""
REST_S = 30.0
"""The first rest; the second one takes twice as long, the third three times."""
MAX_REST_S = 600.0
GONE_S = 3600.0
"""How long an endpoint that is not known is left alone. Not for ever: an input that does not exist looks the same."""
TRIAL_S = 60.0
"""How long the one request after a rest may take before another one is let through."""
AMBIGUOUS = 2
"""What a request counts whose outcome nobody knows: it costs more than a refusal."""
GONE = (404, 410)
UNPAID = (401, 402)
FULL_S = 2.0
"""How long an account that had no room for a job is taken to have none."""


class Where(NamedTuple):
    """Whom a paid request goes to."""

    provider: str
    account: str
    model: str
    endpoint: str


Key = tuple[str, ...]


@dataclass(slots=True)
class _Breaker:
    streak: int = 0
    recent: deque[tuple[float, int, bool]] = field(default_factory=deque)
    """When, with which weight, and whether it failed."""
    rests: int = 0
    rests_until: float | None = None
    """`None`: closed. Once it is over, one request is let through (half open)."""
    trial_until: float = 0.0
    closed_at: float = 0.0
    why: str = ""

    def count(self, at: float, weight: int, *, failed: bool) -> None:
        self.streak = self.streak + weight if failed else 0
        self.recent.append((at, weight, failed))
        while self.recent[0][0] <= at - WINDOW_S:
            self.recent.popleft()

    def too_many(self) -> str | None:
        """Why it is time to rest, if it is."""
        if self.streak >= FAILURES_IN_A_ROW:
            return "several requests in a row failed"
        asked = sum(weight for _, weight, _ in self.recent)
        failed = sum(weight for _, weight, failed in self.recent if failed)
        return "more than half of the last requests failed" if asked >= WINDOW_LEAST and failed * 2 > asked else None

    def rest(self, at: float, why: str, least_s: float = 0.0) -> None:
        """Open, for longer each time; after a long while without it from the beginning. Who rests already goes on."""
        if self.rests_until is not None and self.rests_until > at:
            return
        if self.rests_until is None and at - self.closed_at > MAX_REST_S:
            self.rests = 0
        self.rests += 1
        self.rests_until = at + max(least_s, min(MAX_REST_S, REST_S * self.rests))
        self.trial_until, self.why = 0.0, why

    def close(self, at: float) -> None:
        if self.rests_until is not None:
            self.rests_until, self.trial_until, self.closed_at = None, 0.0, at
            self.recent.clear()


class Health:
    """What this process knows of how well providers take paid requests."""

    def __init__(self) -> None:
        self._breakers: dict[Key, _Breaker] = {}
        self._full: dict[Key, float] = {}

    @property
    def anyone_rests(self) -> bool:
        """Whether it is worth while to ask of each."""
        return bool(self._full) or any(breaker.rests_until is not None for breaker in self._breakers.values())

    def why_resting(self, where: Where, at: float) -> str | None:
        """Why an offer should not be asked now, in words that follow its name; `None`: it may be."""
        for key in _keys(where):
            breaker = self._breakers.get(key)
            if breaker is None or breaker.rests_until is None:
                continue
            left_s = max(breaker.rests_until, breaker.trial_until) - at
            if left_s > 0:
                return f"rests for another {left_s:.0f} s: {breaker.why}"
        return "has no room for another job now" if self._full.get(_of_account(where), at) > at else None

    def full(self, where: Where, at: float) -> None:
        """Its account takes no more jobs for the moment."""
        self._full = {key: until for key, until in self._full.items() if until > at}
        self._full[_of_account(where)] = at + FULL_S

    def down(self, where: Where, why: str, at: float) -> None:
        """Its address does not answer: it rests at once, where others stand beside it."""
        self._breaker(_of_account(where)).rest(at, why)

    def asked(self, where: Where, at: float) -> None:
        """A paid request is about to leave. After a rest it is the one that is let through."""
        for key in _keys(where):
            breaker = self._breakers.get(key)
            if breaker is not None and breaker.rests_until is not None and breaker.rests_until <= at:
                breaker.trial_until = at + TRIAL_S

    def took(self, where: Where, at: float) -> None:
        """A job was taken, or refused for what it asks: whoever judges is well."""
        for key in _keys(where):
            breaker = self._breakers.get(key)
            if breaker is None and key == _of_model(where):
                breaker = self._breakers[key] = _Breaker()  # successes count in the share of failures
            if breaker is not None:
                breaker.close(at)
                breaker.count(at, 1, failed=False)

    def failed(self, where: Where, error: ProviderError, at: float) -> None:
        """A paid request was not taken, or nobody knows. What says nothing of the provider counts for nothing."""
        said = f"HTTP {error.status_code}" if error.status_code else type(error).__name__
        if isinstance(error, RateLimitError):
            return  # it is well, and asked too fast: that is for the limits
        if isinstance(error, InvalidRequestError | ContentPolicyError):
            if isinstance(error, InvalidRequestError) and error.status_code in GONE:
                self._breaker(_of_endpoint(where)).rest(at, f"it does not know the endpoint any more ({said})", GONE_S)
            elif error.accepted is False:
                self.took(where, at)
            return
        if isinstance(error, AuthenticationError | QuotaError):
            whole = isinstance(error, QuotaError) or error.status_code in (None, *UNPAID)
            key = _of_account(where) if whole else _of_model(where)
            self._breaker(key).rest(at, f"the account is refused ({said})")
            return
        breaker = self._breaker(_of_model(where))
        breaker.count(at, 1 if error.accepted is False else AMBIGUOUS, failed=True)
        if breaker.rests_until is not None:
            breaker.rest(at, f"it failed again after a rest ({said})")
        elif (why := breaker.too_many()) is not None:
            breaker.rest(at, f"{why} (the last: {said})")

    def _breaker(self, key: Key) -> _Breaker:
        return self._breakers.setdefault(key, _Breaker())


def _of_account(where: Where) -> Key:
    return where.provider, where.account


def _of_model(where: Where) -> Key:
    return where.provider, where.account, where.model


def _of_endpoint(where: Where) -> Key:
    return where.provider, where.account, where.model, where.endpoint


def _keys(where: Where) -> tuple[Key, ...]:
    return _of_account(where), _of_model(where), _of_endpoint(where)
