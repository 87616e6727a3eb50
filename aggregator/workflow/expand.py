"""From a workflow and its inputs to flat steps: inputs filled in, fan-outs drawn apart, what continues and what is
carried made explicit, inputs before what is made from them. Nothing is sent.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from aggregator.errors import RequestError
from aggregator.workflow.kinds import request_class, starts_from, takes
from aggregator.workflow.model import MAX_STEPS, Carried, Ref, Step, Workflow, refs_in
from aggregator.workflow.words import PLACE

__all__ = ["Graph", "Node", "expand", "fill", "in_order"]

PREVIOUS = "previous"
VISUAL = frozenset({"text-to-image", "image-to-image", "text-to-video", "image-to-video", "video-to-video"})
"""The tasks that the words of a look are added to."""


@dataclass(frozen=True, slots=True)
class Node:
    """A flat step: one request, made once for each take."""

    name: str
    """`shot`, or `shot.2` of a fan-out."""
    step: Step
    """Where it is from; `step.values` are as written."""
    task: str
    values: Mapping[str, JsonValue]
    """Its parameters; text that begins with `@` names another flat step."""
    wanted: Mapping[str, JsonValue] = field(default_factory=dict)
    """What goes along where the model takes it: `references`, `voice`, `seed`."""
    carried: tuple[str, ...] = ()
    """The names of what is carried."""
    when: str | None = None
    stage: str | None = None
    model: str | None = None

    @property
    def takes(self) -> int:
        return self.step.takes

    @property
    def needs(self) -> tuple[str, ...]:
        """The flat steps whose outputs go in, or are asked about."""
        from aggregator.workflow.conditions import asked_about

        named = [ref.step for ref in (*refs_in(self.values), *refs_in(self.wanted))]
        return tuple(dict.fromkeys([*named, *(asked_about(self.when) if self.when else ())]))


@dataclass(frozen=True)
class Graph:
    """The flat steps of a workflow, inputs before what is made from them."""

    workflow: Workflow
    inputs: Mapping[str, JsonValue]
    nodes: tuple[Node, ...]
    fans: Mapping[str, tuple[str, ...]]
    """The flat names of each step, in order."""

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def followers(self) -> Mapping[str, tuple[str, ...]]:
        """Which flat steps take what one makes."""
        found: dict[str, list[str]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for other in node.needs:
                found[other].append(node.name)
        return {name: tuple(of) for name, of in found.items()}

    @cached_property
    def outputs(self) -> tuple[str, ...]:
        """The flat steps that are the piece."""
        if self.workflow.outputs:
            return tuple(name for step in self.workflow.outputs for name in self.fans[step])
        return tuple(name for name, of in self.followers.items() if not of)

    def above(self, names: Sequence[str]) -> frozenset[str]:
        """These flat steps and everything they are made from."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name not in found:
                found.add(name)
                waiting.extend(self.by_name[name].needs)
        return frozenset(found)

    def with_nodes(self, changes: Mapping[str, Mapping[str, Any]]) -> "Graph":
        """A copy in which some flat steps are otherwise."""
        return replace(self, nodes=tuple(replace(node, **changes.get(node.name, {})) for node in self.nodes))


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
    nodes = _carrying(workflow, nodes, fans)
    return Graph(workflow, given, tuple(_sorted(nodes)), fans)


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
    filled = PLACE.sub(lambda match: match[0][0] if match[1] is None else str(_looked_up(match, env)), value)
    return f"@{filled}" if filled.startswith("@") and not value.startswith("@") else filled


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
    values = {key: _drawn(_named(fill(value, env), env), fans, nodes) for key, value in step.values.items()}
    values |= {key: _found(values[key], directory) for key in takes(step.task) if key in values}
    if step.continues is not None:
        values |= _continued(step, fill(step.continues, env), env.get("index", 1), fans, nodes)
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


def _drawn(value: Any, fans: Mapping[str, tuple[str, ...]], nodes: Mapping[str, Node]) -> Any:
    """A value in which a step that makes several stands for all of them."""
    if isinstance(value, Mapping):
        return {name: _drawn(item, fans, nodes) for name, item in value.items()}
    if isinstance(value, list):
        drawn: list[Any] = []
        for item in value:
            one = _drawn(item, fans, nodes)
            drawn += one if isinstance(one, list) and Ref.of(item) is not None else [one]
        return drawn
    ref = Ref.of(value)
    if ref is None or (ref.step in nodes and not _several(ref, nodes[ref.step])):
        return value
    if ref.step in nodes:
        return [str(Ref(ref.step, take)) for take in range(1, nodes[ref.step].takes + 1)]
    if ref.step not in fans:
        return value  # said when the steps are put in order
    return [one for name in fans[ref.step] for one in _as_list(_drawn(str(Ref(name, ref.take)), fans, nodes))]


def _several(ref: Ref, node: Node) -> bool:
    return ref.take is None and node.takes > 1 and node.step.pick == "all"


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


# --------------------------------------------------------------------------------------------------------- continuity


def _continued(
    step: Step, target: Any, index: int, fans: Mapping[str, tuple[str, ...]], nodes: dict[str, Node]
) -> dict[str, JsonValue]:
    """The input that a shot starts from; the last frame of the one before is a step of its own."""
    if target == PREVIOUS:
        if index == 1:
            return {}
        target = f"{step.name}.{index - 1}"
    target = str(target).removeprefix("@")
    target = fans[target][-1] if target in fans and target not in nodes else target
    if target not in nodes:
        raise RequestError(f"step {step.name!r} continues {target!r}, which is no step")
    if starts_from(step.task) != "image":
        return {"video": f"@{target}"}
    last = f"{target}-last"
    if last not in nodes:
        cut = Step(name=last, task="last-frame", values={"video": f"@{target}"}, place=step.place)
        nodes[last] = Node(last, cut, "last-frame", cut.values)
    return {"image": f"@{last}"}


def _carrying(workflow: Workflow, nodes: dict[str, Node], fans: Mapping[str, tuple[str, ...]]) -> dict[str, Node]:
    """The steps with what goes along: never into what it is made from itself."""
    if not workflow.references and workflow.seed is None:
        return nodes
    graph = Graph(workflow, {}, tuple(nodes.values()), fans)
    sets = {item.name: (item, [ref.step for ref in refs_in(list(item.images))]) for item in workflow.references}
    made_from = {
        name: graph.above([flat for step in of for flat in fans.get(step, (step,)) if flat in nodes])
        for name, (_, of) in sets.items()
    }
    sources = frozenset().union(*made_from.values())
    found: dict[str, Node] = {}
    for name, node in nodes.items():
        asked = node.step.carry if node.step.carry is not None or name not in sources else ()
        own = [
            item
            for item, _ in sets.values()
            if (asked is None or item.name in asked) and name not in made_from[item.name]
        ]
        found[name] = _with(node, own, workflow, fans, nodes)
    return found


def _with(
    node: Node,
    own: Sequence[Carried],
    workflow: Workflow,
    fans: Mapping[str, tuple[str, ...]],
    nodes: Mapping[str, Node],
) -> Node:
    seed, directory = workflow.seed, workflow.directory
    taken = request_class(node.task).model_fields
    wanted: dict[str, JsonValue] = {}
    used: dict[str, None] = {}
    values = dict(node.values)
    if "references" in taken and "references" not in values:
        references: list[JsonValue] = [
            {"image": _found(image, directory), "role": item.role}
            for item in own
            for image in _as_list(_drawn(list(item.images), fans, nodes))
        ]
        used |= dict.fromkeys(item.name for item in own if item.images)
        wanted |= {"references": references} if references else {}
    if "voice" in taken and "voice" not in values and (voices := [item for item in own if item.voice]):
        if len(voices) > 1:
            names = ", ".join(item.name for item in voices)
            raise RequestError(
                f'step {node.name!r} speaks with one voice, and {names} are carried: carry = ["…"] says which'
            )
        wanted["voice"] = voices[0].voice
        used[voices[0].name] = None
    if node.task in VISUAL and isinstance(prompt := values.get("prompt"), str):
        words = [item.prompt for item in own if item.prompt]
        values["prompt"] = ", ".join([prompt, *words])
        used |= dict.fromkeys(item.name for item in own if item.prompt)
    if seed is not None and "seed" in taken and "seed" not in values:
        wanted["seed"] = seed
    return replace(node, values=values, wanted=wanted, carried=tuple(used))


# -------------------------------------------------------------------------------------------------------------- order


def in_order(workflow: Workflow) -> Iterator[Step]:
    """The steps, each after those it names."""
    by_name = {step.name: step for step in workflow.steps}
    if len(by_name) != len(workflow.steps):
        twice = sorted(
            {step.name for step in workflow.steps if [one.name for one in workflow.steps].count(step.name) > 1}
        )
        raise RequestError(f"two steps are named {', '.join(map(repr, twice))}: give each a name of its own")
    references = {item.name: item for item in workflow.references}
    done: set[str] = set()
    doing: list[str] = []

    def visit(step: Step) -> Iterator[Step]:
        if step.name in done:
            return
        if step.name in doing:
            circle = " → ".join([*doing[doing.index(step.name) :], step.name])
            raise RequestError(f"steps take from each other in a circle: {circle}")
        doing.append(step.name)
        for name in _named_by(step, by_name, references):
            yield from visit(by_name[name])
        doing.pop()
        done.add(step.name)
        yield step

    for step in workflow.steps:
        yield from visit(step)


def _named_by(step: Step, by_name: Mapping[str, Step], references: Mapping[str, Carried]) -> Iterator[str]:
    from aggregator.workflow.conditions import asked_about

    named = [*refs_in(step.values), *refs_in([step.each])]
    names = [ref.step for ref in named if ref.step != "item"]
    names += [name for name in asked_about(step.when or "") if name != "item"]
    if step.continues not in (None, PREVIOUS):
        names.append(str(step.continues).removeprefix("@"))
    for item in step.carry or ():
        names += [ref.step for ref in refs_in(list(references[item].images))] if item in references else []
    for name in names:
        base = re.sub(r"\.(\d+|\{index\})$", "", name)
        if base not in by_name:
            known = ", ".join(by_name)
            raise RequestError(f"step {step.name!r} takes {name!r}, which is no step; there are {known}")
        if base != step.name or name == base:
            yield base


def _sorted(nodes: Mapping[str, Node]) -> Iterator[Node]:
    """Flat steps, inputs first; what is carried counts."""
    done: set[str] = set()
    doing: list[str] = []

    def visit(node: Node) -> Iterator[Node]:
        if node.name in done:
            return
        if node.name in doing:
            circle = " → ".join([*doing[doing.index(node.name) :], node.name])
            raise RequestError(f"steps take from each other in a circle: {circle}")
        doing.append(node.name)
        for name in node.needs:
            if name not in nodes:
                raise RequestError(f"step {node.name!r} takes {name!r}, which is no step; there are {', '.join(nodes)}")
            yield from visit(nodes[name])
        doing.pop()
        done.add(node.name)
        yield node

    for node in nodes.values():
        yield from visit(node)


def _found(value: Any, directory: Path) -> Any:
    """An input in which a path below the file's directory is written out; an address, or another step, stays."""
    if isinstance(value, list):
        return [_found(item, directory) for item in value]
    if isinstance(value, Mapping) and "image" in value:
        return {**value, "image": _found(value["image"], directory)}
    if not isinstance(value, str) or Ref.of(value) is not None or "://" in value[:12] or value.startswith("data:"):
        return value
    return str((directory / value.removeprefix("@")).absolute())
