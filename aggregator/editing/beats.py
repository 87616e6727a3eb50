"""The beats of a piece of music, and what cut-on-beats wrote about them into its film.

Onsets by spectral flux, tempo by their autocorrelation, beats by dynamic programming: D. Ellis, "Beat Tracking by
Dynamic Programming", Journal of New Music Research 36(1), 2007. Holds 100 numbers per second of music.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import av
import numpy as np
from numpy.typing import NDArray

from aggregator.editing.sound import Sound, Track

__all__ = ["Beats", "Cuts", "cuts_of", "find_beats"]

Values = NDArray[np.float64]

RATE_HZ: Final = 16_000
HOP: Final = 160
WINDOW: Final = 512
BASS: Final = 5
"""The part of the spectrum, in steps of 31 Hz, in which drums and basses are and cymbals are not."""
CLEARLY: Final = 1.5
NEAR: Final = 8
"""A beat is looked for within this part of a period."""
HEARD_AT: Final = 0.8
"""Where in a window a sound has just begun when it makes the largest difference."""
PER_SECOND: Final = RATE_HZ / HOP
SLOWEST_BPM: Final = 40.0
FASTEST_BPM: Final = 240.0
USUAL_BPM: Final = 120.0
SPREAD_OCTAVES: Final = 1.0
TIGHTNESS: Final = 100.0
"""How much a steady tempo weighs against loud onsets, as in the paper."""
LOUDNESS: Final = 1_000.0
FAINT: Final = 0.3
"""Of the root mean square of all beats: what is weaker before the first or after the last is none."""
FEWEST: Final = 2


@dataclass(frozen=True, slots=True)
class Beats:
    """When the beats fall, in seconds from the start, and how many of them there are a minute."""

    tempo_bpm: float
    times_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Cuts:
    """What a film was cut on: the tempo, all beats of the music, and the changes of picture, in seconds."""

    tempo_bpm: float
    beats_s: tuple[float, ...]
    cuts_s: tuple[float, ...]

    def as_text(self) -> str:
        return json.dumps(asdict(self))


def cuts_of(film: Path) -> Cuts | None:
    """What cut-on-beats wrote into a film; `None`: it did not make it."""
    with av.open(str(film)) as container:
        text = container.metadata.get("comment", "")
    try:
        said = json.loads(text)
        return Cuts(said["tempo_bpm"], tuple(said["beats_s"]), tuple(said["cuts_s"]))
    except (ValueError, KeyError, TypeError):
        return None


def find_beats(music: Sound) -> Beats | None:
    """The beats; `None`: there are none to be heard, as in silence or one long tone."""
    onsets, bass = _onsets(music)
    spread = onsets.std()
    if spread < 1e-9 or (onsets > onsets.max() * FAINT).sum() < FEWEST:  # noqa: PLR2004 - nothing but rounding
        return None
    onsets /= spread
    period = _period(onsets)
    found = _on_the_bass(_tracked(onsets, period), onsets, bass, period)
    strength = onsets[found]
    heard = np.flatnonzero(strength > FAINT * np.sqrt(np.mean(strength**2)))
    if len(heard) < FEWEST:
        return None
    kept = found[heard[0] : heard[-1] + 1]
    times = np.maximum(0, ((kept + 1) * HOP - WINDOW * (1 - HEARD_AT)) / RATE_HZ)
    tempo = 60 * (len(kept) - 1) / (times[-1] - times[0])
    return Beats(round(float(tempo), 2), tuple(round(float(time), 4) for time in times))


def _onsets(music: Sound) -> tuple[Values, Values]:
    """How much louder each part of the spectrum gets, summed, 100 times a second; and its bass alone."""
    track = Track(music, rate_hz=RATE_HZ, channels=1)
    shape = np.hanning(WINDOW)
    window = np.zeros(WINDOW)
    before = np.zeros(WINDOW // 2 + 1)
    found = []
    for _ in range(int(music.length_s * PER_SECOND)):
        window = np.concatenate((window[HOP:], track.take(HOP)[0]))
        spectrum = np.log1p(LOUDNESS * np.abs(np.fft.rfft(window * shape)) / WINDOW)
        louder = np.maximum(0, spectrum - before)
        found.append((louder.sum(), louder[1:BASS].sum()))
        before = spectrum
    onsets, bass = np.array(found).reshape(-1, 2).T
    return onsets, bass


def _period(onsets: Values) -> int:
    """The distance of beats, in onset steps: where the music repeats itself most, usual tempos before others."""
    centred = onsets - onsets.mean()
    longest = min(round(60 * PER_SECOND / SLOWEST_BPM), len(onsets) - 1)
    lags = np.arange(min(round(60 * PER_SECOND / FASTEST_BPM), longest), longest + 1)
    repeats = np.array([centred[lag:] @ centred[: len(centred) - lag] for lag in lags])
    octaves = np.log2(60 * PER_SECOND / lags / USUAL_BPM)
    return int(lags[np.argmax(repeats * np.exp(-0.5 * (octaves / SPREAD_OCTAVES) ** 2))])


def _tracked(onsets: Values, period: int) -> NDArray[np.intp]:
    """The chain of moments that are loud and a period apart, as well as both can be had."""
    back = np.arange(-2 * period, -max(1, period // 2) + 1)
    steady = -TIGHTNESS * np.log(-back / period) ** 2
    score, link = onsets.copy(), np.full(len(onsets), -1)
    for now in range(len(onsets)):
        reachable = back[back + now >= 0]
        if len(reachable):
            ways = score[reachable + now] + steady[len(back) - len(reachable) :]
            best = int(np.argmax(ways))
            if ways[best] > 0:
                score[now] += ways[best]
                link[now] = reachable[best] + now
    chain = [int(len(score) - period + np.argmax(score[-period:]))] if len(score) >= period else [int(np.argmax(score))]
    while link[chain[-1]] >= 0:
        chain.append(int(link[chain[-1]]))
    return np.array(chain[::-1])


def _on_the_bass(found: NDArray[np.intp], onsets: Values, bass: Values, period: int) -> NDArray[np.intp]:
    """The same beats, or those between them where the bass clearly is: a cymbal off the beat is the louder onset."""
    middles = (found[:-1] + found[1:]) // 2
    reach = max(1, period // NEAR)

    def near(moment: int, values: Values) -> Values:
        return values[max(0, moment - reach) : moment + reach + 1]

    on, off = (sum(float(near(moment, bass).max()) for moment in moments) for moments in (found[:-1], middles))
    if off <= on * CLEARLY:
        return found
    return np.array([max(0, moment - reach) + int(np.argmax(near(moment, onsets))) for moment in middles])
