"""Into files: pictures by Pillow, clips by PyAV, written aside and then renamed: a file is whole or not there."""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
from PIL import Image, ImageOps, UnidentifiedImageError

from aggregator.diffusion.refusals import invalid

QUALITY: Final = 95
CRF: Final = "17"
MAX_INPUT_PIXELS: Final = 4096 * 4096
READABLE: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")


def read_picture(path: Path, field: str) -> Image.Image:
    """A picture that was given, upright and with its colours as RGB.

    Raises:
        RefusalError: It is no picture, or has more pixels than are read.

    """
    try:
        with Image.open(path, formats=READABLE) as found:
            if found.width * found.height > MAX_INPUT_PIXELS:
                raise invalid(field, f"a picture of at most {MAX_INPUT_PIXELS} pixels")
            return ImageOps.exif_transpose(found).convert("RGB")
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise invalid(field, f"a picture: {', '.join(READABLE)}") from None


def save_picture(path: Path, picture: Image.Image) -> None:
    """Write a picture in the format its name says."""
    part = path.with_name(f".part-{path.name}")
    picture.save(part, quality=QUALITY)
    part.replace(path)


def save_film(path: Path, frames: Sequence[Image.Image], fps: float, tick: Callable[[], None]) -> None:
    """Write an H.264 MP4 that plays before it has arrived whole.

    Args:
        tick: Called before each frame; may raise to stop.

    """
    part = path.with_name(f".part-{path.name}")
    width, height = frames[0].size
    with av.open(str(part), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        stream = film.add_stream("libx264", rate=Fraction(str(fps)))
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuv420p" if width % 2 == height % 2 == 0 else "yuv444p"
        stream.options = {"crf": CRF}
        for picture in frames:
            tick()
            film.mux(stream.encode(av.VideoFrame.from_image(picture)))  # type: ignore[no-untyped-call]
        film.mux(stream.encode())
    part.replace(path)
