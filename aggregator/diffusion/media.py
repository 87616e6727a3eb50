"""Into files: pictures by Pillow, clips and sounds by PyAV, written aside and then renamed: a file is whole or not
there.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, cast

import av
import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from aggregator.diffusion.refusals import invalid

QUALITY: Final = 95
CRF: Final = "17"
MAX_INPUT_PIXELS: Final = 4096 * 4096
SOUND_LAYOUTS: Final = ("mono", "stereo")
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


def save_sound(path: Path, samples: Any, rate: int, tick: Callable[[], None]) -> tuple[int, int]:
    """Write 16-bit samples in the format the path names; returns the channels and how many samples each has.

    Args:
        samples: From -1 to 1, of one channel, or of each. tick: Called before it is written; may raise to stop.

    """
    tick()
    channels = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    whole = (np.nan_to_num(channels).clip(-1.0, 1.0) * 32_767).astype(np.int16)
    part = path.with_name(f".part-{path.name}")
    kind = path.suffix.removeprefix(".")
    with av.open(str(part), "w", format=kind) as out:
        stream = cast("av.AudioStream", out.add_stream("pcm_s16le" if kind == "wav" else kind, rate=rate))
        layout = SOUND_LAYOUTS[len(whole) - 1]
        stream.layout = layout
        packed = np.ascontiguousarray(whole.T).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(packed, format="s16", layout=layout)
        frame.sample_rate = rate
        out.mux(stream.encode(frame))
        out.mux(stream.encode())
    part.replace(path)
    return whole.shape[0], whole.shape[1]
