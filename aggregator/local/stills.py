"""Single pictures: made from a prompt, restyled, or enlarged.

Owns: the three image tasks and reading input pictures.
Refuses: to pretend. A restyled picture is tinted, drawn over and captioned; an enlarged one is resampled and sharpened.
"""

# ruff: noqa: S311 - the chance here composes pictures and sound; it guards nothing

import re
from pathlib import Path
from random import Random
from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageOps

from aggregator.local.canvas import Colour, Frame, merge, vignette
from aggregator.local.defaults import MAX_INPUT_IMAGE_PIXELS, STAND_IN_LABEL
from aggregator.local.lettering import PAPER_STYLE, SCREEN_STYLE, Style, caption
from aggregator.local.orders import Order
from aggregator.local.painting import finish, paint
from aggregator.local.scene import compose
from aggregator.local.sketch import PAPER, PENCIL, sketch

RESTYLE_NOTE: Final = "restyled by tint and drawing, not by a model"
UPSCALE_NOTE: Final = "enlarged by Lanczos resampling and unsharp masking; no detail was invented"
VIGNETTE: Final = 110
BLEED: Final = 0.02  # picture heights painted beyond the edge and cut off, where blurs and lit edges end
TINTS: Final[dict[str, tuple[Colour, Colour, Colour]]] = {
    "warm golden sunset autumn sepia vintage": ((44, 18, 22), (206, 122, 70), (255, 236, 200)),
    "cold cool winter blue ice night moonlight": ((8, 14, 40), (74, 116, 176), (226, 240, 255)),
    "green forest spring nature": ((10, 30, 26), (84, 142, 92), (240, 246, 220)),
    "neon cyberpunk purple pink": ((20, 6, 48), (196, 52, 150), (150, 240, 255)),
    "noir black monochrome grey gray film": ((10, 10, 12), (122, 122, 126), (244, 244, 244)),
}
DRAWING_WORDS: Final = frozenset(
    ["sketch", "pencil", "drawing", "line", "ink", "comic", "storyboard", "outline", "draw"]
)


def read_picture(path: Path) -> Image.Image:
    """An input picture, upright and without transparency."""
    with Image.open(path) as file:
        if file.width * file.height > MAX_INPUT_IMAGE_PIXELS:
            raise ValueError("picture too large")
        upright = ImageOps.exif_transpose(file)
        if "A" in upright.getbands() or "transparency" in upright.info:
            layered = upright.convert("RGBA")
            ground = Image.new("RGBA", layered.size, (255, 255, 255, 255))
            return Image.alpha_composite(ground, layered).convert("RGB")
        return upright.convert("RGB")


def picture_of(order: Order) -> tuple[Image.Image, dict[str, object]]:
    """A picture of a prompt, and what is in it."""
    frame = Frame(order.width, order.height, overscan=BLEED if order.is_hero else 0.0)
    scene = compose(order.prompt, order.seed, frame.aspect, order.negative_prompt)
    if order.is_hero:
        picture = finish(_without_bleed(merge(paint(scene, frame)), frame), scene, grain=True)
        picture = ImageChops.multiply(picture, vignette(*picture.size, VIGNETTE))
    else:
        picture = merge(sketch(scene, frame))
        _frame(picture)
    _letter(picture, order.prompt, f"{order.model}   seed {order.seed}", SCREEN_STYLE if order.is_hero else PAPER_STYLE)
    return picture, scene.describe()


def restyled(order: Order, source: Image.Image) -> Image.Image:
    """The given picture in other colours or in pencil, as the words ask, with the instruction on it."""
    picture = ImageOps.fit(source, (order.width, order.height), Image.Resampling.LANCZOS)
    words = set(re.findall(r"[a-z]+", order.prompt.lower()))
    grey = ImageOps.grayscale(picture)
    if words & DRAWING_WORDS or not order.is_hero:
        edges = grey.filter(ImageFilter.GaussianBlur(1)).filter(ImageFilter.FIND_EDGES)
        edges = edges.crop((2, 2, edges.width - 2, edges.height - 2)).resize(edges.size)
        strokes = edges.point([min(255, value * 4) for value in range(256)])
        drawing = ImageOps.colorize(
            ImageOps.equalize(grey).point([150 + value * 100 // 255 for value in range(256)]), (0, 0, 0), PAPER
        )
        drawing.paste(PENCIL, (0, 0, *drawing.size), strokes)
        picture = grey.convert("RGB")
        changed = drawing
    else:
        tint = next((tint for named, tint in TINTS.items() if words & set(named.split())), None)
        dark, middle, light = tint or Random(order.seed).choice(list(TINTS.values()))
        changed = ImageOps.colorize(ImageOps.autocontrast(grey, cutoff=1), dark, light, middle)
        changed = ImageChops.soft_light(changed, picture)
    picture = Image.blend(picture, changed, order.strength)
    _frame(picture)
    _letter(
        picture, order.prompt, f"{order.model}   restyled", SCREEN_STYLE if order.is_hero else PAPER_STYLE, high=True
    )
    return picture


def enlarged(order: Order, source: Image.Image) -> Image.Image:
    """The given picture at its new size, and nothing else: what was approved stays what it is."""
    picture = source.resize((order.width, order.height), Image.Resampling.LANCZOS)
    return picture.filter(ImageFilter.UnsharpMask(radius=max(0.6, order.factor * 0.7), percent=70, threshold=2))


def _without_bleed(picture: Image.Image, frame: Frame) -> Image.Image:
    margin = frame.margin_px
    return picture.crop((margin, margin, margin + frame.width_px, margin + frame.height_px))


def _frame(picture: Image.Image) -> None:
    """A thin pencil border, as around a storyboard panel."""
    inset = max(2, picture.height // 90)
    line = max(1, picture.height // 270)
    inner = picture.crop((inset + line, inset + line, picture.width - inset - line, picture.height - inset - line))
    middle = Image.new("RGB", (picture.width - 2 * inset, picture.height - 2 * inset), PENCIL)
    middle.paste(inner, (line, line))
    picture.paste(PAPER, (0, 0, *picture.size))
    picture.paste(middle, (inset, inset))


def _letter(picture: Image.Image, words: str, heading: str, style: Style, *, high: bool = False) -> None:
    caption(picture.size, words, f"{STAND_IN_LABEL}   {heading}", style, high=high).lay_on(picture)
