"""OpenRouter: one body for every model it resells; pictures and speech in the answer, clips as jobs.

The answers say in dollars what was charged (speech does not). Which values a model takes, and its price, is what
`GET /videos/models` and `GET /images/models` say: a value outside its sets is refused with 400.
"""

from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c
from aggregator.signing import hmac_stamped


def _asset(name: str, url: str, **rest: str) -> Any:
    kind = "video_url" if name == "video" else "image_url"
    return {"type": kind, kind: {"url": url}, **rest}


def _guides(values: Mapping[str, Any]) -> c.Json:
    """A clip or picture to work on, then pictures that guide it."""
    assets = [_asset(*one) for one in casts.inputs(values, "video", "image", "references")]
    return {"input_references": assets} if assets else {}


def _frames(values: Mapping[str, Any]) -> c.Json:
    """The pictures at the ends of a clip; beside them guiding ones are ignored, so none are taken."""
    ends = {"image": "first_frame", "last_image": "last_frame"}
    return {"frame_images": [_asset(name, url, frame_type=ends[name]) for name, url in casts.inputs(values, *ends)]}


_Fields = Mapping[str, str | c.To]
_MODEL: c.Json = {"model": "{endpoint}"}
_SAID: c.Json = {**_MODEL, "response_format": "mp3"}
_RESOLUTION = c.To("resolution", lambda word: str(word).replace("k", "K"))  # `2k` is written `2K`
_SIZE: _Fields = {"size": c.To("size", form="{}x{}"), "resolution": _RESOLUTION, "aspect_ratio": "aspect_ratio"}
_SHAPE: _Fields = {"prompt": "prompt", "seed": "seed", **_SIZE}
_IMAGE: _Fields = {**_SHAPE, "format": "output_format", "references": c.BUILD}
_SPEECH = {"text": "input", "voice": "voice", "speed": "speed", "prompt": "instructions", "format": "response_format"}
_SPEAK = c.Call("POST", "/audio/speech", read_s=300)
_NUMBER = {"generation_id": "@headers.x-generation-id"}
_SOUND = c.Files(mime_type="audio/mpeg", form="body")
_PICTURE = c.Files("data[].b64_json", "image/png", form="base64", mime_path="data[].media_type")
_STATES = c.words(
    queued="pending", running="in_progress", succeeded="completed", failed="failed expired", canceled="cancelled"
)
_TOLD = c.Status("data.status", _STATES, error="data.error")


def _video(fields: Mapping[str, str], **rest: Any) -> c.Endpoint:
    shot: _Fields = {**_SHAPE, "duration_s": "duration", "audio": "generate_audio", **fields}
    files = c.Files("unsigned_urls[]", "video/mp4")
    return c.Endpoint(shot, _MODEL, files=files, refs={"job": "{id}"}, dialect="videos", **rest)


PROVIDER = c.Provider(
    name="openrouter",
    docs="https://openrouter.ai/docs/api/api-reference/video-generation/create-videos",
    checked="2026-11-20",
    base_url="https://openrouter.ai/api/v1",
    auth=c.Auth(env=("OPENROUTER_API_KEY",)),
    submit=c.Call("POST", "/images", read_s=300),
    probe=c.Call("GET", "/key"),
    free={"video_models": c.Call("GET", "/videos/models"), "image_models": c.Call("GET", "/images/models")},
    codes=c.Codes(("error.code",), {}),  # the HTTP status once more; what else there is stands in sentences
    error_message=("error.message", "error"),
    charge=c.Charge("usage.cost", "1"),
    inputs={"image": c.Input(("url", "data")), "video": c.Input(("url", "data"), 30 * 2**20)},  # a body holds 50 MiB
    dialects={
        "videos": {
            "submit": c.Call("POST", "/videos", capture={"id": "id"}),
            "poll": c.Call("GET", "/videos/{id}"),
            "status": c.Status("status", _STATES, error="error"),
            "webhook": hmac_stamped(
                "callback_url", "data.id", header="x-openrouter-signature", version="v1", separator=",", status=_TOLD
            ),
        }
    },
    tasks={
        "text-to-image": c.Endpoint(_IMAGE, _MODEL, _guides, _PICTURE),
        "image-to-image": c.Endpoint({**_IMAGE, "image": c.BUILD}, _MODEL, _guides, _PICTURE),
        "text-to-video": _video({"references": c.BUILD}, build=_guides),
        "image-to-video": _video({"image": c.BUILD, "last_image": c.BUILD}, build=_frames),
        "video-to-video": _video({"video": c.BUILD, "references": c.BUILD}, build=_guides),
        "video-extension": _video({"video": "previous_job_id"}, inputs={"video": c.Input(("ref:job",))}),
        "text-to-speech": c.Endpoint(_SPEECH, _SAID, files=_SOUND, facts=_NUMBER, submit=_SPEAK),
    },
)
