"""What is known of a request before it is made: its values, the offer's documented defaults, what follows from both."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from math import ceil, floor
from typing import Any

from aggregator.contract import To
from aggregator.inputs import Media
from aggregator.pricing.money import EXACT, exact
from aggregator.registry.cards import Offer
from aggregator.tasks import TASKS, Request

__all__ = ["DERIVED", "domain", "interval", "known_values"]

_MILLION = Decimal(1_000_000)
_SHAPE = frozenset({"size", "resolution", "aspect_ratio"})
Interval = tuple[Decimal, Decimal]


def known_values(offer: Offer, request: Request) -> dict[str, Any]:
    """The request's values, with the offer's defaults for what was left out.

    `model` is among them, for a meter that bills two models apart. `size` and `resolution` with `aspect_ratio` are two
    ways to say one thing: a default of one is not read beside a given other.
    """
    values = {**request.values(), "model": offer.model}
    sized, shaped = "size" in values, "resolution" in values or "aspect_ratio" in values
    for name, value in offer.defaults.items():
        if name not in values and not (name in _SHAPE and (shaped if name == "size" else sized)):
            values[name] = value
    if "size" not in values and (size := _sent_size(offer, values)) is not None:
        values["size"] = size
    return values


def _sent_size(offer: Offer, values: Mapping[str, Any]) -> tuple[int, int] | None:
    """The size an aspect ratio is written as, where the offer writes it as one."""
    target = offer.mapping.fields.get("aspect_ratio")
    sent = target.values.get(str(values.get("aspect_ratio"))) if isinstance(target, To) and target.values else None
    match sent:
        case {"width": int(width), "height": int(height)} | [int(width), int(height)]:
            return width, height
    return None


def _size(values: Mapping[str, Any]) -> tuple[Decimal, Decimal] | None:
    """Width and height of what is made: ordered, or for an upscaling worked out from its input."""
    if (size := values.get("size")) is not None:
        return Decimal(size[0]), Decimal(size[1])
    image, factor = values.get("image"), exact(values.get("factor"))
    if factor is not None and isinstance(image, Media) and image.width is not None and image.height is not None:
        return EXACT.multiply(Decimal(image.width), factor), EXACT.multiply(Decimal(image.height), factor)
    return None


def _width(values: Mapping[str, Any]) -> Interval | None:
    return None if (size := _size(values)) is None else (size[0], size[0])


def _height(values: Mapping[str, Any]) -> Interval | None:
    return None if (size := _size(values)) is None else (size[1], size[1])


def _megapixels(values: Mapping[str, Any]) -> Interval | None:
    if (size := _size(values)) is None:
        return None
    amount = EXACT.divide(EXACT.multiply(*size), _MILLION)
    return amount, amount


def _megapixels_rounded(values: Mapping[str, Any]) -> Interval | None:
    """For a provider that may round up to whole megapixels: from the exact figure to the rounded one."""
    exactly = _megapixels(values)
    return None if exactly is None else (exactly[0], Decimal(ceil(exactly[1])))


def _characters(values: Mapping[str, Any]) -> Interval | None:
    text = values.get("text") or values.get("prompt")
    return (Decimal(len(text)), Decimal(len(text))) if isinstance(text, str) else None


def _kilo_characters(values: Mapping[str, Any]) -> Interval | None:
    if (count := _characters(values)) is None:
        return None
    amount = EXACT.divide(count[0], Decimal(1000))
    return amount, amount


def _input_megapixels(values: Mapping[str, Any]) -> Interval | None:
    """The picture or clip that is sent in; of a clip, one frame."""
    source = values.get("image") or values.get("video")
    if not isinstance(source, Media) or source.width is None or source.height is None:
        return None
    amount = EXACT.divide(Decimal(source.width * source.height), _MILLION)
    return amount, amount


def _input_images(values: Mapping[str, Any]) -> Interval:
    """How many pictures are sent in, references included."""
    count = sum(isinstance(values.get(name), Media) for name in ("image", "last_image", "mask"))
    amount = Decimal(count + len(values.get("references", ())))
    return amount, amount


def _input_frames(values: Mapping[str, Any]) -> Interval | None:
    """The frames of a clip: its length by its rate, which need not come out even."""
    source = values.get("video")
    length, fps = (exact(source.duration_s), exact(source.fps)) if isinstance(source, Media) else (None, None)
    if length is None or fps is None:
        return None
    frames = EXACT.multiply(length, fps)
    return Decimal(floor(frames)), Decimal(ceil(frames))


def _input_video_seconds(values: Mapping[str, Any]) -> Interval | None:
    return _seconds(values.get("video"))


def _input_audio_seconds(values: Mapping[str, Any]) -> Interval | None:
    return _seconds(values.get("audio"))


def _seconds(source: object) -> Interval | None:
    """The length of an input, where it was probed."""
    amount = exact(source.duration_s) if isinstance(source, Media) else None
    return None if amount is None else (amount, amount)


DERIVED: Mapping[str, Callable[[Mapping[str, Any]], Interval | None]] = {
    "width": _width,
    "height": _height,
    "megapixels": _megapixels,
    "megapixels_rounded": _megapixels_rounded,
    "characters": _characters,
    "kilo_characters": _kilo_characters,
    "input_audio_seconds": _input_audio_seconds,
    "input_frames": _input_frames,
    "input_images": _input_images,
    "input_megapixels": _input_megapixels,
    "input_video_seconds": _input_video_seconds,
}
"""Quantities beside the request's own fields; `registry.mapping.QUANTITIES` lists their names for the loader."""


def interval(name: str, offer: Offer, values: Mapping[str, Any]) -> Interval | None:
    """The lowest and highest a quantity can be: known, or bounded by what the offer takes, or `None`."""
    if (derive := DERIVED.get(name)) is not None and name not in values:
        return derive(values)
    value = values.get(name)
    if isinstance(value, tuple):  # references and the like are counted
        value = len(value)
    if (amount := exact(value)) is not None:
        return amount, amount
    limit = offer.limits.get(name)
    if value is not None or limit is None:
        return None
    ends = [exact(end) for end in limit.values or (limit.min, limit.max)]
    amounts = [end for end in ends if end is not None]
    return (min(amounts), max(amounts)) if amounts and len(amounts) == len(ends) else None


def domain(name: str, offer: Offer, values: Mapping[str, Any]) -> tuple[Any, ...] | None:
    """Every value a field can have: the known one, those the offer lists, both truths; `None` where it is open."""
    if name in values:
        return (values[name],)
    if (limit := offer.limits.get(name)) is not None and limit.values:
        return limit.values
    field = TASKS[offer.task].model_fields.get(name)
    return (False, True) if field is not None and field.annotation == bool | None else None
