"""Edits that change what a clip or a picture looks like: size, colours, words; and a picture held as a clip."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

import av
from PIL import Image

from aggregator.editing.colour import Colours, matching
from aggregator.editing.edits import Captions, ColourMatch, Hold, Resize
from aggregator.editing.layout import GAP_PX, even, other_edge
from aggregator.editing.lettering import letters, panel, unwritable
from aggregator.editing.pictures import fitted, frame_of, framed, image_of, open_picture, save_png
from aggregator.editing.reading import LARGEST_DENOMINATOR, Video
from aggregator.editing.sound import Samples, Sound, Track
from aggregator.editing.sources import Source
from aggregator.editing.writing import Progress, samples_at, write_film
from aggregator.errors import EditError

__all__ = ["captions", "colour_match", "hold", "resize"]

Sources = dict[str, list[Source]]
Panel = tuple[Image.Image, tuple[int, int]]


def resize(edit: Resize, sources: Sources, path: Path, progress: Progress) -> None:
    source = sources["picture"][0]
    if source.kind == "image":
        picture = open_picture(source)
        save_png(fitted(picture, other_edge(picture.size, edit.width, edit.height), edit.fit), path)
        return
    video = Video(source)
    size = even(other_edge(video.size, edit.width, edit.height))
    _rewrite(video, path, progress, lambda frame, _at_s: framed(frame, size, edit.fit), size)


def colour_match(edit: ColourMatch, sources: Sources, path: Path, progress: Progress) -> None:
    source = sources["picture"][0]
    wanted = Colours.of([open_picture(sources["reference"][0])])
    if source.kind == "image":
        picture = open_picture(source)
        matched = picture.convert("RGB").filter(matching(Colours.of([picture]), wanted, edit.strength))
        if picture.mode == "RGBA":
            matched.putalpha(picture.getchannel("A"))
        save_png(matched, path)
        return
    video = Video(source)
    # One change for the whole clip: changing frame by frame would flicker.
    table = matching(Colours.of(image_of(frame) for _, frame in video.frames()), wanted, edit.strength)
    _rewrite(video, path, progress, lambda frame, _at_s: frame_of(image_of(frame).filter(table)))


def captions(edit: Captions, sources: Sources, path: Path, progress: Progress) -> None:
    video = Video(sources["video"][0])
    size = even(video.size)
    whole = (0.0, float(video.length_s) + 1, edit.text or "")
    panels = [(start_s, end_s, _panel(edit, words, size)) for start_s, end_s, words in edit.captions or (whole,)]
    late = [start_s for start_s, *_ in panels if start_s >= video.length_s]
    if late:
        raise video.source.error(f"lasts {float(video.length_s):g} s", f"a caption begins at {late[0]:g} s")

    def drawn(frame: av.VideoFrame, at_s: Fraction) -> av.VideoFrame:
        shown = [panel for start_s, end_s, panel in panels if start_s <= at_s < end_s]
        if not shown:
            return frame
        picture = fitted(image_of(frame), size, "stretch")
        foot = size[1]
        for image, (left, place) in shown:
            foot = max(0, min(place, foot - image.height))  # those of the same time stand above each other
            picture.paste(image, (left, foot), image)
            foot -= GAP_PX
        return frame_of(picture)

    _rewrite(video, path, progress, drawn)


def hold(edit: Hold, sources: Sources, path: Path, progress: Progress) -> None:
    picture = open_picture(sources["image"][0])
    ground = Image.new("RGB", picture.size)
    ground.paste(picture, mask=picture.getchannel("A") if picture.mode == "RGBA" else None)
    size, rate = even(picture.size), Fraction(edit.fps).limit_denominator(LARGEST_DENOMINATOR)
    count = max(1, round(Fraction(edit.duration_s) * rate))
    frames = (_closer(ground, size, edit.push_in * number / max(1, count - 1)) for number in range(count))
    write_film(path, frames, size=size, rate=rate, count=count, sound=None, progress=progress)


def _closer(picture: Image.Image, size: tuple[int, int], share: float) -> av.VideoFrame:
    width, height = picture.width / (1 + share), picture.height / (1 + share)
    left, top = (picture.width - width) / 2, (picture.height - height) / 2
    box = (left, top, left + width, top + height)
    return frame_of(
        picture.resize(size, Image.Resampling.BICUBIC, box=box) if share or picture.size != size else picture
    )


def _panel(edit: Captions, words: str, size: tuple[int, int]) -> Panel:
    try:
        missing = unwritable(words, letters(16, edit.font))
        drawn = panel(words, size, edit.font)
    except OSError as error:
        problem = f"captions: the font {edit.font} cannot be read ({error}): give a TTF or OTF file"
        raise EditError(problem, edit=edit.task, field="font") from error
    if missing:
        problem = (
            f"captions: {words!r} has {missing!r}, which {edit.font or 'the built-in typeface'} has no letters for"
        )
        raise EditError(f"{problem}: give a font that has", edit=edit.task, field="font")
    if drawn is None:
        problem = f"captions: {words[:40]!r} … is too long for a picture of {size[0]}x{size[1]}: make several of it"
        raise EditError(problem, edit=edit.task, field="captions")
    return drawn


def _rewrite(
    video: Video,
    path: Path,
    progress: Progress,
    change: Callable[[av.VideoFrame, Fraction], av.VideoFrame],
    size: tuple[int, int] | None = None,
) -> None:
    """Write the clip again, with each frame changed and its sound kept."""
    count = video.count_at(video.rate)
    frames = (change(frame, number / video.rate) for number, frame in enumerate(video.steady(video.rate, count)))
    write_film(
        path,
        frames,
        size=size or even(video.size),
        rate=video.rate,
        count=count,
        sound=_own_sound(video, count),
        progress=progress,
    )


def _own_sound(video: Video, count: int) -> Iterator[Samples] | None:
    if not video.has_sound:
        return None
    return Track(Sound(video.source), origin_s=video.begin_s).blocks(samples_at(count, video.rate))
