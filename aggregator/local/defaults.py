"""The names, default sizes and limits of the `local` backend, for whoever prices, offers or renders.

Owns: every number a caller may meet in a refusal or rely on when a field is left out.
Refuses: to import anything but the standard library, so that pricing code can read it for free.
"""

import math
from typing import Final, NamedTuple

DRAFT_MODEL: Final = "animatic-draft"
HERO_MODEL: Final = "animatic-final"
MODELS: Final = (DRAFT_MODEL, HERO_MODEL)

TASKS: Final = (
    "text-to-image",
    "image-to-image",
    "image-upscaling",
    "text-to-video",
    "image-to-video",
    "text-to-speech",
    "text-to-sound",
    "text-to-music",
)
VIDEO_TASKS: Final = ("text-to-video", "image-to-video")

STAND_IN_LABEL: Final = "animatic · stand-in"
STAND_IN_STATEMENT: Final = "Stand-in for previews and tests: composed by rules from prompt and seed, no trained model."


class ModelDefaults(NamedTuple):
    """What a model makes when the order leaves the size out."""

    image_size_px: tuple[int, int]
    video_size_px: tuple[int, int]
    video_fps: int


DEFAULTS: Final = {
    DRAFT_MODEL: ModelDefaults(image_size_px=(768, 432), video_size_px=(640, 360), video_fps=12),
    HERO_MODEL: ModelDefaults(image_size_px=(1536, 864), video_size_px=(1280, 720), video_fps=24),
}

VIDEO_DURATION_S: Final = 4.0
SOUND_DURATION_S: Final = 3.0
MUSIC_DURATION_S: Final = 10.0
UPSCALE_FACTOR: Final = 2.0
RESTYLE_STRENGTH: Final = 0.6
SPEECH_SPEED: Final = 1.0

MIN_SIDE_PX: Final = 64
MAX_SIDE_PX: Final = 4096
MAX_IMAGE_PIXELS: Final = 4096 * 2160
MAX_VIDEO_PIXELS: Final = 2560 * 1440
MAX_UPSCALED_PIXELS: Final = 7680 * 4320
MAX_INPUT_IMAGE_PIXELS: Final = 7680 * 4320
MIN_DURATION_S: Final = 0.5
MAX_VIDEO_DURATION_S: Final = 60.0
MAX_SOUND_DURATION_S: Final = 60.0
MAX_MUSIC_DURATION_S: Final = 300.0
MIN_FPS: Final = 8
MAX_FPS: Final = 60
MIN_UPSCALE_FACTOR: Final = 1.0
MAX_UPSCALE_FACTOR: Final = 8.0
MIN_SPEECH_SPEED: Final = 0.5
MAX_SPEECH_SPEED: Final = 2.0
MAX_PROMPT_CHARACTERS: Final = 4_000
MAX_SPEECH_CHARACTERS: Final = 5_000
MAX_SEED: Final = 2**53 - 1  # the largest whole number every JSON reader keeps exactly
MAX_FILE_BYTES: Final = 512 * 1024 * 1024
MAX_JOB_BODY_BYTES: Final = 32 * 1024 * 1024
MAX_IDEMPOTENCY_KEY_CHARACTERS: Final = 255

IMAGE_FORMATS: Final = ("png", "jpeg", "webp")
AUDIO_FORMATS: Final = ("wav", "mp3", "flac", "opus")
CAMERA_MOVES: Final = ("static", "push-in", "pull-out", "pan-left", "pan-right", "tilt-up", "tilt-down")
VOICES: Final = ("narrator", "alto", "soprano", "baritone", "whisper")


def frame_count(duration_s: float, fps: int) -> int:
    """How many frames a film of this length holds: the nearest whole number, at least one."""
    return max(1, math.floor(duration_s * fps + 0.5))


def default_size(model: str, task: str) -> tuple[int, int]:
    """The size a model gives a task that was ordered without width, height or an input image."""
    defaults = DEFAULTS[model]
    return defaults.video_size_px if task in VIDEO_TASKS else defaults.image_size_px


def size_within_budget(aspect: float, budget_px: tuple[int, int]) -> tuple[int, int]:
    """The largest even-sided picture of roughly this aspect that has no more pixels than the budget.

    Very long strips are squared up to the side limits, so the answer is always a size that may be ordered.
    """
    pixels = budget_px[0] * budget_px[1]
    height = _even_side(math.sqrt(pixels / aspect))
    width = _even_side(min(height * aspect + 0.5, pixels / height))
    return width, _even_side(min(height, pixels / width))


def _even_side(side: float) -> int:
    return max(MIN_SIDE_PX, min(MAX_SIDE_PX, int(side) // 2 * 2))
