"""How well each offer has done here: how much of what was ordered succeeded, how long that took, how often content was
refused. What is old counts less.

What the store remembers is read once, at opening; the runner tells what ends after. What says nothing of the offer
counts for nothing: a key that is refused, a request that is malformed or comes too fast, a job that was canceled, and a
purchase nobody knows the end of, until it is known.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Literal, NamedTuple

from aggregator import errors
from aggregator.clock import Clock
from aggregator.errors import (
    AuthenticationError,
    ContentPolicyError,
    InvalidRequestError,
    JobCanceledError,
    JobTimeoutError,
    QuotaError,
    RateLimitError,
)
from aggregator.job import AttemptState
from aggregator.routing.health import GONE

__all__ = ["HALF_LIFE_DAYS", "End", "Ended", "Outcomes", "Track", "end_of"]

HALF_LIFE_DAYS = 7.0
"""After so many days an outcome counts half: hosts have bad weeks, and mend."""
KEPT = 200
"""Outcomes of an offer that are kept: the newest. The one that is dropped would count next to nothing."""
DAY_S = 86_400.0

End = Literal["succeeded", "failed", "refused"]
_OF_THE_REQUEST = (
    AuthenticationError,
    InvalidRequestError,
    JobCanceledError,
    JobTimeoutError,
    QuotaError,
    RateLimitError,
)


class Ended(NamedTuple):
    """What became of one purchase."""

    offer: str
    at_s: float
    """When, in seconds since the epoch."""
    end: End
    took_s: float | None = None
    """From the request to the word that it is done; `None` where it failed, or nobody was watching."""


@dataclass(frozen=True, slots=True)
class Track:
    """The record of an offer on this store, aged."""

    n: float
    """How many outcomes this rests on, each counted by its age: ten of a week ago count as five."""
    success: float
    """The share that succeeded, from 0 to 1; failures and refusals make up the rest."""
    refused: float
    """The share that was refused on content: it speaks of the prompts as much as of the offer."""
    p50_s: float | None
    """Half of those that succeeded took no longer; `None`: of none it is known."""
    p90_s: float | None


class Outcomes:
    """The records of all offers. Told what ends, asked while planning: an answer is put together once."""

    def __init__(self, clock: Clock, known: Iterable[Ended] = ()) -> None:
        self._clock = clock
        self._ended: dict[str, deque[Ended]] = {}
        self._tracks: dict[str, tuple[float, Track]] = {}
        self._lately: deque[str] = deque(maxlen=KEPT)
        self.told = 0
        """How many outcomes there were."""
        for one in known:
            self.tell(one)

    def tell(self, one: Ended) -> None:
        """Count what became of a purchase. Those of one offer come in the order of their time."""
        self._ended.setdefault(one.offer, deque(maxlen=KEPT)).append(one)
        self._tracks.pop(one.offer, None)
        self._lately.append(one.offer)
        self.told += 1

    def told_since(self, told: int) -> list[str] | None:
        """The offers whose outcomes came after so many had been told; `None`: too many to say."""
        return None if (new := self.told - told) > len(self._lately) else list(self._lately)[len(self._lately) - new :]

    def track(self, offer_id: str, at_s: float | None = None) -> Track | None:
        """The record of an offer (`provider:endpoint`), as old as it is now, or at `at_s`; `None`: nothing is known."""
        ended = self._ended.get(offer_id)
        if ended is None:
            return None
        known = self._tracks.get(offer_id)
        if known is None:
            known = self._tracks[offer_id] = ended[-1].at_s, _track(ended)
        newest_s, track = known
        # As time passes all weights shrink alike: shares and times stay, only their number does not.
        return replace(track, n=track.n * _weight((self._clock.time() if at_s is None else at_s) - newest_s))


def _weight(age_s: float) -> float:
    return float(0.5 ** (max(0.0, age_s) / (HALF_LIFE_DAYS * DAY_S)))


def _track(ended: Sequence[Ended]) -> Track:
    newest_s = ended[-1].at_s
    weighed = [(_weight(newest_s - one.at_s), one) for one in ended]
    n = sum(weight for weight, _ in weighed)
    times = sorted((one.took_s, weight) for weight, one in weighed if one.took_s is not None)

    def share(end: End) -> float:
        return sum(weight for weight, one in weighed if one.end == end) / n

    return Track(n, share("succeeded"), share("refused"), _quantile(times, 0.5), _quantile(times, 0.9))


def _quantile(times: Sequence[tuple[float, float]], share: float) -> float | None:
    """The shortest time that at least `share` of the weight did not exceed."""
    reached = list(accumulate(weight for _, weight in times))
    if not reached:
        return None
    return next(time for (time, _), weight in zip(times, reached, strict=True) if weight >= share * reached[-1])


def end_of(state: AttemptState, error: str | None, status_code: int | None) -> End | None:
    """What a final state says of the offer; `None`: nothing.

    Args:
        error: The name of the error's class, where it ended with one.
        status_code: The HTTP status that came with it.

    """
    if state is AttemptState.STORED:
        return "succeeded"
    if state is AttemptState.LOST:
        return "failed"  # it was paid for, and is not there
    if state not in (AttemptState.FAILED, AttemptState.REFUSED) or error is None:
        return None
    cls = getattr(errors, error)
    if issubclass(cls, ContentPolicyError):
        return "refused"
    gone = issubclass(cls, InvalidRequestError) and status_code in GONE
    return None if issubclass(cls, _OF_THE_REQUEST) and not gone else "failed"
