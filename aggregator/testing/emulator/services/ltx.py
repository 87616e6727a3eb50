"""LTX as it answers, v2 of its API (LTX OpenAPI 1.0.0 of 2026-08-22; errors and limits of docs.ltx.io, 2026-07-19;
prices of docs.ltx.io/pricing as read 2026-10-07, in part).
"""

import re
from datetime import UTC, datetime
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Service, order, uuid

USD_A_SECOND = {"1280x720": "0.09", "1920x1080": "0.10", "2560x1440": "0.16", "3840x2160": "0.39"}
MODELS = ("ltx-2-3-fast", "ltx-2-3-pro", "ltx-2-5-fast", "ltx-2-5-pro")
CAMERAS = ["dolly_in", "dolly_out", "dolly_left", "dolly_right", "jib_up", "jib_down", "static", "focus_shift"]


def error(status: int, kind: str, message: str, **headers: str) -> Answer:
    return Answer(status, {"type": "error", "error": {"type": kind, "message": message}}, headers)


SERVICE = Service(
    "ltx",
    ids=uuid,
    concurrency=2,
    headers=lambda _call: {"x-request-id": "req-emulated"},
    faults={
        "bad_key": error(401, "authentication_error", "Invalid API key"),
        "no_credit": error(402, "insufficient_funds_error", "Not enough credits"),
        "not_found": error(404, "not_found_error", "No such job"),
        "moderated_input": error(422, "content_filtered_error", "The prompt was filtered"),
        "rate_limited": Answer(
            429,
            {"type": "error", "error": {"type": "rate_limit_error", "message": "Too many requests"}},
            {"retry-after": "1"},
        ),
        "too_many_jobs": Answer(
            429,
            {"type": "error", "error": {"type": "concurrency_limit_error", "message": "Two jobs at once"}},
            {"retry-after": "5"},
        ),
        "invalid": lambda detail: error(400, "invalid_request_error", detail or "Invalid request"),
        "server_error": error(500, "api_error", "An unexpected error occurred"),
        "unavailable": error(503, "service_unavailable", "Temporarily unavailable"),
        "timeout": error(504, "api_error", "Timed out"),
        "overloaded": error(529, "overloaded_error", "Overloaded"),
    },
)


def usable(call: Call, body: dict[str, Any], *names: str) -> None:
    """Inputs are https, data URIs, or storage addresses that were really filled."""
    for name in names:
        uri = str(body.get(name, "https://"))
        if uri.startswith("ltx-storage://"):
            if not call.world.get(uri):
                call.refuse("invalid", f"{name}: nothing was uploaded")
        elif not uri.startswith(("https://", "data:")):
            call.refuse("invalid", f"{name}: https, data or storage address")


def make(call: Call, path: str, body: dict[str, Any], seconds: float, resolution: str) -> Answer:
    if body.get("model", "ltx-2-3-pro") not in MODELS:
        call.refuse("invalid", "model: unknown or no longer served")
    width, height = (int(edge) for edge in resolution.split("x"))
    rate = USD_A_SECOND.get(f"{max(width, height)}x{min(width, height)}", "0.10")
    job = call.take(
        order(
            "video",
            width=width,
            height=height,
            duration_s=seconds,
            fps=body.get("fps", 24),
            audio=body.get("generate_audio", True),
            usd=f"{float(rate) * seconds:.4f}",
        ),
        path=path,
    )
    return Answer(202, {"id": job.id, "created_at": moment(job.created)})


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def generate(call: Call, path: str, *required: str) -> Answer:
    body = call.json(*required)
    usable(call, body, *(name for name in ("image_uri", "last_frame_uri") if name in body))
    if not isinstance(body["duration"], int) or not re.fullmatch(r"\d+x\d+", str(body["resolution"])):
        call.refuse("invalid", "duration is an integer, resolution is WIDTHxHEIGHT")
    if body.get("camera_motion", "static") not in CAMERAS:
        call.refuse("invalid", f"camera_motion: one of {CAMERAS}")
    return make(call, path, body, body["duration"], body["resolution"])


@SERVICE.post("/v2/text-to-video")
def text_to_video(call: Call) -> Answer:
    return generate(call, "text-to-video", "prompt", "model", "duration", "resolution")


@SERVICE.post("/v2/image-to-video")
def image_to_video(call: Call) -> Answer:
    return generate(call, "image-to-video", "image_uri", "prompt", "model", "duration", "resolution")


@SERVICE.post("/v2/audio-to-video")
def audio_to_video(call: Call) -> Answer:
    body = call.json("audio_uri")
    if not body.get("image_uri") and not body.get("prompt"):
        call.refuse("invalid", "image_uri or prompt is required")
    usable(call, body, "audio_uri", *(["image_uri"] if "image_uri" in body else []))
    return make(call, "audio-to-video", body, 2.0, body.get("resolution", "1920x1080"))


@SERVICE.post("/v2/retake")
def retake(call: Call) -> Answer:
    body = call.json("video_uri", "start_time", "duration")
    usable(call, body, "video_uri")
    if body["duration"] < 2:
        call.refuse("invalid", "duration: at least 2 seconds")
    return make(call, "retake", body, float(body["duration"]), body.get("resolution", "1920x1080"))


@SERVICE.post("/v2/extend")
def extend(call: Call) -> Answer:
    body = call.json("video_uri", "duration")
    usable(call, body, "video_uri")
    if not 2 <= body["duration"] <= 20:
        call.refuse("invalid", "duration: 2 to 20 seconds")
    return make(call, "extend", body, float(body["duration"]), "1920x1080")


@SERVICE.get("/v2/{endpoint}/{id}")
def status(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None or job.expired or job.extra["path"] != call.path["endpoint"]:
        call.refuse("not_found")
    said: dict[str, Any] = {"id": job.id, "created_at": moment(job.created)}
    if job.state in ("queued", "running"):
        return Answer(200, said | {"status": {"queued": "pending", "running": "processing"}[job.state]})
    said["completed_at"] = moment(job.ended)
    if job.state == "succeeded":
        return Answer(200, said | {"status": "completed", "result": {"video_url": job.urls[0]}})
    kind = job.detail or ("content_filtered_error" if job.moderated else "api_error")
    return Answer(200, said | {"status": "failed", "error": {"type": kind, "message": f"It ended with {kind}"}})


@SERVICE.post("/v1/upload")
def upload(call: Call) -> Answer:
    name = f"{call.rng.getrandbits(64):016x}"
    call.world[f"ltx-storage://{name}"] = b""
    return Answer(
        200,
        {
            "upload_url": f"{call.base}/bucket/{name}",
            "storage_uri": f"ltx-storage://{name}",
            "expires_at": moment(call.now + 3600),
            "required_headers": {"x-goog-content-length-range": "0,104857600"},
        },
    )


@SERVICE.put("/bucket/{name}", public=True)
def receive(call: Call) -> Answer:
    uri = f"ltx-storage://{call.path['name']}"
    asked = call.headers.get("x-goog-content-length-range") == "0,104857600"
    if uri not in call.world or not asked or "authorization" in call.headers or not call.raw:
        return Answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
    call.world[uri] = call.raw
    return Answer(200)
