"""Nominal compute seconds: what a job of this backend is billed for, as pure functions of what was made.

Owns: the formulas. A nominal second is "one second on a reference core". It stands in for the GPU-second of a
real backend and does not depend on the machine, its load or the clock, so the same order always costs the same
and a price can be quoted before the work is done.
Refuses: to measure anything, to know money, and to import anything but the standard library.

    text-to-image, image-to-image   0.5  x megapixels
    image-upscaling                 0.2  x megapixels delivered
    text-to-video, image-to-video   0.02 + 0.03 x frames x megapixels per frame
    text-to-speech                  0.0001 x characters + 0.05 x seconds spoken
    text-to-sound                   0.02 x seconds
    text-to-music                   0.04 x seconds

Every result is rounded half up to 3 decimals and is at least 0.001. Both models use the same formulas; what makes
the hero model dearer is its larger default size and whatever price per second an offer puts on it.
"""

from decimal import ROUND_HALF_UP, Decimal
from typing import Final

STEP_SECONDS: Final = Decimal("0.001")
IMAGE_SECONDS_PER_MEGAPIXEL: Final = Decimal("0.5")
UPSCALING_SECONDS_PER_MEGAPIXEL: Final = Decimal("0.2")
VIDEO_SECONDS_BASE: Final = Decimal("0.02")
VIDEO_SECONDS_PER_FRAME_MEGAPIXEL: Final = Decimal("0.03")
SPEECH_SECONDS_PER_CHARACTER: Final = Decimal("0.0001")
SPEECH_SECONDS_PER_SECOND: Final = Decimal("0.05")
SOUND_SECONDS_PER_SECOND: Final = Decimal("0.02")
MUSIC_SECONDS_PER_SECOND: Final = Decimal("0.04")

SPOKEN_LOWER_SECONDS_PER_CHARACTER: Final = Decimal("0.02")
SPOKEN_LOWER_SECONDS_BASE: Final = Decimal("0.1")
SPOKEN_UPPER_SECONDS_PER_CHARACTER: Final = Decimal("0.25")
SPOKEN_UPPER_SECONDS_BASE: Final = Decimal(2)

_PIXELS_PER_MEGAPIXEL: Final = Decimal(1_000_000)


def compute_seconds(
    task: str, *, pixels: int = 0, frames: int = 0, seconds: float = 0.0, characters: int = 0
) -> Decimal:
    """Nominal seconds for one finished job.

    `pixels` is the size of the picture delivered, or of one frame; `seconds` the length of the sound delivered.
    """
    megapixels = Decimal(pixels) / _PIXELS_PER_MEGAPIXEL
    length_s = Decimal(str(seconds))
    match task:
        case "text-to-image" | "image-to-image":
            nominal = IMAGE_SECONDS_PER_MEGAPIXEL * megapixels
        case "image-upscaling":
            nominal = UPSCALING_SECONDS_PER_MEGAPIXEL * megapixels
        case "text-to-video" | "image-to-video":
            nominal = VIDEO_SECONDS_BASE + VIDEO_SECONDS_PER_FRAME_MEGAPIXEL * frames * megapixels
        case "text-to-speech":
            nominal = SPEECH_SECONDS_PER_CHARACTER * characters + SPEECH_SECONDS_PER_SECOND * length_s
        case "text-to-sound":
            nominal = SOUND_SECONDS_PER_SECOND * length_s
        case "text-to-music":
            nominal = MUSIC_SECONDS_PER_SECOND * length_s
        case _:
            raise ValueError(f"no compute formula for task {task!r}")
    return max(STEP_SECONDS, nominal.quantize(STEP_SECONDS, rounding=ROUND_HALF_UP))


def speech_seconds_bounds(characters: int) -> tuple[Decimal, Decimal]:
    """Shortest and longest spoken length, in seconds, of a text of this many characters at any allowed speed.

    The renderer keeps to these bounds (it pads with silence, or speaks faster), so a quote made from them holds.
    """
    lower = SPOKEN_LOWER_SECONDS_BASE + SPOKEN_LOWER_SECONDS_PER_CHARACTER * characters
    upper = SPOKEN_UPPER_SECONDS_BASE + SPOKEN_UPPER_SECONDS_PER_CHARACTER * characters
    return lower, upper
