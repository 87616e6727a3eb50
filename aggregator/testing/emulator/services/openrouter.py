"""OpenRouter as it answers: pictures with what they cost in dollars, speech as bytes, clips as jobs, signed callbacks.

openrouter 1.3.84 (its models and errors), OpenRouterTeam/skills@c803712, read 2026-11-20. Prices of clips and pictures
are the emulator's own: the real ones are in feeds.
"""

import base64
import json
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

from aggregator.signing import hmac_sha256
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, order

if TYPE_CHECKING:
    from aggregator.testing.emulator.desk import World

STATES = {
    "queued": "pending",
    "running": "in_progress",
    "succeeded": "completed",
    "failed": "failed",
    "canceled": "cancelled",
}
SECOND_USD, PICTURE_USD, CHARACTER_USD = Decimal("0.04"), Decimal("0.04"), Decimal("0.00001")
HEIGHTS = {"360p": 360, "480p": 480, "720p": 720, "768p": 768, "1080p": 1080, "1K": 1024, "2K": 1440, "4K": 2160}
EDGES = {"512": 512, "768": 768, "1K": 1024, "1.5K": 1536, "2K": 2048, "4K": 4096}
PICTURE_TYPES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "svg": "image/svg+xml"}
LIFE_S, MOST_BYTES, ODD = 3600, 50 * 2**20, ("cancelled", "expired")


def error(status: int, message: str, **headers: str) -> Answer:
    head = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": {"code": status, "message": message}, "user_id": "user_emulator"}, head)


def _id(rng: Random) -> str:
    return f"gen-vid-{1_790_000_000 + rng.randrange(10**7)}-{rng.getrandbits(80):020x}"


SERVICE = Service(
    "openrouter",
    ids=_id,
    faults={
        "bad_key": error(401, "No auth credentials found"),
        "no_credit": error(402, "Insufficient credits"),
        "forbidden": error(403, "Your input was flagged"),
        "moderated_input": error(403, "Your input was flagged by moderation"),
        "not_found": error(404, "Not found"),
        "conflict": error(409, "The previous job is not completed"),
        "too_large": error(413, "Payload too large"),
        "invalid": lambda detail: error(400, detail or "Bad request"),
        "rate_limited": error(429, "Rate limit exceeded", retry_after="1"),
        "server_error": error(500, "Internal server error"),
        "unavailable": error(503, "No provider is available"),
    },
    make_key=lambda rng: f"sk-or-v1-{rng.getrandbits(128):032x}",
)


# --------------------------------------------------------------------------------------------------------------- clips


def _shape(call: Call, asked: dict[str, Any], edges: dict[str, int]) -> tuple[int, int]:
    """The size in pixels, or what the resolution and the ratio come to."""
    if "size" in asked and asked["size"] not in edges:
        sides = str(asked["size"]).split("x")
        clash = "resolution" in asked or "aspect_ratio" in asked
        if clash or len(sides) != 2 or not all(side.isdigit() for side in sides):
            call.refuse("invalid", "size: WIDTHxHEIGHT, without resolution and aspect_ratio")
        return int(sides[0]), int(sides[1])
    word = asked.get("resolution") or asked.get("size") or next(iter(edges))
    if word not in edges:
        call.refuse("invalid", f"resolution: one of {', '.join(edges)}")
    wide, high = (float(side) for side in str(asked.get("aspect_ratio") or "16:9").split(":"))
    height = edges[word]
    return round(height * wide / high / 2) * 2, height


@SERVICE.post("/api/v1/videos")
def submit(call: Call) -> Answer:
    asked = call.json("model")
    if len(call.raw) > MOST_BYTES:
        call.refuse("too_large")
    if not asked.get("prompt") and not asked.get("frame_images"):
        call.refuse("invalid", "prompt is required")
    if not isinstance(asked.get("duration", 1), int):
        call.refuse("invalid", "duration: a whole number of seconds")
    _check_assets(call, asked)
    before = asked.get("previous_job_id")
    if before is not None:
        job = call.job(before)
        if job is None or job.extra["model"] != asked["model"]:
            call.refuse("invalid", "previous_job_id: no such job of this model")
        if job.state != "succeeded":
            call.refuse("conflict")
    hook = asked.get("callback_url")
    if hook is not None and not hook.startswith(("https://", "http://127.0.0.1")):
        call.refuse("invalid", "callback_url: must be https")
    width, height = _shape(call, asked, {"720p": 720, **HEIGHTS})
    seconds = asked.get("duration") or 5
    audio = bool(asked.get("generate_audio", False))
    made = order("video", width=width, height=height, duration_s=seconds, audio=audio, usd=SECOND_USD * seconds)
    job = call.take(made, model=asked["model"], base=call.base, **({"hook": hook} if hook else {}))
    return Answer(202, {"id": job.id, "polling_url": f"/api/v1/videos/{job.id}", "status": "pending"})


def _check_assets(call: Call, asked: dict[str, Any]) -> None:
    for frame in asked.get("frame_images", ()):
        if frame.get("frame_type") not in ("first_frame", "last_frame") or "url" not in frame.get("image_url", {}):
            call.refuse("invalid", "frame_images: type, image_url and frame_type are required")
    for asset in asked.get("input_references", ()):
        kind = asset.get("type")
        if kind not in ("image_url", "audio_url", "video_url") or "url" not in asset.get(kind, {}):
            call.refuse("invalid", "input_references: type and its address are required")


def video(job: Job) -> dict[str, Any]:
    word = job.detail if job.state == "failed" and job.detail in ODD else STATES[job.state]
    said: dict[str, Any] = {"id": job.id, "polling_url": f"/api/v1/videos/{job.id}", "status": word}
    if job.state == "succeeded":
        said |= {
            "generation_id": job.id.replace("vid", "media"),
            "unsigned_urls": [f"{job.extra['base']}/api/v1/videos/{job.id}/content?index=0"],
            "urls": job.urls,
            "expires_at": int(job.ended) + LIFE_S,
            "usage": {"cost": float(job.usd or 0), "is_byok": False},
        }
    elif job.state == "failed":
        said["error"] = "The output was flagged by moderation" if job.moderated else "The provider failed"
    return said


@SERVICE.get("/api/v1/videos/models")
def video_models(_call: Call) -> Answer:
    one = {
        "id": "google/veo-3.1",
        "canonical_slug": "google/veo-3.1",
        "name": "Google: Veo 3.1",
        "created": 1_774_224_000,
        "description": "",
        "supported_resolutions": ["720p", "1080p"],
        "supported_aspect_ratios": ["16:9", "9:16"],
        "supported_sizes": ["1280x720", "1920x1080"],
        "supported_durations": [4, 6, 8],
        "supported_frame_images": ["first_frame", "last_frame"],
        "generate_audio": True,
        "seed": True,
        "creativity": None,
        "upscale_factor": None,
        "allowed_passthrough_parameters": ["negativePrompt"],
        "pricing_skus": {"per-video-second": "0.04"},
        "hugging_face_id": None,
    }
    return Answer(200, {"data": [one]})


@SERVICE.get("/api/v1/videos/{id}")
def poll(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None:
        call.refuse("not_found")
    return Answer(200, video(job))


@SERVICE.get("/api/v1/videos/{id}/content")
def content(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None or job.state != "succeeded" or job.expired:
        call.refuse("not_found")
    return Answer(200, job.content(int(call.query.get("index", "0"))), {"content-type": "video/mp4"})


def delivery(job: Job, _url: str, world: "World") -> HookDelivery:
    """`t=<seconds>,v1=<hex>`: the HMAC of the time, a comma and the body."""
    said = video(job)
    at = int(world.now)
    event = {
        "type": f"video.generation.{said['status']}",
        "created_at": datetime.fromtimestamp(at, UTC).isoformat(),
        "data": said,
    }
    body = json.dumps(event).encode()
    signature = hmac_sha256(world.secret.encode(), f"{at},".encode() + body).hex()
    headers = {
        "x-openrouter-idempotency-key": f"{job.id}-{said['status']}",
        "x-openrouter-signature": f"t={at},v1={signature}",
    }
    return HookDelivery(headers, body)


SERVICE.hook = delivery


# -------------------------------------------------------------------------------------------------- pictures and speech


@SERVICE.post("/api/v1/images")
def images(call: Call) -> Answer:
    asked = call.json("model", "prompt")
    kind = PICTURE_TYPES.get(asked.get("output_format") or "png")
    if kind is None:
        call.refuse("invalid", "output_format: png, jpeg, webp or svg")
    _check_assets(call, asked)
    shape = {"aspect_ratio": "1:1", **asked} if "size" not in asked else asked
    width, height = _shape(call, shape, {"1K": 1024, **EDGES})
    count = int(asked.get("n") or 1)
    job = call.take(order("image", width=width, height=height, count=count, mime=kind, usd=PICTURE_USD * count))
    job.finish()
    if job.state != "succeeded":
        call.refuse("moderated_input" if job.moderated else "server_error")
    named = {} if kind == "image/png" else {"media_type": kind}
    usage = {"prompt_tokens": 0, "completion_tokens": 4175, "total_tokens": 4175}
    return Answer(
        200,
        {
            "created": int(call.now),
            "data": [{"b64_json": base64.b64encode(made).decode(), **named} for made in job.contents],
            "usage": {**usage, "cost": float(job.usd or 0), "is_byok": False},
        },
    )


@SERVICE.post("/api/v1/audio/speech")
def speech(call: Call) -> Answer:
    asked = call.json("model", "input", "voice")
    kinds = {"mp3": "audio/mpeg", "pcm": "audio/pcm"}
    kind = kinds.get(asked.get("response_format") or "pcm")
    if kind is None or not isinstance(asked["input"], str | list):
        call.refuse("invalid", "response_format: mp3 or pcm")
    text = asked["input"] if isinstance(asked["input"], str) else " ".join(turn["text"] for turn in asked["input"])
    usd = CHARACTER_USD * len(text)
    job = call.take(order("audio", duration_s=max(0.2, len(text) / 15), text=text, usd=usd, mime=kind))
    job.finish()
    if job.state != "succeeded":
        call.refuse("moderated_input" if job.moderated else "server_error")
    told = kind if kind == "audio/mpeg" else "audio/pcm;rate=24000;channels=1"
    named = job.id.replace("vid", "tts")
    return Answer(200, job.contents[0], {"content-type": told, "x-generation-id": named})


@SERVICE.get("/api/v1/images/models", public=True)
def image_models(_call: Call) -> Answer:
    one = {
        "id": "black-forest-labs/flux.2-pro",
        "name": "FLUX.2 [pro]",
        "created": 1_764_028_800,
        "description": "",
        "endpoints": "/api/v1/images/models/black-forest-labs/flux.2-pro/endpoints",
        "architecture": {"input_modalities": ["text", "image"], "output_modalities": ["image"]},
        "supported_parameters": {"seed": {"type": "boolean"}},
        "supports_streaming": False,
    }
    return Answer(200, {"data": [one]})


@SERVICE.get("/api/v1/key")
def key(_call: Call) -> Answer:
    return Answer(200, {"data": {"label": "emulator", "usage": 0, "limit": None, "is_free_tier": False}})
