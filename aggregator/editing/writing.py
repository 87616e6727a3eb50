"""Films and sounds into files: the same frames and samples give the same bytes.

A film is H.264 in 4:2:0 with AAC, in an MP4 that plays before it has arrived whole; it is encoded by one thread, and
does not say when. A sound is a WAV of 16 bits.
"""

import math
import wave
from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Final

import av
import numpy as np
from av.container import OutputContainer
from av.video.frame import PictureType

from aggregator.editing.pictures import BT709, encodable
from aggregator.editing.reading import Video
from aggregator.editing.sound import RATE_HZ, Samples

__all__ = ["Progress", "copy_film", "samples_at", "write_film", "write_sound"]

Progress = Callable[[float], None]

BITEXACT: Final = "bitexact"
CRF: Final = 17
"""A little better than what is seen, for a film that is edited step after step."""
STEADY_X264: Final = {"x264-params": "cpu-independent=1"}
"""The same on every processor, at a little less speed."""
AAC_BITS_PER_S: Final = 192_000
FULL_SCALE: Final = 32_768
SAMPLE_BYTES: Final = 2


def samples_at(frame: int, rate: Fraction) -> int:
    """How many samples have sounded when a frame begins."""
    return round(frame * RATE_HZ / rate)


def write_film(
    path: Path,
    frames: Iterable[av.VideoFrame],
    *,
    size: tuple[int, int],
    rate: Fraction,
    count: int,
    sound: Iterator[Samples] | None,
    progress: Progress,
    comment: str | None = None,
) -> None:
    """Write `count` frames of an even size, and the sound that goes with them."""
    with _new_film(path, comment) as film:
        picture = film.add_stream("libx264", rate=rate, options={"preset": "veryfast", "crf": str(CRF), **STEADY_X264})
        picture.width, picture.height = size
        picture.pix_fmt = "yuv420p"
        coder = picture.codec_context
        coder.thread_count = 1
        coder.colorspace = coder.color_primaries = coder.color_trc = coder.color_range = BT709
        heard = None if sound is None else _Heard(film, sound)
        for number, frame in enumerate(frames, 1):
            drawn = encodable(frame, size)
            drawn.pts, drawn.time_base = number - 1, 1 / rate
            drawn.pict_type = PictureType.NONE  # the encoder decides, not the one that wrote the clip
            film.mux(picture.encode(drawn))
            if heard is not None:
                heard.write_until(samples_at(number, rate))
            progress(number / count)
        film.mux(picture.encode(None))
        if heard is not None:
            heard.finish()


def copy_film(path: Path, video: Video, sound: Iterator[Samples], progress: Progress) -> None:
    """Write a clip of H.264 with another sound: its picture goes over as it is, and loses nothing."""
    with _new_film(path, None) as film:
        picture, heard = None, None
        for at_s, packet in video.packets():
            if picture is None or heard is None:
                picture, heard = film.add_stream_from_template(packet.stream), _Heard(film, sound)
            packet.stream = picture
            film.mux(packet)
            heard.write_until(round(at_s * RATE_HZ))
            progress(min(1.0, max(0.0, float(at_s / video.length_s))))
        if heard is not None:
            heard.finish()


def write_sound(
    path: Path, blocks: Iterable[Samples], *, rate_hz: int, channels: int, count: int, progress: Progress
) -> None:
    """Write `count` samples of each channel."""
    done = 0
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(SAMPLE_BYTES)
        file.setframerate(rate_hz)
        for block in blocks:
            whole = np.clip(np.rint(block * FULL_SCALE), -FULL_SCALE, FULL_SCALE - 1).astype("<i2")
            file.writeframesraw(np.ascontiguousarray(whole.T).tobytes())
            done += block.shape[1]
            progress(done / count)


class _Heard:
    """The sound track of a film in the making, written as far as its picture has come."""

    def __init__(self, film: OutputContainer, blocks: Iterator[Samples]) -> None:
        self._film, self._blocks, self._done = film, blocks, 0
        self._stream = film.add_stream("aac", rate=RATE_HZ, options={"flags": f"+{BITEXACT}"}, layout="stereo")
        self._stream.bit_rate = AAC_BITS_PER_S

    def write_until(self, count: float) -> None:
        while self._done < count and (block := next(self._blocks, None)) is not None:
            clipped = np.ascontiguousarray(np.clip(block, -1, 1))
            frame = av.AudioFrame.from_ndarray(clipped, format="fltp", layout="stereo")
            frame.sample_rate, frame.pts, frame.time_base = RATE_HZ, self._done, Fraction(1, RATE_HZ)
            self._done += block.shape[1]
            self._film.mux(self._stream.encode(frame))

    def finish(self) -> None:
        self.write_until(math.inf)
        self._film.mux(self._stream.encode(None))


def _new_film(path: Path, comment: str | None) -> OutputContainer:
    options = {"movflags": "+faststart", "fflags": f"+{BITEXACT}"}
    film = av.open(str(path), "w", format="mp4", options=options)
    if comment is not None:
        film.metadata["comment"] = comment
    return film
