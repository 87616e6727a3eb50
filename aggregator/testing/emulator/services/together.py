"""Together as it answers: pictures as base64 or addresses, speech as bytes, clips as jobs below /v2.

together 3.1.1, togethercomputer/openapi@090263a (2026-04-28), read 2026-11-20. What `outputs.cost` counts is not
documented: here it is cents, rounded.
"""

import base64
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Job, RateLimit, Service, order

STATES = {
    "queued": "queued",
    "running": "in_progress",
    "succeeded": "completed",
    "failed": "failed",
    "canceled": "cancelled",
}
PICTURE_USD = {
    "black-forest-labs/FLUX.1.1-pro": "0.04",
    "ByteDance-Seed/Seedream-4.0": "0.03",
    "ideogram/ideogram-3.0": "0.06",
    "black-forest-labs/FLUX.1-kontext-pro": "0.04",
    "black-forest-labs/FLUX.1-kontext-max": "0.08",
}
SECOND_USD = {
    "minimax/hailuo-02": "0.049",
    "ByteDance/Seedance-1.0-pro": "0.114",
    "pixverse/pixverse-v5": "0.06",
    "vidu/vidu-q1": "0.044",
}
SOUND_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "raw": "audio/pcm"}


def error(status: int, message: str, kind: str, code: str | None = None, **headers: str) -> Answer:
    head = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": {"message": message, "type": kind, "param": None, "code": code}}, head)


SERVICE = Service(
    "together",
    prefix="video-",
    faults={
        "bad_key": error(401, "Invalid API key provided.", "invalid_request_error", "invalid_api_key"),
        "no_credit": error(402, "Credit limit exceeded.", "credit_limit"),
        "not_found": error(404, "Unable to access the model.", "invalid_request_error", "model_not_available"),
        "invalid": lambda detail: error(400, detail or "Invalid request.", "invalid_request_error"),
        "unprocessable": error(422, "Input validation error.", "invalid_request_error"),
        "rate_limited": error(429, "Too many requests.", "rate_limit", retry_after="1"),
        "moderated_input": error(422, "The prompt was flagged.", "invalid_request_error", "nsfw_content"),
        "server_error": error(500, "Internal server error.", "server_error"),
        "unavailable": error(503, "The server is overloaded.", "server_error"),
    },
    limit=RateLimit(
        10, lambda left, reset_s: {"x-ratelimit-remaining": str(left), "x-ratelimit-reset": f"{reset_s:.0f}"}
    ),
)


@SERVICE.post("/v1/images/generations")
def images(call: Call) -> Answer:
    asked = call.json("model", "prompt")
    kind = {"jpeg": "image/jpeg", "png": "image/png"}.get(asked.get("output_format") or "jpeg")
    if kind is None or asked.get("response_format") not in (None, "base64", "url"):
        call.refuse("invalid", "Invalid output_format or response_format.")
    usd = PICTURE_USD.get(asked["model"])
    width, height, count = asked.get("width") or 1024, asked.get("height") or 1024, asked.get("n") or 1
    made = order("image", width=width, height=height, count=count, mime=kind, usd=usd and Decimal(usd) * count)
    job = call.take(made)
    job.finish()
    if job.state != "succeeded":
        call.refuse("moderated_input" if job.moderated else "server_error")
    data: list[dict[str, Any]] = [
        {"index": index, "type": "b64_json", "b64_json": base64.b64encode(content).decode()}
        if asked.get("response_format") == "base64"
        else {"index": index, "type": "url", "url": url}
        for index, (content, url) in enumerate(zip(job.contents, job.urls, strict=True))
    ]
    return Answer(200, {"id": job.id, "model": asked["model"], "object": "list", "data": data})


@SERVICE.post("/v1/audio/speech")
def speech(call: Call) -> Answer:
    asked = call.json("model", "input", "voice")
    kind = SOUND_TYPES.get(asked.get("response_format") or "wav")
    if kind is None:
        call.refuse("invalid", "Invalid response_format.")
    seconds = max(0.2, len(asked["input"]) / 15)
    job = call.take(order("audio", duration_s=seconds, text=asked["input"], mime=kind))
    job.finish()
    if job.state != "succeeded":
        call.refuse("moderated_input" if job.moderated else "server_error")
    if asked.get("stream"):
        return Answer(200, _events(job), {"content-type": "text/event-stream"})
    return Answer(200, job.contents[0], {"content-type": kind})


def _events(job: Job) -> Iterator[bytes]:
    chunk = {"object": "audio.tts.chunk", "model": "tts", "b64": base64.b64encode(job.contents[0]).decode()}
    yield f"data: {json.dumps(chunk)}\n\n".encode()
    yield b"data: [DONE]\n\n"


@SERVICE.post("/v2/videos")
def create(call: Call) -> Answer:
    asked = call.json("model")
    media = asked.get("media") or {}
    if not asked.get("prompt") and not media:
        call.refuse("invalid", "prompt is required")
    if not isinstance(asked.get("seconds", ""), str) or any(
        "input_image" not in one for one in media.get("frame_images", [])
    ):
        call.refuse("unprocessable")
    rate, seconds = SECOND_USD.get(asked["model"]), float(asked.get("seconds") or 5)
    usd = None if rate is None else Decimal(rate) * Decimal(str(seconds))
    width, height = asked.get("width") or 1280, asked.get("height") or 720
    made = order("video", width=width, height=height, duration_s=seconds, fps=asked.get("fps") or 24, usd=usd)
    job = call.take(made, model=asked["model"])
    return Answer(200, video(job))


def video(job: Job) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": job.id,
        "object": "video",
        "model": job.extra["model"],
        "status": STATES[job.state],
        "created_at": int(job.created),
        "size": f"{job.order.width}x{job.order.height}",
        "seconds": f"{job.order.duration_s:g}",
    }
    if job.state == "succeeded":
        cost = int((job.usd or Decimal(0)) * 100)
        said |= {"completed_at": int(job.ended), "outputs": {"cost": cost, "video_url": job.urls[0]}}
    if job.state == "failed":
        code = "nsfw_content" if job.moderated else job.detail or "generation_failed"
        said |= {"completed_at": int(job.ended), "error": {"code": code, "message": "The video was not made."}}
    return said


@SERVICE.get("/v2/videos/{id}")
def retrieve(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None:
        call.refuse("not_found")
    return Answer(200, video(job))


@SERVICE.get("/v1/models")
def models(_call: Call) -> Answer:
    one = {"id": "black-forest-labs/FLUX.1-schnell", "object": "model", "created": 1_722_470_400, "type": "image"}
    return Answer(200, [one])
