"""What a plan is: the routed decision before spending, as data. Serialisable, explainable on one screen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from pydantic import JsonValue

from aggregator.pricing.quote import Quote
from aggregator.registry.cards import Offer, Tier
from aggregator.registry.quality import Standing
from aggregator.routing.outcomes import Track
from aggregator.tasks import Request

__all__ = ["Adjustment", "Ask", "Candidate", "Plan"]


@dataclass(frozen=True, slots=True)
class Ask:
    """What the caller wants beside the request itself: the part of the options that routing reads."""

    stage: str = "prototype"
    role: str | None = None
    model: str | None = None
    """A model id (`veo-3.1`) or a pinned offer (`fal:fal-ai/veo3.1`)."""
    max_usd: Decimal | None = None
    on_unsupported: Literal["error", "adjust"] = "error"
    provider_options: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    exclude: frozenset[str] = frozenset()
    """Offers that were tried already."""
    keep: str | None = None
    """The model that the project used last in this role and stage, where the policy stays with it."""
    lot: str = ""
    """What a share of the jobs is drawn by: the job's key. The same lot is drawn the same way for ever."""


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One change that lets an offer serve the request; made only with `on_unsupported="adjust"`, but for what is too
    small to matter (`framed`).
    """

    field: str
    kind: Literal["dropped", "clamped", "framed", "transcoded"]
    """`framed`: the length is that of the nearest number of frames the model makes, at the rate that is sent with it.
    `transcoded`: the input is written in another format before it is handed over.
    """
    asked: JsonValue
    sent: JsonValue
    why: str

    def as_json(self) -> dict[str, JsonValue]:
        return {"field": self.field, "kind": self.kind, "asked": self.asked, "sent": self.sent, "why": self.why}


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer that was looked at: either ranked (`excluded is None`), or out, with the reason.

    It is also what a policy of your own gets to see.
    """

    offer: Offer
    tier: Tier
    quote: Quote | None = None
    adjustments: tuple[Adjustment, ...] = ()
    excluded: str | None = None
    kind: str | None = None
    """What kind of reason that is, in a word: `model`, `policy`, `lifecycle`, `provider`, `value`, `budget`, …"""
    passed_over: str | None = None
    """Why it comes after the others of its tier: it rests after failures, its price is paused, it is on trial."""
    notes: tuple[str, ...] = ()
    """Worth knowing: deprecated with the days left, no offer of the wanted tier, price as old as …"""
    standing: Standing | None = None
    """How good its model is today; `None`: nobody knows."""
    track: Track | None = None
    """How well it has done here; `None`: it was never used here, or too long ago."""
    days_left: int | None = None
    """Until it retires, as announced; `None`: no end is announced."""
    ending: str | None = None
    """That it is deprecated, with the days left and its successor; it is among the notes, and stands on the result."""

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "offer": self.offer.id,
            "model": self.offer.model,
            "tier": self.tier,
            "quote": None if self.quote is None else self.quote.as_json(),
            "adjustments": [item.as_json() for item in self.adjustments],
            "excluded": self.excluded,
            "kind": self.kind,
            "passed_over": self.passed_over,
            "notes": list(self.notes),
            "quality": None if self.standing is None else _of_standing(self.standing),
            "track": None if self.track is None else _of_track(self.track),
            "days_left": self.days_left,
            "ending": self.ending,
        }


def _of_standing(standing: Standing) -> dict[str, JsonValue]:
    shares = {name: round(getattr(standing, name), 3) for name in ("share", "low", "high")}
    return {**shares, "board": standing.board, "as_of": standing.as_of.isoformat(), "basis": standing.basis}


def _of_track(track: Track) -> dict[str, JsonValue]:
    shares: dict[str, JsonValue] = {name: round(getattr(track, name), 3) for name in ("n", "success", "refused")}
    return {**shares, "p50_s": track.p50_s, "p90_s": track.p90_s}


@dataclass(frozen=True, slots=True)
class Plan:
    """Who makes it, what is sent, what it costs, why; and who would be next."""

    request: Request
    """As it will be served, adjustments applied."""
    ask: Ask
    chosen: Candidate
    alternatives: tuple[Candidate, ...]
    """Ranked after `chosen`; a fallback takes the first of these that is allowed. All of them when asked for
    (`explain=True`), else the next few.
    """
    why: str
    body: Mapping[str, JsonValue] = field(default_factory=dict)
    """The wire body, exact but for local inputs, which are shown as `<image/png 12 kB sha256:…>` until uploaded."""
    url: str = ""
    method: str = "POST"
    excluded: tuple[Candidate, ...] = ()
    """Filled when asked for (`explain=True`): computing reasons for a thousand offers is not free."""

    @property
    def offer(self) -> Offer:
        return self.chosen.offer

    @property
    def quote(self) -> Quote:
        assert self.chosen.quote is not None
        return self.chosen.quote

    def as_json(self) -> dict[str, JsonValue]:
        return {
            "request": self.request.as_json(),
            "stage": self.ask.stage,
            "offer": self.offer.id,
            "model": self.offer.model,
            "why": self.why,
            "url": self.url,
            "body": dict(self.body),
            "quote": self.quote.as_json(),
            "chosen": self.chosen.as_json(),
            "alternatives": [item.as_json() for item in self.alternatives],
            "excluded": [item.as_json() for item in self.excluded],
        }
