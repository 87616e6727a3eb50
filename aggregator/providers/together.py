"""Together: pictures and speech in the answer, clips as jobs below `/v2`; nothing can be canceled.

`outputs.cost` of a finished clip is a whole number whose unit is not documented, so it is not booked.
"""

from collections.abc import Mapping
from typing import Any

from aggregator.contract import (
    BUILD,
    Auth,
    Call,
    Codes,
    Endpoint,
    Files,
    Input,
    Json,
    Meter,
    Provider,
    State,
    Status,
    To,
)


def _frames(values: Mapping[str, Any]) -> Json:
    """The pictures at the ends of a clip, each with its place."""
    places = (("image", "first"), ("last_image", "last"))
    frames: list[Any] = [{"input_image": values[name], "frame": place} for name, place in places if name in values]
    return {"media": {"frame_images": frames}} if frames else {}


def _loras(loras: Any) -> Any:
    return [{"path": one["weights"], "scale": one["scale"]} for one in loras]


_MODEL = {"model": "{endpoint}"}
_IMAGE: Mapping[str, str | To] = {
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "size": "width height",
    "seed": "seed",
    "loras": To("image_loras", _loras),
    "format": "output_format",
}
_VIDEO: Mapping[str, str | To] = {
    "prompt": "prompt",
    "negative_prompt": "negative_prompt",
    "size": "width height",
    "resolution": "resolution",
    "aspect_ratio": "ratio",
    "duration_s": To("seconds", form="{:g}"),
    "fps": "fps",
    "seed": "seed",
    "audio": "generate_audio",
}
_PICTURE = Files("data[].b64_json", "image/jpeg", form="base64")


def _video(**fields: str | To) -> Endpoint:
    return Endpoint(
        dialect="videos",
        fields={**_VIDEO, **fields},
        fixed=_MODEL,
        build=_frames if "image" in fields else None,
        files=Files("outputs.video_url", "video/mp4"),
        meters=(Meter("video_second", "request.duration_s"),),
    )


PROVIDER = Provider(
    name="together",
    docs="https://docs.together.ai/reference/create-videos",
    checked="2026-11-20",
    base_url="https://api.together.ai",
    auth=Auth(env=("TOGETHER_API_KEY",)),
    submit=Call("POST", "/v1/images/generations", read_s=300),
    probe=Call("GET", "/v1/models"),
    free={"models": Call("GET", "/v1/models")},
    # No list of codes is published: what the HTTP status says decides, but for the one that every clone of OpenAI has.
    codes=Codes(("error.code", "error.type"), {"insufficient_quota": "quota"}),
    # A data URI of a frame may hold about 60 KB (huggingface_hub 2.4.0).
    inputs={"image": Input(("url", "data")), "video": Input(("url",))},
    dialects={
        "videos": {
            "submit": Call("POST", "/v2/videos", capture={"id": "id"}),
            "poll": Call("GET", "/v2/videos/{id}"),
            "inputs": {"image": Input(("url", "data"), 45_000), "video": Input(("url",))},
            "status": Status(
                "status",
                {
                    "queued": State.QUEUED,
                    "in_progress": State.RUNNING,
                    "completed": State.SUCCEEDED,
                    "failed": State.FAILED,
                    "cancelled": State.CANCELED,
                },
                error="error.message",
            ),
        }
    },
    tasks={
        "text-to-image": Endpoint(
            fields={**_IMAGE, "references": "reference_images"},
            fixed={**_MODEL, "response_format": "base64"},
            files=_PICTURE,
        ),
        # FLUX.1 Kontext takes `image_url`; the others take `reference_images` (docs.together.ai/docs/image-to-image).
        "image-to-image": Endpoint(
            fields={**_IMAGE, "image": To("reference_images", listed=True)},
            fixed={**_MODEL, "response_format": "base64"},
            files=_PICTURE,
        ),
        "text-to-video": _video(references="media.reference_images"),
        "image-to-video": _video(image=BUILD, last_image=BUILD),
        "video-to-video": _video(video="media.source_video", references="media.reference_images"),
        "text-to-speech": Endpoint(
            submit=Call("POST", "/v1/audio/speech", headers={"accept": "application/octet-stream"}, read_s=300),
            fields={
                "text": "input",
                "voice": "voice",
                "language": "language",
                "format": To("response_format", values={"mp3": "mp3", "wav": "wav", "pcm": "raw"}),
            },
            fixed=_MODEL,
            files=Files(mime_type="audio/wav", form="body"),
            meters=(Meter("kilo_character", "request.kilo_characters"),),
        ),
    },
)
