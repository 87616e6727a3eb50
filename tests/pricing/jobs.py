"""Random jobs for an offer: requests within what it takes, with fields left out at random."""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random
from typing import Any

from aggregator.inputs import Media
from aggregator.registry.cards import Limit, Offer
from aggregator.tasks import TASKS, Reference, Request

SIZES = ((512, 512), (1024, 768), (1024, 1024), (1024, 1536), (1920, 1080), (2048, 2048), (3840, 2160))
WORDS = {
    "resolution": ("480p", "540p", "720p", "768p", "1080p", "1k", "2k", "4k"),
    "aspect_ratio": ("16:9", "9:16", "1:1", "4:3"),
    "factor": (2, 4, 8),
    "duration_s": (2, 4, 5, 6, 8, 9, 10, 12.5),
    "language": ("en",),
    "voice": ("alloy",),
}
INPUTS = ("image", "last_image", "mask", "video", "audio")
TEXTS = ("prompt", "text")


def media(random: Random) -> Media:
    width, height = random.choice(SIZES)
    length = random.choice((1.5, 3, 5, 7.25, 12, 31))
    return Media(url="https://example.com/input", width=width, height=height, duration_s=length, fps=24)


def jobs(offer: Offer, random: Random, count: int) -> Iterator[tuple[Request, date, dict[str, Any]]]:
    """Requests, each with a day and the provider's own options."""
    for _ in range(count):
        values: dict[str, Any] = {}
        for name in TASKS[offer.task].model_fields:
            value = _value(name, offer, random)
            if value is not None and (name in TEXTS or _needed(offer, name) or random.random() < 0.5):
                values[name] = value
        if "size" in values and ("resolution" in values or "aspect_ratio" in values):
            for name in ("size",) if random.random() < 0.5 else ("resolution", "aspect_ratio"):
                values.pop(name, None)
        if offer.task == "lip-sync" and ("video" in values) == ("image" in values):
            values = {name: value for name, value in values.items() if name != "image"} | {"video": media(random)}
        if offer.task == "speech-to-speech" and not values.keys() & {"voice", "language"}:
            values["voice"] = "alloy"
        day = date(2026, 11, 21) - timedelta(days=random.choice((0, 0, 0, 0, 1, 20, 60, 110, 160, 400)))
        options = {"quality": random.choice(("low", "medium", "high"))} if random.random() < 0.2 else {}
        yield TASKS[offer.task](**values), day, options


def _needed(offer: Offer, name: str) -> bool:
    return name in offer.required or TASKS[offer.task].model_fields[name].is_required()


def _value(name: str, offer: Offer, random: Random) -> Any:
    """What the field may be, or `None`: the offer does not have it."""
    known = name in offer.limits or name in offer.mapping.fields or offer.unmapped
    if name in TEXTS:
        return "é" * random.choice((1, 49, 51, 1000))
    if not (known or _needed(offer, name)):
        return None
    if name == "audio" and TASKS[offer.task].model_fields[name].annotation == bool | None:
        return random.random() < 0.5
    if name in INPUTS:
        return media(random) if _needed(offer, name) or name in offer.mapping.fields else None
    if name == "references":
        most = min(int(offer.limits.get(name, Limit()).max or 2), 8)
        return tuple(Reference(image=media(random)) for _ in range(random.randint(0, most)))
    return _within(name, offer.limits.get(name, Limit()), random)


def _within(name: str, limit: Limit, random: Random) -> Any:
    if limit.values:
        value = random.choice(limit.values)
        return tuple(value) if isinstance(value, list) else value
    if name == "size":
        return random.choice(SIZES)
    if limit.min is not None and limit.max is not None:
        step = limit.multiple_of or (1 if name == "seed" else 0.25)
        value = limit.min + random.randint(0, int((limit.max - limit.min) / step)) * step
        return value if name != "factor" else max(value, 1.25)  # once is no upscaling
    return random.choice(WORDS[name]) if name in WORDS else None
