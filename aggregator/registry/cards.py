"""What a card and an offer are: facts about a model, and one provider's way to it. Loading is in `load`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from pydantic import JsonValue

from aggregator.contract import Endpoint

__all__ = ["Board", "Card", "Limit", "Offer", "Reading", "Stage", "Tier"]

Tier = Literal["workhorse", "hero"]
Stage = Literal["announced", "preview", "active", "deprecated", "retired"]
"""Where an offer is in its life, at a given day."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a board said of one model on one day. It is kept for ever: what ages is what follows from it."""

    board: str
    model: str
    """The card's id; empty where the board's name is no card of ours."""
    name: str
    """What the board calls it."""
    score: float
    as_of: date
    ci95: float | None = None
    """Half the width of the board's own 95 % interval, in the board's unit."""
    rank: int | None = None
    votes: int | None = None
    source: str = ""
    confidence: str = ""
    """`confirmed`, `single source`, `copy`, `preliminary`, `vendor`: who says so, and how often it was seen."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Board:
    """A place where models are compared for one task. Scores of different boards are never compared."""

    id: str
    title: str
    task: str
    kind: str
    """`arena`: people choose blindly between two; `benchmark`: measured; `vendor`: its maker says so."""
    unit: str
    """What a score is: `elo`, `percent`, …"""
    readings: tuple[Reading, ...] = ()
    """By day, then by name."""


@dataclass(frozen=True, slots=True)
class Card:
    """Facts about a model, whoever serves it."""

    id: str
    maker: str
    tier: Tier
    title: str = ""
    released: date | None = None
    status: Literal["active", "retired", "unavailable"] = "active"
    """`unavailable`: its maker has no official API for it."""
    retired: date | None = None
    successor: str | None = None
    equivalents: tuple[str, ...] = ()
    """Models that make the same kind of thing, the closest first."""
    aliases: tuple[str, ...] = ()
    """What else it is asked for by: its maker's own ids for it."""
    why: str = ""
    """What stands in the way, for a person who asks for it."""
    seeds: str | None = None
    """Models with the same word here make the same picture from the same seed; `None`: seeds do not carry over."""
    license: str | None = None
    is_stand_in: bool = False
    source: str = ""
    """Who says that it is retired or unavailable, and when."""
    note: str = ""

    def stage(self, today: date) -> Literal["active", "retired", "unavailable"]:
        """What the card says of `today`: a date of retirement that is still to come does not count yet."""
        return "active" if self.retired is not None and today < self.retired else self.status


@dataclass(frozen=True, slots=True)
class Limit:
    """What an offer takes for one field: a list of values, or a range with a step."""

    values: tuple[JsonValue, ...] = ()
    min: float | None = None
    max: float | None = None
    multiple_of: float | None = None
    max_characters: int | None = None
    max_pixels: int | None = None
    """For `size`: width times height."""


@dataclass(frozen=True, slots=True)
class Offer:
    """A model as one provider serves it, for one task. The lifecycle belongs here: hosts end the same model apart."""

    provider: str
    endpoint: str
    model: str
    task: str
    checked: date
    status: Stage = "active"
    released: date | None = None
    deprecated: date | None = None
    retires: date | None = None
    successor: str | None = None
    version: str | None = None
    limits: Mapping[str, Limit] = field(default_factory=dict)
    defaults: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the provider documents it will use for a field left out: read by the quote, never sent."""
    required: tuple[str, ...] = ()
    mapping: Endpoint = field(default_factory=Endpoint)
    """The provider's own mapping for the task with this row's merged over it."""
    source: str = ""
    note: str = ""

    @property
    def id(self) -> str:
        """The pin: `provider:endpoint`."""
        return f"{self.provider}:{self.endpoint}"

    def stage(self, today: date) -> Stage:
        """Where the offer is in its life on `today`: dates win over the written status."""
        if self.status == "retired" or (self.retires is not None and today >= self.retires):
            return "retired"
        if self.status == "deprecated" or (self.deprecated is not None and today >= self.deprecated):
            return "deprecated"
        if self.status == "announced" and self.released is not None and today >= self.released:
            return "active"
        return self.status
