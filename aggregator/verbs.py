"""One verb per task: what a project can be asked for. Each builds the task's request and has it served."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack, cast

from aggregator.options import OPTIONS, ImageOptions, Options, SoundOptions, SpeechOptions, VideoOptions

if TYPE_CHECKING:
    from aggregator.inputs import MediaLike
    from aggregator.tasks import Request

__all__ = ["Verbs"]


Made = TypeVar("Made")


class Verbs(ABC, Generic[Made]):
    """The verbs, for whoever can serve a request. Parameters that a task does not have are refused by its request."""

    @abstractmethod
    async def generate(self, request: "Request", **options: Unpack[Options]) -> Made:
        """Serve a request and wait for the result."""

    async def text_to_image(self, prompt: str, **options: Unpack[ImageOptions]) -> Made:
        """Make a picture from words."""
        return await self._do("text-to-image", options, prompt=prompt)

    async def image_to_image(
        self,
        image: "MediaLike",
        prompt: str,
        *,
        mask: "MediaLike | None" = None,
        strength: float | None = None,
        **options: Unpack[ImageOptions],
    ) -> Made:
        """Edit, restyle or inpaint a picture."""
        return await self._do("image-to-image", options, image=image, prompt=prompt, mask=mask, strength=strength)

    async def upscale_image(
        self,
        image: "MediaLike",
        *,
        factor: float | None = None,
        prompt: str | None = None,
        seed: int | None = None,
        format: str | None = None,  # noqa: A002  the canonical name
        **options: Unpack[Options],
    ) -> Made:
        """Make a picture larger."""
        return await self._do(
            "image-upscaling", options, image=image, factor=factor, prompt=prompt, seed=seed, format=format
        )

    async def text_to_video(self, prompt: str, **options: Unpack[VideoOptions]) -> Made:
        """Make a clip from words."""
        return await self._do("text-to-video", options, prompt=prompt)

    async def image_to_video(
        self,
        image: "MediaLike",
        prompt: str | None = None,
        *,
        last_image: "MediaLike | None" = None,
        **options: Unpack[VideoOptions],
    ) -> Made:
        """Make a clip that begins with a picture (and ends with `last_image`, where the model can)."""
        return await self._do("image-to-video", options, image=image, prompt=prompt, last_image=last_image)

    async def video_to_video(
        self, video: "MediaLike", prompt: str, *, strength: float | None = None, **options: Unpack[VideoOptions]
    ) -> Made:
        """Edit or restyle a clip."""
        return await self._do("video-to-video", options, video=video, prompt=prompt, strength=strength)

    async def extend_video(
        self, video: "MediaLike", prompt: str | None = None, **options: Unpack[VideoOptions]
    ) -> Made:
        """Go on where a clip ends; `duration_s` is what is added."""
        return await self._do("video-extension", options, video=video, prompt=prompt)

    async def upscale_video(
        self,
        video: "MediaLike",
        *,
        factor: float | None = None,
        resolution: str | None = None,
        fps: float | None = None,
        **options: Unpack[Options],
    ) -> Made:
        """Make a clip larger."""
        return await self._do("video-upscaling", options, video=video, factor=factor, resolution=resolution, fps=fps)

    async def interpolate_frames(
        self,
        video: "MediaLike | None" = None,
        *,
        image: "MediaLike | None" = None,
        last_image: "MediaLike | None" = None,
        fps: float | None = None,
        **options: Unpack[Options],
    ) -> Made:
        """Make more frames for the same seconds, or the motion between two pictures."""
        return await self._do("frame-interpolation", options, video=video, image=image, last_image=last_image, fps=fps)

    async def lip_sync(
        self,
        audio: "MediaLike",
        *,
        video: "MediaLike | None" = None,
        image: "MediaLike | None" = None,
        prompt: str | None = None,
        resolution: str | None = None,
        seed: int | None = None,
        **options: Unpack[Options],
    ) -> Made:
        """Make a face in a clip or a picture speak a recording."""
        return await self._do(
            "lip-sync",
            options,
            audio=audio,
            video=video,
            image=image,
            prompt=prompt,
            resolution=resolution,
            seed=seed,
        )

    async def text_to_speech(self, text: str, *, prompt: str | None = None, **options: Unpack[SpeechOptions]) -> Made:
        """Speak a text; `prompt` says how, where the model takes direction."""
        return await self._do("text-to-speech", options, text=text, prompt=prompt)

    async def speech_to_speech(
        self,
        audio: "MediaLike",
        voice: str | None = None,
        *,
        language: str | None = None,
        format: str | None = None,  # noqa: A002  the canonical name
        **options: Unpack[Options],
    ) -> Made:
        """Say the same in another voice, or in another language."""
        return await self._do("speech-to-speech", options, audio=audio, voice=voice, language=language, format=format)

    async def text_to_sound(self, prompt: str, **options: Unpack[SoundOptions]) -> Made:
        """Make a sound effect."""
        return await self._do("text-to-sound", options, prompt=prompt)

    async def text_to_music(self, prompt: str, *, lyrics: str | None = None, **options: Unpack[SoundOptions]) -> Made:
        """Make music."""
        return await self._do("text-to-music", options, prompt=prompt, lyrics=lyrics)

    async def video_to_audio(
        self, video: "MediaLike", prompt: str | None = None, **options: Unpack[SoundOptions]
    ) -> Made:
        """Make a sound track that fits a clip."""
        return await self._do("video-to-audio", options, video=video, prompt=prompt)

    async def _do(self, task: str, given: Mapping[str, Any], **parameters: Any) -> Made:
        from aggregator.tasks import TASKS

        values = {**parameters, **{name: value for name, value in given.items() if name not in OPTIONS}}
        request = TASKS[task](**{name: value for name, value in values.items() if value is not None})
        options = {name: value for name, value in given.items() if name in OPTIONS}
        return await self.generate(request, **cast("Options", options))
