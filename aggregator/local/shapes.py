"""The vocabulary a scene is made of: flat shapes with a role, gathered in layers of depth, and places.

Owns: the shape types and the few ways of making common outlines (a box, a ridge line, a smooth dune).
Refuses: to draw, and to know what the shapes stand for.
"""

import math
from dataclasses import dataclass
from itertools import pairwise
from random import Random
from typing import Final, Literal

Point = tuple[float, float]
Kind = Literal["polygon", "ellipse"]
# mass: takes the tone of its depth · shade and lit: its darker and lighter side · accent: the colour that is
# looked at · glow: a lamp or window that shines · detail: only the hero model draws it
Role = Literal["mass", "shade", "lit", "accent", "glow", "detail"]

OVERSCAN: Final = 0.2  # picture heights drawn beyond every edge, so that a camera may travel


@dataclass(frozen=True, slots=True)
class Shape:
    """One flat shape. An ellipse is given by two opposite corners of its box."""

    points: tuple[Point, ...]
    role: Role = "mass"
    kind: Kind = "polygon"


@dataclass(frozen=True, slots=True)
class Layer:
    """Shapes at one distance: depth 0 is the sky, 1 the lens."""

    name: str
    depth: float
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """A setting ready for a subject: what lies behind it, what before it, and where its feet go."""

    horizon: float
    stand_y: float
    subject_height: float
    behind: tuple[Layer, ...]
    before: tuple[Layer, ...]


def box(left: float, top: float, right: float, bottom: float, role: Role = "mass") -> Shape:
    """An upright rectangle."""
    return Shape(((left, top), (right, top), (right, bottom), (left, bottom)), role)


def ellipse(x: float, y: float, radius_x: float, radius_y: float, role: Role = "mass") -> Shape:
    """An ellipse around a middle."""
    return Shape(((x - radius_x, y - radius_y), (x + radius_x, y + radius_y)), role, "ellipse")


def polygon(*points: Point, role: Role = "mass") -> Shape:
    """Any outline."""
    return Shape(points, role)


def beneath(line: list[Point], role: Role = "mass") -> Shape:
    """Everything under a line, down past the lower edge."""
    bottom = 1 + OVERSCAN
    return Shape((*line, (line[-1][0], bottom), (line[0][0], bottom)), role)


def ridge_line(chance: Random, aspect: float, y: float, relief: float, steps: int = 5) -> list[Point]:
    """A jagged line across the picture by midpoint displacement."""
    heights = [chance.uniform(-1, 1) * relief for _ in range(4)]
    reach = relief * 0.55
    for _ in range(steps):
        finer: list[float] = []
        for left, right in pairwise(heights):
            finer += [left, (left + right) / 2 + chance.uniform(-reach, reach)]
        heights = [*finer, heights[-1]]
        reach *= 0.5
    width = aspect + 2 * OVERSCAN
    return [(-OVERSCAN + width * i / (len(heights) - 1), y + height) for i, height in enumerate(heights)]


def rolling_line(chance: Random, aspect: float, y: float, relief: float) -> list[Point]:
    """A smooth line across the picture: three sines, for dunes, meadows and swell."""
    waves = [(chance.uniform(0.5, 1.1) * n, chance.uniform(0, math.tau), relief / n) for n in (1, 2, 3)]
    width = aspect + 2 * OVERSCAN
    xs = [-OVERSCAN + width * i / 64 for i in range(65)]
    return [(x, y + sum(size * math.sin(x * math.pi * rate + phase) for rate, phase, size in waves)) for x in xs]


def height_at(line: list[Point], x: float) -> float:
    """The height of a line at x, between its points."""
    for (left_x, left_y), (right_x, right_y) in pairwise(line):
        if left_x <= x <= right_x:
            share = (x - left_x) / (right_x - left_x or 1.0)
            return left_y + (right_y - left_y) * share
    return line[-1][1]
