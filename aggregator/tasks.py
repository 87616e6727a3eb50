"""The requests: one frozen model per task, with the canonical parameters and no others.

What is particular to one provider goes into the option `provider_options`. A field left out is `None`: it is not
sent, and the provider's own default applies.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, PlainSerializer, ValidationError
from pydantic_core import PydanticCustomError

from aggregator.errors import RequestError
from aggregator.inputs import Media, MediaLike

__all__ = [
    "TASKS",
    "Camera",
    "FrameInterpolation",
    "ImageToImage",
    "ImageToVideo",
    "ImageUpscaling",
    "Input",
    "LipSync",
    "Lora",
    "Reference",
    "Request",
    "SpeechToSpeech",
    "TextToImage",
    "TextToMusic",
    "TextToSound",
    "TextToSpeech",
    "TextToVideo",
    "VideoExtension",
    "VideoToAudio",
    "VideoToVideo",
    "VideoUpscaling",
    "faults",
    "request_from_json",
]

MAX_EDGE_PX = 16_384
MAX_DURATION_S = 3_600.0
MAX_PROMPT_CHARACTERS = 100_000

_CONFIG = ConfigDict(frozen=True, extra="forbid", defer_build=True, arbitrary_types_allowed=True, allow_inf_nan=False)


def _media(value: object) -> Media:
    try:
        return Media.of(value)
    except RequestError as error:  # pydantic collects ValueErrors; ours is not one
        raise PydanticCustomError("media", "{text}", {"text": str(error)}) from None


def _size(value: object) -> object:
    """`"1280x720"` or `(1280, 720)`."""
    if not isinstance(value, str):
        return value
    if (match := re.fullmatch(r"(\d{1,5})\s*[x×]\s*(\d{1,5})", value)) is None:
        raise ValueError('write "1280x720": width and height in pixels')
    return int(match[1]), int(match[2])


_Edge = Annotated[int, Field(ge=1, le=MAX_EDGE_PX)]
Input = Annotated[MediaLike, BeforeValidator(_media), PlainSerializer(Media.as_json)]
_Prompt = Annotated[str, Field(min_length=1, max_length=MAX_PROMPT_CHARACTERS)]
_Size = Annotated[tuple[_Edge, _Edge], BeforeValidator(_size)]
_Seconds = Annotated[float, Field(gt=0, le=MAX_DURATION_S)]
_Ratio = Annotated[str, Field(pattern=r"^\d{1,4}:\d{1,4}$")]
_Resolution = Annotated[str, Field(pattern=r"^(\d{3,4}p|[1-9]\d?k)$")]
_Language = Annotated[str, Field(pattern=r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*$")]


class _Part(BaseModel):
    """A frozen piece of a request whose errors are ours."""

    model_config = _CONFIG
    beyond: ClassVar[str] = "; anything else is provider_options"
    """Where what is not a field of it belongs: the end of an error."""

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise RequestError(_explain(type(self), error)) from None


def _explain(cls: type[_Part], error: ValidationError) -> str:
    unique = dict.fromkeys(f"{where or 'request'}: {message}" for where, message in _faults(error))
    known = ", ".join(cls.model_fields)
    return f"{cls.__name__}: {'; '.join(unique)}. It takes {known}{cls.beyond}."


def _faults(error: ValidationError) -> Iterator[tuple[str, str]]:
    for item in error.errors(include_url=False):
        where = ".".join(str(part) for part in item["loc"][:1])
        unknown = item["type"] == "extra_forbidden"
        yield where, "unknown parameter" if unknown else item["msg"].removeprefix("Value error, ")


def faults(cls: "type[Request]", values: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What is wrong with the parameters of a task: the name of each (`""`: how they go together) and the reason."""
    try:
        BaseModel.__init__(cls.__new__(cls), **values)
    except ValidationError as error:
        return list(dict.fromkeys(_faults(error)))
    except RequestError as error:
        return [("", str(error))]
    return []


class Lora(_Part):
    """Weights of a fine-tune, by URL or by the provider's own name."""

    weights: str
    scale: float = 1.0


class Reference(_Part):
    """An image that guides the picture, and what it stands for."""

    image: Input
    role: Literal["character", "style", "object", "look"] = "character"


Camera = Literal[
    "static",
    "push-in",
    "pull-out",
    "pan-left",
    "pan-right",
    "tilt-up",
    "tilt-down",
    "orbit-left",
    "orbit-right",
    "handheld",
]


class Request(_Part):
    """One task with its parameters, checked. Frozen, hashable by content, and JSON once its inputs are stored."""

    task: ClassVar[str]

    def values(self) -> dict[str, Any]:
        """The fields that were given: no `None`, inputs as `Media`."""
        return {name: value for name, value in self.__dict__.items() if value is not None and value != ()}

    def media(self) -> Iterator[tuple[str, Media]]:
        """Every input with the name of its field, references included."""
        for name, value in self.values().items():
            if isinstance(value, Media):
                yield name, value
            elif isinstance(value, tuple):
                inputs = (item.image if isinstance(item, Reference) else item for item in value)
                yield from ((name, item) for item in inputs if isinstance(item, Media))

    def replace_media(self, stored: Mapping[int, Media]) -> "Request":
        """A copy with inputs exchanged, by the `id` of the old one."""

        def swap(value: Any) -> Any:
            if isinstance(value, Media):
                return stored.get(id(value), value)
            if isinstance(value, Reference):
                return Reference(image=swap(value.image), role=value.role)
            if isinstance(value, tuple):
                return tuple(swap(item) for item in value)
            return value

        return type(self)(**{name: swap(value) for name, value in self.values().items()})

    def with_(self, **changes: Any) -> "Request":
        """A checked copy with some fields changed; `None` takes one out."""
        return type(self)(**{name: value for name, value in {**self.values(), **changes}.items() if value is not None})

    def as_json(self) -> dict[str, JsonValue]:
        """The request as it is journalled: its task and the fields that were given."""
        for _, media in self.media():
            media.as_json()  # says what is wrong with an input that cannot be written
        return {"task": self.task, **self.model_dump(mode="json", exclude_none=True, exclude_defaults=True)}


class _Sized(Request):
    size: _Size | None = None
    resolution: _Resolution | None = None
    aspect_ratio: _Ratio | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    negative_prompt: str | None = None
    loras: tuple[Lora, ...] = ()

    def model_post_init(self, _context: Any, /) -> None:
        if self.size is not None and (self.resolution is not None or self.aspect_ratio is not None):
            raise RequestError(f"{type(self).__name__}: give size, or resolution and aspect_ratio, not both")


class _Image(_Sized):
    format: Literal["png", "jpeg", "webp"] | None = None


class _Video(_Sized):
    duration_s: _Seconds | None = None
    fps: Annotated[float, Field(gt=0, le=240)] | None = None
    audio: bool | None = None
    camera: Camera | None = None


class TextToImage(_Image):
    task: ClassVar[str] = "text-to-image"
    prompt: _Prompt
    references: tuple[Reference, ...] = ()


class ImageToImage(_Image):
    """Edit, restyle or inpaint: white in `mask` is what may change."""

    task: ClassVar[str] = "image-to-image"
    image: Input
    prompt: _Prompt
    mask: Input | None = None
    references: tuple[Reference, ...] = ()
    strength: Annotated[float, Field(ge=0, le=1)] | None = None


class ImageUpscaling(Request):
    task: ClassVar[str] = "image-upscaling"
    image: Input
    factor: Annotated[float, Field(gt=1, le=16)] | None = None
    prompt: _Prompt | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    format: Literal["png", "jpeg", "webp"] | None = None


class TextToVideo(_Video):
    task: ClassVar[str] = "text-to-video"
    prompt: _Prompt
    references: tuple[Reference, ...] = ()


class ImageToVideo(_Video):
    """Start from `image`; end on `last_image` where the model can."""

    task: ClassVar[str] = "image-to-video"
    image: Input
    prompt: _Prompt | None = None
    last_image: Input | None = None
    references: tuple[Reference, ...] = ()


class VideoToVideo(_Video):
    task: ClassVar[str] = "video-to-video"
    video: Input
    prompt: _Prompt
    references: tuple[Reference, ...] = ()
    strength: Annotated[float, Field(ge=0, le=1)] | None = None


class VideoExtension(_Video):
    """Go on where `video` ends; `duration_s` is what is added."""

    task: ClassVar[str] = "video-extension"
    video: Input
    prompt: _Prompt | None = None


class VideoUpscaling(Request):
    task: ClassVar[str] = "video-upscaling"
    video: Input
    factor: Annotated[float, Field(gt=1, le=16)] | None = None
    resolution: _Resolution | None = None
    fps: Annotated[float, Field(gt=0, le=240)] | None = None


class FrameInterpolation(Request):
    """More frames for the same seconds (`fps`), or the motion between two stills (`image`, `last_image`)."""

    task: ClassVar[str] = "frame-interpolation"
    video: Input | None = None
    image: Input | None = None
    last_image: Input | None = None
    fps: Annotated[float, Field(gt=0, le=240)] | None = None

    def model_post_init(self, _context: Any, /) -> None:
        if (self.video is None) == (self.image is None or self.last_image is None):
            raise RequestError("FrameInterpolation: give a video, or image and last_image")


class LipSync(Request):
    """Make the mouth in `video` (or the face in `image`) speak `audio`."""

    task: ClassVar[str] = "lip-sync"
    audio: Input
    video: Input | None = None
    image: Input | None = None
    prompt: _Prompt | None = None
    resolution: _Resolution | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None

    def model_post_init(self, _context: Any, /) -> None:
        if (self.video is None) == (self.image is None):
            raise RequestError("LipSync: give a video or an image, one of them")


_AudioFormat = Literal["wav", "mp3", "flac", "opus", "aac", "pcm"]


class TextToSpeech(Request):
    task: ClassVar[str] = "text-to-speech"
    text: _Prompt
    voice: str | None = None
    language: _Language | None = None
    speed: Annotated[float, Field(gt=0, le=4)] | None = None
    prompt: _Prompt | None = None
    """How it should be said, where the model takes direction."""
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    format: _AudioFormat | None = None


class SpeechToSpeech(Request):
    """Say what `audio` says in another voice, or in another language (dubbing)."""

    task: ClassVar[str] = "speech-to-speech"
    audio: Input
    voice: str | None = None
    language: _Language | None = None
    format: _AudioFormat | None = None

    def model_post_init(self, _context: Any, /) -> None:
        if self.voice is None and self.language is None:
            raise RequestError("SpeechToSpeech: give a voice, or a language to say it in")


class _Sound(Request):
    prompt: _Prompt
    duration_s: _Seconds | None = None
    negative_prompt: str | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None
    format: _AudioFormat | None = None


class TextToSound(_Sound):
    task: ClassVar[str] = "text-to-sound"


class TextToMusic(_Sound):
    task: ClassVar[str] = "text-to-music"
    lyrics: str | None = None


class VideoToAudio(Request):
    """A sound track that fits `video`."""

    task: ClassVar[str] = "video-to-audio"
    video: Input
    prompt: _Prompt | None = None
    negative_prompt: str | None = None
    duration_s: _Seconds | None = None
    seed: Annotated[int, Field(ge=0, lt=2**63)] | None = None


TASKS: Mapping[str, type[Request]] = {
    cls.task: cls
    for cls in (
        TextToImage,
        ImageToImage,
        ImageUpscaling,
        TextToVideo,
        ImageToVideo,
        VideoToVideo,
        VideoExtension,
        VideoUpscaling,
        FrameInterpolation,
        LipSync,
        TextToSpeech,
        SpeechToSpeech,
        TextToSound,
        TextToMusic,
        VideoToAudio,
    )
}
"""Every task by its Hub pipeline tag where there is one, in the same style where not."""


def request_from_json(value: Mapping[str, Any], known: Mapping[str, type[Request]] = TASKS) -> Request:
    """Read back what `Request.as_json` wrote."""
    task = str(value.get("task"))
    if task not in known:
        raise RequestError(f"unknown task {task!r}: one of {', '.join(known)}")
    return known[task](**{name: _read(item) for name, item in value.items() if name != "task"})


def _read(value: Any) -> Any:
    """Stored inputs as such, wherever they stand in a journalled request."""
    if isinstance(value, Mapping):
        if "sha256" in value or "url" in value:
            return Media.from_json(value)
        return {name: _read(item) for name, item in value.items()}
    return [_read(item) for item in value] if isinstance(value, list) else value
