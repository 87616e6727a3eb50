"""An order: what a job is to make, with everything left open filled in, so that it can be made again alike.

Owns: the fields of each task, their limits, and filling in defaults and derived sizes.
Refuses: unknown fields, values outside the limits, and images that are not already files here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from aggregator.local import defaults
from aggregator.local.camera import move_named_in
from aggregator.local.refusals import RefusalError, invalid
from aggregator.local.voice import engine_name, languages, spoken_language

REFUSE_MARKER: Final = "[refuse]"  # test hook: refused at submit as a content policy would
FAIL_MARKER: Final = "[fail]"  # test hook: accepted, then ends failed

UNWRITABLE: Final = re.compile("[\0\ud800-\udfff]")  # NUL ends a C string; lone surrogates have no encoding
SHARED_IMAGE_FIELDS: Final = ("width", "height", "seed", "format")
FILM_FIELDS: Final = ("duration_s", "width", "height", "fps", "seed", "audio", "camera")
FIELDS: Final[dict[str, tuple[str, ...]]] = {
    "text-to-image": ("prompt", "negative_prompt", *SHARED_IMAGE_FIELDS),
    "image-to-image": ("image", "prompt", "strength", *SHARED_IMAGE_FIELDS),
    "image-upscaling": ("image", "factor", "format"),
    "text-to-video": ("prompt", "negative_prompt", *FILM_FIELDS),
    "image-to-video": ("image", "prompt", "last_image", *FILM_FIELDS),
    "text-to-speech": ("text", "voice", "language", "format", "speed"),
    "text-to-sound": ("prompt", "duration_s", "seed", "format"),
    "text-to-music": ("prompt", "duration_s", "seed", "format"),
}
REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "text-to-image": ("prompt",),
    "image-to-image": ("image", "prompt"),
    "image-upscaling": ("image",),
    "text-to-video": ("prompt",),
    "image-to-video": ("image",),
    "text-to-speech": ("text",),
    "text-to-sound": ("prompt",),
    "text-to-music": ("prompt",),
}


@dataclass(frozen=True, slots=True)
class Order:
    """A complete order. `image` and `last_image` are names of files here; fields a task does not have stay empty."""

    model: str
    task: str
    seed: int
    prompt: str = ""
    negative_prompt: str = ""
    text: str = ""
    image: str = ""
    last_image: str = ""
    width: int = 0
    height: int = 0
    fps: int = 0
    duration_s: float = 0.0
    audio: bool = True
    camera: str = "push-in"
    strength: float = defaults.RESTYLE_STRENGTH
    factor: float = defaults.UPSCALE_FACTOR
    voice: str = "narrator"
    language: str = "en"
    speed: float = defaults.SPEECH_SPEED
    format: str = ""

    @property
    def is_hero(self) -> bool:
        return self.model == defaults.HERO_MODEL

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def read_order(body: object, draw_seed: Callable[[], int]) -> Order:
    """Read `{"model", "task", "input"}`. Image references are left as given; `complete` needs their sizes."""
    if not isinstance(body, Mapping):
        raise RefusalError(400, "invalid_input", "the body is a JSON object with model, task and input")
    for name in body:
        if name not in ("model", "task", "input"):
            raise invalid(str(name), "not a field; allowed: model, task, input")
    model, task, given = body.get("model"), body.get("task"), body.get("input")
    if model not in defaults.MODELS:
        raise RefusalError(422, "unknown_model", f"model: one of {', '.join(defaults.MODELS)}")
    if not isinstance(task, str) or task not in FIELDS:
        raise RefusalError(422, "unknown_task", f"task: one of {', '.join(FIELDS)}")
    if not isinstance(given, Mapping):
        raise invalid("input", "an object")
    values = _read_values(task, given)
    values.setdefault("seed", draw_seed())
    order = Order(model=str(model), task=task, **values)
    return _with_task_defaults(order, values)


def _read_values(task: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Every field that was given, checked. A null counts as not given."""
    for name in given:
        if name not in FIELDS[task]:
            raise invalid(str(name), f"not a field of {task}; allowed: {', '.join(FIELDS[task])}")
    values = {name: _READERS[name](name, value) for name, value in given.items() if value is not None}
    for name in REQUIRED[task]:
        if name not in values:
            raise invalid(name, f"required for {task}")
    _apply_policy(values)
    return values


def complete(order: Order, image_size_px: tuple[int, int] | None) -> Order:
    """Fill in the size, from the input image where there is one, and hold it to the limits."""
    if order.task == "image-upscaling" and image_size_px:
        width, height = (max(1, round(side * order.factor)) for side in image_size_px)
        if width * height > defaults.MAX_UPSCALED_PIXELS:
            raise invalid("factor", f"the result may have at most {defaults.MAX_UPSCALED_PIXELS} pixels")
        return replace(order, width=width, height=height)
    if order.task.startswith("text-to-") and not order.task.endswith(("image", "video")):
        return order
    is_video = order.task in defaults.VIDEO_TASKS
    width, height = _size(order, image_size_px)
    most = defaults.MAX_VIDEO_PIXELS if is_video else defaults.MAX_IMAGE_PIXELS
    if width * height > most:
        raise invalid("width, height", f"together at most {most} pixels")
    if is_video and (width % 2 or height % 2):
        raise invalid("width, height", "even numbers for video")
    return replace(order, width=width, height=height)


def _size(order: Order, image_size_px: tuple[int, int] | None) -> tuple[int, int]:
    standard = defaults.default_size(order.model, order.task)
    if order.width and order.height:
        return order.width, order.height
    if not order.width and not order.height:
        return defaults.size_within_budget(image_size_px[0] / image_size_px[1], standard) if image_size_px else standard
    aspect = (image_size_px or standard)[0] / (image_size_px or standard)[1]
    if order.width:
        return order.width, _side(order.width / aspect)
    return _side(order.height * aspect), order.height


def _side(side: float) -> int:
    return max(defaults.MIN_SIDE_PX, min(defaults.MAX_SIDE_PX, int(side / 2 + 0.5) * 2))


def _with_task_defaults(order: Order, given: Mapping[str, Any]) -> Order:
    task = order.task
    if task in defaults.VIDEO_TASKS:
        _check_duration(order.duration_s, defaults.MAX_VIDEO_DURATION_S)
        return replace(
            order,
            fps=given.get("fps", defaults.DEFAULTS[order.model].video_fps),
            duration_s=given.get("duration_s", defaults.VIDEO_DURATION_S),
            camera=given.get("camera", move_named_in(order.prompt)),
        )
    if task in ("text-to-speech", "text-to-sound", "text-to-music"):
        return _sound_defaults(order, given)
    return replace(order, format=_one_of("format", order.format or "png", defaults.IMAGE_FORMATS))


def _sound_defaults(order: Order, given: Mapping[str, Any]) -> Order:
    order = replace(order, format=_one_of("format", order.format or "wav", defaults.AUDIO_FORMATS))
    if order.task == "text-to-speech":
        if len(order.text) > defaults.MAX_SPEECH_CHARACTERS:
            raise invalid("text", f"at most {defaults.MAX_SPEECH_CHARACTERS} characters")
        if engine_name() != "synthetic" and spoken_language(order.language) is None:
            raise invalid("language", f"one of {', '.join(languages())}")
        return order
    is_music = order.task == "text-to-music"
    most = defaults.MAX_MUSIC_DURATION_S if is_music else defaults.MAX_SOUND_DURATION_S
    usual = defaults.MUSIC_DURATION_S if is_music else defaults.SOUND_DURATION_S
    _check_duration(order.duration_s, most)
    return replace(order, duration_s=given.get("duration_s", usual))


def _check_duration(duration_s: float, most_s: float) -> None:
    if duration_s > most_s:
        raise invalid("duration_s", f"a number from {defaults.MIN_DURATION_S} to {most_s}")


def _apply_policy(values: Mapping[str, Any]) -> None:
    if any(REFUSE_MARKER in str(values.get(name, "")) for name in ("prompt", "text")):
        raise RefusalError(
            422, "content_policy", f"refused, because the prompt contains the test marker {REFUSE_MARKER}"
        )


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise invalid(name, f"one of {', '.join(allowed)}")
    return value


def _text(name: str, value: object, most: int = defaults.MAX_PROMPT_CHARACTERS) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > most or UNWRITABLE.search(value):
        raise invalid(name, f"text of 1 to {most} characters")
    return value


def _loose_text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > defaults.MAX_PROMPT_CHARACTERS or UNWRITABLE.search(value):
        raise invalid(name, f"text of at most {defaults.MAX_PROMPT_CHARACTERS} characters")
    return value


def _whole(low: int, high: int) -> Callable[[str, object], int]:
    def read(name: str, value: object) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise invalid(name, f"a whole number from {low} to {high}")
        return value

    return read


def _number(low: float, high: float) -> Callable[[str, object], float]:
    def read(name: str, value: object) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise invalid(name, f"a number from {low} to {high}")
        return float(value)

    return read


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise invalid(name, "true or false")
    return value


def _reference(name: str, value: object) -> str:
    if not isinstance(value, str) or not value:
        raise invalid(name, "a /v1/files url of this backend or a data: URI")
    return value


_READERS: Final[dict[str, Callable[[str, object], Any]]] = {
    "prompt": _text,
    "negative_prompt": _loose_text,
    "text": lambda name, value: _text(name, value, defaults.MAX_SPEECH_CHARACTERS),
    "image": _reference,
    "last_image": _reference,
    "width": _whole(defaults.MIN_SIDE_PX, defaults.MAX_SIDE_PX),
    "height": _whole(defaults.MIN_SIDE_PX, defaults.MAX_SIDE_PX),
    "seed": _whole(0, defaults.MAX_SEED),
    "fps": _whole(defaults.MIN_FPS, defaults.MAX_FPS),
    "duration_s": _number(defaults.MIN_DURATION_S, defaults.MAX_MUSIC_DURATION_S),
    "audio": _truth,
    "camera": lambda name, value: _one_of(name, value, defaults.CAMERA_MOVES),
    "strength": _number(0.0, 1.0),
    "factor": _number(defaults.MIN_UPSCALE_FACTOR, defaults.MAX_UPSCALE_FACTOR),
    "voice": lambda name, value: _one_of(name, value, defaults.VOICES),
    "language": lambda name, value: _text(name, value, 35),
    "speed": _number(defaults.MIN_SPEECH_SPEED, defaults.MAX_SPEECH_SPEED),
    "format": lambda name, value: _one_of(name, value, (*defaults.IMAGE_FORMATS, *defaults.AUDIO_FORMATS)),
}
