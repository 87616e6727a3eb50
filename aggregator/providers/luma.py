"""Luma's Agents API: one endpoint for pictures and clips, where `type` says which.

A picture or clip is named by one of four keys of a small object. What Luma made itself goes on by its generation's id,
which is the only way to extend a clip; local inputs are uploaded in three steps. There is no cancel, no progress and no
charge in the answers.
"""

import json
from collections.abc import Mapping

from pydantic import JsonValue

from aggregator.contract import (
    Auth,
    Body,
    Call,
    Codes,
    Endpoint,
    Files,
    Flow,
    HttpRequest,
    Input,
    Json,
    Meter,
    Provider,
    State,
    Status,
    To,
    UploadSource,
)

_LOOKS = 20
"""How often an uploaded file is looked at, before the server may judge it: only a `ready` one can be used."""
_STRENGTHS = [f"{word}_{step}" for word in ("adhere", "flex", "reimagine") for step in (1, 2, 3)]


def _upload(source: UploadSource) -> Flow:
    """A slot, the bytes to where the slot says, and word that they are there; then it is taken in."""
    wanted: Json = {"mime_type": source.mime_type, "size_bytes": source.size_bytes, "purpose": "input"}
    answer = yield HttpRequest("POST", "/files", json=wanted)
    made = json.loads(answer.body)
    slot, content = made["upload"], Body(source.path, source.size_bytes)
    yield HttpRequest(slot["method"], slot["url"], slot.get("headers") or {}, content=content, trusted=False)
    answer = yield HttpRequest("POST", f"/files/{made['id']}/complete")
    for _ in range(_LOOKS):
        if json.loads(answer.body)["state"] != "pending":
            break
        answer = yield HttpRequest("GET", f"/files/{made['id']}")
    return str(made["id"])


def _named(value: JsonValue) -> JsonValue:
    """An address, a local file (which becomes an uploaded file's id), or a generation of Luma's own."""
    text = str(value)
    if text.startswith(("http://", "https://")):
        return {"url": value}
    return {"file_id" if text.startswith("<") else "generation_id": value}


def _clip(value: JsonValue) -> JsonValue:
    """An address of a clip has to say that it is one."""
    named = _named(value)
    return {**named, "media_type": "video/mp4"} if isinstance(named, dict) and "url" in named else named


def _each(values: JsonValue) -> JsonValue:
    return [_named(value) for value in values] if isinstance(values, list) else values


def _strength(value: JsonValue) -> JsonValue:
    """From 0 (keep the clip) to 1 (imagine it anew), in the vendor's nine steps."""
    return _STRENGTHS[min(8, int(float(str(value)) * 9))]


def _endpoint(kind: str, mime_type: str, unit: str, quantity: str, fields: Mapping[str, str | To]) -> Endpoint:
    return Endpoint(
        fields={"prompt": "prompt", "aspect_ratio": "aspect_ratio", **fields},
        fixed={"model": "{endpoint}", "type": kind},
        files=Files("output[].url", mime_type),
        meters=(Meter(unit, quantity),),
        refs={"generation": "{id}"},
    )


_STILL: Mapping[str, str | To] = {"format": "output_format", "references": To("image_ref", cast=_each)}
_CLIP: Mapping[str, str | To] = {"resolution": "video.resolution", "duration_s": To("video.duration", form="{}s")}
_FRAMES = {"image": To("video.start_frame", cast=_named), "last_image": To("video.end_frame", cast=_named)}
_SECONDS = ("video/mp4", "video_second", "request.duration_s")

PROVIDER = Provider(
    name="luma",
    docs="https://docs.agents.lumalabs.ai",
    checked="2026-11-20",
    base_url="https://agents.lumalabs.ai/v1",
    auth=Auth(env=("LUMA_AGENTS_API_KEY",)),
    submit=Call("POST", "/generations", capture={"id": "id"}),
    poll=Call("GET", "/generations/{id}"),
    probe=Call("GET", "/files?limit=1"),
    status=Status(
        "state",
        {"queued": State.QUEUED, "processing": State.RUNNING, "completed": State.SUCCEEDED, "failed": State.FAILED},
        error="failure_reason",
    ),
    codes=Codes(
        ("failure_code",),
        {
            "content_moderated": "content_policy",
            "budget_exhausted": "quota",
            "rate_limited": "rate_limit",
            "generation_failed": "job_failed",
            "output_not_found": "job_failed",
            "image_too_large": "invalid_request",
            "unsupported_format": "invalid_request",
            "corrupt_input": "invalid_request",
            "invalid_request": "invalid_request",
        },
    ),
    request_id_header="x-request-id",
    upload=_upload,
    inputs={"": Input(("ref:generation", "url", "upload"))},
    result_ttl_s=3600,  # presigned for an hour (luma-agents 0.5.0, generation_output.py)
    tasks={
        "text-to-image": _endpoint("image", "image/*", "image", "1", _STILL),
        "image-to-image": _endpoint(
            "image_edit", "image/*", "image", "1", {**_STILL, "image": To("source", cast=_named)}
        ),
        "text-to-video": _endpoint("video", *_SECONDS, _CLIP),
        "image-to-video": _endpoint("video", *_SECONDS, {**_CLIP, **_FRAMES}),
        "video-extension": _endpoint("video", *_SECONDS, {**_CLIP, "video": To("video.start_frame", cast=_named)}),
        "video-to-video": _endpoint(
            "video_edit",
            "video/mp4",
            "video_second",
            "request.input_video_seconds",
            {
                "video": To("source", cast=_clip),
                "resolution": "video.resolution",
                "strength": To("video.edit.strength", cast=_strength),
            },
        ),
    },
)
