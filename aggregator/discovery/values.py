"""How one property takes one of our fields: where it is written, in which form, within which limits. Pure.

Each writer answers with a `Written`, or with a text that says why the property cannot be used.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from pydantic import JsonValue

from aggregator.discovery.names import LANGUAGES, PRESETS
from aggregator.discovery.slots import Slot
from aggregator.tasks import TASKS

__all__ = ["Presets", "Written", "presets", "writer_of"]

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s?([a-zA-Z]*)")
_RATIO = re.compile(r"\d{1,4}:\d{1,4}")
_RESOLUTION = re.compile(r"\d{3,4}p|[1-9]\d?k")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_SIZE = re.compile(r"(\d{2,5})\s?([x*×])\s?(\d{2,5})")
_FORMATS = {"jpg": "jpeg", "ogg_opus": "opus"}
_LENGTHS_S = (3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 240, 300, 600)
"""Whole seconds that are offered of a length in milliseconds, which no form of ours can write."""
_FEW = 4
"""From how many values in a row on a list is a range."""


@dataclass(frozen=True, slots=True)
class Written:
    """A field that has found its place."""

    target: Any
    limit: Any = None
    default: Any = None
    also: tuple[str, ...] = ()
    """Further properties that are written with it."""


@dataclass(frozen=True, slots=True)
class Presets:
    """Shapes by a provider's names of sizes."""

    values: dict[str, JsonValue] = field(default_factory=dict)
    default: list[int] | None = None


Writer = Callable[[Slot, Mapping[str, Slot]], Written | str]


def writer_of(task: str, name: str) -> Writer:
    """How this field of this task is written."""
    if name == "audio" and TASKS[task].model_fields[name].annotation in (bool, bool | None):
        return _flag
    return _WRITERS.get(name, _unknown)


def _unknown(_slot: Slot, _inputs: Mapping[str, Slot]) -> str:
    return "no field of ours is written so"


# ------------------------------------------------------------------------------------------------------- plain things


def _text(slot: Slot, _inputs: Mapping[str, Slot]) -> Written | str:
    if not slot.is_a("string") or not slot.is_open:
        return "not a free text"
    limit = {"max_characters": slot.max_characters} if slot.max_characters else None
    return Written(slot.path, limit)


def _flag(slot: Slot, _inputs: Mapping[str, Slot]) -> Written | str:
    return Written(slot.path, default=slot.default) if slot.is_a("boolean") else "neither true nor false"


def _media(slot: Slot, _inputs: Mapping[str, Slot]) -> Written | str:
    """An address, or a list that holds it alone."""
    if slot.is_a("string") and slot.is_open:
        return Written(slot.path)
    if slot.is_a("array") and slot.items is not None and slot.items.is_a("string"):
        return Written({"to": slot.path, "listed": True})
    return "not an address"


def _references(slot: Slot, _inputs: Mapping[str, Slot]) -> Written | str:
    if not slot.is_a("array") or slot.items is None or not slot.items.is_a("string"):
        return "not a list of addresses"
    return Written(slot.path, {"max": slot.max_items} if slot.max_items else None)


def _seed(slot: Slot, _inputs: Mapping[str, Slot]) -> Written | str:
    if not slot.is_a("integer", "number"):
        return "not a number"
    return Written(slot.path, {"min": 0, "max": slot.max} if slot.max is not None and slot.max < 2**63 - 1 else None)


def _voice(slot: Slot, _inputs: Mapping[str, Slot]) -> Written | str:
    if not slot.is_a("string"):
        return "not a name"
    default = slot.default if isinstance(slot.default, str) and slot.default else None
    return Written(slot.path, None if slot.is_open else list(slot.enum), default)


# ------------------------------------------------------------------------------------------------------------ amounts


def _amount(slot: Slot, _inputs: Mapping[str, Slot]) -> Written | str:
    """A number, in any of its forms: 5, "5", "5s"; of milliseconds, a table."""
    if slot.path.endswith("_ms"):
        return _milliseconds(slot)
    known = [(value, found) for value in slot.enum if (found := _parsed(value)) is not None]
    if known and not (slot.is_open and slot.is_a("integer", "number")):
        return _listed(slot, [value for value, _ in known], [found for _, found in known])
    if slot.kinds & {"integer", "number"} and slot.kinds <= {"integer", "number", "string"}:
        bounds = {"min": slot.min, "max": slot.max, "multiple_of": slot.step}
        limit = {name: _short(value) for name, value in bounds.items() if value is not None}
        return Written(slot.path, limit or None, _number(slot.default))
    form = _parsed(slot.default) if slot.is_a("string") and slot.is_open else None
    if form is None:
        return "a text whose form is not said"
    return Written({"to": slot.path, "as": f"{{:g}}{form[1]}"}, default=form[0])


def _parsed(value: JsonValue) -> tuple[float, str] | None:
    """The number in a value, and the unit written behind it."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value, ""
    match = _AMOUNT.fullmatch(value) if isinstance(value, str) else None
    return (_short(float(match[1])), match[2]) if match else None


def _number(value: JsonValue) -> float | None:
    found = _parsed(value)
    return None if found is None else found[0]


def _short(value: float) -> float:
    return int(value) if float(value).is_integer() else value


def _listed(slot: Slot, raw: Sequence[JsonValue], known: Sequence[tuple[float, str]]) -> Written | str:
    units = {unit for _, unit in known}
    texts = {isinstance(value, str) for value in raw}
    if len(units) > 1 or len(texts) > 1:
        return "values in several forms"
    numbers = sorted({number for number, _ in known if number > 0})
    if not numbers:
        return "no value above zero"
    steady = len(numbers) >= _FEW and all(isinstance(one, int) and after - one == 1 for one, after in pairwise(numbers))
    limit: Any = {"min": numbers[0], "max": numbers[-1], "multiple_of": 1} if steady else numbers
    default = _parsed(slot.default)
    form = f"{{:g}}{units.pop()}" if True in texts else ""
    target = {"to": slot.path, "as": form} if form else slot.path
    return Written(target, limit, default[0] if default and default[0] in numbers else None)


def _milliseconds(slot: Slot) -> Written | str:
    if not slot.is_a("integer", "number") or slot.max is None:
        return "milliseconds without a range"
    fitting = [one for one in _LENGTHS_S if (slot.min or 0) <= one * 1000 <= slot.max]
    if not fitting:
        return "milliseconds of an unusual range"
    table = {str(one): one * 1000 for one in fitting}
    default = _number(slot.default)
    return Written({"to": slot.path, "values": table}, fitting, _short(default / 1000) if default else None)


# -------------------------------------------------------------------------------------------------------------- words


def _words(normal: Callable[[JsonValue], str | None]) -> Writer:
    """One of the provider's words, by ours: the same ones as they are, others by a table."""

    def write(slot: Slot, _inputs: Mapping[str, Slot]) -> Written | str:
        if not slot.kinds <= {"string", "integer"}:
            return "not a word"
        table: dict[str, JsonValue] = {}
        for value in slot.enum:
            if (word := normal(value)) is not None:
                table.setdefault(word, value)
        default = normal(slot.default) if slot.default is not None else None
        if not slot.enum and slot.is_a("string"):
            return Written(slot.path, default=default)
        if not table:
            return f"none of its values is one of ours: {', '.join(map(str, slot.enum[:6]))}"
        if all(word == value for word, value in table.items()):
            return Written(slot.path, list(table), default)
        return Written({"to": slot.path, "values": table}, default=default)

    return write


def _matching(pattern: re.Pattern[str]) -> Callable[[JsonValue], str | None]:
    def normal(value: JsonValue) -> str | None:
        return value if isinstance(value, str) and pattern.fullmatch(value) else None

    return normal


def _resolution(value: JsonValue) -> str | None:
    """`1K` and `1080P` in small letters; `720` is `720p`."""
    word = str(value).lower()
    if word.isdigit():
        word += "p"
    return word if _RESOLUTION.fullmatch(word) and not isinstance(value, bool) else None


def _language(value: JsonValue) -> str | None:
    if not isinstance(value, str):
        return None
    return LANGUAGES.get(value.lower()) or (value if _LANGUAGE.fullmatch(value) else None)


def _format(slot: Slot, inputs: Mapping[str, Slot]) -> Written | str:
    """A format of files that one of our tasks can ask for; a list without one is another parameter. Bare samples
    (`pcm`) are left out: nothing in them says what they are.
    """
    known = {"png", "jpeg", "webp", "wav", "mp3", "flac", "opus", "aac"}

    def normal(value: JsonValue) -> str | None:
        word = _FORMATS.get(str(value).lower(), str(value).lower())
        return word if word in known else None

    return _words(normal)(slot, inputs) if slot.enum else "a text whose values are not said"


# -------------------------------------------------------------------------------------------------------------- sizes


def _size(slot: Slot, _inputs: Mapping[str, Slot]) -> Written | str:
    """Width and height: two numbers of an object, or a text such as 1024x1024."""
    if {"width", "height"} <= slot.parts.keys():
        limit = _edges(slot.parts["width"], slot.parts["height"])
        return Written(f"{slot.path}.width {slot.path}.height", limit, _object_size(slot.default))
    sizes = [match for value in slot.enum if isinstance(value, str) and (match := _SIZE.fullmatch(value))]
    marks = {match[2] for match in sizes}
    if len(marks) != 1:
        return "neither width and height nor texts of one form"
    default = _SIZE.fullmatch(slot.default) if isinstance(slot.default, str) else None
    edges = [[int(match[1]), int(match[3])] for match in sizes]
    form = f"{{}}{marks.pop()}{{}}"
    return Written({"to": slot.path, "as": form}, edges, [int(default[1]), int(default[3])] if default else None)


def _edges(*edges: Slot) -> dict[str, float] | None:
    lows = [edge.min for edge in edges if edge.min is not None and edge.min > 1]
    highs = [edge.max for edge in edges if edge.max is not None]
    steps = [edge.step for edge in edges if edge.step is not None and edge.step > 1]
    found: dict[str, float] = {}
    if lows:
        found["min"] = _short(max(lows))
    if highs:
        found["max"] = _short(min(highs))
    if steps:
        found["multiple_of"] = _short(max(steps))
    return found or None


def _object_size(value: JsonValue) -> list[int] | None:
    match value:
        case {"width": int(width), "height": int(height)}:
            return [width, height]
    return None


def presets(slot: Slot) -> Presets:
    """The shapes that fal's names of sizes stand for. Written out where any size is taken, so that the price by area is
    known; by name where it is not, or where the size the name stands for elsewhere is not within this one's limits.
    """
    named = {name: PRESETS[str(name)] for name in slot.enum if name in PRESETS}
    if {"width", "height"} <= slot.parts.keys():
        limit = _edges(slot.parts["width"], slot.parts["height"]) or {}
        low, high = limit.get("min", 1), limit.get("max", 10**9)
        inside = all(low <= edge <= high for _, size in named.values() for edge in size)
    else:
        inside = False
    own = any(isinstance(value, str) and value.startswith("auto_") for value in slot.enum)
    plain = inside and not own  # names beside auto_2K stand for sizes of the model's own
    written: dict[str, JsonValue] = {
        ratio: {"width": size[0], "height": size[1]} if plain else str(name) for name, (ratio, size) in named.items()
    }
    default = PRESETS.get(str(slot.default)) if plain else None
    return Presets(written, _object_size(slot.default) or (list(default[1]) if default else None))


_WRITERS: Mapping[str, Writer] = {
    **dict.fromkeys(("text", "prompt", "negative_prompt", "lyrics"), _text),
    **dict.fromkeys(("image", "last_image", "mask", "video", "audio"), _media),
    **dict.fromkeys(("duration_s", "fps", "factor", "speed", "strength"), _amount),
    "references": _references,
    "seed": _seed,
    "voice": _voice,
    "resolution": _words(_resolution),
    "aspect_ratio": _words(_matching(_RATIO)),
    "language": _words(_language),
    "format": _format,
    "size": _size,
}
