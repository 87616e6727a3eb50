"""Places out of doors: mountains, sea, forest and desert, and the stone and grass others borrow.

Owns: building each from chance, before a subject stands in it.
Refuses: to read prompts and to know colours.
"""

# ruff: noqa: PLR2004 - proportions of a drawing read best where they are drawn

from random import Random

from aggregator.local.shapes import (
    OVERSCAN,
    Layer,
    Place,
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


def facets(chance: Random, line: list[Point], drop: float, every: int) -> list[Shape]:
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


def near_corner(chance: Random, aspect: float) -> Layer:
    """Grass in one lower corner."""
    left = chance.random() < 0.5
    return Layer("foreground", 1.0, tuple(_grass(chance, aspect, left=left)))


def mountains(chance: Random, aspect: float) -> Place:
    """Three ridges and a meadow with pines."""
    horizon = chance.uniform(0.52, 0.6)
    behind: list[Layer] = []
    for i, (rise, relief) in enumerate(((0.2, 0.15), (0.1, 0.11), (0.02, 0.06))):
        line = ridge_line(chance, aspect, horizon - rise, relief)
        shapes = [beneath(line), *facets(chance, line, 0.2 - 0.05 * i, 5)]
        behind.append(Layer(f"ridge-{i + 1}", 0.15 + 0.13 * i, tuple(shapes)))
    meadow = rolling_line(chance, aspect, 0.69, 0.018)
    pines = [pine for _ in range(16) for pine in _pine(chance, aspect, meadow, chance.uniform(0.05, 0.12))]
    behind.append(Layer("meadow", 0.6, (*pines, beneath(meadow))))
    return Place(horizon, 0.765, 0.2, tuple(behind), (near_corner(chance, aspect),))


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


def sea(chance: Random, aspect: float) -> Place:
    """A headland, open water and three swells."""
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


def forest(chance: Random, aspect: float) -> Place:
    """Three rows of trees and a clearing with a path."""
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


def desert(chance: Random, aspect: float) -> Place:
    """Three dunes and the sand before them."""
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
    return Place(horizon, 0.775, 0.2, tuple(behind), (near_corner(chance, aspect),))
