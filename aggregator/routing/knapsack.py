"""One option of each group, so that the sum of their values is the highest that the money allows: exactly.

The multiple-choice knapsack, group by group: of all sums so far only those are kept that nothing cheaper beats, and
that can still end above the best known. Costs are whole numbers, so that no order of adding changes a sum.
"""

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Option", "choose"]

EPSILON = 1e-9
"""Values that differ by less are the same: they are sums of floats."""


class Option(NamedTuple):
    """What may be taken: `cost` in whole units, `value` from 0 up."""

    cost: int
    value: float


class _Sum(NamedTuple):
    cost: int
    value: float
    taken: tuple[int, ...]


class _Step(NamedTuple):
    """A piece of the upper hull of a group: so much more value for so much more cost."""

    cost: int
    value: float


def choose(groups: Sequence[Sequence[Option]], budget: int) -> tuple[int, ...] | None:
    """The index of the option to take in each group; `None`: not even the cheapest fit. Of equal values the cheapest
    wins, then the earlier option.
    """
    least = [min((option.cost for option in group), default=budget + 1) for group in groups]
    if sum(least) > budget:
        return None
    hulls = [_hull(group) for group in groups]
    best = _greedy(hulls, budget)
    sums = [_Sum(0, 0.0, ())]
    for n, group in enumerate(groups):
        room = budget - sum(least[n + 1 :])
        rest = _Bound(hulls[n + 1 :])
        grown = (
            _Sum(known.cost + option.cost, known.value + option.value, (*known.taken, index))
            for known in sums
            for index, option in enumerate(group)
            if known.cost + option.cost <= room
        )
        sums = [one for one in _undominated(grown) if one.value + rest.most(budget - one.cost) >= best - EPSILON]
    return sums[-1].taken


def _undominated(sums: Iterable[_Sum]) -> list[_Sum]:
    """Those that are worth more than everything that costs no more, cheapest first."""
    kept: list[_Sum] = []
    for one in sorted(sums, key=lambda one: (one.cost, -one.value, one.taken)):
        if not kept or one.value > kept[-1].value + EPSILON:
            kept.append(one)
    return kept


def _hull(group: Sequence[Option]) -> tuple[Option, list[_Step]]:
    """The best of the cheapest options, and from there the steps of the concave hull, most worth their cost first."""
    rising = _undominated(_Sum(option.cost, option.value, ()) for option in group)
    corners: list[_Sum] = []
    for one in rising:
        while len(corners) > 1 and not _bends(corners[-2], corners[-1], one):
            corners.pop()
        corners.append(one)
    steps = [_Step(after.cost - before.cost, after.value - before.value) for before, after in pairwise(corners)]
    return Option(corners[0].cost, corners[0].value), steps


def _bends(first: _Sum, middle: _Sum, last: _Sum) -> bool:
    """Whether the middle one lies above the line between the others."""
    to_middle = (middle.value - first.value) * (last.cost - middle.cost)
    return to_middle > (last.value - middle.value) * (middle.cost - first.cost)


class _Bound:
    """The most that some groups can add for so much money, if options could be taken in part."""

    def __init__(self, hulls: Sequence[tuple[Option, list[_Step]]]) -> None:
        self._cost = sum(first.cost for first, _ in hulls)
        self._value = sum(first.value for first, _ in hulls)
        self._steps = sorted((step for _, steps in hulls for step in steps), key=lambda step: -step.value / step.cost)

    def most(self, money: int) -> float:
        left, value = money - self._cost, self._value
        for step in self._steps:
            if step.cost > left:
                return value + step.value * left / step.cost
            left, value = left - step.cost, value + step.value
        return value


def _greedy(hulls: Sequence[tuple[Option, list[_Step]]], budget: int) -> float:
    """A value that can be reached: the cheapest of each, then whole steps of the hulls while they fit."""
    left = budget - sum(first.cost for first, _ in hulls)
    value = sum(first.value for first, _ in hulls)
    open_steps = [(step, n, place) for n, (_, steps) in enumerate(hulls) for place, step in enumerate(steps)]
    reached = [0] * len(hulls)
    for step, n, place in sorted(open_steps, key=lambda item: -item[0].value / item[0].cost):
        if place == reached[n] and step.cost <= left:
            left, value, reached[n] = left - step.cost, value + step.value, place + 1
    return value
