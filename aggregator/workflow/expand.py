"""From a workflow and its inputs to flat steps: inputs filled in, fan-outs drawn apart, what continues and what is
carried made explicit, inputs before what is made from them. Nothing is sent.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from aggregator.errors import RequestError
from aggregator.workflow.continuity import carrying, continued
from aggregator.workflow.drawing import drawn, found
from aggregator.workflow.graph import Graph, Node
from aggregator.workflow.kinds import takes
from aggregator.workflow.model import MAX_STEPS, Ref, Step, Workflow
from aggregator.workflow.order import in_order, sorted_nodes
from aggregator.workflow.words import PLACE

__all__ = ["expand", "fill"]


def expand(workflow: Workflow, inputs: Mapping[str, Any] | None = None) -> Graph:
    """Draw a workflow apart.

    Raises:
        RequestError: An input is missing or unknown, a step names what is not there, steps take from each other in a
        circle, or there are too many of them.

    """
    given = _inputs(workflow, inputs or {})
    fans: dict[str, tuple[str, ...]] = {}
    nodes: dict[str, Node] = {}
    for step in in_order(workflow):
        items = list(_items(workflow, step, given, fans))
        fans[step.name] = tuple(name for name, _ in items)
        for name, env in items:
            nodes[name] = _node(step, name, env, fans, nodes, workflow.directory)
        if len(nodes) > MAX_STEPS:
            raise RequestError(f"{workflow.name} has more than {MAX_STEPS} steps after fan-out")
    nodes = carrying(workflow, nodes, fans)
    return Graph(workflow, given, tuple(sorted_nodes(nodes)), fans)


def _inputs(workflow: Workflow, given: Mapping[str, Any]) -> dict[str, JsonValue]:
    for name in given:
        if name not in workflow.inputs:
            known = ", ".join(workflow.inputs) or "none"
            raise RequestError(f"{workflow.name} has no input {name!r}; it has {known}")
    found = {**workflow.inputs, **given}
    missing = [name for name, value in found.items() if value is None]
    if missing:
        raise RequestError(f"{workflow.name} needs {', '.join(missing)}: give it with inputs, or --set {missing[0]}=…")
    return found


# --------------------------------------------------------------------------------------------------- filling in inputs


def fill(value: Any, env: Mapping[str, Any]) -> Any:
    """A value with what stands for inputs exchanged for them.

    Raises:
        RequestError: There is no such input.

    """
    if isinstance(value, Mapping):
        return {name: fill(item, env) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [fill(item, env) for item in value]
    if not isinstance(value, str):
        return value
    whole = PLACE.fullmatch(value)
    if whole is not None and whole[1] is not None:
        found = _looked_up(whole, env)
        return f"@{found}" if isinstance(found, str) and found.startswith("@") and whole[1] != "item" else found
    filled = PLACE.sub(lambda match: match[0][0] if match[1] is None else _told(_looked_up(match, env)), value)
    return f"@{filled}" if filled.startswith("@") and not value.startswith("@") else filled


def _told(found: Any) -> str:
    """What stands for an input within a longer text; an item that is escaped there means itself."""
    text = str(found)
    return text[1:] if text.startswith("@@") else text


def _looked_up(match: re.Match[str], env: Mapping[str, Any]) -> Any:
    name, path = match[1], match[2].split(".")[1:]
    if name not in env:
        known = ", ".join(f"{{{one}}}" for one in env) or "none"
        raise RequestError(f"{match[0]}: there is no input {name!r}; there are {known}; {{{{ is a plain brace")
    found = env[name]
    for part in path:
        if not isinstance(found, Mapping) or part not in found:
            raise RequestError(f"{match[0]}: {name} has no {part!r}")
        found = found[part]
    return found


# ------------------------------------------------------------------------------------------------------------ fan-out


def _items(
    workflow: Workflow, step: Step, given: Mapping[str, Any], fans: Mapping[str, tuple[str, ...]]
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The flat names of a step, with what its text may name."""
    if step.each is None:
        yield step.name, given
        return
    items = fill(step.each, given)
    if (ref := Ref.of(items)) is not None:
        items = _all_of(ref, workflow, fans)
    if not isinstance(items, list | tuple):
        raise RequestError(f"step {step.name!r}: each is {items!r}, and has to be a list")
    if not items:
        raise RequestError(f"step {step.name!r}: each is an empty list: there is nothing to make")
    for index, item in enumerate(items, 1):
        yield f"{step.name}.{index}", {**given, "item": item, "index": index}


def _all_of(ref: Ref, workflow: Workflow, fans: Mapping[str, tuple[str, ...]]) -> list[str]:
    """What a step makes, one by one: its items, or its takes where all of them go on."""
    if ref.step not in fans:
        return [str(ref)]
    step = workflow.step(ref.step)
    every = step.takes > 1 and step.pick == "all" and ref.take is None
    takes = range(1, step.takes + 1) if every else (ref.take,)
    return [str(Ref(name, take)) for name in fans[ref.step] for take in takes]


def _node(
    step: Step,
    name: str,
    env: Mapping[str, Any],
    fans: Mapping[str, tuple[str, ...]],
    nodes: dict[str, Node],
    directory: Path,
) -> Node:
    values = {key: drawn(_named(fill(value, env), env), fans, nodes) for key, value in step.values.items()}
    values |= {key: found(values[key], directory) for key in takes(step.task) if key in values}
    if step.continues is not None:
        values |= continued(step, fill(step.continues, env), env.get("index", 1), fans, nodes)
    when = None if step.when is None else str(fill(_of_item(step.when, env), env))
    return Node(name, step, step.task, values, when=when, stage=step.stage, model=step.model)


def _named(value: Any, env: Mapping[str, Any]) -> Any:
    """`@item` is what the step at `each` made."""
    if isinstance(value, Mapping):
        return {name: _named(item, env) for name, item in value.items()}
    if isinstance(value, list):
        return [_named(item, env) for item in value]
    return env["item"] if value == "@item" and "item" in env else value


def _of_item(when: str, env: Mapping[str, Any]) -> str:
    item = env.get("item")
    return when.replace("@item.", f"{item}.") if isinstance(item, str) and item.startswith("@") else when
