"""Doing an order: from a complete order to finished files, nominal compute and what a caller should know.

Owns: which maker serves which task, progress and the stop between frames.
Refuses: to keep state; the same order gives the same files.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from PIL import Image

from aggregator.local import media, score, stills
from aggregator.local.compute import compute_seconds
from aggregator.local.defaults import STAND_IN_STATEMENT, frame_count
from aggregator.local.files import FileStore, StoredFile
from aggregator.local.film import frames_of_scene, frames_of_still
from aggregator.local.lettering import unwritable_characters
from aggregator.local.orders import FAIL_MARKER, Order
from aggregator.local.refusals import RenderError
from aggregator.local.sound import Sound
from aggregator.local.voice import SpeechError, engine_name, speak

Tick = Callable[[float], None]  # told the share done; raises to stop

DRAFT_CRF: Final = 26
HERO_CRF: Final = 20
ENCODED_SHARE: Final = 0.98  # of the progress, when the last frame is encoded


@dataclass(frozen=True, slots=True)
class Output:
    """One finished file, with what is known about it."""

    file: StoredFile
    facts: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What a job has made."""

    output: Output
    compute_seconds: Decimal
    notes: tuple[str, ...]


def render(order: Order, files: FileStore, tick: Tick) -> Result:
    """Make what was ordered. Raises what `tick` raises, and `RenderError` when it cannot be made."""
    tick(0.0)
    if FAIL_MARKER in order.prompt or FAIL_MARKER in order.text:
        raise RenderError(f"failed, because the prompt contains the test marker {FAIL_MARKER}")
    try:
        return _MAKERS[order.task](order, files, tick)
    except SpeechError as silent:
        raise RenderError(str(silent)) from silent
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as broken:
        raise RenderError(f"could not be rendered: {type(broken).__name__}") from broken


def _kept(files: FileStore, extension: str, write: Callable[[Path], None]) -> StoredFile:
    """Write aside, then keep; nothing is left behind when writing stops."""
    scratch = files.scratch(extension)
    try:
        write(scratch)
        return files.keep(scratch)
    finally:
        scratch.unlink(missing_ok=True)


def _image(order: Order, files: FileStore, tick: Tick) -> Result:
    notes: list[str] = []
    facts: dict[str, object] = {"is_stand_in": True, "model": order.model, "task": order.task, "seed": order.seed}
    if order.task == "text-to-image":
        picture, facts["scene"] = stills.picture_of(order)
        notes += _lettering_notes(order.prompt)
    elif order.task == "image-to-image":
        picture = stills.restyled(order, stills.read_picture(files.path(order.image)))
        notes += [stills.RESTYLE_NOTE, *_lettering_notes(order.prompt)]
    else:
        picture = stills.enlarged(order, stills.read_picture(files.path(order.image)))
        notes.append(stills.UPSCALE_NOTE)
    tick(0.7)
    facts["notes"] = notes
    extension = "jpg" if order.format == "jpeg" else order.format
    file = _kept(files, extension, lambda path: media.save_picture(path, picture, order.format, facts))
    spent = compute_seconds(order.task, pixels=order.width * order.height)
    return Result(Output(file, {"width": order.width, "height": order.height}), spent, tuple(notes))


def _film(order: Order, files: FileStore, tick: Tick) -> Result:
    total = frame_count(order.duration_s, order.fps)
    length_s = total / order.fps
    sound = score.film_bed(order.prompt, order.seed, length_s, hero=order.is_hero) if order.audio else None
    tick(0.03)
    if order.task == "text-to-video":
        frames, notes = frames_of_scene(order), _lettering_notes(order.prompt)
    else:
        last = stills.read_picture(files.path(order.last_image)) if order.last_image else None
        frames, notes = frames_of_still(order, stills.read_picture(files.path(order.image)), last), []
        notes.append(f"camera move on the given still: {order.camera}")

    def watched() -> Iterator[Image.Image]:
        for number, picture in enumerate(frames):
            tick(0.03 + (ENCODED_SHARE - 0.03) * number / total)
            yield picture

    size = (order.width, order.height)
    crf = HERO_CRF if order.is_hero else DRAFT_CRF
    file = _kept(files, "mp4", lambda path: media.save_film(path, watched(), size, order.fps, sound=sound, crf=crf))
    facts = {"width": order.width, "height": order.height, "duration_s": round(length_s, 6), "fps": order.fps}
    spent = compute_seconds(order.task, pixels=order.width * order.height, frames=total)
    return Result(Output(file, facts), spent, tuple(notes))


def _speech(order: Order, files: FileStore, tick: Tick) -> Result:
    sound, notes = speak(order.text, language=order.language, voice=order.voice, speed=order.speed, seed=order.seed)
    tick(0.8)
    return _sounding(order, files, sound, [f"voice: {engine_name()}", *notes], len(order.text))


def _sound(order: Order, files: FileStore, tick: Tick) -> Result:
    make = score.music if order.task == "text-to-music" else score.effect
    sound = make(order.prompt, order.seed, order.duration_s, hero=order.is_hero)
    tick(0.8)
    return _sounding(order, files, sound, ["synthesised by rules from words and seed"], 0)


def _sounding(order: Order, files: FileStore, sound: Sound, notes: list[str], characters: int) -> Result:
    comment = "; ".join(notes)
    file = _kept(files, order.format, lambda path: media.save_sound(path, sound, order.format, comment))
    length_s = round(sound.duration_s, 6)
    spent = compute_seconds(order.task, seconds=length_s, characters=characters)
    return Result(Output(file, {"duration_s": length_s}), spent, (STAND_IN_STATEMENT, *notes))


def _lettering_notes(words: str) -> list[str]:
    missing = unwritable_characters(words)
    return [f"{missing} characters of the prompt have no glyph in the bundled font"] if missing else []


_MAKERS: Final[dict[str, Callable[[Order, FileStore, Tick], Result]]] = {
    "text-to-image": _image,
    "image-to-image": _image,
    "image-upscaling": _image,
    "text-to-video": _film,
    "image-to-video": _film,
    "text-to-speech": _speech,
    "text-to-sound": _sound,
    "text-to-music": _sound,
}
