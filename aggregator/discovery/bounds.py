"""What the numbers of a workflow mean, as words of an offer: how long its clip is and how large, and, where a server
was asked (`/object_info`), which values its nodes take. Pure.

`length` is a number of frames: an order is in seconds, and the plan comes to a number that the node can make.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from aggregator.registry.graphs import Graph, Nodes
from aggregator.tasks import TASKS

__all__ = ["FRAMES", "SECONDS", "options_of", "rate_of", "words"]

FRAMES = ("length", "num_frames", "video_frames", "frames")
"""Inputs that count frames, of nodes that have a width and a height too."""
SECONDS = ("seconds", "duration")
_RATES = ("fps", "frame_rate")
_RATED = ("Create", "Save", "VHS_VideoCombine")
"""The nodes that decide how fast a clip is played; others take a rate as something to be told."""
_SIDES = 2


def rate_of(graph: Graph) -> float | None:
    """Frames for each second of the clip, where all that write one agree."""
    written = {
        float(node["inputs"][name])
        for node in graph.values()
        for name in _RATES
        if node["class_type"].startswith(_RATED) and isinstance(node["inputs"].get(name), int | float)
    }
    return written.pop() if len(written) == 1 else None


def words(
    graph: Graph, task: str, fields: Mapping[str, str], nodes: Mapping[str, Any] | None, where: str
) -> dict[str, Any]:
    """What an offer says of these inputs beside where they are: `fields`, `defaults`, `frames` and `limits`.

    Args:
        fields: Ours to `<node>.inputs.<input>`, the node by title or id. nodes: What the server says of its nodes.

    """
    of = Nodes(graph, where)
    found: dict[str, Any] = {"fields": dict(fields), "defaults": {}, "limits": {}}
    for name, target in fields.items():
        paths = of.target(name, target).split()
        held = [_held(graph, path) for path in paths]
        specs = [_spec(nodes, graph, path) for path in paths]
        if name == "duration_s" and paths and paths[0].rpartition(".")[2] in FRAMES:
            found |= _frames(target, held[0], specs[0], rate_of(graph), found)
        elif name != "seed" and (limit := _limit(specs)):
            found["limits"][name] = limit
        if name == "size" and len(held) == _SIDES:
            found["defaults"][name] = held
    known = TASKS[task].model_fields
    found["defaults"] = {name: value for name, value in found["defaults"].items() if name in known}
    return {name: said for name, said in found.items() if said}


def _frames(target: str, held: Any, spec: Any, rate: float | None, found: Mapping[str, Any]) -> dict[str, Any]:
    """Seconds are written as frames, and only as many as the node makes: `min` 1 and `step` 4 are 4k+1."""
    if rate is None:
        return {}
    frames = _counts(_about(spec))
    length = {"duration_s": round(held / rate, 6)} if isinstance(held, int) else {}
    return {
        "fields": {**found["fields"], "duration_s": {"to": target, "times": rate}},
        "defaults": {**found["defaults"], "fps": rate, **length},
        **({"frames": frames} if frames else {}),
    }


def _counts(about: Mapping[str, Any]) -> dict[str, int]:
    low, high, step = (about.get(name) for name in ("min", "max", "step"))
    if not (isinstance(low, int) and isinstance(high, int) and isinstance(step, int) and step > 0):
        return {}
    return {"multiple_of": step, "plus": low % step, "min": low, "max": high - (high - low) % step}


def _limit(specs: Iterable[Any]) -> list[Any] | dict[str, Any] | None:
    """What every one of these inputs takes."""
    all_of = list(specs)
    if not all_of or any(name.endswith("_upload") for spec in all_of for name in _about(spec)):
        return None  # the files it has by now
    if (listed := options_of(all_of[0])) is not None:
        return listed or None
    numbers = [_about(spec) for spec in all_of if spec is not None and spec[0] in ("INT", "FLOAT")]
    if len(numbers) != len(all_of):
        return None
    ends = {"min": max(_said(numbers, "min"), default=None), "max": min(_said(numbers, "max"), default=None)}
    step = max((_step(spec) for spec in all_of), default=1)
    found = {**ends, "multiple_of": step if step > 1 else None}
    return {name: value for name, value in found.items() if value is not None} or None


def _said(numbers: Iterable[Mapping[str, Any]], name: str) -> list[float]:
    return [about[name] for about in numbers if isinstance(about.get(name), int | float)]


def _step(spec: Any) -> int:
    """How far apart the values are, where they are counted from nought."""
    step, low = _about(spec).get("step"), _about(spec).get("min", 0)
    return step if spec[0] == "INT" and isinstance(step, int) and step > 0 and low % step == 0 else 1


def _held(graph: Graph, path: str) -> Any:
    """What stands there in the file."""
    node, _, name = path.split(".", 2)
    return graph[node]["inputs"].get(name)


def _spec(nodes: Mapping[str, Any] | None, graph: Graph, path: str) -> Any:
    """What the server says of an input; `None` where it was not asked, or says nothing."""
    node, _, name = path.split(".", 2)
    said = (nodes or {}).get(graph[node]["class_type"], {}).get("input", {})
    return next((said[part][name] for part in ("required", "optional") if name in said.get(part, {})), None)


def _about(spec: Any) -> Mapping[str, Any]:
    return spec[1] if spec is not None and len(spec) > 1 and isinstance(spec[1], dict) else {}


def options_of(spec: Any) -> list[Any] | None:
    """The values of a list: `[[…], {…}]` of older nodes, `["COMBO", {"options": […]}]` of newer ones."""
    listed = None if spec is None else spec[0] if isinstance(spec[0], list) else _about(spec).get("options")
    return listed if isinstance(listed, list) else None
