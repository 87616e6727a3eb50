"""What is heard: the bed under a film, sound effects, and music, chosen by words and seed.

Owns: which words call for which sound, harmony and rhythm.
Refuses: to synthesise samples itself (`sound` does), and to imitate any recording.
"""

# ruff: noqa: S311 - the chance here composes pictures and sound; it guards nothing

import re
from collections.abc import Callable
from random import Random
from typing import Final

from aggregator.local.sound import Sound, Track, burst, finished, noise_loop, note, sweep

DRAFT_RATE_HZ: Final = 24_000
HERO_RATE_HZ: Final = 44_100
BED_PEAK: Final = 0.32  # of full scale: a bed stays under a voice
EFFECT_PEAK: Final = 0.8
MUSIC_PEAK: Final = 0.7
PAD_PARTIALS: Final = (1.0, 0.35, 0.18, 0.06)
PLUCK_PARTIALS: Final = (1.0, 0.5, 0.3, 0.18, 0.1, 0.05)
BELL_RATIOS: Final = (1.0, 2.0, 2.76, 4.07, 5.4)

# words → (low-pass Hz, poles, swells per second, depth of the swell, level)
BEDS: Final = {
    "rain storm drizzle waterfall": (5200.0, 1, 0.11, 0.25, 1.0),
    "sea ocean wave waves beach coast boat sailboat ship shore": (900.0, 1, 0.13, 0.95, 1.1),
    "city street traffic car taxi truck market crowd": (240.0, 2, 0.07, 0.4, 1.0),
    "room studio kitchen office interior product bottle cup": (160.0, 2, 0.05, 0.2, 0.4),
    "space rocket moon planet engine machine robot": (110.0, 2, 0.08, 0.5, 1.2),
    "wind mountain mountains desert forest snow": (520.0, 2, 0.17, 0.85, 0.9),
}
SAD_WORDS: Final = "sad dark tense moody melancholy night horror rain minor lonely dramatic mystery"
FAST_WORDS: Final = "fast upbeat energetic happy dance action driving techno pop"
MAJOR: Final = ((0, 4, 7), (9, 12, 16), (5, 9, 12), (7, 11, 14))
MINOR: Final = ((0, 3, 7), (8, 12, 15), (3, 7, 10), (10, 14, 17))


def rates(*, hero: bool) -> tuple[int, int]:
    """Sample rate and channels of a model's sound."""
    return (HERO_RATE_HZ, 2) if hero else (DRAFT_RATE_HZ, 1)


def film_bed(prompt: str, seed: int, duration_s: float, *, hero: bool) -> Sound:
    """A quiet bed: air or water from the words, and one slow chord; the hero's is wide and has a second voice."""
    rate, channels = rates(hero=hero)
    chance = Random(f"{seed}/bed")
    root, phase = 110 * 2 ** (chance.randrange(12) / 12), chance.uniform(0, 6)
    chord = chance.choice(MINOR if _mentions(prompt, SAD_WORDS) else MAJOR)
    tracks = []
    for channel in range(channels):
        track = Track(rate, duration_s)
        _lay_air(track, prompt, seed + channel, phase + channel, 0.8)
        for voice, step in enumerate(chord):
            detune = 1 + 0.0016 * (channel - voice % 2)
            length = min(duration_s, 6.0)
            for turn in range(int(duration_s / length + 0.999)):
                track.lay(
                    turn * length,
                    note(rate, root * 2 ** (step / 12) * detune, length, PAD_PARTIALS, decay=0.0, attack_s=length / 3),
                    0.12,
                )
        if hero:
            for beat in range(1, int(duration_s), 2):
                pitch = root * 4 * 2 ** (chord[beat % 3] / 12)
                track.lay(beat + 0.05 * channel, note(rate, pitch, 1.6, (1.0, 0.2), decay=3.0, attack_s=0.01), 0.07)
        tracks.append(track)
    return finished(tracks, BED_PEAK)


def effect(prompt: str, seed: int, duration_s: float, *, hero: bool) -> Sound:
    """A sound effect: every sound the words call for, over a little of its air."""
    rate, channels = rates(hero=hero)
    called = [make for words, make in EFFECTS.items() if _mentions(prompt, words)]
    has_bed = any(_mentions(prompt, words) for words in BEDS)
    tracks = []
    for channel in range(channels):
        track = Track(rate, duration_s)
        if has_bed or not called:
            _lay_air(track, prompt, seed + channel, 0.0, 0.5 if called else 1.0)
        for make in called or ([] if has_bed else [_whoosh, _bell]):
            make(track, Random(f"{seed}/effect"), duration_s)
        tracks.append(track)
    return finished(tracks, EFFECT_PEAK)


def music(prompt: str, seed: int, duration_s: float, *, hero: bool) -> Sound:
    """Four chords round and round: bass, pad and a plucked line, slower and minor when the words are dark."""
    rate, channels = rates(hero=hero)
    sad = _mentions(prompt, SAD_WORDS)
    beat_s = 60 / (126 if _mentions(prompt, FAST_WORDS) else 76 if sad else 96)
    root = 110 * 2 ** (Random(f"{seed}/key").randrange(-3, 6) / 12)
    chords = MINOR if sad else MAJOR
    tracks = []
    for channel in range(channels):
        track, chance, beat = Track(rate, duration_s), Random(f"{seed}/line"), 0
        while beat * beat_s < duration_s:
            chord = chords[beat // 4 % 4]
            _play_beat(track, chance, beat, beat_s=beat_s, root=root, chord=chord, channel=channel)
            beat += 1
        tracks.append(track)
    return finished(tracks, MUSIC_PEAK)


def _play_beat(
    track: Track, chance: Random, beat: int, *, beat_s: float, root: float, chord: tuple[int, ...], channel: int
) -> None:
    rate, at = track.rate_hz, beat * beat_s
    if beat % 4 == 0:
        track.lay(
            at,
            note(rate, root / 2 * 2 ** (chord[0] / 12), beat_s * 3.6, (1.0, 0.4, 0.1), decay=0.8, attack_s=0.01),
            0.4,
        )
        for step in chord:
            pitch = root * 2 ** (step / 12) * (1 + 0.0018 * channel)
            track.lay(at, note(rate, pitch, beat_s * 4, PAD_PARTIALS, decay=0.0, attack_s=beat_s * 0.8), 0.13)
    if beat % 2 == 0:
        track.lay(at, burst(rate, 1, 130.0, 0.25, 16.0), 0.4)
    track.lay(at + beat_s / 2, burst(rate, 2, 6000.0, 0.06, 70.0), 0.05)
    for half in (0.0, 0.5):
        step = chance.choice(chord) + chance.choice((12, 12, 24))
        pluck = note(rate, root * 2 ** (step / 12), 1.1, PLUCK_PARTIALS, decay=4.5, attack_s=0.004)
        track.lay(at + half * beat_s + 0.012 * channel, pluck, 0.2)


def _lay_air(track: Track, prompt: str, seed: int, phase: float, gain: float) -> None:
    air = next((bed for words, bed in BEDS.items() if _mentions(prompt, words)), (520.0, 2, 0.17, 0.85, 0.9))
    low_pass, poles, swells, depth, level = air
    track.swell(noise_loop(track.rate_hz, seed % 1009, low_pass, poles), swells, depth, phase, gain * level * 0.6)


def _mentions(prompt: str, words: str) -> bool:
    return not set(re.findall(r"[a-z]+", prompt.lower())).isdisjoint(words.split())


def _bell(track: Track, chance: Random, duration_s: float) -> None:
    pitch = chance.uniform(420, 760)
    for i in range(max(1, int(duration_s / 2))):
        for n, ratio in enumerate(BELL_RATIOS):
            track.lay(
                i * 2.0 + 0.1,
                note(track.rate_hz, pitch * ratio, 2.0, (1.0,), decay=1.6 + n, attack_s=0.002),
                0.4 / (n + 1),
            )


def _thunder(track: Track, chance: Random, duration_s: float) -> None:
    for _ in range(max(1, int(duration_s / 3))):
        at = chance.uniform(0.05, max(0.1, duration_s - 1))
        track.lay(at, burst(track.rate_hz, chance.randrange(99), 130.0, 2.8, 1.5), 1.0)
        track.lay(at + 0.03, burst(track.rate_hz, chance.randrange(99), 900.0, 0.6, 7.0), 0.4)


def _steps(track: Track, chance: Random, duration_s: float) -> None:
    gap = chance.uniform(0.46, 0.58)
    for i in range(int(duration_s / gap)):
        at = 0.1 + i * gap + chance.uniform(-0.015, 0.015)
        track.lay(at, burst(track.rate_hz, i % 5, 420.0, 0.14, 34.0), chance.uniform(0.6, 0.9))
        track.lay(at + 0.06, burst(track.rate_hz, i % 3 + 9, 2600.0, 0.08, 50.0), 0.14)


def _whoosh(track: Track, chance: Random, duration_s: float) -> None:
    air = burst(track.rate_hz, chance.randrange(99), 1800.0, min(1.4, duration_s), 0.4)
    length = len(air)
    track.lay(0.0, [value * 4 * i / length * (1 - i / length) for i, value in enumerate(air)], 0.9)


def _birds(track: Track, chance: Random, duration_s: float) -> None:
    at = chance.uniform(0.05, 0.3)
    while at < duration_s:
        low = chance.uniform(2200, 3400)
        for i in range(chance.randint(2, 4)):
            track.lay(at + i * 0.13, sweep(track.rate_hz, low, low * chance.uniform(1.1, 1.5), 0.1), 0.3)
        at += chance.uniform(0.6, 1.3)


def _beeps(track: Track, _chance: Random, duration_s: float) -> None:
    for i in range(max(1, int(duration_s / 0.5))):
        track.lay(
            0.05 + i * 0.5,
            note(track.rate_hz, 880.0 if i % 2 else 660.0, 0.22, (1.0, 0.2), decay=0.0, attack_s=0.01),
            0.4,
        )


EFFECTS: Final[dict[str, Callable[[Track, Random, float], None]]] = {
    "bell bells chime chimes ding gong": _bell,
    "thunder storm explosion boom blast impact crash": _thunder,
    "footsteps steps walking walk knock knocking door": _steps,
    "whoosh swoosh transition pass flyby": _whoosh,
    "bird birds chirp forest morning": _birds,
    "beep alarm siren notification phone alert": _beeps,
}
