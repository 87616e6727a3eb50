"""LTX (Lightricks), the asynchronous v2 of its API: one path per kind of work, for the order as for looking at it.

A resolution is written as width and height, so it is put together from resolution and aspect ratio. Local inputs get a
storage address that only LTX understands. There is no cancel, no progress, no list and no charge in the answers; what
was made can be fetched for a day.
"""

import json
from collections.abc import Mapping
from typing import Any

from aggregator.contract import (
    BUILD,
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

_WIDE = {"720p": (1280, 720), "1080p": (1920, 1080), "1440p": (2560, 1440), "4k": (3840, 2160)}


def _upload(source: UploadSource) -> Flow:
    """A signed address, which gets the bytes with the headers it asks for."""
    answer = yield HttpRequest("POST", "/v1/upload")
    slot = json.loads(answer.body)
    headers = {**slot["required_headers"]} if slot.get("required_headers") else {"content-type": source.mime_type}
    content = Body(source.path, source.size_bytes)
    yield HttpRequest("PUT", slot["upload_url"], headers, content=content, trusted=False)
    return str(slot["storage_uri"])


def _resolution(values: Mapping[str, Any]) -> Json:
    """Full HD unless asked otherwise; a portrait is a landscape on its side."""
    width, height = _WIDE[values.get("resolution", "1080p")]
    upright = values.get("aspect_ratio") == "9:16"
    return {"resolution": f"{height}x{width}" if upright else f"{width}x{height}"}


def _submit(path: str) -> Call:
    return Call("POST", f"/v2/{path}", capture={"id": "id"})


_OTHER = ("audio-to-video", "retake", "extend")
"""Paths that are not named as our tasks are; each is a dialect, for an answer is asked for where its order went."""
_CAMERA = {"static": "static", "push-in": "dolly_in", "pull-out": "dolly_out"}
_FIELDS: Mapping[str, str | To] = {
    "prompt": "prompt",
    "size": To("resolution", form="{}x{}"),
    "resolution": BUILD,
    "aspect_ratio": BUILD,
    "duration_s": "duration",
    "fps": "fps",
    "audio": "generate_audio",
    "camera": To("camera_motion", values=_CAMERA),
}
_FILES = Files("result.video_url", "video/mp4")
_MODEL: Json = {"model": "{endpoint}"}
_SECONDS = (Meter("video_second", "request.duration_s"),)

PROVIDER = Provider(
    name="ltx",
    docs="https://docs.ltx.io",
    checked="2026-11-20",
    base_url="https://api.ltx.video",
    auth=Auth(env=("LTX_API_KEY",)),
    submit=_submit("{task}"),
    poll=Call("GET", "/v2/{task}/{id}"),
    probe=Call("POST", "/v1/upload"),  # an address to upload to: nothing is stored or charged
    dialects={path: {"submit": _submit(path), "poll": Call("GET", f"/v2/{path}/{{id}}")} for path in _OTHER},
    status=Status(
        "status",
        {"pending": State.QUEUED, "processing": State.RUNNING, "completed": State.SUCCEEDED, "failed": State.FAILED},
        error="error.message",
    ),
    codes=Codes(
        ("error.type",),
        {
            "content_filtered_error": "content_policy",
            "insufficient_funds_error": "quota",
            "authentication_error": "authentication",
            "invalid_request_error": "invalid_request",
            "not_found_error": "invalid_request",
            "rate_limit_error": "rate_limit",
            "concurrency_limit_error": "rate_limit",
            "overloaded_error": "unavailable",
            "service_unavailable": "unavailable",
            "api_error": "job_failed",
        },
    ),
    request_id_header="x-request-id",
    upload=_upload,
    inputs={"": Input(("url", "upload"))},
    concurrency=2,
    result_ttl_s=24 * 3600,
    tasks={
        "text-to-video": Endpoint(_FIELDS, _MODEL, _resolution, _FILES, _SECONDS),
        "image-to-video": Endpoint(
            {**_FIELDS, "image": "image_uri", "last_image": "last_frame_uri"}, _MODEL, _resolution, _FILES, _SECONDS
        ),
        "lip-sync": Endpoint(
            {"audio": "audio_uri", "image": "image_uri", "prompt": "prompt"},
            _MODEL,
            files=_FILES,
            meters=(Meter("input_audio_second", "request.input_audio_seconds"),),
        ),
        "video-to-video": Endpoint(
            {"video": "video_uri", "prompt": "prompt", "duration_s": "duration"},
            {**_MODEL, "start_time": 0},
            files=_FILES,
            meters=(Meter("input_video_second", "request.input_video_seconds"),),
        ),
        "video-extension": Endpoint(
            {"video": "video_uri", "prompt": "prompt", "duration_s": "duration"}, _MODEL, files=_FILES, meters=_SECONDS
        ),
    },
)
