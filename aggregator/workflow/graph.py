"""Flat steps and the graph they are: what is planned, run and shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from pydantic import JsonValue

from aggregator.workflow.conditions import asked_about
from aggregator.workflow.model import Step, Workflow, refs_in

__all__ = ["Graph", "Node"]


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
