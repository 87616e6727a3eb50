"""What goes on from step to step: the last frame of a shot into the next, characters, looks, voices and a seed into all
that take them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import JsonValue

from aggregator.errors import RequestError
from aggregator.workflow.drawing import as_list, drawn, found
from aggregator.workflow.graph import Graph, Node
from aggregator.workflow.kinds import request_class, starts_from
from aggregator.workflow.model import PREVIOUS, Carried, Step, Workflow, refs_in

__all__ = ["carrying", "continued"]

VISUAL = frozenset({"text-to-image", "image-to-image", "text-to-video", "image-to-video", "video-to-video"})
"""The tasks that the words of a look are added to."""


def continued(
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


def carrying(workflow: Workflow, nodes: dict[str, Node], fans: Mapping[str, tuple[str, ...]]) -> dict[str, Node]:
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
    made: dict[str, Node] = {}
    for name, node in nodes.items():
        asked = node.step.carry if node.step.carry is not None or name not in sources else ()
        own = [
            item
            for item, _ in sets.values()
            if (asked is None or item.name in asked) and name not in made_from[item.name]
        ]
        made[name] = _with(node, own, workflow, fans, nodes)
    return made


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
            {"image": found(image, directory), "role": item.role}
            for item in own
            for image in as_list(drawn(list(item.images), fans, nodes))
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
