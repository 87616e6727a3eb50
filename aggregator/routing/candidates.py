"""Who can serve a request: every offer of the task, looked at once; those that cannot each with the reason.

The cheap questions come first, the price last, and a reason's text is only written when somebody reads it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

from aggregator.config import Config
from aggregator.pricing.price import quote
from aggregator.pricing.quote import Quote
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Card, Offer, Tier
from aggregator.registry.load import Registry
from aggregator.routing.fitting import Refusal, fit
from aggregator.routing.plan import Ask, Candidate
from aggregator.routing.policy import ranked
from aggregator.routing.target import Target, target_of, wanted_tier
from aggregator.tasks import Request

__all__ = ["Candidates", "Excluded", "PassOver", "candidates"]

PassOver = Callable[[Offer, Quote], str | None]
"""Why an offer at this price is not to be used while there are others, in words that follow its name."""

_OLD_PRICE = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Excluded:
    """An offer that is out, and why."""

    offer: Offer
    tier: Tier
    refusal: Refusal
    quote: Quote | None = None

    def candidate(self) -> Candidate:
        return Candidate(self.offer, self.tier, quote=self.quote, excluded=self.refusal.why())


@dataclass(frozen=True, slots=True)
class Candidates:
    """Every offer of the task: those that can, in the order they would be used, and those that cannot."""

    target: Target
    wanted: Tier
    order: str
    """What decided: `price`, `release date`, or the name of a board."""
    ranked: tuple[Candidate, ...]
    out: tuple[Excluded, ...]

    def excluded(self) -> tuple[Candidate, ...]:
        """Those that cannot, with the reasons written out."""
        return tuple(item.candidate() for item in self.out)


def candidates(
    registry: Registry,
    prices: PriceTable,
    config: Config,
    usable: Mapping[str, str | None],
    request: Request,
    ask: Ask,
    day: date,
    pass_over: PassOver = lambda _offer, _price: None,
) -> Candidates:
    """Look at every offer of the request's task.

    Args:
        usable: Provider name to `None`, or to the reason it cannot be used ("no key: set FAL_KEY").
        pass_over: Which offers come after all others of their tier, and why.

    Raises:
        RequestError: The stage or the model is unknown, or the model is retired.
    """
    wanted = wanted_tier(config, ask.stage)
    target = target_of(registry, config, request, ask, day)
    scan = _Scan(prices, config, usable, request, ask, day, target, wanted, request.values(), pass_over)
    fitting, out = [], []
    for offer in registry.offers(request.task):
        found = scan.look(offer, registry.card(offer.model))
        if isinstance(found, Candidate):
            fitting.append(found)
        else:
            out.append(found)
    in_order, order = ranked(registry, request.task, fitting, wanted, day)
    return Candidates(target, wanted, order, in_order, tuple(out))


@dataclass(frozen=True, slots=True)
class _Scan:
    """One request on its way past all offers."""

    prices: PriceTable
    config: Config
    usable: Mapping[str, str | None]
    request: Request
    ask: Ask
    day: date
    target: Target
    wanted: Tier
    values: dict[str, Any]
    pass_over: PassOver

    def look(self, offer: Offer, card: Card) -> Candidate | Excluded:
        tier = self.config.tiers.get(card.id, card.tier)
        if (refusal := self._out_of_the_question(offer)) is not None:
            return Excluded(offer, tier, refusal)
        found = fit(offer, self.request, self.values, adjust=self.ask.on_unsupported == "adjust")
        if isinstance(found, Refusal):
            return Excluded(offer, tier, found)
        served, adjustments = found
        price = quote(offer, served, self.prices, self.day)
        if (refusal := self._too_dear(price)) is not None:
            return Excluded(offer, tier, refusal, price)
        aside = self.pass_over(offer, price)
        return Candidate(
            offer, tier, price, adjustments, passed_over=aside, notes=self._notes(offer, card, tier, price)
        )

    def _out_of_the_question(self, offer: Offer) -> Refusal | None:
        if not self.target.admits(offer):
            return Refusal("model", lambda: f"it is {offer.model}; asked for is {self.target}")
        if offer.id in self.ask.exclude:
            return Refusal("tried", lambda: "it was tried already")
        if (denied := self._denied(offer)) is not None:
            return Refusal("policy", denied)
        stage = offer.stage(self.day)
        if stage in ("retired", "announced"):
            return Refusal("lifecycle", partial(_lifecycle, offer, stage))
        reason = self.usable.get(offer.provider, f"no provider is named {offer.provider!r} here")
        return None if reason is None else Refusal("provider", lambda: reason)

    def _denied(self, offer: Offer) -> Callable[[], str] | None:
        rules = self.config.routing
        names = (offer.id, offer.model, offer.provider)
        if rules.allow and not _any_match(names, rules.allow):
            return lambda: f"[routing] allow has no pattern for {offer.id}"
        if rules.deny and _any_match(names, rules.deny):
            return lambda: f"[routing] deny has a pattern for {offer.id}"
        return None

    def _too_dear(self, price: Quote) -> Refusal | None:
        limit = self.ask.max_usd
        if price.high_usd is None:
            if limit is not None:
                return None
            return Refusal("price", lambda: f"its price is unknown: {price.why}; max_usd would bound it")
        if limit is None or price.high_usd <= limit:
            return None
        return Refusal("budget", lambda: f"it costs up to {price.high_usd} USD; max_usd is {limit}")

    def _notes(self, offer: Offer, card: Card, tier: Tier, price: Quote) -> tuple[str, ...]:
        notes = []
        if self.target.is_open and tier != self.wanted:
            notes.append(f"a {tier}, where stage {self.ask.stage!r} wants a {self.wanted}")
        if card.is_stand_in:
            notes.append("a stand-in for previews and tests, no trained model")
        if offer.stage(self.day) == "deprecated":
            left = f"{(offer.retires - self.day).days} days left" if offer.retires else "no end is announced"
            successor = f"; successor {offer.successor}" if offer.successor else ""
            notes.append(f"deprecated: {left}{successor}")
        if price.high_usd is None:
            notes.append(f"price unknown: booked at what is reported, else at max_usd ({price.why})")
        elif price.as_of is not None and self.day - price.as_of > _OLD_PRICE:
            notes.append(f"its price was last checked on {price.as_of}")
        return tuple(notes)


def _any_match(names: tuple[str, ...], patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns for name in names)


def _lifecycle(offer: Offer, stage: str) -> str:
    if stage == "announced":
        return f"it is announced for {offer.released}" if offer.released else "it is announced, without a date"
    since = f" since {offer.retires}" if offer.retires else ""
    return f"it is retired{since}; " + (f"successor {offer.successor}" if offer.successor else "no successor is named")
