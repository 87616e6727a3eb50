"""The steps as a small picture from left to right, with arrows: where boxes go, and the SVG of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from itertools import pairwise

from aggregator.workflow.sheet.data import Sheet, Step, worst
from aggregator.workflow.sheet.markup import Tag, tag

__all__ = ["Box", "Strip", "drawn", "placed"]

MAX_ITEMS = 6
"""A fan-out of more items than this is one box."""
WIDTH_PX, HEIGHT_PX, GAP_X_PX, GAP_Y_PX = 166, 38, 34, 10
PASSING_PX = 6
"""The room of an arrow between boxes."""
THUMB_PX = 54
MARGIN_PX = 4
MAX_NAME = 13
LETTERS_PX = 10
SWEEPS = 4

Spot = tuple[str, ...]
"""What stands in a layer: a box, or where an arrow passes through: from, to, layer."""


@dataclass(frozen=True, slots=True)
class Box:
    """A step, or the many items of a fan-out."""

    name: str
    steps: tuple[Step, ...]
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Strip:
    """Where everything goes, in pixels."""

    boxes: tuple[Box, ...]
    arrows: tuple[tuple[tuple[float, float], ...], ...]
    """Each the points that it passes, from the right edge of one box to the left edge of another."""
    width: float
    height: float


@dataclass(slots=True)
class _Layers:
    of: dict[Spot, int] = field(default_factory=dict)
    before: dict[Spot, list[Spot]] = field(default_factory=dict)
    chains: list[list[Spot]] = field(default_factory=list)
    """Each arrow, with the spots that it passes."""


def placed(sheet: Sheet) -> Strip:
    """Find each step a place: to the right of what it is made from, beside its neighbours."""
    groups = _groups(sheet.steps)
    layers = _layers(sheet.steps, groups)
    rows = _ordered(layers)
    talls = [sum(map(_tall, row)) + GAP_Y_PX * (len(row) - 1) for row in rows]
    height = max(talls, default=0) + 2 * MARGIN_PX
    at: dict[Spot, tuple[float, float]] = {}
    for layer, (row, tall) in enumerate(zip(rows, talls, strict=True)):
        top = (height - tall) / 2
        for spot in row:
            at[spot] = MARGIN_PX + layer * (WIDTH_PX + GAP_X_PX), top
            top += _tall(spot) + GAP_Y_PX
    members: dict[str, list[Step]] = {}
    for step in sheet.steps:
        members.setdefault(groups[step.name], []).append(step)
    boxes = tuple(Box(name, tuple(steps), *at[(name,)]) for name, steps in members.items())
    arrows = tuple(tuple(_points(chain, at)) for chain in layers.chains)
    width = len(rows) * (WIDTH_PX + GAP_X_PX) - GAP_X_PX + 2 * MARGIN_PX
    return Strip(boxes, arrows, max(0, width), height)


def _tall(spot: Spot) -> int:
    return HEIGHT_PX if len(spot) == 1 else PASSING_PX


def _groups(steps: Sequence[Step]) -> dict[str, str]:
    """The box of each step; what is between the items of a large fan-out (last frames) goes into its box."""
    sizes: dict[str, int] = {}
    for step in steps:
        sizes[step.fan] = sizes.get(step.fan, 0) + 1
    large = {fan for fan, count in sizes.items() if count > MAX_ITEMS}
    found = {step.name: step.fan if step.fan in large else step.name for step in steps}
    for step in steps:
        made_from = {found[name] for name in step.needs if name in found}
        if step.name.endswith("-last") and len(made_from) == 1 and made_from <= large:
            found[step.name] = made_from.pop()
    return found


def _layers(steps: Sequence[Step], groups: Mapping[str, str]) -> _Layers:
    before: dict[str, dict[str, None]] = {box: {} for box in groups.values()}
    for step in steps:
        box = groups[step.name]
        for other in dict.fromkeys(groups[name] for name in step.needs):
            if other != box and not _follows(other, box, before):  # boxes of many items may need each other
                before[box][other] = None
    found = _Layers()
    for box in TopologicalSorter(before).static_order():
        found.of[box,] = max((found.of[other,] + 1 for other in before[box]), default=0)
    for box, others in before.items():  # what is made of nothing stands right before what needs it first
        needed = [found.of[one,] for one, of in before.items() if box in of]
        if not others and needed:
            found.of[box,] = min(needed) - 1
    for target, others in before.items():
        for source in others:
            first, last = found.of[source,], found.of[target,]
            between: list[Spot] = [(source, target, str(layer)) for layer in range(first + 1, last)]
            start, end = (source,), (target,)
            chain: list[Spot] = [start, *between, end]
            found.of |= dict(zip(between, range(first + 1, last), strict=True))
            for one, other_spot in pairwise(chain):
                found.before.setdefault(other_spot, []).append(one)
            found.chains.append(chain)
    return found


def _follows(box: str, other: str, before: Mapping[str, Mapping[str, None]]) -> bool:
    """Whether a box is made from another one already."""
    seen, waiting = {box}, [box]
    while waiting:
        for one in before[waiting.pop()]:
            if one == other:
                return True
            if one not in seen:
                seen.add(one)
                waiting.append(one)
    return False


def _ordered(layers: _Layers) -> list[list[Spot]]:
    """Each layer in the order that keeps arrows short: by the middle of what is before, then of what is after."""
    rows: list[list[Spot]] = [[] for _ in range(max(layers.of.values(), default=-1) + 1)]
    for spot, layer in layers.of.items():
        rows[layer].append(spot)
    after: dict[Spot, list[Spot]] = {}
    for spot, others in layers.before.items():
        for other in others:
            after.setdefault(other, []).append(spot)
    for sweep in range(SWEEPS):
        neighbours = after if sweep % 2 else layers.before
        for row in reversed(rows) if sweep % 2 else rows:
            at = {spot: (number + 0.5) / len(row) for row in rows for number, spot in enumerate(row)}
            middle = {
                spot: sum(at[one] for one in near) / len(near) if (near := neighbours.get(spot)) else at[spot]
                for spot in row
            }
            row.sort(key=lambda spot, middle=middle: middle[spot])  # type: ignore[misc]
    return rows


def _points(chain: Sequence[Spot], at: Mapping[Spot, tuple[float, float]]) -> list[tuple[float, float]]:
    middles = {spot: (at[spot][0], at[spot][1] + _tall(spot) / 2) for spot in chain}
    points = [point for x, y in map(middles.__getitem__, chain) for point in ((x, y), (x + WIDTH_PX, y))]
    return points[1:-1]


# -------------------------------------------------------------------------------------------------------------- drawing


def drawn(sheet: Sheet, thumbs: Mapping[str, str]) -> Tag:
    """The picture as SVG; each box leads to its step.

    Args:
        thumbs: By step, the address of a small picture.

    """
    strip = placed(sheet)
    head = tag("path", d="M0 0 7 3.5 0 7z")
    marker = tag("marker", head, id="head", refX=6, refY=3.5, markerWidth=7, markerHeight=7, orient="auto")
    return tag(
        "svg",
        tag("defs", marker),
        tag("g", [tag("path", d=_path(points), marker_end="url(#head)") for points in strip.arrows], class_="arrows"),
        [_box(box, thumbs) for box in strip.boxes],
        viewBox=f"0 0 {strip.width:g} {strip.height:g}",
        width=strip.width,
        height=strip.height,
        role="group",
        aria_label="The steps of the workflow, from left to right",
    )


def _path(points: Sequence[tuple[float, float]]) -> str:
    """Level at both ends of each stretch between two boxes."""
    path = f"M{points[0][0]:g} {points[0][1]:g}"
    for (x0, y0), (x1, y1) in pairwise(points):
        bend = (x1 - x0) / 2
        path += f"H{x1:g}" if y0 == y1 else f"C{x0 + bend:g} {y0:g} {x1 - bend:g} {y1:g} {x1:g} {y1:g}"
    return path


def _box(box: Box, thumbs: Mapping[str, str]) -> Tag:
    many = len(box.steps) > 1
    thumb = next((thumbs[step.name] for step in box.steps if step.name in thumbs), None)
    label = f"{box.name} ×{sum(step.fan == box.name for step in box.steps)}" if many else box.name
    room = MAX_NAME if thumb else MAX_NAME + THUMB_PX // LETTERS_PX
    state = worst(box.steps)
    left = THUMB_PX + 9 if thumb else 11
    task = "fan-out" if many else box.steps[0].task
    return tag(
        "a",
        tag("title", f"{label}: {task}, {state}"),
        tag("rect", x=4, y=-3, width=WIDTH_PX - 8, height=HEIGHT_PX, rx=6, class_="behind") if many else None,
        tag("rect", width=WIDTH_PX, height=HEIGHT_PX, rx=6),
        tag("image", href=thumb, x=3, y=3, width=THUMB_PX, height=HEIGHT_PX - 6, preserveAspectRatio="xMidYMid slice")
        if thumb
        else None,
        tag("text", _cut(label, room), x=left, y=16, class_="name"),
        tag("text", _cut(task, room + 2), x=left, y=29, class_="task"),
        tag("circle", cx=WIDTH_PX - 9, cy=9, r=3, class_=f"dot {state}"),
        href=f"#step-{box.steps[0].name}",
        transform=f"translate({box.x:g} {box.y:g})",
    )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"
