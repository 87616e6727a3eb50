"""What a verb takes when a workflow is written down, beside its usual options; and the verbs so typed."""

# mypy: disable-error-code="empty-body"

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

from aggregator.options import ImageOptions, Options, SoundOptions, SpeechOptions, VideoOptions
from aggregator.verbs import Verbs

if TYPE_CHECKING:
    from aggregator.inputs import MediaLike
    from aggregator.workflow.handles import Handle

__all__ = ["STEP_OPTIONS", "StepOptions", "StepVerbs"]


class _Own(TypedDict, total=False):
    name: str
    """Made from the task, if it is left out."""
    takes: int
    pick: str
    """Which take goes on: `first`, `person` (the run pauses), `all`, or `score:<name>`."""
    when: str
    """Only if; `still.width < 1024`."""
    continues: "Handle | str | None"
    """The shot whose last frame this one starts from."""
    carry: Sequence[str]
    """Which references go along; all of them, if it is left out."""
    share: float
    """Of the run's budget, at most this part."""
    weight: float
    """How much its quality counts beside the others'."""


STEP_OPTIONS = frozenset(_Own.__annotations__)


class StepOptions(_Own, Options, total=False): ...


class _Image(_Own, ImageOptions, total=False): ...


class _Video(_Own, VideoOptions, total=False): ...


class _Sound(_Own, SoundOptions, total=False): ...


class _Speech(_Own, SpeechOptions, total=False): ...


if not TYPE_CHECKING:
    StepVerbs = Verbs
else:

    class StepVerbs(Verbs["Handle"]):
        """The same verbs, for a type checker: it cannot add options to those that are there.

        What `continues` another step starts from nothing else: its first input is `None`.
        """

        async def text_to_image(self, prompt: str, **options: Unpack[_Image]) -> Handle: ...
        async def image_to_image(
            self,
            image: MediaLike | None,
            prompt: str,
            *,
            mask: MediaLike | None = None,
            strength: float | None = None,
            **options: Unpack[_Image],
        ) -> Handle: ...
        async def upscale_image(
            self,
            image: MediaLike,
            *,
            factor: float | None = None,
            prompt: str | None = None,
            seed: int | None = None,
            format: str | None = None,  # noqa: A002
            **options: Unpack[StepOptions],
        ) -> Handle: ...
        async def text_to_video(self, prompt: str, **options: Unpack[_Video]) -> Handle: ...
        async def image_to_video(
            self,
            image: MediaLike | None,
            prompt: str | None = None,
            *,
            last_image: MediaLike | None = None,
            **options: Unpack[_Video],
        ) -> Handle: ...
        async def video_to_video(
            self, video: MediaLike | None, prompt: str, *, strength: float | None = None, **options: Unpack[_Video]
        ) -> Handle: ...
        async def extend_video(
            self, video: MediaLike | None, prompt: str | None = None, **options: Unpack[_Video]
        ) -> Handle: ...
        async def upscale_video(
            self,
            video: MediaLike,
            *,
            factor: float | None = None,
            resolution: str | None = None,
            fps: float | None = None,
            **options: Unpack[StepOptions],
        ) -> Handle: ...
        async def interpolate_frames(
            self,
            video: MediaLike | None = None,
            *,
            image: MediaLike | None = None,
            last_image: MediaLike | None = None,
            fps: float | None = None,
            **options: Unpack[StepOptions],
        ) -> Handle: ...
        async def lip_sync(
            self,
            audio: MediaLike,
            *,
            video: MediaLike | None = None,
            image: MediaLike | None = None,
            prompt: str | None = None,
            resolution: str | None = None,
            seed: int | None = None,
            **options: Unpack[StepOptions],
        ) -> Handle: ...
        async def text_to_speech(
            self, text: str, *, prompt: str | None = None, **options: Unpack[_Speech]
        ) -> Handle: ...
        async def speech_to_speech(
            self,
            audio: MediaLike,
            voice: str | None = None,
            *,
            language: str | None = None,
            format: str | None = None,  # noqa: A002
            **options: Unpack[StepOptions],
        ) -> Handle: ...
        async def text_to_sound(self, prompt: str, **options: Unpack[_Sound]) -> Handle: ...
        async def text_to_music(
            self, prompt: str, *, lyrics: str | None = None, **options: Unpack[_Sound]
        ) -> Handle: ...
        async def video_to_audio(
            self, video: MediaLike, prompt: str | None = None, **options: Unpack[_Sound]
        ) -> Handle: ...
