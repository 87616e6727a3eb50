"""What a card and an offer are: facts about a model, and one provider's way to it. Loading is in `load`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

from pydantic import JsonValue

from aggregator.contract import Endpoint

__all__ = [
    "Board",
    "Card",
    "Claim",
    "Compute",
    "Frames",
    "Host",
    "Limit",
    "Offer",
    "Reading",
    "Rule",
    "Stage",
    "Tier",
    "Weights",
    "Work",
]

Tier = Literal["workhorse", "hero"]
Stage = Literal["announced", "preview", "active", "deprecated", "retired"]
"""Where an offer is in its life, at a given day."""


class Reading(NamedTuple):
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


class Claim(NamedTuple):
    """What is said of a model's place on a board without a score, or without a day: kept, and worth nothing."""

    board: str
    model: str
    name: str
    score: float | None
    as_of: date | None
    ci95: float | None = None
    rank: int | None = None
    votes: int | None = None
    source: str = ""
    confidence: str = ""
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
    claims: tuple[Claim, ...] = ()


@dataclass(frozen=True, slots=True)
class Host:
    """Where else a model is served, by somebody there is no table for: a fact to know, not an offer to order."""

    provider: str
    endpoint: str
    task: str
    checked: date | None
    """When it was last seen there; `None`: nobody wrote down when."""
    source: str
    status: Stage | Literal["unknown"] = "active"
    retires: date | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Weights:
    """A model's weights, for who runs it on machines of their own."""

    repository: str
    """Owner and name at the Hugging Face hub, unless `note` says otherwise."""
    tasks: tuple[str, ...]
    checked: date
    source: str
    license: str
    commercial_use: Literal["yes", "no", "conditional", "unknown"] = "unknown"
    """What the licence says of it. `unknown`: nobody has read it for this; then read it before you sell anything."""
    vram_gb: tuple[Decimal, ...] = ()
    """The least they have been run in, with what that takes (`vram_note`), and what they want without; one figure
    where only one is known.
    """
    vram_note: str = ""
    limits: Mapping[str, "Limit"] = field(default_factory=dict)
    """What the model itself takes, whoever serves it: an offer of these weights inherits this and the next three."""
    defaults: Mapping[str, JsonValue] = field(default_factory=dict)
    frames: "Frames | None" = None
    work: "Work | None" = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Frames:
    """How many frames a clip may have: `multiple_of` times something, `plus` some."""

    multiple_of: int = 1
    plus: int = 0
    default: int | None = None
    """How many are made where nobody says how long."""
    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """What one pass through a diffusion model is made of: enough to reckon its operations."""

    parameters: Decimal
    """Billions that every token passes in a step: of a mixture of experts those at work, of a U-Net, whose layers see
    fewer and fewer tokens, so many as come to the same operations."""
    layers: int
    width: int
    """Of the attention: heads times their dimension."""
    steps: int
    """Where nobody says otherwise."""
    passes: int
    """Passes a step: 2 with a negative prompt (classifier-free guidance), 1 for distilled models."""
    source: str
    pixels_per_token: int = 0
    """The edge of the square that one token stands for; zero: it makes no pictures."""
    frames_per_token: int = 1
    tokens: int = 0
    """Of a sound that is always made whole, and then cut."""
    tokens_per_s: Decimal = Decimal(0)
    """Of a sound that is made as long as it is wanted."""
    reach: tuple[Decimal, Decimal] | None = None
    """The least and the most of a GPU's peak that it is run at, where that is not as usual (`pricing.estimate`)."""


@dataclass(frozen=True, slots=True)
class Card:
    """Facts about a model, whoever serves it."""

    id: str
    maker: str
    tier: Tier
    """`hero` is a judgement; a card that nobody has judged is a `workhorse`."""
    title: str = ""
    family: str = ""
    """What its maker sells it as: models of one family follow each other."""
    checked: date | None = None
    """When the facts of the card were last read."""
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
    """Who says all this."""
    note: str = ""
    hosts: tuple[Host, ...] = ()
    weights: tuple[Weights, ...] = ()

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
    min_pixels: int | None = None
    max_pixels: int | None = None
    """For `size`: width times height."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Limits that hold only beside certain values of other fields: 1080p only for five seconds."""

    when: Mapping[str, tuple[JsonValue, ...]]
    """Field to the values beside which the limits hold; all must be met. A field left out counts as its default."""
    limits: Mapping[str, Limit]


@dataclass(frozen=True, slots=True)
class Compute:
    """How long a job keeps GPUs busy, for so much of what is made: stated by somebody, or measured."""

    gpu: str
    """What the seconds are of, such as `H100 80 GB`."""
    per: str
    """The quantity they are for, as in a meter: `request.duration_s`, or a number of jobs such as `1`."""
    low_s: Decimal
    """GPU-seconds for one of it, where all goes well; seconds of two GPUs at once count twice."""
    high_s: Decimal
    source: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """A model as one provider serves it, for one task. The lifecycle belongs here: hosts end the same model apart."""

    provider: str
    endpoint: str
    model: str
    task: str
    checked: date
    """When it was last seen to be served as it is written here."""
    status: Stage = "active"
    """The stage where no date says otherwise."""
    announced: date | None = None
    preview: date | None = None
    """From when it can be ordered as a preview."""
    released: date | None = None
    """From when it can be ordered for good."""
    deprecated: date | None = None
    """From when its end was announced."""
    retires: date | None = None
    """The first day on which it is gone."""
    retires_checked: date | None = None
    """When `retires` was last read: that date moves, both ways. `None`: with the rest, when it was `checked`."""
    retires_was: tuple[date, ...] = ()
    """The days that were named before."""
    successor: str | None = None
    aliases: tuple[str, ...] = ()
    """Endpoints under which the same is, or was, served: a rename is not an end."""
    serves: str | None = None
    """The model that answers under this endpoint instead of `model`, from `serves_from` on."""
    serves_from: date | None = None
    unmapped: str = ""
    """Why nobody knows how to ask for it: it is listed, and cannot be ordered."""
    version: str | None = None
    limits: Mapping[str, Limit] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    """Further limits, each beside certain values only."""
    defaults: Mapping[str, JsonValue] = field(default_factory=dict)
    """What the provider documents it will use for a field left out: read by the quote, never sent."""
    required: tuple[str, ...] = ()
    mapping: Endpoint = field(default_factory=Endpoint)
    """The provider's own mapping for the task with this row's merged over it."""
    regions: tuple[str, ...] = ()
    """Where it is computed, as the provider says it: `eu`, `us-east`; empty: nobody says."""
    compute: Compute | None = None
    """For an offer that is billed by the GPU-second: how many a job takes."""
    weights: str = ""
    """The card whose weights are run here: what those take and how they work is this offer's too."""
    frames: Frames | None = None
    work: Work | None = None
    source: str = ""
    note: str = ""

    @property
    def id(self) -> str:
        """The pin: `provider:endpoint`."""
        return f"{self.provider}:{self.endpoint}"

    def answers(self, today: date) -> str:
        """The model that answers on `today`: not always the one that is asked for."""
        return self.serves if self.serves and _reached(self.serves_from, today, absent=True) else self.model

    def stage(self, today: date) -> Stage:
        """Where the offer is in its life on `today`: dates win over the written status, which may be older or newer."""
        if _reached(self.retires, today, absent=self.status == "retired"):
            return "retired"
        if _reached(self.deprecated, today, absent=self.status in ("deprecated", "retired")):
            return "deprecated"
        if self.status in ("announced", "preview"):
            if _reached(self.released, today):
                return "active"
            return "preview" if _reached(self.preview, today, absent=self.status == "preview") else "announced"
        return "active"


def _reached(day: date | None, today: date, *, absent: bool = False) -> bool:
    """Whether the day has come; `absent` where no day is known."""
    return absent if day is None else today >= day
