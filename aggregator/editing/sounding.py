"""Edits of sound: laid under a clip, and mixed with others."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

from aggregator.editing.edits import Mix, MuxSound
from aggregator.editing.layout import even
from aggregator.editing.reading import Video
from aggregator.editing.sound import BLOCK, RATE_HZ, STEREO, Samples, Sound, Track, gain_of, peak_safe, silence
from aggregator.editing.sources import Source
from aggregator.editing.writing import Progress, copy_film, samples_at, write_film, write_sound

__all__ = ["mix", "mux_sound"]

Sources = dict[str, list[Source]]


def mix(edit: Mix, sources: Sources, path: Path, progress: Progress) -> None:
    sounds = [Sound(source) for source in sources["tracks"]]
    gains = [gain_of(volume_db) for volume_db in edit.volumes_db or (0.0,) * len(sounds)]
    starts_s = [Fraction(start_s) for start_s in edit.starts_s or (0.0,) * len(sounds)]
    count = max(round((start_s + sound.length_s) * RATE_HZ) for start_s, sound in zip(starts_s, sounds, strict=True))

    def tracks() -> list[Track]:
        pairs = zip(sounds, starts_s, strict=True)
        return [Track(sound, origin_s=sound.begin_s - start_s) for sound, start_s in pairs]

    blocks = peak_safe(lambda: _sum(tracks(), gains, count))
    write_sound(path, blocks, rate_hz=RATE_HZ, channels=STEREO, count=count, progress=progress)


def mux_sound(edit: MuxSound, sources: Sources, path: Path, progress: Progress) -> None:
    video, sound = Video(sources["video"][0]), Sound(sources["audio"][0])
    length_s = min(video.length_s, sound.length_s) if edit.fit == "shortest" else video.length_s
    count = video.count_at(video.rate, length_s)
    gains = [gain_of(edit.volume_db)]
    keeps = edit.keep_sound and video.has_sound

    def tracks() -> list[Track]:
        added = Track(sound, loop=edit.fit == "loop")
        return [added, Track(Sound(video.source), origin_s=video.begin_s)] if keeps else [added]

    samples = samples_at(count, video.rate)
    blocks = peak_safe(lambda: _sum(tracks(), [*gains, 1.0][: 1 + keeps], samples))
    if count == video.count_at(video.rate) and video.is_h264 and not video.is_turned and not video.begin_s:
        copy_film(path, video, blocks, progress)
        return
    frames = video.steady(video.rate, count)
    size = even(video.size)
    write_film(path, frames, size=size, rate=video.rate, count=count, sound=blocks, progress=progress)


def _sum(tracks: list[Track], gains: list[float], count: int) -> Iterator[Samples]:
    for at in range(0, count, BLOCK):
        block = silence(STEREO, min(BLOCK, count - at))
        for track, gain in zip(tracks, gains, strict=True):
            block += track.take(block.shape[1]) * gain
        yield block
