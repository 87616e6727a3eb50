"""A workflow drawn apart, as a workflow again: no inputs, no fan-outs, every step as the inputs make it."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from aggregator.workflow.expand import expand
from aggregator.workflow.graph import Node
from aggregator.workflow.kinds import takes
from aggregator.workflow.model import Carried, Ref, Workflow
from aggregator.workflow.words import texts_in

__all__ = ["flattened", "is_address", "relative_paths", "stems_of"]


def flattened(workflow: Workflow, inputs: Mapping[str, Any] | None = None) -> Workflow:
    """The same steps one by one; `shot.2` of a fan-out is called `shot-2`.

    Raises:
        RequestError: It cannot be drawn apart (`expand`).

    """
    graph = expand(replace(workflow, references=(), seed=None), inputs)
    names: dict[str, str] = {}
    used: set[str] = set()
    stems = stems_of(graph.fans)
    for node in graph.nodes:
        base, dot, rest = node.name.partition(".")
        name = f"{stems[base]}-{rest}" if dot else base
        while name in used:
            name += "-"
        used.add(name)
        names[node.name] = name

    def named(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: named(one) for key, one in value.items()}
        if isinstance(value, list | tuple):
            return [named(one) for one in value]
        if (ref := Ref.of(value)) is not None:
            return str(replace(ref, step=names[ref.step]))
        return _plain(value) if isinstance(value, str) else value

    def carried(item: Carried) -> Carried:
        images: list[str] = []
        for image in item.images:
            ref = Ref.of(image)
            flat = () if ref is None else graph.fans.get(ref.step, (ref.step,))
            images += [image] if ref is None else [str(replace(ref, step=names[one])) for one in flat]
        return replace(item, images=tuple(images))

    steps = tuple(
        replace(
            node.step,
            name=names[node.name],
            values={key: named(value) for key, value in _near(node, workflow.directory).items()},
            when=None if node.when is None else _plain(_asking(node.when, names)),
            each=None,
            continues=None,
        )
        for node in graph.nodes
    )
    return replace(
        workflow,
        steps=steps,
        inputs={},
        references=tuple(map(carried, workflow.references)),
        outputs=tuple(names[flat] for step in workflow.outputs for flat in graph.fans[step]),
    )


def stems_of(names: Iterable[str]) -> dict[str, str]:
    """How the names of a fan-out's items begin, so that none is another step's."""
    numbered = {match[1] for name in names if (match := re.fullmatch(r"(.+)-\d+", name)) is not None}
    stems: dict[str, str] = {}
    for name in names:
        stem = name
        while stem in numbered:
            stem += "-item"
        stems[name] = stem
    return stems


def relative_paths(workflow: Workflow) -> list[str]:
    """The files that are named from the workflow's directory.

    Raises:
        RequestError: It cannot be drawn apart (`expand`).

    """
    steps = flattened(workflow).steps
    values = [value for step in steps for key, value in step.values.items() if key in takes(step.task)]
    named = [*texts_in(values), *(image for item in workflow.references for image in item.images)]
    files = (text.removeprefix("@") for text in named if Ref.of(text) is None and not is_address(text))
    return [file for file in dict.fromkeys(files) if not Path(file).is_absolute()]


def is_address(text: str) -> bool:
    """Whether it is no path."""
    return "://" in text[:12] or text.startswith("data:")


def _plain(text: str) -> str:
    """A text in which nothing stands for an input."""
    return text.replace("{", "{{").replace("}", "}}")


def _asking(when: str, names: Mapping[str, str]) -> str:
    for flat, name in names.items():
        when = when.replace(f"@{flat}.", f"@{name}.") if flat != name else when
    return when


def _near(node: Node, directory: Path) -> dict[str, Any]:
    """The values with paths as they were written, relative to the directory."""
    inputs = takes(node.task)
    return {
        key: _relative(value, directory.absolute()) if key in inputs else value for key, value in node.values.items()
    }


def _relative(value: Any, directory: Path) -> Any:
    if isinstance(value, list):
        return [_relative(one, directory) for one in value]
    if isinstance(value, Mapping) and "image" in value:
        return {**value, "image": _relative(value["image"], directory)}
    if isinstance(value, str) and os.path.isabs(value) and Path(value).is_relative_to(directory):  # noqa: PTH117  text
        near = Path(value).relative_to(directory).as_posix()
        return f"@{near}" if near.startswith("@") else near
    return value
