"""Edits that make one picture: a frame of a clip, and a sheet of many pictures."""

from fractions import Fraction
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from aggregator.editing.edits import ContactSheet, Edit, FrameAt
from aggregator.editing.layout import Grid
from aggregator.editing.lettering import cut, letters
from aggregator.editing.pictures import fitted, image_of, open_picture, save_png
from aggregator.editing.reading import Video
from aggregator.editing.sources import Source
from aggregator.editing.writing import Progress

__all__ = ["contact_sheet", "first_frame", "frame_at", "last_frame", "shown_at"]

Sources = dict[str, list[Source]]

SLACK_FRAMES: Final = Fraction(1, 20)
"""Files keep times in milliseconds, or so."""
GROUND: Final = (24, 26, 31)
TEXT: Final = (236, 238, 242)


def first_frame(_edit: Edit, sources: Sources, path: Path, _progress: Progress) -> None:
    save_png(shown_at(Video(sources["video"][0]), Fraction(0)), path)


def last_frame(_edit: Edit, sources: Sources, path: Path, _progress: Progress) -> None:
    video = Video(sources["video"][0])
    save_png(shown_at(video, video.length_s), path)


def frame_at(edit: FrameAt, sources: Sources, path: Path, _progress: Progress) -> None:
    video, at_s = Video(sources["video"][0]), Fraction(edit.at_s)
    if at_s >= video.length_s:
        raise video.source.error(f"lasts {float(video.length_s):g} s", f"at_s is {edit.at_s:g}; last-frame is its end")
    save_png(shown_at(video, at_s), path)


def contact_sheet(edit: ContactSheet, sources: Sources, path: Path, progress: Progress) -> None:
    sheet: Image.Image | None = None
    for number, source in enumerate(sources["pictures"]):
        label = edit.labels[number] if edit.labels else str(number + 1)
        if source.kind == "video":
            video = Video(source)
            picture = shown_at(video, video.length_s / 2)
            label = f"{label}  {float(video.length_s):.1f} s"
        else:
            picture = open_picture(source)
        if sheet is None:
            grid = Grid.of(len(sources["pictures"]), edit.columns, edit.tile_px, picture.size)
            sheet = Image.new("RGB", grid.size, GROUND)
            pen, typeface = ImageDraw.Draw(sheet), letters(grid.label_px)
        left, top = grid.tile(number)
        tile = fitted(picture.convert("RGBA"), grid.tile_px, "contain")
        sheet.paste(tile, (left, top), tile)
        below = (left, top + grid.tile_px[1] + grid.label_px // 3)
        pen.text(below, cut(label, typeface, grid.tile_px[0]), font=typeface, fill=TEXT)
        progress((number + 1) / len(sources["pictures"]))
    assert sheet is not None
    save_png(sheet, path)


def shown_at(video: Video, at_s: Fraction) -> Image.Image:
    """What is on the screen at a moment: the last frame that has begun."""
    for start_s in (at_s, Fraction(0)):  # a file may have nothing to find near its end
        shown = None
        for time_s, frame in video.frames(start_s):
            if shown is not None and (time_s - at_s) * video.rate > SLACK_FRAMES:
                break
            shown = frame
        if shown is not None:
            return image_of(shown)
    raise video.source.error("has no frame in it", "is the file whole? Make or fetch it again")
