"""Clips read frame by frame: upright, and at a steady rate from any moment on."""

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from typing import Final

import av
import av.error
from av.stream import Stream
from av.video.stream import VideoStream

from aggregator.editing.pictures import frame_of, image_of
from aggregator.editing.sources import Source, opened
from aggregator.tasks import MAX_EDGE_PX

__all__ = ["Video", "length_s"]

LARGEST_DENOMINATOR: Final = 1001
"""Rates are kept as exact as 30000/1001."""
SEEK_S: Final = 1
"""Below this, reading from the start is as quick."""


class Video:
    """The picture of a clip, by its header and its first frame; each reading opens the file anew.

    Raises:
        EditError: There is no picture in it, or it cannot be read.

    """

    def __init__(self, source: Source) -> None:
        self.source = source
        with opened(source) as container:
            if not container.streams.video:
                raise source.error("has no picture in it", "give a clip")
            stream = container.streams.video[0]
            self.begin_s = _begin_s(stream)
            self.has_sound = bool(container.streams.audio)
            rate = stream.average_rate or stream.guessed_rate
            if not rate:
                raise source.error("has no frame rate", "is it a still picture? Hold makes a clip of one")
            self.rate = Fraction(rate).limit_denominator(LARGEST_DENOMINATOR)
            self.is_h264 = stream.codec_context.name == "h264" and stream.codec_context.pix_fmt == "yuv420p"
            self.length_s = length_s(container.streams.video[0]) or _scanned_s(source)
            first = next(container.decode(stream), None)
        if first is None:
            raise source.error("has no frame in it", "is the file whole? Make or fetch it again")
        self.is_turned = bool(first.rotation)
        self.size = _upright(first).width, _upright(first).height
        if max(self.size) > MAX_EDGE_PX:
            raise source.error(f"is {self.size[0]}x{self.size[1]} pixels", f"edges are at most {MAX_EDGE_PX}")

    def count_at(self, rate: Fraction, length_s: Fraction | None = None) -> int:
        """How many frames the clip, or so many seconds, are at a rate."""
        return max(1, round((self.length_s if length_s is None else length_s) * rate))

    def frames(self, start_s: Fraction = Fraction(0)) -> Iterator[tuple[Fraction, av.VideoFrame]]:
        """Each frame with its time since the start; from somewhat before `start_s`."""
        with opened(self.source) as container:
            stream = container.streams.video[0]
            assert stream.time_base is not None
            if start_s > SEEK_S:
                with suppress(av.error.FFmpegError):  # a file without an index is read from its start
                    container.seek(int((self.begin_s + start_s) / stream.time_base), stream=stream)
            for frame in container.decode(stream):
                if frame.pts is not None:
                    time_s = frame.pts * stream.time_base - self.begin_s
                    yield time_s, _upright(frame)

    def packets(self) -> Iterator[tuple[Fraction, "av.Packet[VideoStream]"]]:
        """What is to be decoded, with the time at which it is, for writing it elsewhere as it is."""
        with opened(self.source) as container:
            for packet in container.demux(container.streams.video[0]):
                if packet.dts is not None:  # else it says that the file ends
                    yield packet.dts * packet.time_base - self.begin_s, packet

    def steady(self, rate: Fraction, count: int, start_s: Fraction = Fraction(0)) -> Iterator[av.VideoFrame]:
        """Exactly `count` frames: what is on the screen at each tick of `rate`, the last one held as long as needed."""
        shown: av.VideoFrame | None = None
        done = 0
        for time_s, frame in self.frames(start_s):
            due = min(count, round((time_s - start_s) * rate))
            for _ in range(done, due):
                yield shown or frame
            done = max(done, due)
            shown = frame
            if done == count:
                return
        if shown is None:
            raise self.source.error(f"shows nothing at {float(start_s):g} s", "give an earlier moment")
        for _ in range(done, count):
            yield shown


def length_s(stream: Stream) -> Fraction | None:
    """How long a stream lasts by its header; `None`: it does not say."""
    return stream.duration * stream.time_base if stream.duration and stream.time_base else None


def _begin_s(stream: VideoStream) -> Fraction:
    return (stream.start_time or 0) * (stream.time_base or Fraction(1))


def _scanned_s(source: Source) -> Fraction:
    """The length of a clip whose header does not say it: where its last packet ends."""
    with opened(source) as container:
        stream = container.streams.video[0]
        ends = ((packet.pts or 0) + (packet.duration or 0) for packet in container.demux(stream))
        return max(ends, default=0) * (stream.time_base or Fraction(1)) - _begin_s(stream)


def _upright(frame: av.VideoFrame) -> av.VideoFrame:
    """Telephones store clips lying on their side, with a note of how to turn them."""
    return frame_of(image_of(frame).rotate(frame.rotation, expand=True)) if frame.rotation else frame
