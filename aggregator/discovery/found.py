"""What a source said when it was asked: offers, prices and readings in our words. Nothing here decides anything."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from pydantic import JsonValue

from aggregator.registry.cards import Stage

__all__ = ["Found", "FoundOffer", "FoundPrice", "FoundReading"]


@dataclass(frozen=True, slots=True)
class FoundOffer:
    """One model as one provider lists it. `None` is what the source does not say."""

    provider: str
    """Ours: the name of a table."""
    endpoint: str
    tasks: tuple[str, ...] = ()
    """Ours, as far as the source's own words for kinds of work are known."""
    title: str = ""
    status: Stage | None = None
    released: date | None = None
    deprecated: date | None = None
    retires: date | None = None
    successor: str | None = None
    """The endpoint that takes its place, in the source's words."""
    schema: Mapping[str, JsonValue] | None = None
    """What it takes, as the source publishes it: for the import, and to see that it has changed."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class FoundPrice:
    """A price as one source says it: dollars per unit, under conditions."""

    provider: str
    endpoint: str
    unit: str | None
    """One of `units.toml`; `None`: the source's word for it is not known, so nothing can be booked by it."""
    usd: Decimal
    said: str
    """The source's own words: number, unit, condition."""
    when: Mapping[str, tuple[JsonValue, ...]] = field(default_factory=dict)
    """As in a rate row: a field to the values under which it applies."""
    task: str | None = None
    as_of: date | None = None
    """The day the source gives; `None`: it is as old as the question."""


@dataclass(frozen=True, slots=True)
class FoundReading:
    """One score of one model on one board. Append-only: an older reading stays."""

    board: str
    name: str
    """The board's own name of the model: variants are models of their own there."""
    score: float
    as_of: date
    task: str | None = None
    rank: int | None = None
    votes: int | None = None
    plus: float | None = None
    """How far the 95 % interval reaches above the score, in its unit."""
    minus: float | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """One source's answers together, and how far they go."""

    source: str
    """The name of the source: `fal`, `litellm`."""
    asked: date
    offers: tuple[FoundOffer, ...] = ()
    prices: tuple[FoundPrice, ...] = ()
    readings: tuple[FoundReading, ...] = ()
    whole: tuple[str, ...] = ()
    """Providers whose whole list of offers this is: only there does a missing one mean anything."""
    left_out: tuple[str, ...] = ()
    """What was in the answers and could not be read, each with the reason."""

    def __add__(self, other: "Found") -> "Found":
        """Two pages of one source."""
        return Found(
            self.source,
            self.asked,
            self.offers + other.offers,
            self.prices + other.prices,
            self.readings + other.readings,
            tuple(dict.fromkeys(self.whole + other.whole)),
            self.left_out + other.left_out,
        )
