"""Luma's Agents API: one endpoint for pictures and clips, where `type` says which.

A picture or clip is named by one of four keys of a small object. What Luma made itself goes on by its generation's id,
which is the only way to extend a clip; local inputs are uploaded in three steps. There is no cancel, no progress and no
charge in the answers.
"""

import json
from collections.abc import Mapping
from typing import Any

from aggregator import contract as c

_Fields = Mapping[str, str | c.To]
_LOOKS = 20
"""How often an uploaded file is looked at, before the server may judge it: only a `ready` one can be used."""


def _upload(source: c.UploadSource) -> c.Flow:
    """A slot, the bytes to where the slot says, and word that they are there; then it is taken in."""
    wanted: c.Json = {"mime_type": source.mime_type, "size_bytes": source.size_bytes, "purpose": "input"}
    answer = yield c.HttpRequest("POST", "/files", json=wanted)
    made = json.loads(answer.body)
    slot, content = made["upload"], c.Body(source.path, source.size_bytes)
    yield c.HttpRequest(slot["method"], slot["url"], slot.get("headers") or {}, content=content, trusted=False)
    answer = yield c.HttpRequest("POST", f"/files/{made['id']}/complete")
    for _ in range(_LOOKS):
        if json.loads(answer.body)["state"] != "pending":
            break
        answer = yield c.HttpRequest("GET", f"/files/{made['id']}")
    return str(made["id"])


def _named(text: Any, **address: str) -> Any:
    """An address, a local file (which becomes an uploaded file's id), or a generation of Luma's own."""
    if text.startswith(("http://", "https://")):
        return {"url": text, **address}
    return {"file_id" if text.startswith("<") else "generation_id": text}


def _clip(text: Any) -> Any:
    """An address of a clip has to say that it is one."""
    return _named(text, media_type="video/mp4")


def _each(texts: Any) -> Any:
    return [_named(text) for text in texts]


def _strength(value: Any) -> str:
    """From 0 (keep the clip) to 1 (imagine it anew), in the vendor's nine steps."""
    word, step = divmod(min(8, int(value * 9)), 3)
    return f"{('adhere', 'flex', 'reimagine')[word]}_{step + 1}"


def _endpoint(kind: str, mime_type: str, unit: str, quantity: str, fields: _Fields) -> c.Endpoint:
    given = {"prompt": "prompt", "aspect_ratio": "aspect_ratio", **fields}
    files, meters = c.Files("output[].url", mime_type), (c.Meter(unit, quantity),)
    return c.Endpoint(given, {"model": "{endpoint}", "type": kind}, None, files, meters, refs={"generation": "{id}"})


_STILL: _Fields = {"format": "output_format", "references": c.To("image_ref", _each)}
_CLIP: _Fields = {"resolution": "video.resolution", "duration_s": c.To("video.duration", form="{}s")}
_FRAMES: _Fields = {"image": c.To("video.start_frame", _named), "last_image": c.To("video.end_frame", _named)}
_STRENGTH = c.To("video.edit.strength", _strength)
_EDIT: _Fields = {"video": c.To("source", _clip), "resolution": "video.resolution", "strength": _STRENGTH}
_WORDS = c.words(queued="queued", running="processing", succeeded="completed", failed="failed")
_MADE = ("image/*", "image", "1")
_REMADE = ("video/mp4", "video_second", "request.input_video_seconds")
_SECONDS = ("video/mp4", "video_second", "request.duration_s")

PROVIDER = c.Provider(
    name="luma",
    docs="https://docs.agents.lumalabs.ai",
    checked="2026-11-20",
    base_url="https://agents.lumalabs.ai/v1",
    auth=c.Auth(env=("LUMA_AGENTS_API_KEY",)),
    submit=c.Call("POST", "/generations", capture={"id": "id"}),
    poll=c.Call("GET", "/generations/{id}"),
    probe=c.Call("GET", "/files?limit=1"),
    status=c.Status("state", _WORDS, error="failure_reason"),
    codes=c.Codes(
        ("failure_code",),
        c.kinds(
            quota="budget_exhausted",
            rate_limit="rate_limited",
            invalid_request="image_too_large unsupported_format corrupt_input invalid_request",
            content_policy="content_moderated",
            job_failed="generation_failed output_not_found",
        ),
    ),
    request_id_header="x-request-id",
    upload=_upload,
    inputs={"": c.Input(("ref:generation", "url", "upload"))},
    result_ttl_s=3600,  # presigned for an hour (luma-agents 0.5.0, generation_output.py)
    served_model="model",
    tasks={
        "text-to-image": _endpoint("image", *_MADE, _STILL),
        "image-to-image": _endpoint("image_edit", *_MADE, {**_STILL, "image": c.To("source", _named)}),
        "text-to-video": _endpoint("video", *_SECONDS, _CLIP),
        "image-to-video": _endpoint("video", *_SECONDS, {**_CLIP, **_FRAMES}),
        "video-extension": _endpoint("video", *_SECONDS, {**_CLIP, "video": c.To("video.start_frame", _named)}),
        "video-to-video": _endpoint("video_edit", *_REMADE, _EDIT),
    },
)
