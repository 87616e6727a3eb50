"""Runway: one task object for its own models and the two dozen it resells; what a model takes is in its offer row.

Resolution and aspect ratio are one word of the vendor's, from a list of each model's own: a row writes a resolution as
its widescreen ratio, and an aspect ratio as what takes that one's place. Answers say what was charged, failures too.
"""

import json
from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c
from aggregator.errors import ProviderError

_Fields = Mapping[str, str | c.To]


def _upload(source: c.UploadSource) -> c.Flow:
    """An ephemeral upload: a slot with the form's fields, then the form to where the slot says, without the key."""
    answer = yield c.HttpRequest("POST", "/v1/uploads", json={"filename": casts.file_name(source), "type": "ephemeral"})
    slot = json.loads(answer.body)
    parts = (*(c.Part(key, value) for key, value in slot["fields"].items()), casts.part("file", source))
    yield c.HttpRequest("POST", slot["uploadUrl"], parts=parts, trusted=False)
    return str(slot["runwayUri"])


def _listed(uris: Any) -> Any:
    return [{"uri": uri} for uri in uris]


def _ratio(values: Mapping[str, Any]) -> c.Json:
    """The one word for both; the first of a row's words where no resolution is asked for."""
    shapes, wide = values.get("aspect_ratio"), values.get("resolution")
    ratio = wide if shapes is None else shapes.get(wide) or next(iter(shapes.values()))
    return {"ratio": ratio} if ratio else {}


def _frames(values: Mapping[str, Any]) -> c.Json:
    """The first frame, and the last if there is one, each with its place."""
    places = {"image": "first", "last_image": "last"}
    frames: list[Any] = [{"uri": uri, "position": places[name]} for name, uri in casts.inputs(values, *places)]
    found = {"promptImage": frames, "references": _listed(casts.pictures(values))}
    return {**_ratio(values), **{name: uris for name, uris in found.items() if uris}}


def _images(values: Mapping[str, Any]) -> c.Json:
    """The picture to edit comes before the references."""
    uris = casts.pictures(values, "image")
    return {**_ratio(values), **({"referenceImages": _listed(uris)} if uris else {})}


def _bills(error: ProviderError) -> bool | None:
    """Moderated inputs are charged (runwayml/skills c5674fd, 2026-04-21); of the rest the answer's own cost speaks."""
    return True if (error.code or "").startswith("SAFETY.INPUT") else None


_MODEL = {"model": "{endpoint}"}
_PRESET = {**_MODEL, "voice.type": "runway-preset"}
_SENT = {**_PRESET, "media.type": "audio"}
_CLIP = ("video/mp4", "video_second", "request.duration_s")
_REMADE = ("video/mp4", "video_second", "request.input_video_seconds")
_STILL = ("image/*", "image", "1")
_SOUND = ("audio/*", "audio_second", "request.duration_s")
_SPEECH = ("audio/*", "kilo_character", "request.kilo_characters")
_SAID_AGAIN = ("audio/*", "input_audio_second", "request.input_audio_seconds")
_PROMPT: _Fields = {"prompt": "promptText"}
_SHAPE: _Fields = {**_PROMPT, "size": c.To("ratio", form="{}:{}"), "seed": "seed"}
_SHOT: _Fields = {**_SHAPE, "duration_s": "duration"}
_SOURCE: _Fields = {"video": "videoUri"}
_REFERENCES: _Fields = {"references": c.To("references", _listed)}
_DRAWN: _Fields = {**_SHAPE, "references": c.BUILD}
_VOICE = {"voice": "voice.presetId"}
_LENGTH = {**_PROMPT, "duration_s": "duration"}


def _at(path: str, made: tuple[str, str, str], fields: _Fields, build: Any = None, fixed: Any = _MODEL) -> c.Endpoint:
    """One path; `made` is the type of its files, the unit that is billed, and how much of it."""
    mime_type, unit, quantity = made
    submit = c.Call("POST", f"/v1/{path}", capture={"id": "id"})
    return c.Endpoint(fields, fixed, build, c.Files("output[]", mime_type), (c.Meter(unit, quantity),), submit=submit)


_WORDS = c.words(
    queued="PENDING THROTTLED", running="RUNNING", succeeded="SUCCEEDED", failed="FAILED", canceled="CANCELLED"
)
_KINDS = c.kinds(
    content_policy="SAFETY", invalid_request="INPUT_PREPROCESSING ASSET", job_failed="INTERNAL THIRD_PARTY"
)

PROVIDER = c.Provider(
    name="runway",
    docs="https://docs.dev.runwayml.com/api",
    checked="2026-11-20",
    base_url="https://api.dev.runwayml.com",
    auth=c.Auth(env=("RUNWAYML_API_SECRET",)),
    headers={"X-Runway-Version": "2024-11-06"},
    submit=c.Call("POST", "/v1/text_to_video", capture={"id": "id"}),
    poll=c.Call("GET", "/v1/tasks/{id}"),
    cancel=c.Call("DELETE", "/v1/tasks/{id}"),
    probe=c.Call("GET", "/v1/organization"),
    free={"balance": c.Call("GET", "/v1/organization")},
    status=c.Status("status", _WORDS, error="failure", progress="progress"),
    codes=c.Codes(("failureCode", "error"), {**_KINDS, "*enough credits*": "quota"}),
    error_message=("failure", "error"),
    upload=_upload,
    upload_ttl_s=24 * 3600,  # "may be used multiple times" (docs.dev.runwayml.com/assets/uploads, read 2026-11-22)
    inputs={"": c.Input(("url", "upload"))},
    charge=c.Charge("cost.credits", "0.01"),
    bills_failures=_bills,
    result_ttl_s=24 * 3600,  # addresses live 24 to 48 hours (runwayml 5.24.0, task_retrieve_response.py)
    tasks={
        "text-to-video": _at("text_to_video", _CLIP, {**_SHOT, **_REFERENCES}, _ratio),
        "image-to-video": _at("image_to_video", _CLIP, {**_SHOT, "image": c.BUILD, "last_image": c.BUILD}, _frames),
        "video-to-video": _at("video_to_video", _REMADE, {**_PROMPT, **_SOURCE, **_REFERENCES}, _ratio),
        "video-extension": _at("video_to_video", _CLIP, {**_LENGTH, **_SOURCE}, _ratio),
        "video-upscaling": _at("video_upscale", _REMADE, _SOURCE),
        "frame-interpolation": _at("video_upscale", _REMADE, _SOURCE),
        "text-to-image": _at("text_to_image", _STILL, _DRAWN, _images),
        "image-to-image": _at("text_to_image", _STILL, {**_DRAWN, "image": c.BUILD}, _images),
        "image-upscaling": _at("image_upscale", _STILL, {"image": "imageUri", "factor": "scaleFactor"}),
        "text-to-speech": _at("text_to_speech", _SPEECH, {**_VOICE, "text": "promptText"}, None, _PRESET),
        "speech-to-speech": _at("speech_to_speech", _SAID_AGAIN, {**_VOICE, "audio": "media.uri"}, None, _SENT),
        "text-to-sound": _at("sound_effect", _SOUND, _LENGTH),
        "video-to-audio": _at("video_to_audio", _SOUND, {**_LENGTH, **_SOURCE}),
    },
)
