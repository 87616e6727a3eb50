"""LTX (Lightricks), the asynchronous v2 of its API: one path per kind of work, for the order as for looking at it.

A resolution is written as width and height, so it is put together from resolution and aspect ratio. Local inputs get a
storage address that only LTX understands. There is no cancel, no progress, no list and no charge in the answers.
"""

import json
from collections.abc import Mapping
from typing import Any

from aggregator import casts
from aggregator import contract as c

_Fields = Mapping[str, str | c.To]
_WIDE = {"720p": (1280, 720), "1080p": (1920, 1080), "1440p": (2560, 1440), "4k": (3840, 2160)}
_OTHER = ("audio-to-video", "retake", "extend")
"""Paths that are not named as our tasks are; each is a dialect, for an answer is asked for where its order went."""


def _upload(source: c.UploadSource) -> c.Flow:
    """A signed address, which gets the bytes with the headers it asks for."""
    slot = json.loads((yield c.HttpRequest("POST", "/v1/upload")).body)
    yield casts.put(source, slot["upload_url"], slot.get("required_headers"))
    return str(slot["storage_uri"])


def _resolution(values: Mapping[str, Any]) -> c.Json:
    """Full HD unless asked otherwise; a portrait is a landscape on its side."""
    width, height = _WIDE[values.get("resolution", "1080p")]
    upright = values.get("aspect_ratio") == "9:16"
    return {"resolution": f"{height}x{width}" if upright else f"{width}x{height}"}


def _submit(path: str) -> c.Call:
    return c.Call("POST", f"/v2/{path}", capture={"id": "id"})


def _clip(fields: _Fields, unit: str, quantity: str, **fixed: int) -> c.Endpoint:
    build = _resolution if "resolution" in fields else None
    files = c.Files("result.video_url", "video/mp4")
    return c.Endpoint(fields, {"model": "{endpoint}", **fixed}, build, files, (c.Meter(unit, quantity),))


_WORDS = c.words(queued="pending", running="processing", succeeded="completed", failed="failed")
_SECONDS, _AGAIN = ("video_second", "request.duration_s"), ("input_video_second", "request.input_video_seconds")
_CAMERA = c.To("camera_motion", values={"static": "static", "push-in": "dolly_in", "pull-out": "dolly_out"})
_SIZE: _Fields = {"size": c.To("resolution", form="{}x{}"), "resolution": c.BUILD, "aspect_ratio": c.BUILD}
_PLAIN = {"prompt": "prompt", "duration_s": "duration", "fps": "fps", "audio": "generate_audio"}
_SHOT: _Fields = {**_PLAIN, **_SIZE, "camera": _CAMERA}
_SOURCE = {"video": "video_uri", "prompt": "prompt", "duration_s": "duration"}
_SPOKEN = {"audio": "audio_uri", "image": "image_uri", "prompt": "prompt"}

PROVIDER = c.Provider(
    name="ltx",
    docs="https://docs.ltx.io",
    checked="2026-11-20",
    base_url="https://api.ltx.video",
    auth=c.Auth(env=("LTX_API_KEY",)),
    submit=_submit("{task}"),
    poll=c.Call("GET", "/v2/{task}/{id}"),
    probe=c.Call("POST", "/v1/upload"),  # an address to upload to: nothing is stored or charged
    dialects={path: {"submit": _submit(path), "poll": c.Call("GET", f"/v2/{path}/{{id}}")} for path in _OTHER},
    status=c.Status("status", _WORDS, error="error.message"),
    codes=c.Codes(
        ("error.type",),
        c.kinds(
            authentication="authentication_error",
            quota="insufficient_funds_error",
            rate_limit="rate_limit_error concurrency_limit_error",
            invalid_request="invalid_request_error not_found_error",
            content_policy="content_filtered_error",
            unavailable="overloaded_error service_unavailable",
            job_failed="api_error",
        ),
    ),
    request_id_header="x-request-id",
    upload=_upload,
    upload_ttl_s=24 * 3600,  # of `storage_uri`; the address to upload to has an hour
    inputs={"": c.Input(("url", "upload"))},
    concurrency=2,
    result_ttl_s=24 * 3600,
    tasks={
        "text-to-video": _clip(_SHOT, *_SECONDS),
        "image-to-video": _clip({**_SHOT, "image": "image_uri", "last_image": "last_frame_uri"}, *_SECONDS),
        "lip-sync": _clip(_SPOKEN, "input_audio_second", "request.input_audio_seconds"),
        "video-to-video": _clip(_SOURCE, *_AGAIN, start_time=0),
        "video-extension": _clip(_SOURCE, *_SECONDS),
    },
)
