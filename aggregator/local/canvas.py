"""From scene units to pixels: the drawing surface and the plates that both models paint on.

Owns: the mapping, smooth edges by drawing twice as large, and merging plates into one picture.
Refuses: to choose colours; `sketch` and `painting` do.
"""

# ruff: noqa: S311 - the chance here composes pictures and sound; it guards nothing

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from random import Random
from typing import Final

from PIL import Image, ImageDraw

from aggregator.local.shapes import Point, Shape

Colour = tuple[int, int, int]
SMOOTHING: Final = 2  # shapes are drawn this many times larger and reduced, which smooths their edges
NOISE_TILE_PX: Final = 256


@dataclass(frozen=True, slots=True)
class Frame:
    """The picture being made: its size and how much is painted beyond its edges, in picture heights."""

    width_px: int
    height_px: int
    overscan: float = 0.0

    @property
    def aspect(self) -> float:
        return self.width_px / self.height_px

    @property
    def margin_px(self) -> int:
        return round(self.overscan * self.height_px)

    @property
    def canvas_px(self) -> tuple[int, int]:
        return self.width_px + 2 * self.margin_px, self.height_px + 2 * self.margin_px

    def place(self, point: Point, scale: int = 1) -> Point:
        """Where a scene point falls on the canvas."""
        margin = self.margin_px
        return (point[0] * self.height_px + margin) * scale, (point[1] * self.height_px + margin) * scale


@dataclass(frozen=True, slots=True)
class Plate:
    """One painted layer. Without a mask it is opaque. `top_px` is where it starts on the canvas, which it spans."""

    name: str
    depth: float
    image: Image.Image
    mask: Image.Image | None
    top_px: int


def draw_shape(
    pen: ImageDraw.ImageDraw, frame: Frame, shape: Shape, fill: Colour | int, *, scale: int, top_px: int
) -> None:
    """Fill a shape on a surface `scale` times the canvas that starts at canvas row `top_px`."""
    spots = [(x, y - top_px * scale) for x, y in (frame.place(point, scale) for point in shape.points)]
    if shape.kind == "ellipse":
        pen.ellipse(spots, fill=fill)
    else:
        pen.polygon(spots, fill=fill)


def shapes_top_px(frame: Frame, shapes: Sequence[Shape]) -> int:
    """The first canvas row any of the shapes reaches."""
    top = min(y for shape in shapes for _, y in shape.points)
    return max(0, min(frame.canvas_px[1] - SMOOTHING, int(frame.place((0.0, top))[1]) - 2))


def merge(plates: Sequence[Plate]) -> Image.Image:
    """All plates on top of each other."""
    picture = plates[0].image.copy()
    for plate in plates[1:]:
        picture.paste(plate.image, (0, plate.top_px), plate.mask)
    return picture


def blend(first: Colour, second: Colour, share: float) -> Colour:
    """`share` of the second colour in the first."""
    share = max(0.0, min(1.0, share))
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue


def gradient(size_px: tuple[int, int], stops: Sequence[tuple[float, Colour]]) -> Image.Image:
    """A vertical gradient through colour stops at heights 0..1."""
    width, height = size_px
    column = Image.new("RGB", (1, height))
    column.putdata([_colour_at(stops, (row + 0.5) / height) for row in range(height)])
    return column.resize((width, height))


def _colour_at(stops: Sequence[tuple[float, Colour]], share: float) -> Colour:
    for (low, first), (high, second) in pairwise(stops):
        if share <= high:
            return blend(first, second, (share - low) / (high - low or 1.0))
    return stops[-1][1]


def ramp(size_px: tuple[int, int], top: int, bottom: int) -> Image.Image:
    """A vertical ramp of single values, for masks."""
    column = Image.new("L", (1, size_px[1]))
    column.putdata([round(top + (bottom - top) * row / max(1, size_px[1] - 1)) for row in range(size_px[1])])
    return column.resize(size_px)


@lru_cache(maxsize=16)
def noise(width_px: int, height_px: int, seed: int, low: int, high: int) -> Image.Image:
    """A field of random grey between low and high, the same for the same seed on every machine."""
    tile = Image.frombytes("L", (NOISE_TILE_PX, NOISE_TILE_PX), Random(seed).randbytes(NOISE_TILE_PX**2))
    tile = tile.point([low + (high - low) * value // 255 for value in range(256)])
    field = Image.new("L", (width_px, height_px))
    for left in range(0, width_px, NOISE_TILE_PX):
        for top in range(0, height_px, NOISE_TILE_PX):
            field.paste(tile, (left, top))
    return field


@lru_cache(maxsize=16)
def vignette(width_px: int, height_px: int, strength: int) -> Image.Image:
    """White in the middle and darker by `strength` in the corners, to be multiplied with a picture."""
    radial = Image.radial_gradient("L").point([255 - strength * max(0, value - 110) // 145 for value in range(256)])
    # The gradient reaches full value at the middle of each side; stretching it keeps the sides nearly clear.
    soft = radial.resize((width_px, height_px), Image.Resampling.BILINEAR, box=(28, 28, 228, 228))
    return soft.convert("RGB")
