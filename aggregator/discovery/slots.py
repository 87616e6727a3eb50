"""The properties of a JSON Schema (or OpenAPI) object, flattened: references, unions with null and `allOf` of one are
taken away, so that a mapping can be read off. Pure.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from pydantic import JsonValue

__all__ = ["Slot", "resolved", "slots"]

MAX_DEPTH = 8
"""How deep references and unions are followed: a schema that goes deeper is read as far as that."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One place in a body, and what may stand there."""

    path: str
    kinds: frozenset[str] = frozenset()
    """Types of JSON: `string`, `integer`, `number`, `boolean`, `array`, `object`. Empty: the schema does not say."""
    enum: tuple[JsonValue, ...] = ()
    """The values that are named one by one."""
    is_open: bool = True
    """Whether a value that is not in `enum` is taken too."""
    min: float | None = None
    max: float | None = None
    step: float | None = None
    max_characters: int | None = None
    max_items: int | None = None
    items: "Slot | None" = None
    parts: Mapping[str, "Slot"] = field(default_factory=dict)
    """Of an object."""
    default: JsonValue = None
    """What the provider says it uses; `None`: nothing, or not said."""
    required: bool = False
    is_deprecated: bool = False
    text_format: str = ""
    """`uri`, `binary`, … as the schema says."""

    def is_a(self, *kinds: str) -> bool:
        """Whether every type that is allowed here is one of these."""
        return bool(self.kinds) and self.kinds <= set(kinds)


def slots(schema: Mapping[str, Any], root: Mapping[str, Any], *, above: str = "", depth: int = 0) -> dict[str, Slot]:
    """The properties of an object schema by name; of one without properties, none."""
    schema = resolved(schema, root)
    wanted = schema.get("required")
    required = set(wanted) if isinstance(wanted, list) else set()
    found = schema.get("properties")
    named = found.items() if isinstance(found, Mapping) else ()
    return {
        name: _slot(f"{above}{name}", inner, root, required=name in required, depth=depth + 1)
        for name, inner in named
        if isinstance(inner, Mapping)
    }


def resolved(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """The schema with its own `$ref` and `allOf` put in; what stands beside them wins (Replicate writes it so)."""
    if depth > MAX_DEPTH:
        return {}
    found = {name: value for name, value in schema.items() if name not in ("$ref", "allOf")}
    parts = [_target(str(schema["$ref"]), root)] if "$ref" in schema else []
    parts += schema.get("allOf") or []
    merged: dict[str, Any] = {}
    for part in parts:
        if isinstance(part, Mapping):
            inner = resolved(part, root, depth + 1)
            both = {**merged.get("properties", {}), **inner.get("properties", {})}
            needed = [*merged.get("required", []), *inner.get("required", [])]
            merged |= inner | ({"properties": both} if both else {}) | ({"required": needed} if needed else {})
    return merged | found


def _target(reference: str, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a reference within the document names; nothing for one that leads out of it."""
    found: Any = root
    for step in reference.removeprefix("#/").split("/"):
        found = found.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(found, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _slot(path: str, schema: Mapping[str, Any], root: Mapping[str, Any], *, required: bool, depth: int) -> Slot:
    ways = [] if depth > MAX_DEPTH else list(_ways(schema, root, depth))
    enums = [value for way in ways for value in _enum(way)]
    parts: dict[str, Slot] = {}
    for way in ways:
        parts |= slots(way, root, above=f"{path}.", depth=depth)
    lists = [way["items"] for way in ways if isinstance(way.get("items"), Mapping)]
    whole = resolved(schema, root)
    shared = [way for way in ways if "enum" not in way and "const" not in way]
    return Slot(
        path=path,
        kinds=frozenset(kind for way in ways for kind in _kinds(way)),
        enum=tuple(value for index, value in enumerate(enums) if value not in enums[:index]),
        is_open=not enums or any(_kinds(way) and "object" not in _kinds(way) for way in shared),
        min=_bound(shared, "minimum", "exclusiveMinimum", max),
        max=_bound(shared, "maximum", "exclusiveMaximum", min),
        step=_step(shared),
        max_characters=_whole(shared, "maxLength"),
        max_items=_whole([whole, *ways], "maxItems"),
        items=_slot(f"{path}[]", lists[0], root, required=False, depth=depth + 1) if lists else None,
        parts=parts,
        default=whole.get("default"),
        required=required,
        is_deprecated=whole.get("deprecated") is True,
        text_format=next((str(way["format"]) for way in ways if way.get("format")), ""),
    )


def _ways(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Iterator[dict[str, Any]]:
    """The alternatives of a schema, but for null."""
    schema = resolved(schema, root)
    for word in ("anyOf", "oneOf"):
        if isinstance(schema.get(word), list) and depth <= MAX_DEPTH:
            rest = {name: value for name, value in schema.items() if name not in (word, "default", "description")}
            for one in schema[word]:
                if isinstance(one, Mapping):
                    yield from _ways({**rest, **resolved(one, root)}, root, depth + 1)
            return
    if schema.get("type") != "null":
        yield schema


def _kinds(way: Mapping[str, Any]) -> Sequence[str]:
    kind = way.get("type")
    if isinstance(kind, list):
        return [one for one in kind if one != "null"]
    if isinstance(kind, str):
        return [kind]
    if "properties" in way:
        return ["object"]
    return list(dict.fromkeys(_kind_of(value) for value in _enum(way)))


def _kind_of(value: JsonValue) -> str:
    for kind, types in (("boolean", bool), ("integer", int), ("number", float), ("string", str), ("array", list)):
        if isinstance(value, types):
            return kind
    return "object"


def _enum(way: Mapping[str, Any]) -> list[JsonValue]:
    values = way.get("enum")
    found = list(values) if isinstance(values, list) else [way["const"]] if "const" in way else []
    return [value for value in found if value is not None]


def _numbers(ways: Sequence[Mapping[str, Any]], name: str) -> list[float]:
    return [way[name] for way in ways if _is_number(way.get(name))]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _bound(ways: Sequence[Mapping[str, Any]], name: str, exclusive: str, pick: Any) -> float | None:
    """The bound; of whole numbers an exclusive one is moved by one, of others it is taken as it is."""
    found = []
    for way in ways:
        here = _numbers([way], name)
        open_end = way.get(exclusive)
        shut = (open_end is True and here) or (_numbers([way], exclusive) if open_end is not True else [])
        move = (1 if pick is max else -1) if "integer" in _kinds(way) else 0
        found += [value + move for value in shut] if shut else here
    return pick(found) if found else None


def _step(ways: Sequence[Mapping[str, Any]]) -> float | None:
    found = _numbers(ways, "multipleOf")
    if found:
        return found[0]
    numeric = [kind for way in ways for kind in _kinds(way) if kind in ("integer", "number")]
    return 1 if numeric and set(numeric) == {"integer"} else None


def _whole(ways: Sequence[Mapping[str, Any]], name: str) -> int | None:
    found = [int(value) for value in _numbers(ways, name) if value > 0]
    return min(found) if found else None
