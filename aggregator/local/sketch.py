"""How the draft model draws a scene: a pencil storyboard, flat greys on paper.

Owns: the wobbly line, the hatching, the grey of each depth and hour, and the paper.
Refuses: colour, light and everything with the role `detail` or small `glow`; those are the hero model's.
"""

# ruff: noqa: S311 - the chance here composes pictures and sound; it guards nothing

from itertools import pairwise
from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageDraw

from aggregator.local.canvas import SMOOTHING, Colour, Frame, Plate, draw_shape, noise
from aggregator.local.scene import Scene
from aggregator.local.shapes import Layer, Point, Shape

PAPER: Final[Colour] = (247, 244, 238)
PENCIL: Final[Colour] = (58, 58, 64)
SKY_GREY: Final = {"dawn": 236, "day": 246, "dusk": 232, "night": 176}
NEAR_GREY: Final = {"dawn": 150, "day": 166, "dusk": 132, "night": 98}
WOBBLE: Final = 0.0016  # picture heights a hand-drawn line strays
HATCH_GAP: Final = 0.011  # picture heights between two hatching strokes
BUSY_LAYERS: Final = ("blocks-1", "blocks-2", "blocks-3")


def sketch(scene: Scene, frame: Frame) -> list[Plate]:
    """The scene as one flat drawing: paper does not part into layers."""
    size = tuple(side * SMOOTHING for side in frame.canvas_px)
    sheet = Image.new("RGB", (size[0], size[1]), _grey(SKY_GREY[scene.hour]))
    pen = ImageDraw.Draw(sheet)
    hand = Random(scene.seed)
    hatching = _hatching((size[0], size[1]), frame)
    if scene.setting != "room":
        _draw_sky(pen, frame, scene, hand)
    for layer in scene.layers:
        _draw_layer(sheet, frame, scene, layer, hatching=hatching, hand=hand)
    if scene.weather == "rain":
        _draw_rain(pen, frame, hand)
    sheet = sheet.reduce(SMOOTHING)
    grain = noise(sheet.width, sheet.height, 11, 243, 255).convert("RGB")
    return [Plate("sheet", 1.0, ImageChops.multiply(sheet, grain), None, 0)]


def _grey(level: float) -> Colour:
    """A grey with the warmth of the paper in it."""
    red, green, blue = (round(level * part / PAPER[0]) for part in PAPER)
    return red, green, blue


def _tone(scene: Scene, depth: float) -> float:
    sky, near = SKY_GREY[scene.hour], NEAR_GREY[scene.hour]
    level = sky + (near - sky) * min(1.0, 0.14 + depth * 0.86)
    return level // 12 * 12  # flat steps, as from a handful of markers


def _draw_sky(pen: ImageDraw.ImageDraw, frame: Frame, scene: Scene, hand: Random) -> None:
    x, y, radius = scene.light
    for reach in (1.0, 1.5) if scene.hour != "night" else (1.0,):
        ring = Shape(
            ((x - radius * reach, y - radius * reach), (x + radius * reach, y + radius * reach)), "lit", "ellipse"
        )
        if reach == 1.0:
            draw_shape(pen, frame, ring, PAPER, scale=SMOOTHING, top_px=0)
        _outline(pen, frame, ring, hand)
    for cloud in scene.clouds:
        for puff in cloud:
            draw_shape(pen, frame, puff, _grey(min(250, SKY_GREY[scene.hour] + 14)), scale=SMOOTHING, top_px=0)
        (left, _), (right, bottom) = cloud[0].points
        _stroke(pen, frame, [(left * 0.8 + right * 0.2, bottom), (left * 0.2 + right * 0.8, bottom)], hand)


def _draw_layer(
    sheet: Image.Image,
    frame: Frame,
    scene: Scene,
    layer: Layer,
    *,
    hatching: Image.Image,
    hand: Random,
) -> None:
    pen = ImageDraw.Draw(sheet)
    tone = _tone(scene, layer.depth)
    levels = {"mass": tone, "shade": tone - 22, "lit": tone + 34, "accent": tone - 48, "glow": 250.0}
    if layer.name == "subject":
        levels = {"mass": 74.0, "shade": 96.0, "lit": 240.0, "accent": 168.0, "glow": 252.0}
    for shape in layer.shapes:
        if shape.role == "detail" or (shape.role == "glow" and layer.name in BUSY_LAYERS):
            continue
        draw_shape(pen, frame, shape, _grey(max(30.0, min(250.0, levels[shape.role]))), scale=SMOOTHING, top_px=0)
        if shape.role == "shade":
            _hatch(sheet, frame, shape, hatching)
        if shape.role not in ("shade", "lit") or layer.name == "subject":
            _outline(pen, frame, shape, hand)


def _hatching(size_px: tuple[int, int], frame: Frame) -> Image.Image:
    """Slanted strokes over the whole sheet, of which every shaded shape shows its part."""
    strokes = Image.new("L", size_px, 0)
    pen = ImageDraw.Draw(strokes)
    gap = max(4, round(HATCH_GAP * frame.height_px * SMOOTHING))
    for left in range(-size_px[1], size_px[0], gap):
        pen.line([(left, size_px[1]), (left + size_px[1], 0)], fill=150, width=SMOOTHING)
    return strokes


def _hatch(sheet: Image.Image, frame: Frame, shape: Shape, hatching: Image.Image) -> None:
    spots = [frame.place(point, SMOOTHING) for point in shape.points]
    left, top = (max(0, int(min(spot[axis] for spot in spots))) for axis in (0, 1))
    right, bottom = (min(sheet.size[axis], int(max(spot[axis] for spot in spots)) + 1) for axis in (0, 1))
    if right <= left or bottom <= top:
        return
    mask = Image.new("L", (right - left, bottom - top), 0)
    moved = [(x - left, y - top) for x, y in spots]
    pen = ImageDraw.Draw(mask)
    if shape.kind == "ellipse":
        pen.ellipse(moved, fill=255)
    else:
        pen.polygon(moved, fill=255)
    sheet.paste(
        PENCIL, (left, top, right, bottom), ImageChops.multiply(mask, hatching.crop((left, top, right, bottom)))
    )


def _outline(pen: ImageDraw.ImageDraw, frame: Frame, shape: Shape, hand: Random) -> None:
    if shape.kind == "ellipse":
        spots = [frame.place(point, SMOOTHING) for point in shape.points]
        pen.ellipse(spots, outline=PENCIL, width=_line_px(frame))
        return
    _stroke(pen, frame, [*shape.points, shape.points[0]], hand)


def _stroke(pen: ImageDraw.ImageDraw, frame: Frame, line: list[Point], hand: Random) -> None:
    """One pencil line through the points, unsteady as a hand."""
    path: list[Point] = []
    for (x0, y0), (x1, y1) in pairwise(line):
        steps = max(1, int((abs(x1 - x0) + abs(y1 - y0)) / 0.12))
        for step in range(steps):
            share = step / steps
            path.append(
                (
                    x0 + (x1 - x0) * share + hand.uniform(-WOBBLE, WOBBLE),
                    y0 + (y1 - y0) * share + hand.uniform(-WOBBLE, WOBBLE),
                )
            )
    path.append(line[-1])
    pen.line([frame.place(point, SMOOTHING) for point in path], fill=PENCIL, width=_line_px(frame), joint="curve")


def _draw_rain(pen: ImageDraw.ImageDraw, frame: Frame, hand: Random) -> None:
    for _ in range(70):
        x, y = hand.uniform(-0.1, frame.aspect + 0.1), hand.uniform(-0.1, 1.0)
        spots = [frame.place((x, y), SMOOTHING), frame.place((x - 0.025, y + 0.08), SMOOTHING)]
        pen.line(spots, fill=(130, 130, 136), width=SMOOTHING)


def _line_px(frame: Frame) -> int:
    return max(2, round(frame.height_px * SMOOTHING * 0.0026))
