"""Whether the bodies that our offers write are what the vendors' own schemas take.

`facts/<provider>.json` holds the vendor's schemas, one per endpoint, as JSON Schema with the source of each. `spread`
makes requests over everything an offer takes, `bodies` writes each as it would be sent, and `check_bodies` holds them
against the facts. Only the keywords below are understood; any other is an error, so that no fact is passed over.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from math import isclose
from pathlib import Path
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

from pydantic import JsonValue

from aggregator import _build, handing
from aggregator.backends import provider_table
from aggregator.contract import Call, Endpoint, Provider, To
from aggregator.errors import AggregatorError
from aggregator.inputs import Media
from aggregator.planning import placeholder
from aggregator.registry.cards import Limit, Offer
from aggregator.registry.load import Registry
from aggregator.registry.mapping import mappings_of
from aggregator.routing.fitting import Refusal, Terms, fit
from aggregator.tasks import TASKS, Lora, Reference, Request

__all__ = ["Written", "bodies", "check_bodies", "facts_of", "offers_of", "problems", "spread"]

HERE = Path(__file__).parent
SHA = "0a" * 32
MIME_TYPES = {"image": "image/png", "video": "video/mp4", "audio": "audio/wav"}
RETIRED = ("retired",)


# ------------------------------------------------------------------------------------------------------- the schemas


def problems(schema: Mapping[str, Any] | bool, value: Any, root: Mapping[str, Any] | None = None) -> list[str]:
    """What is wrong with `value`, each with its place; empty where nothing is."""
    if isinstance(schema, bool):
        return [] if schema else ["nothing is allowed here"]
    return list(_problems(schema, value, root if root is not None else schema, ""))


_ASIDE = frozenset({"$comment", "$defs", "default", "deprecated", "description", "examples", "format", "title"})
_BRANCHES = frozenset({"else", "then"})


def _problems(schema: Mapping[str, Any], value: Any, root: Mapping[str, Any], at: str) -> Iterator[str]:
    for word, argument in schema.items():
        if word in _ASIDE or word in _BRANCHES:
            continue
        rule = _RULES.get(word)
        if rule is None:
            raise ValueError(f"facts: the keyword {word!r} is not understood")
        yield from rule(argument, value, _Place(schema, root, at))


@dataclass(frozen=True)
class _Place:
    schema: Mapping[str, Any]
    root: Mapping[str, Any]
    at: str

    def said(self, text: str) -> str:
        return f"{self.at or 'body'}: {text}"

    def inner(self, schema: Any, value: Any, step: str = "") -> Iterator[str]:
        if isinstance(schema, bool):
            return iter(() if schema else (f"{self.at}{step}: nothing is allowed here",))
        return _problems(schema, value, self.root, f"{self.at}{step}")

    def fits(self, schema: Any, value: Any) -> bool:
        return next(self.inner(schema, value), None) is None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_TYPES = {
    "string": lambda value: isinstance(value, str),
    "number": _is_number,
    "integer": lambda value: _is_number(value) and float(value).is_integer(),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}


def _same(one: Any, other: Any) -> bool:
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _type(names, value, place):
    names = [names] if isinstance(names, str) else names
    if not any(_TYPES[name](value) for name in names):
        yield place.said(f"{value!r} is no {' or '.join(names)}")


def _enum(values, value, place):
    if not any(_same(value, one) for one in values):
        yield place.said(f"{value!r} is none of {values}")


def _properties(known, value, place):
    if isinstance(value, dict):
        for name, inner in value.items():
            if name in known:
                yield from place.inner(known[name], inner, f".{name}")


def _additional(allowed, value, place):
    if isinstance(value, dict):
        for name in value.keys() - place.schema.get("properties", {}).keys():
            if allowed is False:
                yield place.said(f"unknown field {name!r}")
            else:
                yield from place.inner(allowed, value[name], f".{name}")


def _required(names, value, place):
    if isinstance(value, dict):
        yield from (place.said(f"{name!r} is missing") for name in names if name not in value)


def _items(schema, value, place):
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from place.inner(schema, item, f"[{index}]")


def _any_of(schemas, value, place):
    found = [next(place.inner(schema, value), None) for schema in schemas]
    if None not in found:
        yield place.said(f"fits none of: {'; '.join(filter(None, found))}")


def _one_of(schemas, value, place):
    count = sum(place.fits(schema, value) for schema in schemas)
    if count != 1:
        yield place.said(f"fits {count} of {len(schemas)} alternatives, not one")


def _all_of(schemas, value, place):
    for schema in schemas:
        yield from place.inner(schema, value)


def _not(schema, value, place):
    if place.fits(schema, value):
        yield place.said("is what is not allowed")


def _if(schema, value, place):
    branch = place.schema.get("then" if place.fits(schema, value) else "else", True)
    yield from place.inner(branch, value)


def _ref(name, value, place):
    target: Any = place.root
    for step in name.removeprefix("#/").split("/"):
        target = target[step]
    yield from place.inner(target, value)


def _bound(holds, applies, shown):
    def rule(limit, value, place):
        if applies(value) and not holds(value, limit):
            yield place.said(f"{value!r:.80} {shown} {limit}")

    return rule


def _is_text(value):
    return isinstance(value, str)


def _is_list(value):
    return isinstance(value, list)


_RULES = {
    "type": _type,
    "enum": _enum,
    "const": lambda wanted, value, place: _enum([wanted], value, place),
    "properties": _properties,
    "additionalProperties": _additional,
    "required": _required,
    "items": _items,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "allOf": _all_of,
    "not": _not,
    "if": _if,
    "$ref": _ref,
    "minimum": _bound(lambda value, limit: value >= limit, _is_number, "is below"),
    "maximum": _bound(lambda value, limit: value <= limit, _is_number, "is above"),
    "exclusiveMinimum": _bound(lambda value, limit: value > limit, _is_number, "is not above"),
    "exclusiveMaximum": _bound(lambda value, limit: value < limit, _is_number, "is not below"),
    "multipleOf": _bound(
        lambda value, limit: isclose(value / limit, round(value / limit), abs_tol=1e-9), _is_number, "is no multiple of"
    ),
    "minLength": _bound(lambda value, limit: len(value) >= limit, _is_text, "is shorter than"),
    "maxLength": _bound(lambda value, limit: len(value) <= limit, _is_text, "is longer than"),
    "pattern": _bound(lambda value, limit: re.search(limit, value) is not None, _is_text, "does not match"),
    "minItems": _bound(lambda value, limit: len(value) >= limit, _is_list, "has fewer items than"),
    "maxItems": _bound(lambda value, limit: len(value) <= limit, _is_list, "has more items than"),
}


@cache
def _facts(provider: str) -> Mapping[str, Any]:
    facts = json.loads((HERE / f"{provider}.json").read_text(encoding="utf-8"))
    assert facts["source"], f"{provider}.json: say where the facts are from"
    return facts


def facts_of(offer: Offer) -> tuple[Mapping[str, Any], Mapping[str, Any]] | None:
    """What the vendor says of an offer's endpoint: its entry, and the file (the root of `$ref`)."""
    facts = _facts(offer.provider)
    names = (f"{offer.endpoint}@{offer.task}", offer.endpoint, f"*@{offer.task}", "*")
    entry = next((facts["endpoints"][name] for name in names if name in facts["endpoints"]), None)
    return None if entry is None else (entry, facts)


# ------------------------------------------------------------------------------------------------------- the requests


def spread(offer: Offer) -> Iterator[Request]:
    """Requests over all that an offer takes: every field alone and all at once, each value of a list, both ends of a
    range, and unremarkable values where the offer names no limit (what it does not refuse must be right)."""
    task = TASKS[offer.task]
    for given, keys in _alternatives(offer):
        base = {name: _first(offer, task, name) for name in keys} | given
        optional = [name for name in offer.mapping.fields if name not in base and name not in _others(given)]
        yield task(**base)
        for name in (*keys, *optional):
            for value in _values(offer, task, name):
                yield task(**_agreeing({**base, name: value}, name))
        for pick in (0, -1):
            full = {name: _values(offer, task, name)[pick] for name in optional if _values(offer, task, name)}
            for size_wins in (True, False):
                yield task(**_one_shape({**full, **base}, size_wins=size_wins))


def _others(given: dict[str, Any]) -> set[str]:
    """Inputs that would be one too many."""
    return {"video", "image", "last_image"} if given else set()


def _alternatives(offer: Offer) -> Iterator[tuple[dict[str, Any], tuple[str, ...]]]:
    """What a request must have; several answers where a task takes one of several inputs."""
    fields = offer.mapping.fields
    task = TASKS[offer.task]
    keys = tuple(name for name, field in task.model_fields.items() if field.is_required())
    keys += tuple(name for name in offer.required if name not in keys)
    if offer.task == "lip-sync":
        found = [{name: _inputs(offer, name)[0]} for name in ("video", "image") if name in fields]
    elif offer.task == "frame-interpolation":
        found = [{"video": _inputs(offer, "video")[0]}] if "video" in fields else []
        if "last_image" in fields:
            found.append({name: _inputs(offer, name)[0] for name in ("image", "last_image")})
    else:
        found = [{}]
    for given in found:
        yield given, tuple(name for name in keys if name not in given)


def _agreeing(values: dict[str, Any], name: str) -> dict[str, Any]:
    return _one_shape(values, size_wins=name == "size")


def _one_shape(values: dict[str, Any], *, size_wins: bool) -> dict[str, Any]:
    """A size, or a resolution and an aspect ratio: a request may not have both."""
    if "size" not in values or not {"resolution", "aspect_ratio"} & values.keys():
        return values
    out = {"resolution", "aspect_ratio"} if size_wins else {"size"}
    return {name: value for name, value in values.items() if name not in out}


def _first(offer: Offer, task: type[Request], name: str) -> Any:
    return _values(offer, task, name)[0]


def _values(offer: Offer, task: type[Request], name: str) -> list[Any]:
    """The values to try for a field."""
    limit = offer.limits.get(name)
    target = offer.mapping.fields.get(name)
    if limit is None and isinstance(target, To) and target.values is not None:
        return [_read(task, name, word) for word in target.values]
    if name in ("references", "loras"):
        return _counted(offer, name, limit)
    if name == "size":
        return _sizes(limit)
    if limit is not None and limit.values:
        return list(limit.values)
    kind = _kind(task, name)
    if kind is bool or get_origin(kind) is Literal:
        return [True, False] if kind is bool else list(get_args(kind))
    if name in ("image", "last_image", "mask", "video", "audio"):
        return _inputs(offer, name)
    return _texts(name, limit) if kind is str else _numbers(name, limit, whole=kind is int)


def _kind(task: type[Request], name: str) -> Any:
    """The type of a field, without `None` and annotations."""
    found = task.model_fields[name].annotation
    if get_origin(found) in (Union, UnionType):
        found = next(part for part in get_args(found) if part is not type(None))
    return get_args(found)[0] if hasattr(found, "__metadata__") else found


def _read(task: type[Request], name: str, word: str) -> Any:
    kind = _kind(task, name)
    if name == "size":
        return tuple(int(part) for part in word.split("x"))
    if kind is bool:
        return word == "true"
    return float(word) if kind in (int, float) else word


def _texts(name: str, limit: Limit | None) -> list[str]:
    words = {
        "resolution": ["480p", "720p", "1080p", "4k"],
        "aspect_ratio": ["1:1", "16:9", "9:16", "21:9"],
        "language": ["en", "pt-BR"],
        "voice": ["someone"],
    }.get(name, ["a lighthouse at dawn", "größer — ☀", "x"])
    longest = limit.max_characters if limit is not None else None
    return [*words, "a" * longest] if longest else words


def _numbers(name: str, limit: Limit | None, *, whole: bool) -> list[float]:
    low, high, step = (limit.min, limit.max, limit.multiple_of) if limit is not None else (None, None, None)
    floors = {"seed": 0, "strength": 0.0, "duration_s": 1.0, "fps": 12.0, "speed": 0.5, "factor": 2.0}
    tops = {"seed": 2**63 - 1, "strength": 1.0, "duration_s": 30.0, "fps": 60.0, "speed": 2.0, "factor": 4.0}
    low = floors[name] if low is None else low
    high = max(low, tops[name]) if high is None else high
    found = [low, high]
    if step is None and not whole:
        found += [low + (high - low) * 0.37]
    else:
        step = step or 1
        found = [-(-low // step) * step, high // step * step]
        found += [found[0] + (found[1] - found[0]) // 2 // step * step]
    return [int(value) if whole else value for value in dict.fromkeys(found) if not (name == "factor" and value <= 1)]


def _sizes(limit: Limit | None) -> list[tuple[int, int]]:
    plain = [(1024, 1024), (1280, 720), (720, 1280), (64, 64), (4096, 4096), (1001, 777)]
    if limit is None:
        return plain
    if limit.values:
        return [tuple(value) for value in limit.values]
    step = int(limit.multiple_of or 1)
    low = int(-(-(limit.min or 64) // step) * step)
    high = int((limit.max or 4096) // step * step)
    if limit.max_pixels is not None:
        high = min(high, int(limit.max_pixels // low // step * step))
    middle = [size for size in plain if _within(limit, size)]
    return [*middle, (low, low), (low, high), (high, low)]


def _within(limit: Limit, size: tuple[int, int]) -> bool:
    low, high, step = limit.min or 1, limit.max or 10**9, limit.multiple_of or 1
    edges = all(low <= edge <= high and edge % step == 0 for edge in size)
    return edges and (limit.max_pixels is None or size[0] * size[1] <= limit.max_pixels)


def _counted(offer: Offer, name: str, limit: Limit | None) -> list[Any]:
    if limit is not None and limit.values:
        counts = [int(value) for value in limit.values]
    else:
        low = int((limit.min if limit is not None else None) or 1)
        high = int((limit.max if limit is not None else None) or 12)
        counts = sorted({low, (low + high) // 2, high})
    if name == "loras":
        return [tuple(Lora(weights=f"https://example.com/{n}.safetensors") for n in range(count)) for count in counts]
    roles = ("character", "style", "object", "look")
    images = _inputs(offer, name)
    return [
        tuple(Reference(image=images[n % len(images)], role=roles[n % 4]) for n in range(count))
        for count in counts
        if count
    ]


def _inputs(offer: Offer, name: str) -> list[Media]:
    """An input in every form that is taken: an address, a file of each type, the provider's own earlier output."""
    kind = name if name in MIME_TYPES else "image"
    table = _spoken(offer)
    taken = handing._input(table, offer.mapping, name, kind)
    size = {"width": 1280, "height": 720} if kind != "audio" else {}
    known = {**size, **({} if kind == "image" else {"duration_s": 5.0})}
    types = [one for one in taken.mime_types if one.startswith(f"{kind}/")] or [MIME_TYPES[kind]]
    refs = {one[4:]: f"a-{one[4:]}" for one in taken.accepts if one.startswith("ref:")}
    forms = [Media(url=f"https://example.com/{name}.{MIME_TYPES[kind].partition('/')[2]}", **known)]
    forms += [Media(sha256=SHA, mime_type=one, size_bytes=12_000, **known) for one in types]
    if refs:
        forms.append(replace(forms[1], refs={"provider": table.name, "account": "", **refs}))
    return [media for media in forms if _is_taken(table, offer.mapping, name, media)] or forms


def _is_taken(table: Provider, endpoint: Endpoint, name: str, media: Media) -> bool:
    try:
        handing.way(table, endpoint, name, media, account="", now_s=0)
    except handing.CannotHandOver:
        return False
    return True


def _spoken(offer: Offer) -> Provider:
    return provider_table(offer.provider).spoken(offer.mapping.dialect)


# --------------------------------------------------------------------------------------------------------- the bodies


@dataclass(frozen=True)
class Written:
    """One request as it would be sent."""

    request: Request
    method: str
    url: str
    body: Any


@cache
def _registry() -> Registry:
    return Registry.bundled(mappings=mappings_of(_Tables()))


class _Tables(dict[str, Provider]):
    """Every table, read when it is first asked for: one that is broken does not hinder the others."""

    def get(self, name: str, default: Any = None) -> Any:
        return provider_table(name) if name not in self else self[name]


def offers_of(provider: str) -> list[Offer]:
    """The provider's offers that can still be ordered, whatever the day."""
    rows = _registry()._offer_rows
    tasks = [task for task, found in rows.items() if any(row["provider"] == provider for row in found)]
    own = [row for task in tasks for row in rows[task] if row["provider"] == provider]
    return [offer for row in own if (offer := _registry()._offer(row)).status not in RETIRED and not offer.unmapped]


def bodies(offer: Offer) -> Iterator[Written]:
    """Every request of the spread as the engine would write it."""
    table = _spoken(offer)
    call = offer.mapping.submit or (table.submit if isinstance(table.submit, Call) else None)
    names = {name: getattr(offer, name) or "" for name in ("model", "endpoint", "version", "task")}
    names["dialect"] = offer.mapping.dialect
    for request in spread(offer):
        found = fit(Terms(offer), request, request.values(), adjust=False)
        assert not isinstance(found, Refusal), f"{offer.id} refuses what it takes: {found.why()}"
        body = _build.build_body(table, offer.mapping, request, names=names, media=_stands_for(table, offer.mapping))
        if call is None:
            yield Written(request, "", "", body)
        else:
            sent = _build.call_request(table, call, names, body)
            yield Written(request, sent.method, sent.url, sent.json or {})


def _stands_for(table: Provider, endpoint: Endpoint) -> Callable[[str, Media], JsonValue]:
    """What a plan shows for an input."""
    return lambda name, media: placeholder(media, handing.way(table, endpoint, name, media, account="", now_s=0))


def check_bodies(provider: str, *, offers: int = 1) -> None:
    """Hold every body of every offer against the vendor's schema.

    Args:
        offers: At least so many offers must have a schema. An offer whose endpoint is in `unchecked` is passed over.
    """
    unchecked = _facts(provider).get("unchecked", {})
    wrong, checked = [], 0
    for offer in offers_of(provider):
        found = facts_of(offer)
        if found is None:
            assert unchecked.get(offer.endpoint), (
                f"{offer.id}: no schema in {provider}.json, and `unchecked` has no reason"
            )
            continue
        checked += 1
        wrong += _wrong(offer, *found)
    assert not wrong, "\n".join(wrong)
    assert checked >= offers, f"{provider}: {checked} offers have a schema, {offers} were expected"


def _wrong(offer: Offer, entry: Mapping[str, Any], root: Mapping[str, Any]) -> list[str]:
    wrong: dict[str, None] = {}
    count = 0
    try:
        for written in bodies(offer):
            count += 1
            found = problems(entry["schema"], written.body, root)
            if "url" in entry and not re.fullmatch(entry["url"], written.url):
                found.append(f"url: {written.url!r} does not match {entry['url']!r}")
            wrong |= dict.fromkeys(f"{offer.id} for {offer.task}: {one}" for one in found)
    except (AggregatorError, handing.CannotHandOver) as error:
        wrong[f"{offer.id} for {offer.task}: {error}"] = None
    if not count and not wrong:
        wrong[f"{offer.id} for {offer.task}: no request could be written"] = None
    return list(wrong)
