"""What changes where one model, or one provider's way to it, takes the place of another."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import isclose
from typing import Any

from aggregator.config import nearest
from aggregator.errors import RequestError, UnknownModelError
from aggregator.inputs import Media
from aggregator.pricing.price import quote
from aggregator.pricing.quote import Quote
from aggregator.pricing.table import PriceTable
from aggregator.registry.cards import Limit, Offer
from aggregator.registry.load import Registry
from aggregator.registry.quality import Quality, Standing
from aggregator.tasks import TASKS, Request

__all__ = ["Difference", "Side", "compare", "pairs", "typical"]

_SHA256 = "0" * 64
_IMAGE = Media(sha256=_SHA256, mime_type="image/png", size_bytes=10**6, width=1280, height=720)
_VIDEO = replace(_IMAGE, mime_type="video/mp4", duration_s=5.0, fps=24.0)
_AUDIO = Media(sha256=_SHA256, mime_type="audio/wav", size_bytes=10**6, duration_s=5.0)
_WORDS = "a lighthouse at dawn, seen from the sea, while the first boats of the day leave the harbour behind it; "
_TYPICAL: dict[str, Any] = {"prompt": _WORDS, "text": _WORDS * 3, "duration_s": 5.0, "factor": 2.0}
_INPUTS = {"image": _IMAGE, "video": _VIDEO, "audio": _AUDIO}
_ONE_OF_TWO = {"lip-sync": "image", "frame-interpolation": "image"}
"""Tasks that take a clip or a picture: here the clip."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two, on the day they are compared."""

    offer: Offer
    life: str
    days_left: int | None
    quote: Quote
    """Of the typical job."""
    standing: Standing | None

    def as_json(self) -> dict[str, Any]:
        standing = self.standing
        return {
            "offer": self.offer.id,
            "model": self.offer.model,
            "lifecycle": self.life,
            "days_left": self.days_left,
            "successor": self.offer.successor,
            "quote": self.quote.as_json(),
            "quality": standing and {name: getattr(standing, name) for name in standing.__slots__},
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """What is lost and gained with B in the place of A."""

    task: str
    job: Request
    """What both are priced for."""
    a: Side
    b: Side
    lost: tuple[str, ...]
    """Parameters that A takes and B does not."""
    gained: tuple[str, ...]
    limits: tuple[tuple[str, str, str], ...]
    """Of parameters that both take: what A takes of it, and what B does, where that is not the same."""
    rules: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    """What holds only beside certain values, in words: of A and not of B, of B and not of A."""

    @property
    def times(self) -> Decimal | None:
        """How many times what A costs B costs, at most; `None`: one of the prices is unknown, or A is free."""
        high_a, high_b = self.a.quote.high_usd, self.b.quote.high_usd
        return high_b / high_a if high_a and high_b is not None else None

    def as_json(self) -> dict[str, Any]:
        limits = {field: {"a": a, "b": b} for field, a, b in self.limits}
        return {
            "task": self.task,
            "a": self.a.as_json(),
            "b": self.b.as_json(),
            "lost": list(self.lost),
            "gained": list(self.gained),
            "limits": limits,
            "rules": {"a": list(self.rules[0]), "b": list(self.rules[1])},
            "times": None if self.times is None else str(round(self.times, 3)),
        }


def typical(task: str) -> Request:
    """A job as people order it: five seconds, 720p inputs, a hundred characters of prompt, three hundred to speak."""
    kind = TASKS[task]
    values = {name: value for name, value in {**_TYPICAL, **_INPUTS}.items() if name in kind.model_fields}
    values.pop(_ONE_OF_TWO.get(task, ""), None)
    if task not in ("lip-sync", "speech-to-speech"):
        values.pop("audio", None)  # whether the clip is to have sound
    if task == "speech-to-speech":
        values["language"] = "en"
    if task in ("lip-sync", "frame-interpolation", "video-upscaling", "video-to-audio", "image-upscaling"):
        values.pop("prompt", None)
    return kind(**values)


def _for_both(job: Request, a: Offer, b: Offer) -> Request:
    """The job at the length nearest to its own that both can make, where there is one."""
    own = getattr(job, "duration_s", None)
    if own is None:
        return job
    limits = [offer.limits.get("duration_s") for offer in (a, b)]
    ends = (end for limit in limits if limit for end in (*limit.values, limit.min, limit.max))
    lengths = {own, *(float(end) for end in ends if isinstance(end, int | float))}
    shared = [length for length in lengths if all(_makes(limit, length) for limit in limits)]
    return job.with_(duration_s=min(shared, key=lambda length: (abs(length - own), -length))) if shared else job


def _makes(limit: Limit | None, length: float) -> bool:
    if limit is None or length in limit.values:
        return True
    least, most = limit.min or 0.0, limit.max or length
    steps = length / (limit.multiple_of or length)
    return not limit.values and least <= length <= most and isclose(steps, round(steps), abs_tol=1e-9)


def compare(a: Offer, b: Offer, prices: PriceTable, quality: Quality, day: date) -> Difference:
    """Compare two offers of one task."""
    job = _for_both(typical(a.task), a, b)
    takes_a, takes_b = frozenset(a.mapping.fields), frozenset(b.mapping.fields)
    both = sorted(takes_a & takes_b)
    said = [(name, _said(a.limits.get(name)), _said(b.limits.get(name))) for name in both]
    rules_a, rules_b = _rules(a), _rules(b)
    return Difference(
        a.task,
        job,
        _side(a, job, prices, quality, day),
        _side(b, job, prices, quality, day),
        tuple(sorted(takes_a - takes_b)),
        tuple(sorted(takes_b - takes_a)),
        tuple(one for one in said if one[1] != one[2]),
        (tuple(sorted(rules_a - rules_b)), tuple(sorted(rules_b - rules_a))),
    )


def pairs(registry: Registry, a: str, b: str, day: date) -> list[tuple[Offer, Offer]]:
    """For each task that both serve the two offers to compare: of models the most alike, of one provider if
    there is one.

    Raises:
        UnknownModelError: There is no such model or pin.
        RequestError: They have no task in common, or one of them is not on offer.

    """
    ways_a, ways_b = _ways(registry, a), _ways(registry, b)
    tasks = sorted({offer.task for offer in ways_a} & {offer.task for offer in ways_b})
    if not tasks:
        raise RequestError(f"{a} and {b} have no task in common: {_tasks(ways_a)} and {_tasks(ways_b)}")

    def fit(pair: tuple[Offer, Offer]) -> tuple[Any, ...]:
        return (
            sum(offer.stage(day) == "retired" for offer in pair),
            sum(bool(offer.unmapped) for offer in pair),
            pair[0].provider != pair[1].provider,
            sum(bool(set(offer.required) - typical(offer.task).values().keys()) for offer in pair),
            -len(pair[0].mapping.fields.keys() & pair[1].mapping.fields.keys()),
            pair[0].id,
            pair[1].id,
        )

    found = []
    for task in tasks:
        all_pairs = [(one, other) for one in ways_a if one.task == task for other in ways_b if other.task == task]
        found.append(min(all_pairs, key=fit))
    return found


def _ways(registry: Registry, name: str) -> list[Offer]:
    offers = registry.all_offers()
    found = [offer for offer in offers if name in (offer.id, offer.model)]
    if not found and ":" in name:
        close = nearest(name, (offer.id for offer in offers))
        raise UnknownModelError(f"no offer {name!r}; did you mean {', '.join(close) or 'a model'}?", nearest=close)
    if not found:
        registry.card(name)  # says what is known instead
        raise RequestError(f"{name} is known, and nobody offers it: there is nothing to compare")
    return found


def _tasks(offers: Sequence[Offer]) -> str:
    return ", ".join(sorted({offer.task for offer in offers}))


def _side(offer: Offer, job: Request, prices: PriceTable, quality: Quality, day: date) -> Side:
    life = offer.stage(day)
    left = (offer.retires - day).days if offer.retires and life != "retired" else None
    return Side(offer, life, left, quote(offer, job, prices, day), quality.standing(offer.model, offer.task, day))


def _rules(offer: Offer) -> frozenset[str]:
    """Each limit of a rule, with what brings it about: `duration_s 5 beside resolution 1080p`."""
    found = set()
    for rule in offer.rules:
        beside = " and ".join(f"{field} {_said(Limit(values=values))}" for field, values in sorted(rule.when.items()))
        found |= {f"{field} {_said(limit)} beside {beside}" for field, limit in rule.limits.items()}
    return frozenset(found)


def _said(limit: Limit | None) -> str:
    """A limit in a few words; nothing is said where there is none."""
    if limit is None:
        return "no limit known"
    if limit.values:
        return ", ".join("x".join(map(str, one)) if isinstance(one, list) else str(one) for one in limit.values)
    low, high = (None if bound is None else f"{bound:g}" for bound in (limit.min, limit.max))
    words = [f"{low}–{high}" if low and high else f"from {low}" if low else f"up to {high}" if high else ""]
    words += [f"in steps of {limit.multiple_of:g}" if limit.multiple_of else ""]
    words += [f"{limit.max_characters} characters" if limit.max_characters else ""]
    words += [f"{limit.max_pixels:,} pixels" if limit.max_pixels else ""]
    return ", ".join(filter(None, words))
