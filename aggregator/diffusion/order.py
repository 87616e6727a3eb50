"""An order: what one job is to make, checked, with its seed, so that it can be made again alike.

Owns: the fields of the dialect and their limits. A field it does not know goes to the pipeline if its call takes it by
that name and its value is plain; else it is refused.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, Self

from aggregator.diffusion.refusals import RefusalError, invalid

MAX_PROMPT_CHARACTERS: Final = 32_000
MAX_SIDE_PX: Final = 4096
MAX_FRAMES: Final = 1024
MAX_FPS: Final = 120.0
MAX_STEPS: Final = 1000
MAX_PICTURES: Final = 10
MAX_SEED: Final = 2**63 - 1
MAX_SOUND_S: Final = 600.0
FORMATS: Final = {
    "image": {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp"},
    "video": {"mp4": "video/mp4"},
    "audio": {"wav": "audio/wav", "flac": "audio/flac"},
}
"""Of each kind, the usual one first."""
PICTURE_FIELDS: Final = ("image", "image[]", "mask", "input_reference")
Kind = Literal["image", "video", "audio"]


@dataclass(frozen=True, slots=True)
class Order:
    """A complete order. Inputs are names of files in the job's own directory."""

    kind: Kind
    prompt: str
    seed: int
    width: int | None = None
    """`None`: the pipeline's own size, as for the fields below."""
    height: int | None = None
    num_frames: int | None = None
    seconds: float | None = None
    fps: float | None = None
    n: int = 1
    format: str = "png"
    images: tuple[str, ...] = ()
    mask: str | None = None
    lora: tuple[tuple[str, float], ...] | None = None
    """Adapters that were loaded at the start, each with its strength; `None`: as they were given there."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What goes to the pipeline's call under its own names."""

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, held: Mapping[str, Any]) -> Self:
        lora = held["lora"]
        return cls(
            **{
                **held,
                "images": tuple(held["images"]),
                "lora": None if lora is None else tuple((name, scale) for name, scale in lora),
            }
        )


def read_order(kind: Kind, fields: Mapping[str, Any], pictures: Mapping[str, list[str]], seed: int) -> Order:
    """Read what was asked, `fields` from JSON or from the texts of a form; the rules of the pipeline come later."""
    left = {name: value for name, value in fields.items() if value is not None and name not in ("model", "user")}
    read = _Reader(left)
    width, height = (None, None) if kind == "audio" else read.size()
    return Order(
        kind=kind,
        prompt=read.text("input" if kind == "audio" else "prompt", ""),
        seed=read.whole("seed", 0, MAX_SEED, seed) or 0,
        width=width,
        height=height,
        num_frames=read.whole("num_frames", 1, MAX_FRAMES) if kind == "video" else None,
        seconds=read.number("audio_length", MAX_SOUND_S)
        if kind == "audio"
        else read.number("seconds", MAX_FRAMES)
        if kind == "video"
        else None,
        fps=read.number("fps", MAX_FPS) if kind == "video" else None,
        n=read.whole("n", 1, MAX_PICTURES if kind == "image" else 1, 1) or 1,
        format=read.format(kind),
        images=tuple(pictures.get("image", []))
        + tuple(pictures.get("image[]", []))
        + tuple(pictures.get("input_reference", [])),
        mask=next(iter(pictures.get("mask", [])), None),
        lora=read.adapters(),
        parameters=read.parameters(),
    )


class _Reader:
    """Takes the known fields out of what was asked; what is left is for the pipeline."""

    def __init__(self, left: dict[str, Any]) -> None:
        self._left = left

    def text(self, name: str, default: str) -> str:
        value = self._left.pop(name, default)
        if not isinstance(value, str) or len(value) > MAX_PROMPT_CHARACTERS or "\0" in value:
            raise invalid(name, f"text of at most {MAX_PROMPT_CHARACTERS} characters")
        return value

    def one_of(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        value = self._left.pop(name, default)
        if value not in allowed:
            raise invalid(name, f"one of {', '.join(allowed)}")
        return str(value)

    def format(self, kind: Kind) -> str:
        """What the file is: pictures and sounds name it by fields of their own."""
        allowed = tuple(FORMATS[kind])
        if kind == "video":
            return allowed[0]
        return self.one_of("output_format" if kind == "image" else "response_format", allowed, allowed[0])

    def whole(self, name: str, low: int, high: int, default: int | None = None) -> int | None:
        value = _plain(self._left.pop(name, default))
        if value is None:
            return None
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise invalid(name, f"a whole number from {low} to {high}")
        return value

    def number(self, name: str, most: float) -> float | None:
        value = _plain(self._left.pop(name, None))
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= most:
            raise invalid(name, f"a number above 0, at most {most:g}")
        return float(value)

    def size(self) -> tuple[int | None, int | None]:
        """`size` as WxH, or `width` and `height`."""
        width, height = self.whole("width", 1, MAX_SIDE_PX), self.whole("height", 1, MAX_SIDE_PX)
        size = self._left.pop("size", None)
        if size is not None and size != "auto":
            sides = str(size).split("x")
            if len(sides) != 2 or not all(one.isascii() and one.isdigit() for one in sides):  # noqa: PLR2004
                raise invalid("size", "two numbers with an x between them, such as 832x480")
            given = int(sides[0]), int(sides[1])
            if (width, height) not in ((None, None), given) or not all(0 < side <= MAX_SIDE_PX for side in given):
                raise invalid(
                    "size", f"sides of at most {MAX_SIDE_PX}, the same as width and height where these are given"
                )
            width, height = given
        if (width is None) != (height is None):
            raise invalid("size", "width and height go together")
        return width, height

    def adapters(self) -> tuple[tuple[str, float], ...] | None:
        """`[{"name": …, "scale": …}]`, or one of them."""
        given = _plain(self._left.pop("lora", None))
        if given is None:
            return None
        listed = given if isinstance(given, list) else [given]
        try:
            return tuple((str(one["name"]), float(one.get("scale", 1.0))) for one in listed)
        except (TypeError, KeyError, ValueError, AttributeError):
            raise invalid("lora", 'a list of {"name": text, "scale": number}') from None

    def parameters(self) -> dict[str, Any]:
        """What is left, with what a client put into one object for the pipeline."""
        bag = _plain(self._left.pop("diffusers_kwargs", None)) or {}
        if not isinstance(bag, dict):
            raise invalid("diffusers_kwargs", "an object of parameters of the pipeline")
        for name in PICTURE_FIELDS:
            if name in self._left:
                raise invalid(name, "a file of a form, or a data: URL; this server fetches nothing")
        texts = {name for name in self._left if "prompt" in name}
        left = {name: value if name in texts else _plain(value) for name, value in self._left.items()}
        steps = left.get("num_inference_steps")
        if steps is not None and (not isinstance(steps, int) or not 1 <= steps <= MAX_STEPS):
            raise invalid("num_inference_steps", f"a whole number from 1 to {MAX_STEPS}")
        return {**left, **bag}


def _plain(value: Any) -> Any:
    """A text of a form as the number, truth value, list or object it stands for."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value, parse_constant=lambda word: word)
    except (ValueError, RecursionError):
        return value


def plain(name: str, value: object) -> object:
    """A value that may go to a pipeline: nothing it could load, open or call."""
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(one, str | int | float | bool) for one in listed):
        raise RefusalError(
            400, "invalid_value", f"{name}: a number, a text, true or false, or a list of them", param=name
        )
    return value
