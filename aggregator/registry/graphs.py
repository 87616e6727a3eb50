"""A workflow of ComfyUI as an offer: the file is read with the offer that names it, and goes along in the row as JSON.

`workflow = "film.json"` is relative to the offer's file. A target such as `6.inputs.text`, or by the node's title
`{Positive Prompt}.inputs.text`, is looked up in it: a title is tried first, since ids move when a workflow is exported
again. The row holds ids only.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from aggregator.errors import ConfigurationError

__all__ = ["RANDOM", "SEEDS", "Graph", "Nodes", "read_graph", "title", "with_graph"]

RANDOM = "{random}"
"""What stands in the workflow for a seed until one is given, or drawn for the attempt."""
SEEDS = ("seed", "noise_seed")
"""The inputs of nodes that decide the noise."""
_TARGET = re.compile(r"\{[^{}]*\}\S*|\S+")
_NODE = re.compile(r"(\{(?P<title>[^{}]*)\}|(?P<id>[^.]+))\.inputs\.(?P<input>[^.]+)")
Graph = dict[str, dict[str, Any]]
"""Nodes by id."""


def with_graph(row: dict[str, Any], file: Path) -> dict[str, Any]:
    """The offer with the workflow it names laid into it: targets by node id, and the nodes whose files are collected.

    Raises:
        ConfigurationError: The workflow cannot be read, or has no such node or input; names the file.

    """
    if "workflow" not in row:
        return row
    named, source = row["workflow"], str(file)
    if not isinstance(named, str):
        raise ConfigurationError(f"{source}: workflow: the path of a file in API format")
    graph = read_graph(file.parent / named)
    found = Nodes(graph, f"{source}: workflow {named}")
    fields = {name: found.target(name, target) for name, target in dict(row.get("fields", {})).items()}
    seeds = _paths(fields.get("seed"))
    if "seed" not in fields and (loose := found.seeds()):
        raise ConfigurationError(
            f'{found.where}: it has a seed at {", ".join(loose)}: name it (fields.seed = "{loose[0]}"), or write '
            "fields.seed = false to make the same noise every time"
        )
    for path in seeds:
        node, _, name = path.split(".", 2)
        graph[node]["inputs"][name] = RANDOM
    outputs = [found.node(name) for name in row.get("outputs", ())]
    wanted = {"partial_execution_targets": outputs} if outputs else {}  # else what nobody collects is made as well
    facts = {"seed": f"workflow.prompt.{seeds[0]}"} if seeds else {}
    rest = {name: value for name, value in row.items() if name != "workflow"}
    return {
        **rest,
        "template": {"prompt": graph, **wanted},
        "facts": {**facts, **row.get("facts", {})},
        **({"fields": fields} if fields else {}),
        **({"outputs": outputs} if outputs else {}),
    }


def read_graph(file: Path) -> Graph:
    """The nodes of a workflow file.

    Raises:
        ConfigurationError: It is none in API format; says how to make one.

    """
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{file}: the workflow cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(f"{file}: the workflow is not JSON: {error}") from None
    if isinstance(found, dict) and isinstance(found.get("nodes"), list):
        raise ConfigurationError(
            f"{file}: this is what the editor saves for itself: export it once more in API format (menu Workflow, "
            "Export (API))"
        )
    if not isinstance(found, dict) or not found or not all(map(_is_node, found.values())):
        raise ConfigurationError(f"{file}: not a workflow in API format: nodes by id, each with class_type and inputs")
    return found


def _is_node(value: Any) -> bool:
    return (
        isinstance(value, dict) and isinstance(value.get("class_type"), str) and isinstance(value.get("inputs"), dict)
    )


def title(node: Mapping[str, Any]) -> str:
    """What the editor shows above a node."""
    meta = node.get("_meta")
    said = meta.get("title") if isinstance(meta, dict) else None
    return said if isinstance(said, str) and said else str(node["class_type"])


class Nodes:
    """What is looked up in one workflow."""

    def __init__(self, graph: Graph, where: str) -> None:
        self._graph = graph
        self.where = where

    def node(self, name: str) -> str:
        """The id of a node, by its title in braces or out of them, or by its id.

        Raises:
            ConfigurationError: There is none, or several have the title.

        """
        wanted = name.removeprefix("{").removesuffix("}")
        titled = [at for at, node in self._graph.items() if title(node) == wanted]
        if len(titled) > 1:
            raise ConfigurationError(f"{self.where}: nodes {', '.join(titled)} are all called {wanted!r}: say which id")
        if titled:
            return titled[0]
        if name in self._graph:
            return name
        nodes = ", ".join(f"{at} {{{title(node)}}}" for at, node in self._graph.items())
        raise ConfigurationError(f"{self.where}: there is no node {name!r}; it has {nodes}")

    def target(self, field: str, target: Any) -> Any:
        """The target of a field with ids in place of titles."""
        if isinstance(target, str):
            return " ".join(self._path(field, path) for path in _TARGET.findall(target))
        if isinstance(target, Mapping) and isinstance(target.get("to"), str):
            return {**target, "to": self.target(field, target["to"])}
        return target

    def _path(self, field: str, path: str) -> str:
        parts = _NODE.fullmatch(path)
        if parts is None:
            raise ConfigurationError(
                f"{self.where}: fields.{field}: {path!r}: write <node>.inputs.<input>, the node by id or {{title}}"
            )
        node = self.node(parts["id"] or f"{{{parts['title']}}}")
        inputs, name = self._graph[node]["inputs"], parts["input"]
        if name not in inputs:
            raise ConfigurationError(
                f"{self.where}: fields.{field}: node {node} ({title(self._graph[node])}) has no input {name!r}; it has "
                f"{', '.join(inputs) or 'none'}"
            )
        if isinstance(inputs[name], list):
            raise ConfigurationError(
                f"{self.where}: fields.{field}: {node}.inputs.{name} comes from node {inputs[name][0]}: name an input "
                "of that one"
            )
        return f"{node}.inputs.{name}"

    def seeds(self) -> list[str]:
        """Every seed that is a number in the file."""
        return list(_literals(self._graph, SEEDS))


def _literals(graph: Graph, names: tuple[str, ...]) -> Iterator[str]:
    """The inputs of these names that are no link to another node."""
    for at, node in graph.items():
        yield from (f"{at}.inputs.{name}" for name in names if isinstance(node["inputs"].get(name), int))


def _paths(target: Any) -> list[str]:
    text = target.get("to") if isinstance(target, Mapping) else target
    return text.split() if isinstance(text, str) else []
