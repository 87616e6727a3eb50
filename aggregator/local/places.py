"""The places a scene can be set in: each builds its layers of depth from chance, before a subject stands in it.

Owns: mountains, city, sea, forest, desert, room and space, and where in each of them a subject stands.
Refuses: to read prompts and to know colours.
"""

# ruff: noqa: PLR2004 - proportions of a drawing read best where they are drawn

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from aggregator.local.shapes import (
    OVERSCAN,
    Layer,
    Point,
    Shape,
    beneath,
    box,
    ellipse,
    height_at,
    polygon,
    ridge_line,
    rolling_line,
)


@dataclass(frozen=True, slots=True)
class Place:
    """A setting ready for a subject: what lies behind it, what before it, and where its feet go."""

    horizon: float
    stand_y: float
    subject_height: float
    behind: tuple[Layer, ...]
    before: tuple[Layer, ...]


def _facets(chance: Random, line: list[Point], drop: float, every: int) -> list[Shape]:
    """Shaded flanks under the peaks of a ridge, so that it reads as stone and not as paper."""
    flanks: list[Shape] = []
    for i in range(every, len(line) - every, 1):
        x, y = line[i]
        if y == min(point[1] for point in line[i - every : i + every + 1]):
            side = line[i : i + every * 2]
            depth = drop * chance.uniform(0.6, 1.0)
            end_x, end_y = side[-1]
            inner = [
                (x + (end_x - x) * 0.45, end_y + depth * 0.7),
                (x + (end_x - x) * 0.16, y + depth * 0.55),
                (x + (end_x - x) * 0.24, y + depth * 0.3),
            ]
            flanks.append(polygon(*side, *inner, role="shade"))
            flanks.append(
                polygon(
                    (x, y),
                    *[(px, py) for px, py in line[i - every // 2 : i]][::-1],
                    (x - drop * 0.08, y + depth * 0.3),
                    role="lit",
                )
            )
    return flanks


def _grass(chance: Random, aspect: float, *, left: bool) -> list[Shape]:
    """Blades leaning in from one lower corner: something near the lens."""
    blades: list[Shape] = []
    for _ in range(26):
        foot = chance.uniform(-0.15, 0.24)
        x = foot if left else aspect - foot
        height = chance.uniform(0.08, 0.27) * (1 - max(0.0, foot) * 2.2)
        lean = chance.uniform(0.0, 0.1) * (1 if left else -1)
        blades.append(polygon((x - 0.009, 1.22), (x + lean, 1.0 - height), (x + 0.009, 1.22)))
    return blades


def _near_corner(chance: Random, aspect: float) -> Layer:
    left = chance.random() < 0.5
    return Layer("foreground", 1.0, tuple(_grass(chance, aspect, left=left)))


def _mountains(chance: Random, aspect: float) -> Place:
    horizon = chance.uniform(0.52, 0.6)
    behind: list[Layer] = []
    for i, (rise, relief) in enumerate(((0.2, 0.15), (0.1, 0.11), (0.02, 0.06))):
        line = ridge_line(chance, aspect, horizon - rise, relief)
        shapes = [beneath(line), *_facets(chance, line, 0.2 - 0.05 * i, 5)]
        behind.append(Layer(f"ridge-{i + 1}", 0.15 + 0.13 * i, tuple(shapes)))
    meadow = rolling_line(chance, aspect, 0.69, 0.018)
    pines = [pine for _ in range(16) for pine in _pine(chance, aspect, meadow, chance.uniform(0.05, 0.12))]
    behind.append(Layer("meadow", 0.6, (*pines, beneath(meadow))))
    return Place(horizon, 0.765, 0.2, tuple(behind), (_near_corner(chance, aspect),))


def _pine(chance: Random, aspect: float, line: list[Point], height: float) -> list[Shape]:
    x = chance.uniform(-OVERSCAN, aspect + OVERSCAN)
    foot = height_at(line, x) + 0.012
    tiers = [(0.0, 0.62, 0.2), (0.24, 0.82, 0.16), (0.5, 1.0, 0.11)]
    return [
        polygon(
            (x - half * height, foot - low * height), (x, foot - top * height), (x + half * height, foot - low * height)
        )
        for low, top, half in tiers
    ]


def _city(chance: Random, aspect: float) -> Place:
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


def _sea(chance: Random, aspect: float) -> Place:
    horizon = chance.uniform(0.5, 0.57)
    headland = ridge_line(chance, aspect, horizon - 0.03, 0.05)
    side = chance.random() < 0.5
    far = [(x, min(horizon + 0.01, y + 0.12 * ((x / aspect) if side else 1 - x / aspect))) for x, y in headland]
    behind = [
        Layer("headland", 0.15, (Shape((*far, (aspect + OVERSCAN, horizon + 0.01), (-OVERSCAN, horizon + 0.01))),)),
        Layer("water", 0.3, (box(-OVERSCAN, horizon, aspect + OVERSCAN, 1 + OVERSCAN),)),
    ]
    for i, y in enumerate((0.66, 0.76, 0.86)):
        swell = rolling_line(chance, aspect, y, 0.008 + 0.004 * i)
        crest = [(x, top + 0.006 + 0.003 * i) for x, top in reversed(swell)]
        behind.append(Layer(f"swell-{i + 1}", 0.4 + 0.14 * i, (beneath(swell), Shape((*swell, *crest), "lit"))))
    shore = rolling_line(chance, aspect, 1.0, 0.03)
    rocks = [
        ellipse(chance.uniform(0, aspect), 1.03, chance.uniform(0.06, 0.16), chance.uniform(0.04, 0.09))
        for _ in range(4)
    ]
    return Place(horizon, 0.75, 0.3, tuple(behind), (Layer("foreground", 1.0, (beneath(shore), *rocks)),))


def _forest(chance: Random, aspect: float) -> Place:
    horizon = chance.uniform(0.55, 0.62)
    behind: list[Layer] = []
    for i, (y, height, count) in enumerate(((0.6, 0.26, 46), (0.66, 0.34, 30), (0.72, 0.46, 13))):
        floor = rolling_line(chance, aspect, y, 0.012)
        trees = [p for _ in range(count) for p in _pine(chance, aspect, floor, height * chance.uniform(0.6, 1.15))]
        behind.append(Layer(f"trees-{i + 1}", 0.12 + 0.17 * i, (*trees, beneath(floor))))
    path = chance.uniform(0.4, 0.6) * aspect
    track = polygon((path - 0.02, 0.73), (path + 0.03, 0.73), (path + 0.5, 1.2), (path - 0.34, 1.2), role="lit")
    behind.append(Layer("clearing", 0.62, (beneath(rolling_line(chance, aspect, 0.75, 0.01)), track)))
    trunks: list[Shape] = []
    for x in (chance.uniform(-0.02, 0.07) * aspect, chance.uniform(0.93, 1.02) * aspect):
        trunks.append(polygon((x - 0.06, 1.2), (x - 0.035, -0.2), (x + 0.035, -0.2), (x + 0.06, 1.2)))
        trunks.append(polygon((x + 0.01, 1.2), (x + 0.005, -0.2), (x + 0.035, -0.2), (x + 0.06, 1.2), role="shade"))
    return Place(horizon, 0.775, 0.22, tuple(behind), (Layer("foreground", 1.0, tuple(trunks)),))


def _desert(chance: Random, aspect: float) -> Place:
    horizon = chance.uniform(0.52, 0.58)
    behind: list[Layer] = []
    for i, (y, relief) in enumerate(((0.53, 0.03), (0.61, 0.05), (0.72, 0.06))):
        line = rolling_line(chance, aspect, y, relief)
        shapes: list[Shape] = [beneath(line)]
        for left in range(2, len(line) - 12):
            window = line[left - 2 : left + 3]
            if line[left][1] == min(point[1] for point in window):
                slope = line[left : left + 12]
                foot = [(x - 0.02 * n, height + 0.03 + 0.018 * n) for n, (x, height) in enumerate(slope)]
                shapes.append(Shape((*slope, *reversed(foot)), "shade"))
        behind.append(Layer(f"dune-{i + 1}", 0.18 + 0.17 * i, tuple(shapes)))
    near = rolling_line(chance, aspect, 0.745, 0.02)
    behind.append(Layer("sand", 0.62, (beneath(near),)))
    return Place(horizon, 0.775, 0.2, tuple(behind), (_near_corner(chance, aspect),))


def _room(chance: Random, aspect: float) -> Place:
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


def _space(chance: Random, aspect: float) -> Place:
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
        Layer("crags", 0.3, (beneath(far), *_facets(chance, far, 0.08, 4))),
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


PLACES: Final[dict[str, Callable[[Random, float], Place]]] = {
    "mountains": _mountains,
    "city": _city,
    "sea": _sea,
    "forest": _forest,
    "desert": _desert,
    "room": _room,
    "space": _space,
}
