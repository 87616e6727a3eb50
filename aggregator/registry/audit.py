"""What of the registry is not to be relied on any more, or was never known: the list that somebody should work off.

Retired offers and stand-ins are left out: nothing is chosen of them. The day is an argument.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, get_args

from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Board, Offer
from aggregator.registry.freshness import Fact, Freshness
from aggregator.registry.load import Registry
from aggregator.registry.quality import Quality

__all__ = ["KINDS", "Finding", "Kind", "audit"]

Kind = Literal["stale", "due", "dying", "superseded", "unpriced", "unproved", "redirected", "unmapped"]
KINDS: tuple[Kind, ...] = get_args(Kind)
"""In the order of how much they matter: not to be relied on; to be looked at again; about to end; followed by another;
without a price; without a reading; answered by another model; not to be ordered because nobody knows how.
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to look after."""

    kind: Kind
    subject: str
    """An offer (`provider:endpoint`), a model or a board."""
    task: str
    provider: str
    """Whose offer it is; empty for a model or a board."""
    said: str
    days: int | None = None
    """Since it was last looked at; of what is dying, until its end."""

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}


def audit(
    registry: Registry,
    prices: PriceTable,
    quality: Quality,
    day: date,
    *,
    within_days: int = 60,
    redirected: Collection[tuple[str, str]] = (),
) -> list[Finding]:
    """Everything that is to be looked after on `day`, by kind, the most urgent of each first.

    Args:
        within_days: How near an end must be to be told.
        redirected: Offers with the other model that their answers named, as seen in this store.

    """
    seen = _Audit(registry, prices, quality, day, within_days, dict(redirected))
    found = [*seen.offers(), *seen.models(), *seen.boards()]

    def urgency(finding: Finding) -> tuple[int, bool, int, str, str]:
        days = finding.days or 0
        first = days if finding.kind == "dying" else -days
        return KINDS.index(finding.kind), finding.days is None, first, finding.subject, finding.task

    return sorted(found, key=urgency)


@dataclass(frozen=True, slots=True)
class _Audit:
    registry: Registry
    prices: PriceTable
    quality: Quality
    day: date
    within_days: int
    redirected: Mapping[str, str]

    @property
    def rules(self) -> Freshness:
        return self.quality.rules

    def live(self) -> Iterator[Offer]:
        for offer in self.registry.all_offers():
            if offer.stage(self.day) != "retired" and not self.registry.card(offer.model).is_stand_in:
                yield offer

    def offers(self) -> Iterator[Finding]:
        for offer in self.live():
            yield from self._age(offer)
            yield from self._end(offer)
            if offer.unmapped:
                yield _of(offer, "unmapped", offer.unmapped)
            else:
                yield from self._price(offer)
            yield from self._answers(offer)

    def _age(self, offer: Offer) -> Iterator[Finding]:
        fact: Fact = "preview" if offer.stage(self.day) == "preview" else "availability"
        yield from self._aged(fact, offer.checked, offer, "whether it is still served")
        if offer.retires and offer.retires_checked:
            yield from self._aged("availability", offer.retires_checked, offer, f"its end on {offer.retires}")

    def _aged(self, fact: Fact, checked: date, offer: Offer, what: str) -> Iterator[Finding]:
        state = self.rules.state(fact, checked, self.day)
        kind = _KIND_OF_STATE.get(state)
        if kind:
            gone = "; take it for gone" if state == "dead" else ""
            yield _of(offer, kind, f"{what} was checked on {checked}{gone}", days=(self.day - checked).days)

    def _end(self, offer: Offer) -> Iterator[Finding]:
        follows = offer.successor or self.registry.card(offer.model).successor
        after = f"then {follows}" if follows else "no successor"
        left = (offer.retires - self.day).days if offer.retires else None
        if left is not None and left <= self.within_days:
            yield _of(offer, "dying", f"ends on {offer.retires}; {after}", days=left)
        elif left is None and offer.stage(self.day) == "deprecated":
            yield _of(offer, "dying", f"deprecated, no end is announced; {after}")
        elif follows and self._is_served(follows, offer.task):
            yield _of(offer, "superseded", f"by {follows}")

    def _is_served(self, successor: str, task: str) -> bool:
        """Whether a successor, a model or a pin, can be had for the task."""
        return any(successor in (offer.model, offer.id) for offer in self.live() if offer.task == task)

    def _price(self, offer: Offer) -> Iterator[Finding]:
        units = dict.fromkeys(meter.unit for meter in offer.mapping.meters)
        rows = {unit: self.prices.rows_for(offer, unit, self.day) for unit in units}
        missing = [unit for unit, found in rows.items() if not found]
        if missing or not units:
            yield _of(offer, "unpriced", f"no rate per {', '.join(missing)}" if units else "nobody says what is billed")
        checked = [rate.checked or rate.starts for found in rows.values() for rate in found]
        if checked:
            yield from self._aged("price", min(checked), offer, "its price")

    def _answers(self, offer: Offer) -> Iterator[Finding]:
        serves = self.redirected.get(offer.id)
        if serves:
            yield _of(offer, "redirected", f"{serves} answered here in place of {offer.model}")
        elif (serves := offer.answers(self.day)) != offer.model:
            yield _of(offer, "redirected", f"{serves} is served in place of {offer.model}")

    def models(self) -> Iterator[Finding]:
        for model, task in dict.fromkeys((offer.model, offer.task) for offer in self.live()):
            if self.quality.standing(model, task, self.day) is None:
                yield Finding("unproved", model, task, "", f"no reading for {task}")
        for card in self.registry.cards.values():
            for weights in card.weights:
                state = self.rules.state("license", weights.checked, self.day)
                kind = _KIND_OF_STATE.get(state)
                if kind:
                    said = f"the licence of {weights.repository} was checked on {weights.checked}"
                    days = (self.day - weights.checked).days
                    yield Finding(kind, card.id, weights.tasks[0] if weights.tasks else "", "", said, days)

    def boards(self) -> Iterator[Finding]:
        """Of each task the board that was read last, where half of what it says of the top is gone since."""
        newest: dict[str, tuple[date, Board]] = {}
        for board in self.registry.boards.values():
            last = max((one.as_of for one in board.readings if one.as_of <= self.day), default=None)
            if last and (board.task not in newest or last > newest[board.task][0]):
                newest[board.task] = last, board
        for task, (last, board) in newest.items():
            days, half_life = (self.day - last).days, self.rules.half_life(board.kind, task)
            if days >= half_life:
                said = f"no board was read since {last}: of its top places {0.5 ** (days / half_life):.0%} still hold"
                yield Finding("stale", board.id, task, "", said, days)


_KIND_OF_STATE: Mapping[str, Kind] = {"warn": "due", "stale": "stale", "dead": "stale"}


def _of(offer: Offer, kind: Kind, said: str, *, days: int | None = None) -> Finding:
    return Finding(kind, offer.id, offer.task, offer.provider, said, days)
