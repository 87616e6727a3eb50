"""OpenRouter: one body for every model it resells; pictures and speech in the answer, clips as jobs.

The answers say in dollars what was charged (speech does not). Which values a model takes, and its price, is what
`GET /videos/models` and `GET /images/models` say: a value outside its sets is refused with 400.
"""

from collections.abc import Mapping
from typing import Any

from aggregator.contract import (
    BUILD,
    Auth,
    Call,
    Charge,
    Codes,
    Endpoint,
    Files,
    Input,
    Json,
    Provider,
    State,
    Status,
    To,
)
from aggregator.signing import hmac_stamped


def _asset(kind: str, url: Any) -> Any:
    return {"type": f"{kind}_url", f"{kind}_url": {"url": url}}


def _pictures(values: Mapping[str, Any]) -> Json:
    """The picture to edit before those that guide it."""
    urls = [values["image"], *(reference["image"] for reference in values.get("references", ()))]
    return {"input_references": [_asset("image", url) for url in urls]}


def _guides(values: Mapping[str, Any]) -> Json:
    """A clip to work on, then pictures that guide it."""
    clips = [_asset("video", values["video"])] if "video" in values else []
    assets = [*clips, *(_asset("image", one["image"]) for one in values.get("references", ()))]
    return {"input_references": assets} if assets else {}


def _frames(values: Mapping[str, Any]) -> Json:
    """The pictures at the ends of a clip."""
    places = (("image", "first_frame"), ("last_image", "last_frame"))
    return {
        "frame_images": [
            {**_asset("image", values[name]), "frame_type": place} for name, place in places if name in values
        ]
    }


def _resolution(word: Any) -> Any:
    """`2k` is written `2K`; `720p` as it is."""
    return word.upper() if word.endswith("k") else word


_MODEL = {"model": "{endpoint}"}
_SHAPE: Mapping[str, str | To] = {
    "prompt": "prompt",
    "size": To("size", form="{}x{}"),
    "resolution": To("resolution", _resolution),
    "aspect_ratio": "aspect_ratio",
    "seed": "seed",
}
_IMAGE: Mapping[str, str | To] = {**_SHAPE, "format": "output_format", "references": BUILD}
_PICTURE = Files("data[].b64_json", "image/png", form="base64", mime_path="data[].media_type")
_STATES = {
    "pending": State.QUEUED,
    "in_progress": State.RUNNING,
    "completed": State.SUCCEEDED,
    "failed": State.FAILED,
    "cancelled": State.CANCELED,
    "expired": State.FAILED,
}


def _video(build: Any = None, inputs: Mapping[str, Input] | None = None, **fields: str | To) -> Endpoint:
    return Endpoint(
        dialect="videos",
        inputs=inputs or {},
        fields={**_SHAPE, "duration_s": "duration", "audio": "generate_audio", **fields},
        fixed=_MODEL,
        build=build,
        files=Files("unsigned_urls[]", "video/mp4"),
        refs={"job": "{id}"},
    )


PROVIDER = Provider(
    name="openrouter",
    docs="https://openrouter.ai/docs/api/api-reference/video-generation/create-videos",
    checked="2026-11-20",
    base_url="https://openrouter.ai/api/v1",
    auth=Auth(env=("OPENROUTER_API_KEY",)),
    submit=Call("POST", "/images", read_s=300),
    probe=Call("GET", "/key"),
    free={"video_models": Call("GET", "/videos/models"), "image_models": Call("GET", "/images/models")},
    # The code is the HTTP status once more; what else there is stands in sentences.
    codes=Codes(("error.code",), {}),
    error_message=("error.message", "error"),
    charge=Charge("usage.cost", "1"),
    inputs={"image": Input(("url", "data")), "video": Input(("url", "data"), 30 * 2**20)},  # a body holds 50 MiB
    dialects={
        "videos": {
            "submit": Call("POST", "/videos", capture={"id": "id"}),
            "poll": Call("GET", "/videos/{id}"),
            "status": Status("status", _STATES, error="error"),
            "webhook": hmac_stamped(
                "callback_url",
                "data.id",
                header="x-openrouter-signature",
                version="v1",
                separator=",",
                status=Status("data.status", _STATES, error="data.error"),
            ),
        }
    },
    tasks={
        "text-to-image": Endpoint(fields=_IMAGE, fixed=_MODEL, build=_guides, files=_PICTURE),
        "image-to-image": Endpoint(fields={**_IMAGE, "image": BUILD}, fixed=_MODEL, build=_pictures, files=_PICTURE),
        "text-to-video": _video(_guides, references=BUILD),
        # Guiding pictures are ignored beside frames, so none are taken.
        "image-to-video": _video(_frames, image=BUILD, last_image=BUILD),
        "video-to-video": _video(_guides, video=BUILD, references=BUILD),
        "video-extension": _video(inputs={"video": Input(("ref:job",))}, video="previous_job_id"),
        "text-to-speech": Endpoint(
            submit=Call("POST", "/audio/speech", read_s=300),
            fields={
                "text": "input",
                "voice": "voice",
                "speed": "speed",
                "prompt": "instructions",
                "format": "response_format",
            },
            fixed={**_MODEL, "response_format": "mp3"},
            files=Files(mime_type="audio/mpeg", form="body"),
            facts={"generation_id": "@headers.x-generation-id"},
        ),
    },
)
