"""Whether a value is within what an offer takes, and if not, the nearest one that is. Pure functions over `Limit`."""

import json
import re
from collections.abc import Callable, Sequence
from math import ceil, floor, isclose, log, sqrt
from typing import Any, cast, get_args

from pydantic import JsonValue

from aggregator.contract import To
from aggregator.registry.cards import Limit, Offer
from aggregator.tasks import TASKS

__all__ = ["describe", "fits", "limit_of", "nearest_value"]

_KILO_HEIGHTS = {1: 1024, 2: 1440, 4: 2160, 8: 4320}


def limit_of(offer: Offer, name: str) -> Limit | None:
    """What an offer takes for a field: as the row says it, else the words its mapping can write."""
    if (limit := offer.limits.get(name)) is not None:
        return limit
    target = offer.mapping.fields.get(name)
    if not isinstance(target, To) or target.values is None:
        return None
    annotation = TASKS[offer.task].model_fields[name].annotation
    return Limit(values=tuple(_meant(word, annotation) for word in target.values))


def _meant(word: str, annotation: Any) -> JsonValue:
    """The value that a word of a mapping's table stands for: `true`, `5`, `1280x720`, or, where texts go, itself."""
    if str in (annotation, *get_args(annotation)):
        return word
    try:
        return [int(edge) for edge in word.split("x")] if "x" in word else json.loads(word)
    except ValueError:
        return word


def fits(limit: Limit, value: Any) -> bool:
    """Whether the limit allows the value. A tuple of parts (references) is counted; a size is checked edge by edge."""
    value = _plain(value)
    if limit.values:
        return any(
            value == allowed and isinstance(value, bool) == isinstance(allowed, bool) for allowed in limit.values
        )
    if isinstance(value, str):
        return limit.max_characters is None or len(value) <= limit.max_characters
    edges = value if isinstance(value, list) else [value]
    return all(_edge_fits(limit, edge) for edge in edges) and (not isinstance(value, list) or _pixels_fit(limit, value))


def _pixels_fit(limit: Limit, size: Sequence[float]) -> bool:
    pixels = size[0] * size[1]
    return (limit.min_pixels is None or pixels >= limit.min_pixels) and (
        limit.max_pixels is None or pixels <= limit.max_pixels
    )


def nearest_value(limit: Limit, value: Any) -> JsonValue:
    """The allowed value closest to `value`, the larger of two equally close ones; `None` where there is no scale."""
    value = _plain(value)
    if limit.values:
        measured = [(measure, allowed) for allowed in limit.values if (measure := _measure(allowed)) is not None]
        wanted = _measure(value)
        if wanted is None or len(measured) != len(limit.values):
            return None
        return min(measured, key=lambda pair: (_distance(pair[0], wanted), [-part for part in pair[0]]))[1]
    if isinstance(value, list):
        return _nearest_size(limit, value)
    return None if isinstance(value, str | bool) else _nearest_edge(limit, value)


def describe(limit: Limit) -> str:
    """The limit in words."""
    if limit.values:
        return "one of " + ", ".join(_shown(value) for value in limit.values)
    words = []
    if limit.min is not None or limit.max is not None:
        low, high = (f"{end:g}" if end is not None else "any" for end in (limit.min, limit.max))
        words.append(f"{low} to {high}")
    if limit.multiple_of is not None:
        words.append(f"a multiple of {limit.multiple_of:g}")
    if limit.min_pixels is not None:
        words.append(f"at least {limit.min_pixels} pixels")
    if limit.max_pixels is not None:
        words.append(f"at most {limit.max_pixels} pixels")
    if limit.max_characters is not None:
        words.append(f"at most {limit.max_characters} characters")
    return ", ".join(words)


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        numbers = all(isinstance(part, int) for part in value)
        return list(value) if numbers and len(value) == 2 else len(value)  # noqa: PLR2004 - a size has two edges
    return value


def _shown(value: JsonValue) -> str:
    return "×".join(str(part) for part in value) if isinstance(value, list) else str(value)


def _edge_fits(limit: Limit, edge: float) -> bool:
    if (limit.min is not None and edge < limit.min) or (limit.max is not None and edge > limit.max):
        return False
    steps = edge / (limit.multiple_of or 1)
    return limit.multiple_of is None or isclose(steps, round(steps), abs_tol=1e-9)


def _nearest_edge(limit: Limit, edge: float) -> float:
    low = limit.min if limit.min is not None else float("-inf")
    high = limit.max if limit.max is not None else float("inf")
    edge = min(max(edge, low), high)
    if (step := limit.multiple_of) is not None:
        edge = floor(edge / step + 0.5) * step
        if edge < low:
            edge = ceil(low / step) * step
        if edge > high:
            edge = floor(high / step) * step
    return int(edge) if float(edge).is_integer() else edge


def _nearest_size(limit: Limit, size: Sequence[int]) -> JsonValue:
    """The edges moved into their range, then both shrunk or stretched alike until the pixels fit."""
    near = [_nearest_edge(limit, edge) for edge in size]
    pixels = near[0] * near[1]
    if limit.max_pixels is not None and pixels > limit.max_pixels:
        near = _scaled(near, limit.max_pixels / pixels, limit.multiple_of, floor)
    elif limit.min_pixels is not None and 0 < pixels < limit.min_pixels:
        near = _scaled(near, limit.min_pixels / pixels, limit.multiple_of, ceil)
    return cast("JsonValue", near) if fits(limit, tuple(near)) else None


def _scaled(size: Sequence[float], by: float, step: float | None, whole: Callable[[float], int]) -> list[float]:
    """Both edges so much longer that there are `by` times as many pixels."""
    step = step or 1
    return [int(whole(edge * sqrt(by) / step) * step) for edge in size]


def _measure(value: Any) -> tuple[float, ...] | None:
    """A value on a scale: seconds, pixels, a resolution by its height, an aspect ratio by its logarithm."""
    if isinstance(value, str):
        return _measure_word(value)
    if isinstance(value, list):
        return tuple(float(part) for part in value)
    return (float(value),) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _measure_word(value: str) -> tuple[float] | None:
    if (ratio := re.fullmatch(r"(\d+):(\d+)", value)) and int(ratio[1]) and int(ratio[2]):
        return (log(int(ratio[1]) / int(ratio[2])),)
    if resolution := re.fullmatch(r"(\d+)([pk])", value):
        number = int(resolution[1])
        return (float(number if resolution[2] == "p" else _KILO_HEIGHTS.get(number, number * 540)),)
    return None


def _distance(one: Sequence[float], other: Sequence[float]) -> float:
    if len(one) != len(other):
        return float("inf")
    return sum((a - b) ** 2 for a, b in zip(one, other, strict=True))
