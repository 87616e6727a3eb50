"""Places that were built or are far away: city, room and space.

Owns: building each from chance, before a subject stands in it.
Refuses: to read prompts and to know colours.
"""

# ruff: noqa: PLR2004 - proportions of a drawing read best where they are drawn

from random import Random

from aggregator.local.landscapes import facets
from aggregator.local.shapes import (
    OVERSCAN,
    Layer,
    Place,
    Shape,
    beneath,
    box,
    ellipse,
    polygon,
    ridge_line,
    rolling_line,
)


def city(chance: Random, aspect: float) -> Place:
    """Three rows of towers, a street and a lamp."""
    horizon = chance.uniform(0.6, 0.66)
    behind: list[Layer] = []
    for i, (low, high, width) in enumerate(((0.2, 0.42, 0.1), (0.14, 0.36, 0.14), (0.05, 0.26, 0.18))):
        shapes: list[Shape] = []
        x = -OVERSCAN
        while x < aspect + OVERSCAN:
            breadth = width * chance.uniform(0.6, 1.3)
            shapes += _tower(chance, x, horizon - chance.uniform(low, high), breadth * 0.94, i)
            x += breadth
        shapes.append(box(-OVERSCAN, horizon + 0.02, aspect + OVERSCAN, 1 + OVERSCAN))
        behind.append(Layer(f"blocks-{i + 1}", 0.15 + 0.15 * i, tuple(shapes)))
    vanish = aspect * chance.uniform(0.4, 0.6)
    road = polygon(
        (vanish - 0.05, horizon + 0.03), (vanish + 0.05, horizon + 0.03), (aspect + 0.5, 1.2), (-0.5, 1.2), role="shade"
    )
    marks = [
        polygon(
            (vanish - 0.004 - t * 0.02, horizon + 0.05 + t * 0.3),
            (vanish + 0.004 + t * 0.02, horizon + 0.05 + t * 0.3),
            (vanish + 0.006 + t * 0.03, horizon + 0.09 + t * 0.36),
            (vanish - 0.006 - t * 0.03, horizon + 0.09 + t * 0.36),
            role="lit",
        )
        for t in (0.0, 0.22, 0.5, 0.95)
    ]
    street = box(-OVERSCAN, horizon + 0.03, aspect + OVERSCAN, 1 + OVERSCAN)
    behind.append(Layer("street", 0.65, (street, road, *marks)))
    lamp_x = aspect * chance.choice((0.08, 0.92))
    arm = 0.1 if lamp_x < aspect / 2 else -0.1
    lamp = (
        polygon((lamp_x - 0.009, 1.2), (lamp_x - 0.006, 0.3), (lamp_x + 0.006, 0.3), (lamp_x + 0.009, 1.2)),
        polygon((lamp_x, 0.3), (lamp_x + arm, 0.285), (lamp_x + arm, 0.297), (lamp_x, 0.32)),
        ellipse(lamp_x + arm, 0.302, 0.022, 0.012, "glow"),
    )
    return Place(horizon, 0.775, 0.21, tuple(behind), (Layer("foreground", 1.0, lamp),))


def _tower(chance: Random, x: float, top: float, breadth: float, row: int) -> list[Shape]:
    shapes = [box(x, top, x + breadth, 0.75), box(x + breadth * 0.7, top, x + breadth, 0.75, "shade")]
    if chance.random() < 0.3:
        shapes.append(box(x + breadth * 0.45, top - 0.05, x + breadth * 0.5, top))
    step = 0.026 + 0.006 * row
    y = top + 0.02
    while y < 0.62:
        for column in range(1, int(breadth / step)):
            if chance.random() < 0.4:
                left = x + column * step - step * 0.25
                shapes.append(box(left, y, left + step * 0.42, y + step * 0.55, "glow"))
        y += step * 1.2
    return shapes


def room(chance: Random, aspect: float) -> Place:
    """A wall with a window and a picture, a floor, a table and a plant."""
    floor = 0.62
    left = chance.random() < 0.5
    middle = aspect * (0.27 if left else 0.73)
    half = min(0.24, aspect * 0.16)
    window = [box(middle - half, 0.1, middle + half, 0.5, "glow")]
    bars = [
        box(middle - 0.008, 0.1, middle + 0.008, 0.5),
        box(middle - half, 0.29, middle + half, 0.305),
        box(middle - half - 0.02, 0.5, middle + half + 0.02, 0.525, "lit"),
    ]
    wall = Layer("wall", 0.2, (box(-OVERSCAN, -OVERSCAN, aspect + OVERSCAN, floor + 0.02), *window, *bars))
    other = aspect - middle
    frame = chance.uniform(0.1, 0.13)
    picture = (
        box(other - frame, 0.16, other + frame, 0.4, "shade"),
        box(other - frame + 0.015, 0.175, other + frame - 0.015, 0.385, "lit"),
        polygon((other - frame + 0.015, 0.385), (other - 0.02, 0.26), (other + frame - 0.015, 0.385), role="accent"),
    )
    boards = box(-OVERSCAN, floor, aspect + OVERSCAN, 1 + OVERSCAN)
    skirting = box(-OVERSCAN, floor - 0.015, aspect + OVERSCAN, floor, "lit")
    slant = 0.35 if left else -0.35
    pool = polygon(
        (middle - half + slant * 0.4, floor + 0.03),
        (middle + half + slant * 0.4, floor + 0.03),
        (middle + half + slant, 0.95),
        (middle - half + slant, 0.95),
        role="lit",
    )
    top = (
        box(-OVERSCAN, 0.735, aspect + OVERSCAN, 0.775, "lit"),
        box(-OVERSCAN, 0.775, aspect + OVERSCAN, 1 + OVERSCAN),
    )
    behind = (
        wall,
        Layer("picture", 0.22, picture),
        Layer("floor", 0.4, (boards, skirting, pool)),
        Layer("table", 0.7, top),
    )
    x = aspect * (0.93 if left else 0.07)
    plant: list[Shape] = [
        polygon((x - 0.06, 0.8), (x + 0.06, 0.8), (x + 0.045, 0.93), (x - 0.045, 0.93), role="accent")
    ]
    for _ in range(9):
        tip_x, tip_y = x + chance.uniform(-0.2, 0.2), chance.uniform(0.42, 0.66)
        plant.append(
            polygon(
                (x - 0.015, 0.81),
                ((x + tip_x) / 2 - 0.025, (0.8 + tip_y) / 2),
                (tip_x, tip_y),
                ((x + tip_x) / 2 + 0.025, (0.8 + tip_y) / 2),
                (x + 0.015, 0.81),
            )
        )
    return Place(floor, 0.752, 0.42, behind, (Layer("foreground", 0.9, tuple(plant)),))


def space(chance: Random, aspect: float) -> Place:
    """A ringed planet over crags and cratered ground."""
    horizon = 0.72
    planet_x, planet_y, radius = (
        aspect * chance.choice((0.2, 0.5, 0.8)),
        chance.uniform(0.3, 0.42),
        chance.uniform(0.15, 0.22),
    )
    planet = (
        ellipse(planet_x, planet_y, radius, radius, "accent"),
        ellipse(planet_x + radius * 0.22, planet_y + radius * 0.16, radius * 0.76, radius * 0.8, "shade"),
        polygon(
            (planet_x - radius * 1.7, planet_y + 0.05),
            (planet_x + radius * 1.7, planet_y - 0.05),
            (planet_x + radius * 1.72, planet_y - 0.03),
            (planet_x - radius * 1.68, planet_y + 0.07),
            role="lit",
        ),
    )
    far = ridge_line(chance, aspect, horizon - 0.02, 0.05)
    ground = rolling_line(chance, aspect, 0.76, 0.015)
    craters: list[Shape] = []
    for _ in range(9):
        x, y = chance.uniform(-OVERSCAN, aspect + OVERSCAN), chance.uniform(0.8, 1.1)
        size = 0.03 + (y - 0.75) * chance.uniform(0.15, 0.3)
        craters += [
            ellipse(x, y, size, size * 0.3, "lit"),
            ellipse(x + size * 0.05, y + size * 0.05, size * 0.9, size * 0.24, "shade"),
        ]
    behind = (
        Layer("planet", 0.06, planet),
        Layer("crags", 0.3, (beneath(far), *facets(chance, far, 0.08, 4))),
        Layer("ground", 0.6, (beneath(ground), *craters)),
    )
    rocks = [
        ellipse(
            chance.choice((chance.uniform(0, 0.2), chance.uniform(0.8, 1))) * aspect,
            1.02,
            chance.uniform(0.05, 0.12),
            0.06,
        )
        for _ in range(4)
    ]
    return Place(horizon, 0.775, 0.3, behind, (Layer("foreground", 1.0, tuple(rocks)),))
