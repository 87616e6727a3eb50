"""In which order offers are used. Deterministic and total: the same day, data and configuration give the same order.

The wanted tier comes first, then what is not deprecated, then what the stage's policy orders by; the price and the id
decide what is left. What nobody knows comes last, never as if it were zero.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import partial
from hashlib import sha256
from math import inf, log
from typing import Any, Protocol

from aggregator.config import Config
from aggregator.errors import ConfigurationError, RequestError
from aggregator.policies import PolicySettings
from aggregator.registry.cards import Tier
from aggregator.registry.quality import Standing
from aggregator.routing.outcomes import Track
from aggregator.routing.plan import Candidate

__all__ = ["Key", "Placed", "Policy", "drawn", "policy_of", "reliability"]

Key = tuple[Any, ...]
"""Whose place comes first is smaller. Keys of one policy can be compared."""

_FREE = Decimal(0)
_NEVER = date.min
_STEPS = 20
"""How many degrees of reliability there are: one failure more or less is no reason to change the model."""
_PRIOR = 2
"""An offer begins as if it had succeeded so often: one bad job is no record."""
_SPEED_STEP = 0.1
"""Times that differ by less than about a tenth are alike."""
_WORDS = {
    "price": "the cheapest",
    "quality": "the best by quality",
    "self-hosted": "a server of your own first, then the cheapest",
    "speed": "the fastest",
}


class Placed(Protocol):
    """What an offer is ordered by."""

    @property
    def id(self) -> str: ...
    @property
    def tier(self) -> Tier: ...
    @property
    def deprecated(self) -> bool: ...
    @property
    def released(self) -> date | None: ...
    @property
    def self_hosted(self) -> bool: ...
    @property
    def high_usd(self) -> Decimal | None: ...
    @property
    def standing(self) -> Standing | None: ...
    @property
    def track(self) -> Track | None: ...
    @property
    def candidate(self) -> Candidate:
        """All of it, for a policy of the user's own."""


@dataclass(frozen=True, slots=True)
class Policy:
    """How one stage chooses."""

    stage: str
    settings: PolicySettings
    wanted: Tier
    order: str
    decide: Callable[[Placed], Key | None]
    """What the stage orders by; `None`: not this one."""

    def key(self, item: Placed) -> Key | None:
        """The place of an offer; `None`: a policy of the user's own does not want it."""
        decided = self.decide(item)
        if decided is None:
            return None
        high = item.high_usd
        return (item.tier != self.wanted, item.deprecated, *decided, high is None, high or _FREE, item.id)

    def words(self, chosen: Candidate) -> str:
        """What the chosen one is, for a person."""
        if self.order == "quality" and chosen.standing is None:
            return "the newest"  # of those that nobody has read
        if self.order == "weighted":
            return f"the best by {' and '.join(self.settings.weights)}"
        return _WORDS.get(self.order, f"the first by {self.order}")


def policy_of(config: Config, stage: str) -> Policy:
    """The policy of a stage.

    Raises:
        RequestError: No such stage.
        ConfigurationError: Its own function cannot be found.

    """
    settings = config.policy.get(stage)
    if settings is None:
        raise RequestError(f"unknown stage {stage!r}: [policy] has {', '.join(config.policy)}")
    assert settings.tier is not None  # the configuration saw to it
    order = settings.ordered
    decide = _DECIDE.get(order)
    if order == "weighted":
        decide = partial(_weighted, settings)
    return Policy(stage, settings, settings.tier, order, decide or _own(stage, order))


def drawn(policy: Policy, lot: str) -> bool:
    """Whether a job is among the share that goes to the model on trial. Without a lot it is not."""
    canary = policy.settings.canary
    if canary is None or not lot:
        return False
    digest = sha256(f"{policy.stage}\0{canary.model}\0{lot}".encode()).digest()
    return int.from_bytes(digest[:8]) < canary.share * 2**64


def reliability(track: Track | None) -> Decimal:
    """The share of orders that can be expected to succeed, in twentieths; refusals on content speak of the prompts."""
    if track is None:
        return Decimal(1)
    judged = track.n * (1 - track.refused) + _PRIOR
    share = (track.n * track.success + _PRIOR) / judged
    return Decimal(max(1, round(share * _STEPS))) / _STEPS


# --------------------------------------------------------------------------------------------------------- the orders


def _by_price(item: Placed) -> Key:
    """What a success costs: an offer that fails half of the time is worth half of its price."""
    high = item.high_usd or _FREE
    return item.high_usd is None, high if item.track is None else high / reliability(item.track)


def _by_quality(item: Placed) -> Key:
    """The best standing first, to a hundredth of the pairs; those that nobody has read after, the newest first."""
    if item.standing is None:
        return True, 0.0, -(item.released or _NEVER).toordinal()
    return False, -round(item.standing.share, 2), 0


def _own_first(item: Placed) -> Key:
    return not item.self_hosted, *_by_price(item)


def _by_speed(item: Placed) -> Key:
    p50_s = None if item.track is None else item.track.p50_s
    return p50_s is None, 0 if p50_s is None else round(log(max(p50_s, _SPEED_STEP)) / _SPEED_STEP)


def _weighted(settings: PolicySettings, item: Placed) -> Key:
    """A product of powers: no figure depends on who else is there. Who lacks a figure comes after those who do not."""
    high = item.high_usd
    p50_s = None if item.track is None else item.track.p50_s
    figures = {
        "price": None if high is None else -log(high) if high else inf,
        "quality": None if item.standing is None else log(item.standing.share),
        "speed": None if p50_s is None else -log(max(p50_s, _SPEED_STEP)),
        "reliability": log(reliability(item.track)),
    }
    missing = tuple(sorted(factor for factor in settings.weights if figures[factor] is None))
    score = sum(weight * (figures[factor] or 0.0) for factor, weight in settings.weights.items())
    return len(missing), missing, -score


_DECIDE: dict[str, Callable[[Placed], Key | None]] = {
    "price": _by_price,
    "quality": _by_quality,
    "self-hosted": _own_first,
    "speed": _by_speed,
}


def _own(stage: str, place: str) -> Callable[[Placed], Key | None]:
    """A function of the user's: from a candidate to what it is ordered by, smallest first; `None`: not this one."""
    module, _, name = place.partition(":")
    try:
        function = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ConfigurationError(f"[policy.{stage}] order: no function at {place!r} ({error})") from None

    def decide(item: Placed) -> Key | None:
        try:
            decided = function(item.candidate)
        except Exception as error:
            raise ConfigurationError(
                f"[policy.{stage}] order: {place} raised {type(error).__name__} for {item.id}: {error}"
            ) from error
        return decided if isinstance(decided, tuple) or decided is None else (decided,)

    return decide
