"""Down the ranked offers, past those that this very call, or this very moment, rules out; no further than is asked for.

An offer that is passed over (it rests, its price is paused, it is on trial) comes after the others of its tier.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from aggregator.pricing.quote import Quote
from aggregator.registry.cards import Offer
from aggregator.routing.candidates import Entry, Excluded
from aggregator.routing.fitting import Refusal, shown
from aggregator.routing.outcomes import Track
from aggregator.routing.plan import Adjustment, Ask, Candidate
from aggregator.routing.policy import Policy, drawn
from aggregator.routing.target import Target

__all__ = ["Moment", "Walk"]

Of = Callable[[str], Iterable[Entry]]
"""The ranked offers of one model, or the one with this id."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What may be another way when the next plan is made."""

    day: date
    pass_over: Callable[[Offer, Quote], str | None] = lambda _offer, _price: None
    """Why an offer at this price is not to be used while there are others, in words that follow its name."""
    hand_over: Callable[[Offer], Refusal | tuple[Adjustment, ...]] = lambda _offer: ()
    """What has to change about the inputs for this offer to take them, or why it cannot."""
    track: Callable[[str], Track | None] = lambda _offer: None
    told: tuple[int, int] = (0, 0)
    """When tracks may have changed: how many outcomes were told, and the hour."""
    told_since: Callable[[int], Iterable[str] | None] = lambda _count: None
    """The offers of which outcomes were told after so many; `None`: too many."""


class Walk:
    """One call on its way down. Iterating over it gives the offers in the order they would be used."""

    def __init__(self, moment: Moment, ask: Ask, policy: Policy, target: Target, values: Mapping[str, Any]) -> None:
        self._moment = moment
        self._ask = ask
        self._values = values
        canary = policy.settings.canary if target.is_open else None
        self._canary = canary
        self._drawn = drawn(policy, ask.lot)
        keep = ask.keep if policy.settings.sticky and target.is_open else None
        self._first = canary.model if canary is not None and self._drawn else keep
        self.passed: list[Candidate] = []
        """Those passed over of the tier that is being walked through."""

    def down(self, entries: Iterable[Entry], of: Of, out: list[Excluded] | None = None) -> Iterator[Candidate]:
        """Walk; `out` gets those that are ruled out."""
        first: set[str] = set()
        if self._first is not None:
            for entry in of(self._first):
                found = self._admitted(entry)
                if isinstance(found, Candidate) and found.passed_over is None:
                    first.add(entry.id)
                    yield replace(found, notes=(self._why_first(), *found.notes))
        tier = None
        for entry in entries:
            if entry.tier != tier:
                yield from self.passed
                self.passed, tier = [], entry.tier
            if entry.id in first:
                continue
            found = self._admitted(entry)
            if isinstance(found, Refusal):
                if out is not None:
                    held = entry.candidate
                    out.append(Excluded(held.offer, held.tier, found, held.quote, held.standing))
            elif found.passed_over is not None:
                self.passed.append(found)
            else:
                yield found
        yield from self.passed

    def _why_first(self) -> str:
        if self._canary is not None and self._drawn:
            return f"on trial: this is one of the {self._canary.share:.0%} of jobs that it gets"
        return "it is what the project used last here"

    def _admitted(self, entry: Entry) -> Candidate | Refusal:
        ask, moment, offer = self._ask, self._moment, entry.row.offer
        if ask.exclude and entry.id in ask.exclude:
            return Refusal("tried", lambda: "it was tried already")
        high, most = entry.high_usd, ask.max_usd
        if high is not None and most is not None and high > most:
            return Refusal("budget", lambda: f"it costs up to {high} USD; max_usd is {most}")
        changes = moment.hand_over(offer)
        if isinstance(changes, Refusal):
            return changes
        candidate = entry.candidate
        price = candidate.quote
        assert price is not None
        if high is None and most is None:
            return Refusal("price", lambda: f"its price is unknown: {price.why}; max_usd would bound it")
        if candidate.adjustments:  # those of the request at hand, where others are alike
            candidate = replace(candidate, adjustments=tuple(self._asked(one) for one in candidate.adjustments))
        if changes:
            candidate = replace(candidate, adjustments=(*candidate.adjustments, *changes))
        aside = moment.pass_over(offer, price) or self.on_trial(offer)
        return candidate if aside is None else replace(candidate, passed_over=aside)

    def _asked(self, change: Adjustment) -> Adjustment:
        if change.field not in self._values:  # it was not asked for: a rate that goes with the length
            return change
        asked = shown(self._values[change.field])
        return change if asked == change.asked else replace(change, asked=asked)

    def on_trial(self, offer: Offer) -> str | None:
        """That an offer is on trial and this job not in its share; so that it takes over from nobody."""
        canary = self._canary
        if canary is None or self._drawn or canary.model not in (offer.model, offer.id):
            return None
        return f"is on trial for {canary.share:.0%} of the jobs, and this is none of them"
