"""From a published input schema to an offer's row. Pure; what it does not know by name and type it lists.

The row holds what a file of `registry/offers` may say of the wire: `fields`, `limits`, `defaults`, `required`, `fixed`,
`files`, `facts`. Prices are not in a schema: there are no meters, so the price is unknown until somebody says it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import JsonValue

from aggregator.discovery import values
from aggregator.discovery.names import COUNTS, FIXED, names_of
from aggregator.discovery.outputs import facts_of, files_of
from aggregator.discovery.slots import Slot
from aggregator.discovery.values import Written
from aggregator.tasks import TASKS

__all__ = ["LeftOut", "Mapped", "map_schema", "tasks_that_fit"]

_FEW = 3
_ONE_OF: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "lip-sync": (("video",), ("image",)),
    "frame-interpolation": (("video",), ("image", "last_image")),
    "speech-to-speech": (("voice",), ("language",)),
}
"""Fields of a task of which one set must be there."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A property that no field of ours is written to: the provider's own default counts."""

    path: str
    kind: str
    default: JsonValue
    why: str = ""

    def __str__(self) -> str:
        known = "no default" if self.default is None else f"default {self.default!r}"
        return f"{self.path} ({self.kind}, {known})" + (f": {self.why}" if self.why else "")


@dataclass(frozen=True, slots=True)
class Mapped:
    """What a schema became."""

    task: str
    row: dict[str, Any]
    left_out: tuple[LeftOut, ...] = ()
    refused: tuple[str, ...] = ()
    """Why it cannot be used; empty: it can."""


@dataclass(slots=True)
class _Making:
    """A row on its way."""

    row: dict[str, Any] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    why: dict[str, str] = field(default_factory=dict)
    """What was looked at and could not be used, by path."""

    def put(self, table: str, name: str, value: Any) -> None:
        self.row.setdefault(table, {})[name] = value


def tasks_that_fit(inputs: Mapping[str, Slot], outputs: Mapping[str, Slot], tasks: tuple[str, ...]) -> tuple[str, ...]:
    """Which of these tasks the schema can serve."""
    return tuple(task for task in tasks if not map_schema(inputs, outputs, task).refused)


def map_schema(
    inputs: Mapping[str, Slot],
    outputs: Mapping[str, Slot],
    task: str,
    *,
    fixed: Mapping[str, JsonValue] | None = None,
) -> Mapped:
    """The row of one task.

    Args:
        fixed: Values that a person gives for properties nobody could map, by their path.

    """
    making = _Making()
    for path, value in (fixed or {}).items():
        making.put("fixed", path, value)
        making.used.add(path)
    _fix(making, inputs)
    for name in TASKS[task].model_fields:
        _field(making, task, name, inputs)
    _preset_sizes(making, inputs)
    making.row.setdefault("fields", {})
    if required := _required(making, task, inputs):
        making.row["required"] = required
    if (files := files_of(outputs, task, making.row)) is not None:
        making.row["files"] = files
    if facts := facts_of(outputs):
        making.row["facts"] = facts
    left = _left_out(making, inputs)
    for one in left:  # what must be sent and has a default is sent as that
        slot = _at(inputs, one.path)
        if slot is not None and slot.required and slot.default is not None and "." not in one.path:
            making.put("fixed", one.path, slot.default)
    return Mapped(task, making.row, tuple(left), tuple(_refusals(making, task, inputs, fixed or {})))


def _required(making: _Making, task: str, inputs: Mapping[str, Slot]) -> list[str]:
    """Fields that the task leaves open and this endpoint does not; of several ways, the only one it has."""
    fields = making.row["fields"]
    optional = [name for name, info in TASKS[task].model_fields.items() if name in fields and not info.is_required()]
    found = {name for name in optional if (slot := _slot_of(making, name, inputs)) is not None and slot.required}
    ways = [way for way in _ONE_OF.get(task, ()) if all(name in fields for name in way)]
    return sorted(found | (set(ways[0]) if len(ways) == 1 else set()))


def _fix(making: _Making, inputs: Mapping[str, Slot]) -> None:
    """One output, handed over as an address, whatever the provider's defaults are."""
    for name in COUNTS:
        slot = inputs.get(name)
        if slot is not None and name not in making.used and slot.is_a("integer", "number") and (slot.min or 0) <= 1:
            making.put("fixed", name, 1)
            making.used.add(name)
    for name, value in FIXED.items():
        slot = inputs.get(name)
        if slot is not None and name not in making.used and value in slot.enum:
            making.put("fixed", name, value)
            making.used.add(name)


def _field(making: _Making, task: str, name: str, inputs: Mapping[str, Slot]) -> None:
    """Find the first property that is known to be this field, and can be written to."""
    write = values.writer_of(task, name)
    for path in names_of(task, name):
        slot = _at(inputs, path)
        if slot is None or path in making.used or slot.is_deprecated:
            continue
        found = write(slot, inputs)
        if isinstance(found, Written):
            making.put("fields", name, found.target)
            if found.limit:
                making.put("limits", name, found.limit)
            if found.default is not None:
                making.put("defaults", name, found.default)
            making.used |= {path, *found.also}
            making.why.pop(path, None)
            return
        making.why.setdefault(path, found)


def _preset_sizes(making: _Making, inputs: Mapping[str, Slot]) -> None:
    """Shapes by the provider's names of sizes, where it has no parameter for the shape itself."""
    slot = inputs.get("image_size") or inputs.get("video_size")
    fields = making.row.get("fields", {})
    if slot is None or "aspect_ratio" in fields:
        return
    sizes = values.presets(slot)
    if sizes.values:
        making.put("fields", "aspect_ratio", {"to": slot.path, "values": sizes.values})
        making.used.add(slot.path)
        making.why.pop(slot.path, None)
    if sizes.default is not None:
        making.row.setdefault("defaults", {}).setdefault("size", sizes.default)


def _slot_of(making: _Making, name: str, inputs: Mapping[str, Slot]) -> Slot | None:
    target = making.row["fields"][name]
    path = target["to"] if isinstance(target, dict) else target
    return _at(inputs, path.split()[0].partition(".")[0]) if name == "size" else _at(inputs, path)


def _at(inputs: Mapping[str, Slot], path: str) -> Slot | None:
    """The property at a dotted path. One inside an object that wants others too is not reached alone."""
    name, _, inner = path.partition(".")
    slot = inputs.get(name)
    if slot is None or not inner:
        return slot
    found = slot.parts.get(inner)
    alone = all(part is found or not part.required or part.default is not None for part in slot.parts.values())
    return found if alone else None


def _left_out(making: _Making, inputs: Mapping[str, Slot]) -> list[LeftOut]:
    found = []
    for name, slot in inputs.items():
        inner = {f"{name}.{part}" for part in slot.parts}
        if name in making.used:
            continue
        if inner & making.used:
            rest = [part for part in slot.parts.values() if part.path not in making.used]
            found += [LeftOut(part.path, _kind(part), part.default) for part in rest]
        else:
            found.append(LeftOut(name, _kind(slot), slot.default, making.why.get(name, "")))
    return found


def _kind(slot: Slot) -> str:
    """The type in words: `integer`, `one of 3 texts`, `list of string`."""
    if slot.enum and not slot.is_open:
        shown = ", ".join(str(value) for value in slot.enum[:4])
        return f"one of {shown}{', …' if len(slot.enum) > 4 else ''}"  # noqa: PLR2004
    if "array" in slot.kinds and slot.items is not None:
        return f"list of {_kind(slot.items)}"
    return " or ".join(sorted(slot.kinds)) or "unknown"


def _refusals(making: _Making, task: str, inputs: Mapping[str, Slot], fixed: Mapping[str, JsonValue]) -> list[str]:
    """Everything that stands in the way of using it."""
    fields = making.row["fields"]
    found = [
        f"{path}: the schema has no such property"
        for path in fixed
        if path not in inputs and _at(inputs, path) is None
    ]  # fmt: skip
    for name, info in TASKS[task].model_fields.items():
        if info.is_required() and name not in fields:
            known = ", ".join(names_of(task, name)[:_FEW])
            found.append(f"{task} needs {name}, and no property is known to be it (such as {known})")
    sets = _ONE_OF.get(task, ())
    if sets and not any(all(name in fields for name in one) for one in sets):
        found.append(f"{task} needs {' or '.join(' and '.join(one) for one in sets)}")
    for name, slot in inputs.items():
        touched = name in making.used or any(path.startswith(f"{name}.") for path in making.used)
        if slot.required and not touched and name not in making.row.get("fixed", {}):
            why = making.why.get(name)
            said = f" ({why})" if why else ""
            found.append(f"{name} must be given ({_kind(slot)}), and no field of {task} is written there{said}")
    return found
