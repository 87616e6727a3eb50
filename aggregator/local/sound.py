"""Sound as plain samples: tones, noise, mixing, and the finished track.

Owns: synthesis without dependencies, quick enough by working on whole slices and by caching every note.
Refuses: to know what a sound means (`score` does) and how it is encoded (`media` does).
"""

# ruff: noqa: S311 - the chance here composes pictures and sound; it guards nothing

import math
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, cycle, repeat
from operator import add, mul
from random import Random
from typing import Final

BYTES_PER_SAMPLE: Final = 2
FULL_SCALE: Final = 32767
FADE_S: Final = 0.02
NOTE_END_S: Final = 0.05
LOOP_S: Final = 3.0
BLOCK: Final = 256  # samples that share one gain when a bed swells
PERIODS: Final = 8  # a table holds this many periods, which keeps rounding below two hundredths of a semitone


@dataclass(frozen=True, slots=True)
class Sound:
    """A finished track: 16-bit samples, channels interleaved."""

    rate_hz: int
    channels: int
    samples: bytes

    @property
    def frames(self) -> int:
        return len(self.samples) // (BYTES_PER_SAMPLE * self.channels)

    @property
    def duration_s(self) -> float:
        return self.frames / self.rate_hz

    def resized(self, frames: int) -> "Sound":
        """Cut, or padded with silence, to this many frames."""
        wanted = frames * self.channels * BYTES_PER_SAMPLE
        return Sound(self.rate_hz, self.channels, self.samples[:wanted].ljust(wanted, b"\0"))


class Track:
    """One channel in the making."""

    def __init__(self, rate_hz: int, duration_s: float) -> None:
        self.rate_hz = rate_hz
        self.values = array("d", bytes(8 * max(1, round(rate_hz * duration_s))))

    def lay(self, at_s: float, samples: Sequence[float], gain: float = 1.0) -> None:
        """Mix samples in from a moment on; what reaches past the end is left off."""
        start = max(0, round(at_s * self.rate_hz))
        end = min(len(self.values), start + len(samples))
        self.values[start:end] = array("d", map(add, self.values[start:end], map(mul, samples, repeat(gain))))

    def swell(self, bed: "array[float]", rate: float, depth: float, phase: float, gain: float) -> None:
        """Lay a looped bed whose loudness breathes at `rate` per second."""
        for left in range(0, len(self.values), BLOCK):
            level = gain * (1 - depth / 2 + depth / 2 * math.sin(math.tau * rate * left / self.rate_hz + phase))
            at = left % (len(bed) - BLOCK)
            part = self.values[left : left + BLOCK]
            mixed = [value + level * noise for value, noise in zip(part, bed[at : at + len(part)], strict=True)]
            self.values[left : left + BLOCK] = array("d", mixed)


def finished(tracks: list[Track], peak: float) -> Sound:
    """Bring tracks to a common peak with faded ends, and interleave them."""
    loudest = max(max(map(abs, track.values)) for track in tracks) or 1.0
    scale = peak * FULL_SCALE / loudest
    channels = []
    for track in tracks:
        values = track.values
        fade = min(len(values) // 2, round(FADE_S * track.rate_hz))
        for i in range(fade):
            values[i] *= i / fade
            values[-1 - i] *= i / fade
        channels.append(array("h", [int(value * scale) for value in values]))
    woven = array("h", bytes(BYTES_PER_SAMPLE * len(channels[0]) * len(channels)))
    for i, channel in enumerate(channels):
        woven[i :: len(channels)] = channel
    return Sound(tracks[0].rate_hz, len(tracks), woven.tobytes())


@lru_cache(maxsize=256)
def note(
    rate_hz: int, pitch_hz: float, duration_s: float, partials: tuple[float, ...], *, decay: float, attack_s: float
) -> "array[float]":
    """A tone: loudness per partial, then an attack and an exponential decay (0 keeps it level, with a soft end)."""
    length = max(1, round(rate_hz * duration_s))
    period = max(2, round(PERIODS * rate_hz / pitch_hz))
    audible = [(n + 1, level) for n, level in enumerate(partials) if pitch_hz * (n + 1) < rate_hz * 0.45]
    turns = [math.tau * PERIODS * i / period for i in range(period)]
    table = [sum(level * math.sin(turn * n) for n, level in audible) for turn in turns]
    return array("d", map(mul, cycle(table), _envelope(rate_hz, length, decay, attack_s)))


@lru_cache(maxsize=64)
def _envelope(rate_hz: int, length: int, decay: float, attack_s: float) -> "array[float]":
    """The loudness of a tone over its life, shared by all pitches."""
    keep = math.exp(-decay / rate_hz)
    envelope = array("d", accumulate(repeat(keep, length - 1), mul, initial=1.0))
    rise = min(length, max(1, round(attack_s * rate_hz)))
    for i in range(rise):
        envelope[i] *= i / rise
    fall = min(length, round(rate_hz * NOTE_END_S))
    for i in range(fall):
        envelope[-1 - i] *= i / fall
    return envelope


@lru_cache(maxsize=32)
def noise_loop(rate_hz: int, seed: int, low_pass_hz: float, poles: int) -> "array[float]":
    """Filtered noise of about one unit, long enough not to be heard repeating, its ends joined."""
    length = round(rate_hz * LOOP_S)
    values = array("b", Random(seed).randbytes(length)).tolist()
    share = 1 - math.exp(-math.tau * low_pass_hz / rate_hz)
    smooth: list[float] = [float(value) for value in values]
    for _ in range(poles):
        smooth = list(accumulate(smooth, lambda held, value: held + share * (value - held)))
    join = rate_hz // 8
    for i in range(join):
        part = i / join
        smooth[i] = smooth[i] * part + smooth[length - join + i] * (1 - part)
    smooth = smooth[: length - join]
    loudest = max(map(abs, smooth)) or 1.0
    return array("d", [value / loudest for value in smooth])


def burst(rate_hz: int, seed: int, low_pass_hz: float, duration_s: float, decay: float) -> "array[float]":
    """A knock or a boom: filtered noise that dies away."""
    length = round(rate_hz * duration_s)
    keep = math.exp(-decay / rate_hz)
    envelope = accumulate(repeat(keep, length - 1), mul, initial=1.0)
    return array("d", map(mul, cycle(noise_loop(rate_hz, seed, low_pass_hz, 2)), envelope))


def sweep(rate_hz: int, start_hz: float, end_hz: float, duration_s: float) -> "array[float]":
    """A tone that glides and is shaped like a breath: chirps and whooshes."""
    length = max(2, round(rate_hz * duration_s))
    ratio = (end_hz / start_hz) ** (1 / length)
    phases = accumulate(accumulate(repeat(ratio, length - 1), mul, initial=start_hz))
    step = math.tau / rate_hz
    return array("d", [math.sin(phase * step) * math.sin(math.pi * i / length) for i, phase in enumerate(phases)])
