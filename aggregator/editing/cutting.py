"""Edits that cut and join: a part of a clip or a sound, clips one after the other, clips on the beats of a music."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice, pairwise
from pathlib import Path

import av
import numpy as np

from aggregator.editing.beats import Beats, Cuts, find_beats
from aggregator.editing.edits import Concatenate, CutOnBeats, Trim
from aggregator.editing.layout import Fit, even
from aggregator.editing.pictures import encodable, framed
from aggregator.editing.reading import Video
from aggregator.editing.sound import BLOCK, Samples, Sound, Track
from aggregator.editing.sources import Source
from aggregator.editing.writing import Progress, samples_at, write_film, write_sound
from aggregator.errors import EditError

__all__ = ["concatenate", "cut_on_beats", "trim"]

Sources = dict[str, list[Source]]


def trim(edit: Trim, sources: Sources, path: Path, progress: Progress) -> None:
    source = sources["clip"][0]
    start_s = Fraction(edit.start_s)
    if source.kind == "audio":
        sound = Sound(source)
        length_s = _kept_s(edit, source, sound.length_s, Fraction(1, sound.rate_hz))
        count = max(1, round(length_s * sound.rate_hz))
        rate_hz, channels = sound.rate_hz, sound.channels
        kept = Track(sound, origin_s=sound.begin_s + start_s, rate_hz=rate_hz, channels=channels)
        write_sound(path, kept.blocks(count), rate_hz=rate_hz, channels=channels, count=count, progress=progress)
        return
    video = Video(source)
    count = video.count_at(video.rate, _kept_s(edit, source, video.length_s, 1 / video.rate))
    heard = Track(Sound(source), origin_s=video.begin_s + start_s) if video.has_sound else None
    write_film(
        path,
        video.steady(video.rate, count, start_s),
        size=even(video.size),
        rate=video.rate,
        count=count,
        sound=heard.blocks(samples_at(count, video.rate)) if heard else None,
        progress=progress,
    )


def _kept_s(edit: Trim, source: Source, length_s: Fraction, slack_s: Fraction) -> Fraction:
    """How much is left; asking for up to `slack_s` more than there is gives what there is."""
    start_s = Fraction(edit.start_s)
    until_s = length_s if edit.until_s is None else Fraction(edit.until_s)
    if start_s >= length_s or until_s > length_s + slack_s:
        wanted = f"{edit.start_s:g} to {float(until_s):g} s" if edit.until_s else f"from {edit.start_s:g} s on"
        raise source.error(f"lasts {float(length_s):g} s", f"{wanted} is not all in it")
    return min(until_s, length_s) - start_s


@dataclass(frozen=True, slots=True)
class _Shot:
    """A clip in a film, for so many of the film's frames."""

    video: Video
    count: int


@dataclass(frozen=True, slots=True)
class _Joined:
    """Shots as one film in the form of the first; each lies over the end of the one before for `overlap` frames."""

    shots: Sequence[_Shot]
    overlap: int
    fit: Fit

    @property
    def rate(self) -> Fraction:
        return self.shots[0].video.rate

    @property
    def size(self) -> tuple[int, int]:
        return even(self.shots[0].video.size)

    @property
    def count(self) -> int:
        return sum(shot.count for shot in self.shots) - self.overlap * (len(self.shots) - 1)

    def frames(self) -> Iterator[av.VideoFrame]:
        before: Iterator[av.VideoFrame] = iter(())
        for number, shot in enumerate(self.shots):
            shown = (framed(frame, self.size, self.fit) for frame in shot.video.steady(self.rate, shot.count))
            if number:
                for step in range(self.overlap):
                    yield _blended(next(before), next(shown), (step + 1) / (self.overlap + 1), self.size)
            yield from islice(shown, self._alone(number))
            before = shown

    def sound(self) -> Iterator[Samples] | None:
        """The sounds of the shots, as long as their pictures; `None`: none of them has any."""
        return self._sounds() if any(shot.video.has_sound for shot in self.shots) else None

    def _sounds(self) -> Iterator[Samples]:
        before, done = Track(None), 0
        for number, shot in enumerate(self.shots):
            video = shot.video
            now = Track(Sound(video.source), origin_s=video.begin_s) if video.has_sound else Track(None)
            start = self.overlap * (number > 0)
            faded = samples_at(done + start, self.rate) - samples_at(done, self.rate)
            for at in range(0, faded, BLOCK):
                share = np.arange(at, min(at + BLOCK, faded), dtype=np.float32) / np.float32(faded)
                yield before.take(len(share)) * (1 - share) + now.take(len(share)) * share
            end = start + self._alone(number)
            yield from now.blocks(samples_at(done + end, self.rate) - samples_at(done + start, self.rate))
            before, done = now, done + end

    def _alone(self, number: int) -> int:
        """For how many frames a shot is on the screen without another."""
        return self.shots[number].count - self.overlap * ((number > 0) + (number < len(self.shots) - 1))


def _blended(first: av.VideoFrame, second: av.VideoFrame, share: float, size: tuple[int, int]) -> av.VideoFrame:
    seen = (encodable(frame, size).to_ndarray().astype(np.float32) for frame in (first, second))
    mixed = next(seen) * np.float32(1 - share) + next(seen) * np.float32(share)
    frame = av.VideoFrame.from_ndarray(np.rint(mixed).astype(np.uint8), format="yuv420p")
    frame.colorspace, frame.color_range = 1, 1  # as `encodable` made them
    return frame


def concatenate(edit: Concatenate, sources: Sources, path: Path, progress: Progress) -> None:
    videos = [Video(source) for source in sources["clips"]]
    rate = videos[0].rate
    shots = [_Shot(video, video.count_at(rate)) for video in videos]
    film = _Joined(shots, round(Fraction(edit.crossfade_s) * rate), edit.fit)
    for number, shot in enumerate(shots):
        needed = film.overlap * ((number > 0) + (number < len(shots) - 1))
        if shot.count < needed:
            known = f"lasts {float(shot.video.length_s):g} s"
            raise shot.video.source.error(
                known, f"its crossfades take {float(needed / rate):g} s: make crossfade_s less"
            )
    _write(film, film.sound(), path, progress)


def cut_on_beats(edit: CutOnBeats, sources: Sources, path: Path, progress: Progress) -> None:
    videos = [Video(source) for source in sources["clips"]]
    music = Sound(sources["music"][0])
    beats = find_beats(music)
    if beats is None:
        raise music.source.error("has no beats that can be heard", "give music with a rhythm, or use concatenate")
    cuts_s = _cuts(edit, videos, music, beats)
    rate = videos[0].rate
    ticks = [round(Fraction(moment) * rate) for moment in (0.0, *cuts_s)]
    shots = [_Shot(video, end - start) for video, (start, end) in zip(videos, pairwise(ticks), strict=True)]
    film = _Joined(shots, 0, edit.fit)
    heard = Track(music).blocks(samples_at(film.count, rate))
    _write(film, heard, path, progress, Cuts(beats.tempo_bpm, beats.times_s, tuple(cuts_s[:-1])).as_text())


def _cuts(edit: CutOnBeats, videos: Sequence[Video], music: Sound, beats: Beats) -> list[float]:
    """When each clip ends: all but the last on a beat, none later than the clip goes on."""
    lengths_s = [float(video.length_s) for video in videos]
    if len(videos) - 1 > len(beats.times_s):
        problem = f"{len(videos)} clips and {len(beats.times_s)} beats in the music: give fewer clips or more music"
        raise EditError(f"{edit.task}: {problem}", edit=edit.task, field="clips")
    share = min(1.0, float(music.length_s) / sum(lengths_s))
    ends_s: list[float] = []
    for number, video in enumerate(videos[:-1]):
        start_s = ends_s[-1] if ends_s else 0.0
        first = bisect_right(beats.times_s, start_s)
        last = bisect_right(beats.times_s, start_s + lengths_s[number]) - 1
        last = min(last, len(beats.times_s) - len(videos) + 1 + number)  # a beat is left for each that follows
        if edit.beats_per_clip is None:
            within = beats.times_s[first : last + 1]
            wanted_s = share * sum(lengths_s[: number + 1])
            chosen = min(within, key=lambda beat: abs(beat - wanted_s), default=None)
        else:
            chosen = beats.times_s[first + edit.beats_per_clip - 1] if first + edit.beats_per_clip - 1 <= last else None
        if chosen is None:
            known = f"lasts {lengths_s[number]:g} s and begins at {start_s:.2f} s of the music"
            raise video.source.error(known, "no beat that is left to cut on falls into it: give a longer one, or fewer")
        ends_s.append(chosen)
    start_s = ends_s[-1] if ends_s else 0.0
    end_s = min(start_s + lengths_s[-1], float(music.length_s))
    if (end_s - start_s) * videos[0].rate < 1:
        raise music.source.error("is over when the last clip begins", "give fewer clips or more music")
    return [*ends_s, end_s]


def _write(
    film: _Joined, sound: Iterator[Samples] | None, path: Path, progress: Progress, comment: str | None = None
) -> None:
    write_film(
        path,
        film.frames(),
        size=film.size,
        rate=film.rate,
        count=film.count,
        sound=sound,
        progress=progress,
        comment=comment,
    )
