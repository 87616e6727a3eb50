"""Puts steps in order, each after those it is made from. No recursion: a chain may be thousands of steps long."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from aggregator.errors import RequestError
from aggregator.workflow.circles import base_of, needs
from aggregator.workflow.graph import Node
from aggregator.workflow.model import Carried, Step, Workflow, refs_in

__all__ = ["in_order", "sorted_nodes"]

T = TypeVar("T")


def in_order(workflow: Workflow) -> Iterator[Step]:
    """The steps, each after those it names.

    Raises:
        RequestError: Two have one name, one names what is no step, or they take from each other in a circle.

    """
    twice = [name for name, count in Counter(step.name for step in workflow.steps).items() if count > 1]
    if twice:
        raise RequestError(f"two steps are named {', '.join(map(repr, twice))}: give each a name of its own")
    references = {item.name: item for item in workflow.references}

    def named_by(step: Step) -> Iterator[str]:
        yield from (name for name in needs(step) if name not in ("item", step.name))
        for item in step.carry or ():
            yield from _images_of(references[item]) if item in references else ()

    yield from _sorted({step.name: step for step in workflow.steps}, named_by)


def _images_of(item: Carried) -> Iterator[str]:
    return (base_of(ref.step) for ref in refs_in(list(item.images)))


def sorted_nodes(nodes: Mapping[str, Node]) -> Iterator[Node]:
    """Flat steps, inputs first; what is carried counts.

    Raises:
        RequestError: As of `in_order`.

    """
    return _sorted(nodes, lambda node: node.needs)


def _sorted(items: Mapping[str, T], needs: Callable[[T], Iterable[str]]) -> Iterator[T]:
    done: set[str] = set()
    doing: dict[str, Iterator[str]] = {}
    for first in items:
        if first in done:
            continue
        doing[first] = iter(needs(items[first]))
        while doing:
            name = next(reversed(doing))
            other = next(doing[name], None)
            if other is None:
                del doing[name]
                done.add(name)
                yield items[name]
            elif other not in items:
                raise RequestError(f"step {name!r} takes {other!r}, which is no step; there are {', '.join(items)}")
            elif other in doing:
                way = [*doing]
                circle = " → ".join([*way[way.index(other) :], other])
                raise RequestError(f"steps take from each other in a circle: {circle}")
            elif other not in done:
                doing[other] = iter(needs(items[other]))
