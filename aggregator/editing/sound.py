"""Sound as a stream of samples that is asked for so many at a time, and sums of such streams.

Samples are 32-bit floats, one row per channel; 16-bit sound comes back as it was.
"""

from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from aggregator.editing.reading import length_s
from aggregator.editing.sources import Source, opened

__all__ = ["BLOCK", "RATE_HZ", "STEREO", "Samples", "Sound", "Track", "gain_of", "peak_safe", "silence"]

Samples = NDArray[np.float32]

RATE_HZ: Final = 48_000
STEREO: Final = 2
BLOCK: Final = 4096
GUESSED: Final = ("aac", "mp3")
"""Streams without a header, whose length is a guess from their first packets: they are counted."""
CEILING: Final = 10 ** (-1 / 20)
"""The highest sample of a mix that would clip: 1 dB is left for what an encoder adds."""


class Sound:
    """What can be known of a sound before it is read.

    Raises:
        EditError: There is no sound in it, or it cannot be read.

    """

    def __init__(self, source: Source) -> None:
        self.source = source
        with opened(source) as container:
            if not container.streams.audio:
                raise source.error("has no sound in it", "give one that can be heard")
            stream = container.streams.audio[0]
            self.begin_s = (stream.start_time or 0) * (stream.time_base or Fraction(1))
            self.rate_hz, self.channels = stream.rate, min(STEREO, stream.channels)
            known_s = None if container.format.name in GUESSED else length_s(stream)
        self.length_s = known_s or self._counted_s()
        if not self.length_s:
            raise source.error("is of no length", "is the file whole? Make or fetch it again")

    def _counted_s(self) -> Fraction:
        return sum((Fraction(block.shape[1], self.rate_hz) for block in self.blocks(self.rate_hz, 1)), Fraction(0))

    def blocks(self, rate_hz: int, channels: int, origin_s: Fraction | None = None) -> Iterator[Samples]:
        """The sound from `origin_s` on, by the clock of the file; left out: from where it begins."""
        with opened(self.source) as container:
            stream = container.streams.audio[0]
            fit = av.AudioResampler("fltp", "mono" if min(channels, self.channels) == 1 else "stereo", rate_hz)
            early = 0 if origin_s is None else round((origin_s - self.begin_s) * rate_hz)
            for at in range(0, -early, BLOCK):
                yield silence(channels, min(BLOCK, -early - at))
            for frame in container.decode(stream):
                for made in fit.resample(frame):
                    block = _rows(made, channels)[:, max(0, early) :]
                    early -= made.samples
                    if block.shape[1]:
                        yield block
            for made in fit.resample(None):
                yield _rows(made, channels)[:, max(0, early) :]


class Track:
    """A sound in the form of a mix, `take`n piece by piece; silent before and after it."""

    def __init__(
        self,
        sound: Sound | None,
        *,
        origin_s: Fraction | None = None,
        rate_hz: int = RATE_HZ,
        channels: int = STEREO,
        loop: bool = False,
    ) -> None:
        self._channels = channels
        self._open: Callable[[], Iterator[Samples]] = (
            (lambda: iter(())) if sound is None else (lambda: sound.blocks(rate_hz, channels, origin_s))
        )
        self._loop = loop and sound is not None
        self._blocks = self._open()
        self._left = silence(channels, 0)

    def take(self, count: int) -> Samples:
        """The next samples; silence where there are no more."""
        while self._left.shape[1] < count:
            block = next(self._blocks, None)
            if block is None and self._loop:
                self._blocks = self._open()
                block = next(self._blocks, None)
                self._loop = block is not None
            if block is None:
                block = silence(self._channels, count - self._left.shape[1])
            self._left = np.concatenate((self._left, block), axis=1)
        taken, self._left = self._left[:, :count], self._left[:, count:]
        return taken

    def blocks(self, count: int) -> Iterator[Samples]:
        """The next `count` samples in blocks."""
        for at in range(0, count, BLOCK):
            yield self.take(min(BLOCK, count - at))


def silence(channels: int, count: int) -> Samples:
    """So many samples of nothing."""
    return np.zeros((channels, count), np.float32)


def gain_of(volume_db: float) -> float:
    """What samples are multiplied by."""
    return float(10 ** (volume_db / 20))


def peak_safe(made: Callable[[], Iterator[Samples]]) -> Iterator[Samples]:
    """A sum turned down as a whole as far as its loudest sample needs it: made twice, so that nothing is held."""
    peak = max((float(np.abs(block).max(initial=0)) for block in made()), default=0.0)
    gain = np.float32(CEILING / peak if peak > 1 else 1)
    for block in made():
        yield block * gain


def _rows(frame: av.AudioFrame, channels: int) -> Samples:
    rows = frame.to_ndarray().astype(np.float32, copy=False)
    # A mono sound is as loud on both sides: the resampler would take 3 dB off.
    return np.repeat(rows, channels, axis=0) if rows.shape[0] < channels else rows
