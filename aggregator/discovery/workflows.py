"""What a workflow of ComfyUI says of itself: what it makes, which inputs are which, and what only a person knows. Pure.

What follows from the graph alone is taken; where several inputs could be it, or none, that is a question.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from aggregator.discovery.bounds import FRAMES, SECONDS, options_of, rate_of
from aggregator.registry.graphs import SEEDS, Graph, title
from aggregator.tasks import TASKS

__all__ = ["Choice", "Known", "Question", "faults", "read"]

_FAMILIES = (
    ("audio", re.compile(r"Audio")),
    ("video", re.compile(r"Video|WEBM|VHS_|GIF")),
    ("image", re.compile(r"Image|PNG|WEBP")),
)
_KEEPS = re.compile(r"^(Save|VHS_VideoCombine)")
_LOADS = {"image": re.compile(r"^LoadImage"), "video": re.compile(r"Load_?Video"), "audio": re.compile(r"Load_?Audio")}
_TEXTS = ("text", "prompt", "tags", "t5xxl", "positive_prompt")
_TASKS: Mapping[tuple[str, tuple[str, ...]], tuple[str, ...]] = {
    ("image", ()): ("text-to-image",),
    ("image", ("image",)): ("image-to-image", "image-upscaling"),
    ("video", ()): ("text-to-video",),
    ("video", ("image",)): ("image-to-video",),
    ("video", ("video",)): ("video-to-video", "video-extension", "video-upscaling", "frame-interpolation"),
    ("video", ("audio", "image")): ("lip-sync",),
    ("video", ("audio", "video")): ("lip-sync",),
    ("audio", ()): ("text-to-speech", "text-to-sound", "text-to-music"),
    ("audio", ("audio",)): ("speech-to-speech",),
    ("audio", ("video",)): ("video-to-audio",),
}
"""By what is made and what is handed over: the tasks it can be."""
_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Choice:
    """One possible answer: what is written, and what it is, for a person."""

    value: str
    about: str = ""

    def __str__(self) -> str:
        return f"{self.value} ({self.about})" if self.about else self.value


@dataclass(frozen=True, slots=True)
class Question:
    """What the workflow does not say."""

    name: str
    """`task`, `outputs`, or a field."""
    text: str
    choices: tuple[Choice, ...] = ()
    may_be_none: bool = False


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a workflow, by its own word or a person's."""

    task: str = ""
    outputs: tuple[str, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)
    """Ours to `<node>.inputs.<input>`; empty: it has none."""
    found: tuple[str, ...] = ()
    """The fields that the workflow itself said."""
    open: tuple[Question, ...] = ()


def read(graph: Graph, known: Known) -> Known:
    """The same with what follows from the graph, and what is still open: first what it makes, then the task, then each
    input.
    """
    kept = [
        Choice(_called(graph, at), node["class_type"]) for at, node in graph.items() if _KEEPS.match(node["class_type"])
    ]
    if not known.outputs:
        if len(kept) != 1:
            said = (
                "which nodes make what is wanted" if kept else "which node makes what is wanted: none of them is a Save"
            )
            return replace(known, open=(Question("outputs", said, tuple(kept)),))
        known = replace(known, outputs=(kept[0].value,))
    outputs = [_at(graph, name) for name in known.outputs]
    used = _above(graph, *outputs)
    loaded = {kind: tuple(_loads(graph, used, kind)) for kind in _LOADS}
    if not known.task:
        families = {_family(graph[at]["class_type"]) for at in outputs if at in graph}
        kinds = tuple(sorted(kind for kind, found in loaded.items() if found))
        could = _TASKS.get((next(iter(families)), kinds), ()) if len(families) == 1 else ()
        if len(could) != 1:
            return replace(known, open=(Question("task", "what it is for", tuple(map(Choice, could or TASKS))),))
        known = replace(known, task=could[0])
    return _with_fields(graph, known, {**_texts(graph, outputs), **_numbers(graph, used), **loaded})


def _with_fields(graph: Graph, known: Known, could: Mapping[str, Sequence[str]]) -> Known:
    """Each input of the task: where the graph has one that it can be, that one."""
    model = TASKS[known.task].model_fields
    fields, found, asked = dict(known.fields), list[str](), list[Question]()
    places = {"text": could["prompt"], "last_image": could["image"], "mask": ()} | dict(could)
    for name, declared in model.items():
        choices = places.get(name, ())
        taken = {target for other, target in fields.items() if other != name}
        left = [one for one in choices if one not in taken]
        needed = declared.is_required()
        if name in fields or (not left and not needed) or (name == "prompt" and "text" in model and not needed):
            continue
        if len(left) == 1 and (needed or name != "last_image"):
            fields[name] = left[0]
            found.append(name)
        elif needed or left:
            shown = tuple(Choice(one, _value(graph, one)) for one in left)
            asked.append(Question(name, f"which input is the {name}", shown, may_be_none=not needed))
            break  # the answer may settle the next one
    return replace(known, fields=fields, found=(*known.found, *found), open=tuple(asked))


# ----------------------------------------------------------------------------------------------------------- the graph


def _above(graph: Graph, *roots: str, without: str = "") -> list[str]:
    """These nodes and all that they are made from, but for what goes in at the input `without`."""
    found = [root for root in dict.fromkeys(roots) if root in graph]
    for at in found:
        inputs = graph[at]["inputs"].items()
        links = [str(value[0]) for name, value in inputs if isinstance(value, list) and value and name != without]
        found += [one for one in dict.fromkeys(links) if one in graph and one not in found]
    return found


def _called(graph: Graph, at: str) -> str:
    """A node by its title, where no other has that one: ids move."""
    named = title(graph[at])
    alone = sum(title(node) == named for node in graph.values()) == 1
    return f"{{{named}}}" if alone and not set("{}") & set(named) else at


def _at(graph: Graph, name: str) -> str:
    """The id of a node by what it is called; what there is none of stays as it is, and is refused when it is read."""
    return next((at for at in graph if name in (at, _called(graph, at), title(graph[at]))), name)


def _path(graph: Graph, at: str, name: str) -> str:
    return f"{_called(graph, at)}.inputs.{name}"


def _family(class_type: str) -> str:
    return next((family for family, words in _FAMILIES if words.search(class_type)), "")


def _value(graph: Graph, path: str) -> str:
    """What stands at an input in the file."""
    if path.count(".inputs.") != 1:
        return ""
    node, _, name = path.rpartition(".inputs.")
    said = str(graph[_at(graph, node)]["inputs"].get(name, "")).replace("\n", " ")
    return said if len(said) <= _SHOWN else f"{said[:_SHOWN]}…"


def _texts(graph: Graph, outputs: Sequence[str]) -> dict[str, list[str]]:
    """The inputs that can be the prompt, and what should not be there: what is only reached through a `negative`."""
    wanted = _above(graph, *outputs, without="negative")
    found: dict[str, list[str]] = {"prompt": [], "negative_prompt": [], "lyrics": []}
    for at in _above(graph, *outputs):
        inputs = graph[at]["inputs"]
        names = [name for name in _TEXTS if isinstance(inputs.get(name), str)]
        found["prompt" if at in wanted else "negative_prompt"] += [_path(graph, at, name) for name in names]
        found["lyrics"] += [_path(graph, at, "lyrics")] if isinstance(inputs.get("lyrics"), str) else []
    return found


def _numbers(graph: Graph, used: Iterable[str]) -> dict[str, list[str]]:
    """The inputs that can be the seed, the size, an adapter and the length: frames are one where it is known how fast
    they go.
    """
    found: dict[str, list[str]] = {"seed": [], "size": [], "loras": [], "duration_s": []}
    counted = FRAMES if rate_of(graph) is not None else ()
    for at in used:
        inputs = graph[at]["inputs"]
        has_size = "width" in inputs and "height" in inputs
        lengths = (*SECONDS, *(counted if has_size else ()))
        found["duration_s"] += [_path(graph, at, name) for name in lengths if isinstance(inputs.get(name), int | float)]
        found["seed"] += [_path(graph, at, name) for name in SEEDS if isinstance(inputs.get(name), int)]
        if isinstance(inputs.get("lora_name"), str) and isinstance(inputs.get("strength_model"), int | float):
            found["loras"].append(f"{_path(graph, at, 'lora_name')} {_path(graph, at, 'strength_model')}")
        if isinstance(inputs.get("width"), int) and isinstance(inputs.get("height"), int):
            found["size"].append(f"{_path(graph, at, 'width')} {_path(graph, at, 'height')}")
    return found


def _loads(graph: Graph, used: Iterable[str], kind: str) -> Iterator[str]:
    """The inputs that name a file of this kind."""
    for at in used:
        node = graph[at]
        names = [name for name in (kind, "file") if isinstance(node["inputs"].get(name), str)]
        if _LOADS[kind].search(node["class_type"]) and names:
            yield _path(graph, at, names[0])


# ------------------------------------------------------------------------------------------------------------ a server


def faults(graph: Graph, nodes: Mapping[str, Any], mapped: Iterable[str]) -> list[str]:
    """What of a workflow a server would refuse that has these nodes (`/object_info`), but for inputs that are filled in
    (`mapped`, by id).
    """
    filled, found = set(mapped), list[str]()
    for at, node in graph.items():
        known = nodes.get(node["class_type"])
        where = f"{node['class_type']} ({at})"
        if known is None:
            found.append(f"{where}: this server has no such node; install what it comes with")
            continue
        for name, spec in known.get("input", {}).get("required", {}).items():
            value = node["inputs"].get(name)
            if value is None:
                found.append(f"{where}: it needs {name}")
            elif not isinstance(value, list) and f"{at}.inputs.{name}" not in filled:
                found += [f"{where}: {name} {fault}" for fault in _fault(value, spec)]
    return found


def _fault(value: Any, spec: Any) -> Iterator[str]:
    """What is wrong with a value: the kind of input is a list of values, or a word with its bounds."""
    kind, about = spec[0], spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
    if (options := options_of(spec)) is not None:
        if value not in options:
            yield f"{value!r} is not there; it has {', '.join(map(str, options[:20])) or 'none'}"
    elif kind in ("INT", "FLOAT"):
        if isinstance(value, bool) or not isinstance(value, int | float):
            yield f"must be a number, not {value!r}"
        elif not about.get("min", value) <= value <= about.get("max", value):
            yield f"must be from {about.get('min')} to {about.get('max')}, not {value}"
    elif kind == "STRING" and not isinstance(value, str):
        yield f"must be a text, not {value!r}"
