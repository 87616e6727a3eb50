"""The contact sheet as one picture: every take as a still with its label, in the order of the steps."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from PIL import Image, ImageDraw

from aggregator.editing.lettering import cut, letters
from aggregator.editing.pictures import fitted
from aggregator.workflow.sheet.data import Sheet, Step, Take, money_of
from aggregator.workflow.sheet.posters import Poster

__all__ = ["MAX_TILES", "picture"]

MAX_TILES = 2_000
"""Of more takes the first are shown, and how many there are is said."""
SIZES = ((60, 288), (300, 208), (MAX_TILES, 144))
"""Up to so many takes, so wide a tile."""
FEWEST_COLUMNS = 4
GAP_PX, MARGIN_PX = 14, 28
TITLE_PX, WORDS_PX = 28, 15
GROUND, SCREEN = (22, 22, 24), (12, 12, 13)
TEXT, QUIET, ACCENT, FAILED = (233, 231, 226), (150, 147, 140), (240, 160, 103), (255, 138, 128)


@dataclass(frozen=True, slots=True)
class _Tile:
    step: Step
    take: Take | None
    """`None`: nothing was made of the step."""


def picture(sheet: Sheet, posters: Mapping[str, Poster | None]) -> Image.Image:
    """The sheet in one picture. It blocks: call it in a thread.

    Args:
        posters: By hash, what files look like.

    """
    tiles = [_Tile(step, take) for step in sheet.steps for take in step.takes or (None,)]
    shown = tiles[:MAX_TILES]
    wide = next(px for most, px in SIZES if len(shown) <= most)
    columns = min(max(FEWEST_COLUMNS, math.ceil(math.sqrt(len(shown)))), max(1, len(shown)))
    columns = max(columns, FEWEST_COLUMNS)
    screen = (wide, wide * 9 // 16)
    label_px = max(11, wide // 20)
    tall = screen[1] + label_px * 7 // 2 + GAP_PX
    top = MARGIN_PX * 2 + TITLE_PX + WORDS_PX
    rows = math.ceil(len(shown) / columns)
    size = 2 * MARGIN_PX + columns * (wide + GAP_PX) - GAP_PX, top + rows * tall + MARGIN_PX
    drawn = Image.new("RGB", size, GROUND)
    pen = ImageDraw.Draw(drawn)
    _title(pen, sheet, size[0] - 2 * MARGIN_PX, left_out=len(tiles) - len(shown))
    for number, tile in enumerate(shown):
        row, column = divmod(number, columns)
        at = MARGIN_PX + column * (wide + GAP_PX), top + row * tall
        _screen(drawn, pen, tile, posters, at, screen)
        _label(pen, tile, (at[0], at[1] + screen[1] + label_px // 2), wide, label_px)
    return drawn


def _title(pen: ImageDraw.ImageDraw, sheet: Sheet, room: int, *, left_out: int) -> None:
    many = len(sheet.bills) > 1
    costs = ", ".join(f"{one.name} {one}" if many else str(one) for one in sheet.bills)
    words = [sheet.project, sheet.stage, sheet.state, costs]
    if left_out:
        words.append(f"{left_out} more takes are not shown")
    _write(pen, (MARGIN_PX, MARGIN_PX), sheet.run, TITLE_PX, room, TEXT)
    _write(pen, (MARGIN_PX, MARGIN_PX + TITLE_PX + 8), "  ·  ".join(filter(None, words)), WORDS_PX, room, QUIET)


def _screen(
    on: Image.Image,
    pen: ImageDraw.ImageDraw,
    tile: _Tile,
    posters: Mapping[str, Poster | None],
    at: tuple[int, int],
    size: tuple[int, int],
) -> None:
    box = (at[0], at[1], at[0] + size[0] - 1, at[1] + size[1] - 1)
    pen.rectangle(box, fill=SCREEN)
    file = tile.take.file if tile.take is not None else None
    poster = posters.get(file.sha256) if file is not None else None
    if poster is not None and poster.picture is not None:
        on.paste(fitted(poster.picture, size, "contain"), at)
    elif poster is not None:
        _wave(pen, poster.bars, at, size)
    else:
        said = tile.take.problem if tile.take is not None and tile.take.problem else tile.step.state
        color = FAILED if tile.step.state == "failed" or (tile.take and tile.take.problem) else QUIET
        _write(pen, (at[0] + 10, at[1] + size[1] // 2 - 8), said, 13, size[0] - 20, color)
    if tile.take is not None and tile.step.can_pick and tile.take.number == tile.step.picked:
        pen.rectangle((box[0] - 2, box[1] - 2, box[2] + 2, box[3] + 2), outline=ACCENT, width=3)


def _wave(pen: ImageDraw.ImageDraw, bars: tuple[float, ...], at: tuple[int, int], size: tuple[int, int]) -> None:
    middle = at[1] + size[1] // 2
    for number, bar in enumerate(bars):
        x = at[0] + 12 + number * (size[0] - 24) // max(1, len(bars))
        half = max(1, int(bar * size[1] * 0.35))
        pen.line((x, middle - half, x, middle + half), fill=QUIET)


def _label(pen: ImageDraw.ImageDraw, tile: _Tile, at: tuple[int, int], room: int, size_px: int) -> None:
    step, take = tile.step, tile.take
    name = f"{step.name} #{take.number}" if take is not None and step.wanted > 1 else step.name
    is_picked = take is not None and step.can_pick and take.number == step.picked
    _write(pen, at, f"{name}  picked" if is_picked else name, size_px, room, ACCENT if is_picked else TEXT)
    if take is None:
        _write(pen, (at[0], at[1] + size_px * 3 // 2), step.why or step.task, size_px, room, QUIET)
        return
    cost = "made here" if take.job is None else str(money_of("", [take]))
    length = f"{take.file.duration_s:.1f} s" if take.file is not None and take.file.duration_s else None
    facts = [cost, length, take.model or step.task, None if take.seed is None else f"seed {take.seed}"]
    _write(pen, (at[0], at[1] + size_px * 3 // 2), " · ".join(filter(None, facts)), size_px, room, QUIET)


def _write(
    pen: ImageDraw.ImageDraw, at: tuple[int, int], words: str, size_px: int, room: int, color: tuple[int, int, int]
) -> None:
    typeface = letters(size_px)
    pen.text(at, cut(" ".join(words.split()), typeface, room), font=typeface, fill=color)
