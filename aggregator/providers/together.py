"""Together: pictures and speech in the answer, clips as jobs below `/v2`; nothing can be canceled.

`outputs.cost` of a finished clip is a whole number whose unit is not documented, so it is not booked.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c


def _frames(values: Mapping[str, Any]) -> c.Json:
    """The pictures at the ends of a clip, each with its place."""
    places = {"image": "first", "last_image": "last"}
    frames: list[Any] = [{"input_image": url, "frame": places[name]} for name, url in casts.inputs(values, *places)]
    return {"media": {"frame_images": frames}} if frames else {}


def _loras(loras: Any) -> Any:
    return [{"path": one["weights"], "scale": one["scale"]} for one in loras]


_Fields = Mapping[str, str | c.To]
_MODEL = {"model": "{endpoint}"}
_SHAPE = {"prompt": "prompt", "negative_prompt": "negative_prompt", "size": "width height", "seed": "seed"}
_SHOT = {"resolution": "resolution", "aspect_ratio": "ratio", "fps": "fps", "audio": "generate_audio"}
_FORMATS = {"mp3": "mp3", "wav": "wav", "pcm": "raw"}
_WORDS = c.words(queued="queued", running="in_progress", succeeded="completed", failed="failed", canceled="cancelled")


def _image(**fields: str | c.To) -> c.Endpoint:
    image: _Fields = {**_SHAPE, "loras": c.To("image_loras", _loras), "format": "output_format", **fields}
    files = c.Files("data[].b64_json", "image/jpeg", form="base64")
    return c.Endpoint(image, {**_MODEL, "response_format": "base64"}, files=files)


def _video(build: Any = None, **fields: str) -> c.Endpoint:
    shot: _Fields = {**_SHAPE, **_SHOT, "duration_s": c.To("seconds", form="{:g}"), **fields}
    files, meter = c.Files("outputs.video_url", "video/mp4"), c.Meter("video_second", "request.duration_s")
    return c.Endpoint(shot, _MODEL, build, files, (meter,), dialect="videos")


PROVIDER = c.Provider(
    name="together",
    docs="https://docs.together.ai/reference/create-videos",
    checked="2026-11-20",
    base_url="https://api.together.ai",
    auth=c.Auth(env=("TOGETHER_API_KEY",)),
    submit=c.Call("POST", "/v1/images/generations", read_s=300),
    probe=c.Call("GET", "/v1/models"),
    free={"models": c.Call("GET", "/v1/models")},
    # No list of codes is published: what the HTTP status says decides, but for the one that every clone of OpenAI has.
    codes=c.Codes(("error.code", "error.type"), c.kinds(quota="insufficient_quota")),
    # A data URI of a frame may hold about 60 KB (huggingface_hub 2.4.0).
    inputs={"image": c.Input(("url", "data")), "video": c.Input(("url",))},
    dialects={
        "videos": {
            "submit": c.Call("POST", "/v2/videos", capture={"id": "id"}),
            "poll": c.Call("GET", "/v2/videos/{id}"),
            "inputs": {"image": c.Input(("url", "data"), 45_000), "video": c.Input(("url",))},
            "status": c.Status("status", _WORDS, error="error.message"),
        }
    },
    served_model="model",
    tasks={
        "text-to-image": _image(references="reference_images"),
        # FLUX.1 Kontext takes `image_url`; the others take `reference_images` (docs.together.ai/docs/image-to-image).
        "image-to-image": _image(image=c.To("reference_images", listed=True)),
        "text-to-video": _video(references="media.reference_images"),
        "image-to-video": _video(_frames, image=c.BUILD, last_image=c.BUILD),
        "video-to-video": _video(video="media.source_video", references="media.reference_images"),
        "text-to-speech": c.Endpoint(
            {"text": "input", "voice": "voice", "language": "language"}
            | {"format": c.To("response_format", values=_FORMATS)},
            _MODEL,
            submit=c.Call("POST", "/v1/audio/speech", headers={"accept": "application/octet-stream"}, read_s=300),
            files=c.Files(mime_type="audio/wav", form="body"),
            meters=(c.Meter("kilo_character", "request.kilo_characters"),),
        ),
    },
)
