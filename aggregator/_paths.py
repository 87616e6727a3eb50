"""Dotted paths into JSON: `a.b`, `list.0`, `list[].url`, `a.*.b`, `this that`.

Pure; the grammar is in `aggregator.contract`.
"""

from collections.abc import Sequence
from copy import deepcopy

from pydantic import JsonValue

from aggregator.contract import Json
from aggregator.errors import RequestError

__all__ = ["find", "first", "merge", "place", "reach"]


def find(value: JsonValue, path: str) -> list[JsonValue]:
    """Every value at a dotted path, or at any of several; empty where there is none. `None` counts as none."""
    return [item for item in reach(value, path) if item is not None]


def reach(value: JsonValue, path: str) -> list[JsonValue]:
    """The same with `None` for every object on the way that has no such value."""
    if " " in path:
        return [item for one in path.split() for item in reach(value, one)]
    found: list[JsonValue] = [value]
    for part in path.split(".") if path else ():
        name, each = (part[:-2], True) if part.endswith("[]") else (part, False)
        step: list[JsonValue] = []
        for item in found:
            for one in _inside(item, name) if name else (item,):
                step.extend((one if isinstance(one, list) else ()) if each else (one,))
        found = step
    return found


def _inside(item: JsonValue, name: str) -> Sequence[JsonValue]:
    """What is one step further: nothing where a step cannot be taken."""
    if isinstance(item, dict):
        return [value for key, value in item.items() if key[:1] != "@"] if name == "*" else (item.get(name),)
    if isinstance(item, list) and name.isdigit() and int(name) < len(item):
        return (item[int(name)],)
    return ()


def first(value: JsonValue, path: str | None) -> JsonValue:
    """The first value at a path, or `None`."""
    found = find(value, path) if path else []
    return found[0] if found else None


def place(body: Json, path: str, value: JsonValue) -> None:
    """Write a value at a dotted path, making the objects on the way."""
    *parents, last = path.split(".")
    for name in parents:
        inner = body.setdefault(name, {})
        if not isinstance(inner, dict):
            raise RequestError(f"{path!r} goes through {name!r}, which already holds a value")
        body = inner
    old = body.get(last)
    value = deepcopy(value)  # tables and options are not written to
    body[last] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value


def merge(under: Json, over: Json) -> Json:
    """Lay `over` on `under`: object into object at every depth, anything else replaces."""
    for name, value in over.items():
        inner = under.get(name)
        under[name] = merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return under
