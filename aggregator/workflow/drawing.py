"""Values of flat steps: a step that makes several stands for all of them, a path is written out."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aggregator.workflow.graph import Node
from aggregator.workflow.model import Ref

__all__ = ["as_list", "drawn", "found"]


def drawn(value: Any, fans: Mapping[str, tuple[str, ...]], nodes: Mapping[str, Node]) -> Any:
    """A value in which a step that makes several stands for all of them."""
    if isinstance(value, Mapping):
        return {name: drawn(item, fans, nodes) for name, item in value.items()}
    if isinstance(value, list):
        every: list[Any] = []
        for item in value:
            one = drawn(item, fans, nodes)
            every += one if isinstance(one, list) and Ref.of(item) is not None else [one]
        return every
    ref = Ref.of(value)
    if ref is None or (ref.step in nodes and not _several(ref, nodes[ref.step])):
        return value
    if ref.step in nodes:
        return [str(Ref(ref.step, take)) for take in range(1, nodes[ref.step].takes + 1)]
    if ref.step not in fans:
        return value  # said when the steps are put in order
    return [one for name in fans[ref.step] for one in as_list(drawn(str(Ref(name, ref.take)), fans, nodes))]


def _several(ref: Ref, node: Node) -> bool:
    return ref.take is None and node.takes > 1 and node.step.pick == "all"


def as_list(value: Any) -> list[Any]:
    """A list, or a list of one."""
    return value if isinstance(value, list) else [value]


def found(value: Any, directory: Path) -> Any:
    """An input in which a path below the file's directory is written out; an address, or another step, stays."""
    if isinstance(value, list):
        return [found(item, directory) for item in value]
    if isinstance(value, Mapping) and "image" in value:
        return {**value, "image": found(value["image"], directory)}
    if not isinstance(value, str) or Ref.of(value) is not None or "://" in value[:12] or value.startswith("data:"):
        return value
    return str((directory / value.removeprefix("@")).absolute())
