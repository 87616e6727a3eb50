"""The figures a scene can be about: each a few shapes standing on a given point with a given height.

Owns: the silhouettes. A subject is called with the x of its middle, the y of the ground and its height.
Refuses: to choose among them, and to know where they stand.
"""

from collections.abc import Callable
from typing import Final

from aggregator.local.shapes import Point, Role, Shape, box, ellipse, polygon

Subject = Callable[[float, float, float], tuple[Shape, ...]]


class _Figure:
    """Places unit-square outlines: (0, 0) is the foot of the figure, (0, 1) its top, x in heights."""

    def __init__(self, x: float, ground: float, height: float) -> None:
        self.x, self.ground, self.height = x, ground, height

    def at(self, x: float, y: float) -> Point:
        return self.x + x * self.height, self.ground - y * self.height

    def outline(self, *points: Point, role: Role = "mass") -> Shape:
        return polygon(*(self.at(x, y) for x, y in points), role=role)

    def disc(self, x: float, y: float, radius: float, role: Role = "mass", flat: float = 1.0) -> Shape:
        return ellipse(*self.at(x, y), radius * self.height, radius * self.height * flat, role)

    def block(self, left: float, bottom: float, right: float, top: float, role: Role = "mass") -> Shape:
        return box(*self.at(left, top), *self.at(right, bottom), role)


def _person(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground, height)
    return (
        f.outline((-0.10, 0), (-0.02, 0), (0.0, 0.42), (0.03, 0), (0.11, 0), (0.11, 0.5), (-0.11, 0.5)),
        f.outline((-0.13, 0.36), (0.14, 0.36), (0.15, 0.76), (0.07, 0.83), (-0.07, 0.83), (-0.14, 0.76), role="accent"),
        f.outline((0.02, 0.36), (0.14, 0.36), (0.15, 0.76), (0.07, 0.83), (0.03, 0.83), role="shade"),
        f.outline((-0.14, 0.76), (-0.10, 0.8), (-0.15, 0.4), (-0.2, 0.42)),
        f.outline((0.15, 0.76), (0.10, 0.8), (0.16, 0.4), (0.21, 0.42)),
        f.disc(0, 0.915, 0.08),
        f.disc(-0.02, 0.925, 0.05, "lit"),
    )


def _lighthouse(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground, height * 1.25)
    return (
        f.outline((-0.42, -0.06), (-0.3, 0.05), (-0.1, 0.09), (0.12, 0.08), (0.3, 0.03), (0.44, -0.06)),
        f.outline((-0.12, 0.05), (0.12, 0.05), (0.075, 0.78), (-0.075, 0.78), role="lit"),
        f.outline((-0.107, 0.25), (0.107, 0.25), (0.098, 0.4), (-0.098, 0.4), role="accent"),
        f.outline((-0.09, 0.53), (0.09, 0.53), (0.082, 0.67), (-0.082, 0.67), role="accent"),
        f.outline((0.03, 0.05), (0.12, 0.05), (0.075, 0.78), (0.02, 0.78), role="shade"),
        f.block(-0.11, 0.78, 0.11, 0.81),
        f.block(-0.06, 0.81, 0.06, 0.92, "glow"),
        f.outline((-0.08, 0.92), (0.08, 0.92), (0, 1.0), role="accent"),
    )


def _boat(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground, height)
    return (
        f.outline((-0.52, 0.2), (0.55, 0.2), (0.4, 0), (-0.38, 0)),
        f.outline((-0.5, 0.17), (0.53, 0.17), (0.51, 0.12), (-0.47, 0.12), role="accent"),
        f.block(-0.012, 0.2, 0.012, 1.0),
        f.outline((-0.03, 0.26), (-0.03, 0.97), (-0.45, 0.28), role="lit"),
        f.outline((0.03, 0.26), (0.03, 0.88), (0.36, 0.3), role="accent"),
        f.outline((-0.03, 0.26), (-0.03, 0.97), (-0.17, 0.3), role="shade"),
    )


def _car(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground, height * 0.62)
    return (
        f.outline(
            (-1.1, 0.18),
            (1.1, 0.18),
            (1.12, 0.5),
            (0.75, 0.6),
            (0.4, 0.98),
            (-0.45, 0.98),
            (-0.8, 0.6),
            (-1.12, 0.52),
            role="accent",
        ),
        f.outline((-0.66, 0.6), (-0.4, 0.9), (-0.04, 0.9), (-0.04, 0.6), role="lit"),
        f.outline((0.04, 0.6), (0.04, 0.9), (0.36, 0.9), (0.62, 0.6), role="lit"),
        f.outline((-1.1, 0.18), (1.1, 0.18), (1.11, 0.33), (-1.11, 0.33), role="shade"),
        f.disc(-0.62, 0.19, 0.2),
        f.disc(0.62, 0.19, 0.2),
        f.disc(-0.62, 0.19, 0.09, "lit"),
        f.disc(0.62, 0.19, 0.09, "lit"),
        f.disc(1.06, 0.46, 0.06, "glow"),
    )


def _house(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground, height)
    return (
        f.block(0.22, 0.66, 0.36, 1.0, "shade"),
        f.block(-0.55, 0, 0.55, 0.55, "lit"),
        f.block(0.1, 0, 0.55, 0.55, "shade"),
        f.outline((-0.66, 0.53), (0.66, 0.53), (0.36, 0.93), (-0.36, 0.93), role="accent"),
        f.block(-0.14, 0, 0.06, 0.36),
        f.block(-0.43, 0.2, -0.23, 0.4, "glow"),
        f.block(0.22, 0.2, 0.42, 0.4, "glow"),
    )


def _animal(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground, height * 0.75)
    legs = tuple(f.outline((a, 0), (a + 0.08, 0), (a + 0.12, 0.5), (a - 0.04, 0.5)) for a in (-0.46, -0.3, 0.24, 0.38))
    return (
        *legs,
        f.outline((-0.5, 0.62), (-0.78, 0.92), (-0.84, 0.86), (-0.6, 0.5)),
        f.outline(
            (-0.54, 0.4),
            (0.44, 0.38),
            (0.56, 0.66),
            (0.5, 0.78),
            (0.3, 0.76),
            (-0.44, 0.74),
            (-0.56, 0.64),
            role="accent",
        ),
        f.outline((-0.54, 0.4), (0.44, 0.38), (0.5, 0.5), (-0.55, 0.52), role="shade"),
        f.outline(
            (0.3, 0.7), (0.52, 1.02), (0.72, 1.0), (0.9, 0.84), (0.86, 0.76), (0.64, 0.76), (0.54, 0.6), role="accent"
        ),
        f.outline((0.5, 0.98), (0.5, 1.16), (0.6, 1.02)),
        f.outline((0.6, 0.99), (0.63, 1.15), (0.7, 1.0)),
        f.disc(0.87, 0.82, 0.03),
    )


def _bird(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground - height * 0.9, height)
    return (
        f.outline((-0.62, 0.5), (-0.3, 0.62), (0.0, 0.36), (-0.06, 0.22), (-0.32, 0.44)),
        f.outline((0.72, 0.62), (0.36, 0.66), (0.0, 0.36), (0.06, 0.22), (0.38, 0.48), role="shade"),
        f.outline((-0.3, 0.16), (0.02, 0.22), (0.26, 0.34), (0.2, 0.42), (-0.02, 0.4), (-0.34, 0.22), role="accent"),
        f.disc(0.24, 0.38, 0.06, "accent"),
        f.outline((0.28, 0.41), (0.4, 0.37), (0.28, 0.35)),
    )


def _tree(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground, height * 1.3)
    return (
        f.outline((-0.06, 0), (0.07, 0), (0.03, 0.5), (-0.03, 0.5)),
        f.disc(-0.17, 0.55, 0.19, "accent"),
        f.disc(0.18, 0.54, 0.18, "shade"),
        f.disc(0.0, 0.74, 0.24, "accent"),
        f.disc(-0.09, 0.8, 0.11, "lit"),
    )


def _rocket(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground, height * 1.1)
    return (
        f.outline((-0.14, 0.3), (-0.3, 0.06), (-0.28, 0.0), (-0.12, 0.14), role="accent"),
        f.outline((0.14, 0.3), (0.3, 0.06), (0.28, 0.0), (0.12, 0.14), role="accent"),
        f.outline(
            (-0.13, 0.12), (0.13, 0.12), (0.15, 0.45), (0.12, 0.74), (0, 1), (-0.12, 0.74), (-0.15, 0.45), role="lit"
        ),
        f.outline((0.03, 0.12), (0.13, 0.12), (0.15, 0.45), (0.12, 0.74), (0, 1), (0.05, 0.7), role="shade"),
        f.outline((-0.12, 0.74), (0.12, 0.74), (0, 1), role="accent"),
        f.disc(0, 0.58, 0.06),
        f.disc(0, 0.58, 0.042, "glow"),
        f.block(-0.08, 0.07, 0.08, 0.12),
    )


def _robot(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground, height)
    return (
        f.block(-0.13, 0, -0.03, 0.3),
        f.block(0.03, 0, 0.13, 0.3),
        f.block(-0.29, 0.32, -0.2, 0.64),
        f.block(0.2, 0.32, 0.29, 0.64),
        f.block(-0.19, 0.27, 0.19, 0.67, "accent"),
        f.block(0.04, 0.27, 0.19, 0.67, "shade"),
        f.block(-0.15, 0.71, 0.15, 0.94, "lit"),
        f.block(-0.1, 0.79, 0.1, 0.87),
        f.disc(-0.05, 0.83, 0.03, "glow"),
        f.disc(0.05, 0.83, 0.03, "glow"),
        f.block(-0.01, 0.94, 0.01, 1.0),
    )


def _bottle(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground, height)
    return (
        f.outline(
            (-0.2, 0),
            (0.2, 0),
            (0.2, 0.55),
            (0.08, 0.72),
            (0.08, 0.86),
            (-0.08, 0.86),
            (-0.08, 0.72),
            (-0.2, 0.55),
            role="accent",
        ),
        f.outline((0.07, 0), (0.2, 0), (0.2, 0.55), (0.08, 0.72), (0.05, 0.72), role="shade"),
        f.block(-0.1, 0.86, 0.1, 1.0),
        f.block(-0.2, 0.16, 0.2, 0.44, "lit"),
        f.block(-0.17, 0.06, -0.14, 0.54, "lit"),
        f.block(-0.13, 0.28, 0.13, 0.32),
    )


def _cup(x: float, ground: float, height: float) -> tuple[Shape, ...]:
    f = _Figure(x, ground, height * 0.72)
    return (
        f.disc(0, 0.03, 0.62, "lit", flat=0.14),
        f.disc(0.44, 0.46, 0.2, "accent"),
        f.disc(0.44, 0.46, 0.11, "mass"),
        f.outline((-0.42, 0.78), (0.42, 0.78), (0.36, 0.2), (0.2, 0.04), (-0.2, 0.04), (-0.36, 0.2), role="accent"),
        f.outline((0.14, 0.78), (0.42, 0.78), (0.36, 0.2), (0.2, 0.04), (0.1, 0.04), role="shade"),
        f.disc(0, 0.78, 0.42, "lit", flat=0.2),
        f.disc(0, 0.77, 0.36, "mass", flat=0.17),
    )


SUBJECTS: Final[dict[str, Subject]] = {
    "person": _person,
    "lighthouse": _lighthouse,
    "boat": _boat,
    "car": _car,
    "house": _house,
    "animal": _animal,
    "bird": _bird,
    "tree": _tree,
    "rocket": _rocket,
    "robot": _robot,
    "bottle": _bottle,
    "cup": _cup,
}
