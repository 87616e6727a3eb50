"""Steps that take from each other in a circle: named, and taken out so that the rest can be looked at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from aggregator.workflow.conditions import asked_about
from aggregator.workflow.kinds import takes
from aggregator.workflow.model import PREVIOUS, Ref, Step, refs_in

__all__ = ["base_of", "circles", "needs", "without"]


def base_of(name: str) -> str:
    """The step of `shot`, `@shot` or `shot.2`."""
    return name.removeprefix("@").partition(".")[0]


def circles(steps: Sequence[Step]) -> Iterator[tuple[Step, ...]]:
    """Circles that take all others apart, in the order of the steps."""
    by_name = {step.name: step for step in steps}
    over: set[str] = set()
    above: list[tuple[Step, Iterator[str]]] = []  # no recursion: a chain may be thousands of steps long
    at: dict[str, int] = {}

    def enter(step: Step) -> None:
        at[step.name] = len(above)
        above.append((step, iter(dict.fromkeys(needs(step)))))

    for first in steps:
        if first.name not in over:
            enter(first)
        while above:
            step, names = above[-1]
            name = next(names, None)
            if name is None:
                over.add(step.name)
                del at[step.name]
                above.pop()
            elif name in at:
                yield tuple(one for one, _ in above[at[name] :])
            elif name in by_name and name not in over:
                enter(by_name[name])


def needs(step: Step) -> Iterator[str]:
    """The steps that a step is made from."""
    names = [ref.step for ref in (*refs_in(step.values), *refs_in([step.each]))]
    names += asked_about(step.when or "")
    if step.continues not in (None, PREVIOUS):
        names.append(str(step.continues))
    yield from map(base_of, names)


def without(steps: Sequence[Step], names: set[str], instead: Mapping[str, str]) -> Iterator[Step]:
    """The other steps, with `instead` for what these would have made."""
    gone = set(names)
    for step in steps:
        if step.name in gone or {base_of(ref.step) for ref in refs_in([step.each])} & gone:
            gone.add(step.name)
    for step in steps:
        if step.name in gone:
            continue
        inputs = takes(step.task)
        yield replace(
            step,
            values={key: _without(one, gone, instead) if key in inputs else one for key, one in step.values.items()},
            when=None if {base_of(name) for name in asked_about(step.when or "")} & gone else step.when,
            continues=None if base_of(step.continues or "") in gone else step.continues,
        )


def _without(value: Any, names: set[str], instead: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _without(one, names, instead) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one, names, instead) for one in value]
    ref = Ref.of(value)
    return dict(instead) if ref is not None and base_of(ref.step) in names else value
