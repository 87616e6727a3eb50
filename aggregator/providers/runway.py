"""Runway: one task object for its own models and the two dozen it resells; what a model takes is in its offer row.

Resolution and aspect ratio are one word of the vendor's, from a list of each model's own: a row writes a resolution as
its widescreen ratio, and an aspect ratio as what takes that one's place. Answers say what was charged, failures too.
"""

import json
from collections.abc import Mapping
from typing import Any

from aggregator.contract import (
    BUILD,
    Auth,
    Body,
    Call,
    Charge,
    Codes,
    Endpoint,
    ErrorKind,
    Files,
    Flow,
    HttpRequest,
    Input,
    Json,
    Meter,
    Part,
    Provider,
    State,
    Status,
    To,
    UploadSource,
)
from aggregator.errors import ProviderError

_Fields = Mapping[str, str | To]


def _upload(source: UploadSource) -> Flow:
    """An ephemeral upload: a slot with the form's fields, then the form to where the slot says, without the key."""
    name = f"{source.sha256[:16]}.{source.mime_type.partition('/')[2]}"
    answer = yield HttpRequest("POST", "/v1/uploads", json={"filename": name, "type": "ephemeral"})
    slot = json.loads(answer.body)
    fields = tuple(Part(key, value) for key, value in slot["fields"].items())
    file = Part("file", Body(source.path, source.size_bytes), name, source.mime_type)
    yield HttpRequest("POST", slot["uploadUrl"], parts=(*fields, file), trusted=False)
    return str(slot["runwayUri"])


def _ratio(values: Mapping[str, Any]) -> Json:
    """The one word for both; the first of a row's words where no resolution is asked for."""
    shapes, wide = values.get("aspect_ratio"), values.get("resolution")
    ratio = wide if shapes is None else shapes.get(wide) or next(iter(shapes.values()))
    return {"ratio": ratio} if ratio else {}


def _frames(values: Mapping[str, Any]) -> Json:
    """The first frame, and the last if there is one, each with its place."""
    places = {"image": "first", "last_image": "last"}
    frames: list[Any] = [{"uri": values[name], "position": at} for name, at in places.items() if name in values]
    found = {"promptImage": frames, "references": _listed([one["image"] for one in values.get("references", ())])}
    return {**_ratio(values), **{name: uris for name, uris in found.items() if uris}}


def _images(values: Mapping[str, Any]) -> Json:
    """The picture to edit comes before the references."""
    uris = [*([values["image"]] if "image" in values else []), *(one["image"] for one in values.get("references", ()))]
    return {**_ratio(values), **({"referenceImages": _listed(uris)} if uris else {})}


def _listed(uris: Any) -> Any:
    return [{"uri": uri} for uri in uris]


def _bills(error: ProviderError) -> bool | None:
    """Moderated inputs are charged (runwayml/skills c5674fd, 2026-04-21); of the rest the answer's own cost speaks."""
    return True if (error.code or "").startswith("SAFETY.INPUT") else None


def _endpoint(path: str, made: tuple[str, str, str], fields: _Fields, build: Any = None, **fixed: str) -> Endpoint:
    """One path; `made` is the type of its files, the unit that is billed, and how much of it."""
    return Endpoint(
        fields=fields,
        fixed={"model": "{endpoint}", **{name.replace("_", "."): value for name, value in fixed.items()}},
        build=build,
        files=Files("output[]", made[0]),
        meters=(Meter(made[1], made[2]),),
        submit=Call("POST", f"/v1/{path}", capture={"id": "id"}),
    )


_CLIP = ("video/mp4", "video_second", "request.duration_s")
_REMADE = ("video/mp4", "video_second", "request.input_video_seconds")
_STILL = ("image/*", "image", "1")
_SOUND = ("audio/*", "audio_second", "request.duration_s")
_SPEECH = ("audio/*", "kilo_character", "request.kilo_characters")
_SAID_AGAIN = ("audio/*", "input_audio_second", "request.input_audio_seconds")
_PROMPT: _Fields = {"prompt": "promptText"}
_SHAPE: _Fields = {**_PROMPT, "size": To("ratio", form="{}:{}"), "seed": "seed"}
_LENGTH: _Fields = {"duration_s": "duration"}
_SOURCE: _Fields = {"video": "videoUri"}
_VOICE: _Fields = {"voice": "voice.presetId"}
_FRAMES: _Fields = {"image": BUILD, "last_image": BUILD}
_REFERENCES: _Fields = {"references": To("references", cast=_listed)}
_KINDS: Mapping[str, ErrorKind] = {
    "SAFETY": "content_policy",
    "*enough credits*": "quota",
    **dict.fromkeys(("INPUT_PREPROCESSING", "ASSET"), "invalid_request"),
    **dict.fromkeys(("INTERNAL", "THIRD_PARTY"), "job_failed"),
}

PROVIDER = Provider(
    name="runway",
    docs="https://docs.dev.runwayml.com/api",
    checked="2026-11-20",
    base_url="https://api.dev.runwayml.com",
    auth=Auth(env=("RUNWAYML_API_SECRET",)),
    headers={"X-Runway-Version": "2024-11-06"},
    submit=Call("POST", "/v1/text_to_video", capture={"id": "id"}),
    poll=Call("GET", "/v1/tasks/{id}"),
    cancel=Call("DELETE", "/v1/tasks/{id}"),
    probe=Call("GET", "/v1/organization"),
    free={"balance": Call("GET", "/v1/organization")},
    status=Status(
        "status",
        {"PENDING": State.QUEUED, "THROTTLED": State.QUEUED, "RUNNING": State.RUNNING}
        | {"SUCCEEDED": State.SUCCEEDED, "FAILED": State.FAILED, "CANCELLED": State.CANCELED},
        error="failure",
        progress="progress",
    ),
    codes=Codes(("failureCode", "error"), _KINDS),
    error_message=("failure", "error"),
    upload=_upload,
    inputs={"": Input(("url", "upload"))},
    charge=Charge("cost.credits", "0.01"),
    bills_failures=_bills,
    result_ttl_s=24 * 3600,  # addresses live 24 to 48 hours (runwayml 5.24.0, task_retrieve_response.py)
    tasks={
        "text-to-video": _endpoint("text_to_video", _CLIP, {**_SHAPE, **_LENGTH, **_REFERENCES}, _ratio),
        "image-to-video": _endpoint("image_to_video", _CLIP, {**_SHAPE, **_LENGTH, **_FRAMES}, _frames),
        "video-to-video": _endpoint("video_to_video", _REMADE, {**_SOURCE, **_PROMPT, **_REFERENCES}, _ratio),
        "video-extension": _endpoint("video_to_video", _CLIP, {**_SOURCE, **_PROMPT, **_LENGTH}, _ratio),
        "video-upscaling": _endpoint("video_upscale", _REMADE, _SOURCE),
        "frame-interpolation": _endpoint("video_upscale", _REMADE, _SOURCE),
        "text-to-image": _endpoint("text_to_image", _STILL, {**_SHAPE, "references": BUILD}, _images),
        "image-to-image": _endpoint("text_to_image", _STILL, {**_SHAPE, "image": BUILD, "references": BUILD}, _images),
        "image-upscaling": _endpoint("image_upscale", _STILL, {"image": "imageUri", "factor": "scaleFactor"}),
        "text-to-speech": _endpoint(
            "text_to_speech", _SPEECH, {"text": "promptText", **_VOICE}, voice_type="runway-preset"
        ),
        "speech-to-speech": _endpoint(
            "speech_to_speech",
            _SAID_AGAIN,
            {"audio": "media.uri", **_VOICE},
            voice_type="runway-preset",
            media_type="audio",
        ),
        "text-to-sound": _endpoint("sound_effect", _SOUND, {**_PROMPT, **_LENGTH}),
        "video-to-audio": _endpoint("video_to_audio", _SOUND, {**_SOURCE, **_PROMPT, **_LENGTH}),
    },
)
