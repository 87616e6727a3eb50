"""Speech: a real voice from a separate process when it is installed, otherwise tones that say they are a stand-in.

Owns: which languages can be spoken, starting and limiting the speaking child, and keeping to the length bounds that
quotes are made from.
Refuses: to import eSpeak NG or its loader into this process. It is GPL-3.0 software and runs on its own.
"""

# ruff: noqa: S311 - the chance here composes pictures and sound; it guards nothing

import importlib.util
import io
import json
import os
import subprocess
import sys
import wave
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Final

from aggregator.local.compute import speech_seconds_bounds
from aggregator.local.sound import Sound, Track, finished, note

CHILD_PATH: Final = Path(__file__).with_name("espeak.py")
CHILD_TIME_LIMIT_S: Final = 60.0
CHILD_ENVIRONMENT: Final = ("PATH", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT", "LANG")  # no keys go along
WORDS_PER_MINUTE: Final = 165
MAX_WORDS_PER_MINUTE: Final = 450
SYNTHETIC_RATE_HZ: Final = 22_050
SYLLABLE_S: Final = 0.17
SYNTHETIC_NOTE: Final = "synthetic stand-in voice; install aggregator[voice] for speech"
# Files of eSpeak NG that change the timbre of any language.
TIMBRES: Final = {"narrator": "", "alto": "+f2", "soprano": "+f4", "baritone": "+m3", "whisper": "+whisper"}
SPOKEN_AS: Final = {"zh": "cmn", "no": "nb", "en-gb": "en", "en-uk": "en", "iw": "he", "in": "id"}


class SpeechError(Exception):
    """The voice could not speak; the message holds nothing of the text."""


def engine_name() -> str:
    """`espeak-ng` when its loader is installed, else `synthetic`."""
    return "espeak-ng" if _loader_directory() else "synthetic"


def _loader_directory() -> Path | None:
    """Where the loader is installed, found without importing it."""
    found = importlib.util.find_spec("espeakng_loader")
    places = list(found.submodule_search_locations or ()) if found else []
    return Path(places[0]) if places else None


@lru_cache(maxsize=4)
def _languages(directory: Path) -> dict[str, str]:
    """Every language file of eSpeak NG by its lower-case name."""
    return {
        path.name.lower(): path.name for path in (directory / "espeak-ng-data" / "lang").rglob("*") if path.is_file()
    }


def languages() -> tuple[str, ...]:
    """Every language the installed voice knows; none when the voice is synthetic."""
    directory = _loader_directory()
    return tuple(sorted(_languages(directory).values())) if directory else ()


def spoken_language(language: str) -> str | None:
    """The name the engine knows a language by: itself, or its first part when only the region is unknown."""
    directory = _loader_directory()
    if directory is None:
        return language
    known = _languages(directory)
    wanted = language.lower().replace("_", "-")
    for name in (wanted, SPOKEN_AS.get(wanted, ""), wanted.split("-")[0], SPOKEN_AS.get(wanted.split("-")[0], "")):
        if name in known:
            return known[name]
    return None


def speak(text: str, *, language: str, voice: str, speed: float, seed: int) -> tuple[Sound, list[str]]:
    """Speak a text. Also what a listener should know about the result."""
    shortest, longest = (float(bound) for bound in speech_seconds_bounds(len(text)))
    notes: list[str] = []
    if engine_name() == "synthetic":
        sound = _tones(text, speed, seed)
        notes.append(SYNTHETIC_NOTE)
    else:
        pace = round(WORDS_PER_MINUTE * speed)
        name = f"{spoken_language(language)}{TIMBRES[voice]}"
        sound = _ask_child(text, name, pace)
        if sound.duration_s > longest and pace < MAX_WORDS_PER_MINUTE:
            faster = min(MAX_WORDS_PER_MINUTE, round(pace * sound.duration_s / longest * 1.1))
            sound = _ask_child(text, name, faster)
            notes.append("spoken faster than asked, to keep to the length a quote allows")
    if sound.duration_s > longest:
        notes.append("cut off at the length a quote allows")
        sound = sound.resized(int(longest * sound.rate_hz))
    if sound.duration_s < shortest:
        sound = sound.resized(int(shortest * sound.rate_hz) + 1)
    return sound, notes


def _ask_child(text: str, voice: str, words_per_minute: int) -> Sound:
    order = json.dumps({"text": text, "voice": voice, "words_per_minute": words_per_minute}).encode()
    environment = {name: os.environ[name] for name in CHILD_ENVIRONMENT if name in os.environ}
    try:
        # -P keeps this directory off the child's path, so that no module here can shadow one it needs.
        child = subprocess.run(  # noqa: S603 - a fixed command without any argument from outside
            [sys.executable, "-P", str(CHILD_PATH)],
            input=order,
            capture_output=True,
            timeout=CHILD_TIME_LIMIT_S,
            check=False,
            env=environment,
        )
    except subprocess.TimeoutExpired as overrun:
        raise SpeechError(f"the voice did not finish within {CHILD_TIME_LIMIT_S:.0f} s") from overrun
    if child.returncode != 0:
        raise SpeechError(f"the voice {voice!r} ended with code {child.returncode}")
    with wave.open(io.BytesIO(child.stdout)) as file:
        return Sound(file.getframerate(), file.getnchannels(), file.readframes(file.getnframes()))


def _tones(text: str, speed: float, seed: int) -> Sound:
    """One buzzing tone per syllable: the timing of speech, and plainly not a voice."""
    chance = Random(f"{seed}/tones")
    syllable_s = SYLLABLE_S / speed
    at, spots = 0.1, []
    for word in text.split():
        vowels = sum(
            1
            for a, b in zip(" " + word.lower(), word.lower(), strict=False)
            if b in "aeiouyäöü" and a not in "aeiouyäöü"
        )
        for _ in range(max(1, vowels, len(word) // 5)):
            spots.append(
                (at, chance.choice((110.0, 123.5, 130.8, 146.8)), chance.choice(((0.2, 1, 0.5), (1, 0.3, 0.6, 0.3))))
            )
            at += syllable_s
        at += syllable_s * (1.6 if word[-1] in ".!?;:" else 0.4)
    track = Track(SYNTHETIC_RATE_HZ, at + 0.1)
    for moment, pitch, partials in spots:
        track.lay(moment, note(SYNTHETIC_RATE_HZ, pitch, syllable_s * 0.85, partials, decay=3.0, attack_s=0.02))
    return finished([track], 0.5)
