"""What a file looks like at a glance: a still of a picture or a clip, the shape of a sound."""

import asyncio
import io
from collections.abc import Sequence
from dataclasses import dataclass

import av.error
import numpy as np
from PIL import Image

from aggregator.editing.pictures import open_picture
from aggregator.editing.reading import Video
from aggregator.editing.sound import Sound
from aggregator.editing.sources import Source
from aggregator.editing.stills import shown_at
from aggregator.errors import EditError
from aggregator.workflow.sheet.data import File

__all__ = ["Poster", "poster_of", "posters_of"]

EDGE_PX = 512
THUMB_PX = 112
QUALITY = 78
BARS = 160
RATE_HZ = 8_000
PIECES = 4
"""Of a block of samples: a short sound has enough of them."""
GROUND = (128, 128, 128)
"""Behind what is clear in a picture: readable on paper and in the dark."""


@dataclass(frozen=True, slots=True)
class Poster:
    """How a take is shown before it plays."""

    picture: Image.Image | None = None
    """At most `EDGE_PX` wide and high, as RGB."""
    bars: tuple[float, ...] = ()
    """The loudness of a sound over its length, from 0 to 1."""

    def jpeg(self, edge_px: int = EDGE_PX) -> bytes:
        """The picture as a file, no larger than asked for."""
        assert self.picture is not None
        small = self.picture.copy()
        small.thumbnail((edge_px, edge_px))
        written = io.BytesIO()
        small.save(written, "JPEG", quality=QUALITY, optimize=True)
        return written.getvalue()


async def posters_of(files: Sequence[File]) -> dict[str, Poster | None]:
    """What files look like, by hash."""
    found = await asyncio.gather(*(asyncio.to_thread(poster_of, file) for file in files))
    return {file.sha256: poster for file, poster in zip(files, found, strict=True)}


def poster_of(file: File) -> Poster | None:
    """Look into a file. It blocks: call it in a thread.

    Returns:
        `None` where nothing can be read in it.

    """
    if file.path is None:
        return None
    source = Source("sheet", "take", file.kind, file.path)
    try:
        if file.kind == "audio":
            return Poster(bars=_bars(source))
        return Poster(picture=_small(open_picture(source) if file.kind == "image" else _middle(source)))
    except (EditError, av.error.FFmpegError, OSError, ValueError):
        return None


def _middle(source: Source) -> Image.Image:
    video = Video(source)
    return shown_at(video, video.length_s / 2)


def _small(picture: Image.Image) -> Image.Image:
    picture.thumbnail((EDGE_PX, EDGE_PX), Image.Resampling.LANCZOS)
    if picture.mode != "RGBA":
        return picture.convert("RGB")
    ground = Image.new("RGB", picture.size, GROUND)
    ground.paste(picture, mask=picture)
    return ground


def _bars(source: Source) -> tuple[float, ...]:
    """Peaks, each as high as it sounds loud; a long sound is never held as a whole."""
    peaks: list[float] = []
    for block in Sound(source).blocks(RATE_HZ, 1):
        peaks += [float(np.abs(piece).max()) for piece in np.array_split(block[0], PIECES) if piece.size]
    heights = np.array([piece.max() for piece in np.array_split(np.array(peaks), min(BARS, len(peaks)))])
    loudest = float(heights.max()) or 1.0
    return tuple(float(value) for value in np.round(np.sqrt(heights / loudest), 3))
