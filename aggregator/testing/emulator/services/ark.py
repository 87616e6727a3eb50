"""Ark as it answers: Seedance by content lists, tasks, and what deleting one means (volcengine-ark-runtime 5.0.54, read
2026-11-20). Prices are those of ComfyUI's list in dollars.
"""

import json
from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, order

FRAMES = {
    "480p": {"16:9": (864, 496), "4:3": (752, 560), "1:1": (640, 640), "21:9": (992, 432)},
    "720p": {"16:9": (1280, 720), "4:3": (1112, 834), "1:1": (960, 960), "21:9": (1470, 630)},
    "1080p": {"16:9": (1920, 1080)},
    "4k": {"16:9": (3840, 2160)},
}
SECONDS = {"seedance-2-5": (4, 30), "seedance-2-0": (4, 15), "seedance-1-5": (4, 12), "seedance-1-0": (2, 12)}
USD_PER_TOKEN = {"seedance-2-0-mini": "0.0000035", "seedance-2-0-fast": "0.0000056", "seedance-2-0-260128": "0.000007"}
KNOWN = {
    *(
        "model",
        "content",
        "safety_identifier",
        "callback_url",
        "return_last_frame",
        "service_tier",
        "priority",
        "draft",
    ),
    *(
        "execution_expires_after",
        "generate_audio",
        "camera_fixed",
        "watermark",
        "seed",
        "resolution",
        "ratio",
        "frames",
    ),
    *("duration", "tools", "output_format", "omni_reference_task_type"),
}
ROLES: dict[str, set[str | None]] = {
    "image_url": {"first_frame", "last_frame", "reference_image", None},
    "video_url": {"reference_video"},
    "audio_url": {"reference_audio"},
}
STATES = {"canceled": "cancelled"}


def error(status: int, code: str, message: str = "") -> Answer:
    kind = {400: "BadRequest", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 429: "TooManyRequests"}
    said = {"code": code, "message": message or code, "param": "", "type": kind.get(status, "InternalServerError")}
    return Answer(status, {"error": said})


ERRORS = {
    "MissingParameter": 400,
    "InvalidParameter": 400,
    "InvalidEndpoint.ClosedEndpoint": 400,
    "SensitiveContentDetected": 400,
    "SensitiveContentDetected.SevereViolation": 400,
    "SensitiveContentDetected.Violence": 400,
    **{f"Input{kind}SensitiveContentDetected": 400 for kind in ("Text", "Image", "Video", "Audio")},
    **{f"Output{kind}SensitiveContentDetected": 400 for kind in ("Text", "Image", "Video", "Audio")},
    "InputImageSensitiveContentDetected.PrivacyInformation": 400,
    "OutputVideoSensitiveContentDetected.PolicyViolation": 400,
    "InputTextRiskDetection": 400,
    "AuthenticationError": 401,
    "AccessDenied": 403,
    "OperationDenied": 403,
    "AccountOverdueError": 403,
    "InvalidSubscription": 403,
    "ModelNotFound": 404,
    "InvalidEndpointOrModel.NotFound": 404,
    "QuotaExceeded": 429,
    "RateLimitExceeded.EndpointRPMExceeded": 429,
    "ServerOverloaded": 429,
    "InternalServiceError": 500,
}

SERVICE = Service(
    "ark",
    prefix="cgt-",
    faults={
        **{code: error(status, code) for code, status in ERRORS.items()},
        "bad_key": error(401, "AuthenticationError", "The API key in the request is missing or invalid"),
        "no_credit": error(403, "AccountOverdueError", "The account has an overdue balance"),
        "rate_limited": error(429, "RateLimitExceeded.EndpointRPMExceeded"),
        "invalid": lambda detail: error(400, "InvalidParameter", detail or "A parameter is not valid"),
        "not_found": error(404, "NotFound", "The task is not found"),
        "moderated_input": error(400, "InputTextSensitiveContentDetected"),
        "unavailable": error(500, "InternalServiceError"),
    },
    headers=lambda call: {"x-request-id": f"{call.rng.getrandbits(64):016x}"},
)


@SERVICE.post("/api/v3/contents/generations/tasks")
def create(call: Call) -> Answer:
    body = {name: value for name, value in call.json("model", "content").items() if value is not None}
    if unknown := set(body) - KNOWN:
        call.refuse("invalid", f"unknown parameter {sorted(unknown)}")
    model = body["model"].removeprefix("doubao-").removeprefix("dreamina-")
    limits = next((limits for name, limits in SECONDS.items() if model.startswith(name)), None)
    if limits is None:
        call.refuse("ModelNotFound")
    seconds = body.get("duration", 5)
    if not isinstance(seconds, int) or not (seconds == -1 or limits[0] <= seconds <= limits[1]):
        call.refuse("invalid", f"duration: {limits[0]} to {limits[1]}")
    _check(call, body["content"])
    resolution, ratio = body.get("resolution", "720p"), body.get("ratio", "16:9")
    width, height = _frame(call, resolution, ratio)
    seconds = 5 if seconds == -1 else seconds
    tokens = Decimal(width * height * 24 * seconds) / 1024
    each = next((Decimal(usd) for name, usd in USD_PER_TOKEN.items() if model.startswith(name)), None)
    job = call.take(
        order(
            "video",
            width=width,
            height=height,
            duration_s=seconds,
            audio=body.get("generate_audio", False),
            usd=None if each is None or resolution in ("1080p", "4k") else each * int(tokens),
        ),
        hook=body.get("callback_url"),
        body=body,
        tokens=int(tokens),
        ratio=ratio,
    )
    return Answer(200, {"id": job.id})


def _check(call: Call, content: Any) -> None:
    """Types and roles; a frame and a reference exclude each other, and a last frame needs a first."""
    roles = set()
    for item in content:
        kind = item.get("type")
        if kind in ("text", "draft_task"):
            if not item.get(kind):
                call.refuse("MissingParameter")
            continue
        if kind not in ROLES or item.get("role") not in ROLES[kind]:
            call.refuse("invalid", f"content: {kind} cannot be {item.get('role')}")
        url = item[kind]["url"]
        allowed = ("https://", "http://", "asset://", *(("data:image/",) if kind == "image_url" else ()))
        if not url.startswith(allowed):
            call.refuse("invalid", f"content: {kind} is no address")
        roles.add(item.get("role"))
    if roles & {"first_frame", "last_frame"} and any(str(role).startswith("reference") for role in roles):
        call.refuse("invalid", "content: frames and references cannot be mixed")
    if "last_frame" in roles and "first_frame" not in roles:
        call.refuse("invalid", "content: a last frame needs a first one")


def _frame(call: Call, resolution: str, ratio: str) -> tuple[int, int]:
    shapes = FRAMES.get(resolution) or call.refuse("invalid", f"resolution {resolution}")
    upright = ":".join(reversed(ratio.split(":")))
    if ratio == "adaptive" or resolution in ("1080p", "4k"):
        return shapes["16:9"]
    if ratio in shapes:
        return shapes[ratio]
    if upright not in shapes:
        call.refuse("invalid", f"ratio {ratio}")
    width, height = shapes[upright]
    return height, width


def _task(job: Job) -> dict[str, Any]:
    body = job.extra["body"]
    said: dict[str, Any] = {
        "id": job.id,
        "model": body["model"],
        "status": "expired" if job.detail == "expired" and job.state == "failed" else STATES.get(job.state, job.state),
        "error": None,
        "created_at": int(job.created),
        "updated_at": int(job.ended if job.is_over else job.now()),
        "service_tier": body.get("service_tier", "default"),
        "execution_expires_after": body.get("execution_expires_after", 172_800),
    }
    if job.state == "failed" and job.detail != "expired":
        code = job.detail or ("OutputVideoSensitiveContentDetected" if job.moderated else "InternalServiceError")
        said["error"] = {"code": code, "message": f"The task failed: {code}"}
    if job.state == "succeeded":
        said |= {
            "content": {"video_url": job.urls[0]},
            "usage": {"completion_tokens": job.extra["tokens"], "total_tokens": job.extra["tokens"]},
            "seed": body.get("seed", job.seed % 2**31),
            "resolution": body.get("resolution", "720p"),
            "ratio": job.extra["ratio"],
            "duration": int(job.order.duration_s),
            "framespersecond": 24,
            "generate_audio": job.order.audio,
            "draft": body.get("draft", False),
        }
    return said


@SERVICE.get("/api/v3/contents/generations/tasks/{id}")
def get(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None or job.extra.get("deleted"):
        call.refuse("not_found")
    return Answer(200, _task(job))


@SERVICE.get("/api/v3/contents/generations/tasks")
def listed(call: Call) -> Answer:
    jobs = [job for job in call.desk.jobs.values() if not job.extra.get("deleted")]
    wanted = call.query.get("filter.status")
    found = [task for task in map(_task, jobs) if wanted in (None, task["status"])]
    size, page = int(call.query.get("page_size", "10")), int(call.query.get("page_num", "1"))
    return Answer(200, {"total": len(found), "items": found[(page - 1) * size : page * size]})


@SERVICE.delete("/api/v3/contents/generations/tasks/{id}")
def delete(call: Call) -> Answer:
    """What waits is canceled, what runs is left alone, and what is over is forgotten."""
    job = call.job(call.path["id"])
    if job is None or job.extra.get("deleted"):
        call.refuse("not_found")
    if job.state == "running":
        return error(400, "OperationDenied", "A running task cannot be deleted")
    if not call.cancel(job):
        job.extra["deleted"] = True
    return Answer(200, {})


DRAWN = {"seedream-4-0": "0.03", "seedream-4-5": "0.04", "seedream-5-0-pro": None, "seedream-5-0": "0.035"}
"""What a picture costs; of the one whose price goes by its size it is not known here."""
EDGES = {"1K": 1024, "2K": 2048, "3K": 3072, "4K": 4096}
DRAWING = {"model", "prompt", "image", "response_format", "size", "seed", "guidance_scale", "watermark", "stream"}
DRAWING |= {"optimize_prompt", "optimize_prompt_options", "sequential_image_generation", "output_format", "tools"}
DRAWING |= {"sequential_image_generation_options", "layer_decomposition"}
MOST_PICTURES = 14


@SERVICE.post("/api/v3/images/generations")
def draw(call: Call) -> Answer:
    """A picture at once; several are only made where that is asked for."""
    body = {name: value for name, value in call.json("model", "prompt").items() if value is not None}
    if unknown := set(body) - DRAWING:
        call.refuse("invalid", f"unknown parameter {sorted(unknown)}")
    model = body["model"].removeprefix("doubao-")
    family = next((name for name in DRAWN if model.startswith(name)), None)
    if family is None:
        call.refuse("ModelNotFound")
    sent = body.get("image", [])
    sent = [sent] if isinstance(sent, str) else sent
    if len(sent) > MOST_PICTURES or not all(one.startswith(("https://", "http://", "data:image/")) for one in sent):
        call.refuse("invalid", "image: up to 14 addresses or data URIs")
    width, height = _sides(call, body.get("size", "2K"))
    job = call.take(order("image", width=width, height=height, mime="image/jpeg", usd=DRAWN[family]))
    job.finish()
    if job.state != "succeeded":
        return (
            error(400, "OutputImageSensitiveContentDetected") if job.moderated else error(500, "InternalServiceError")
        )
    usage = {"generated_images": 1, "output_tokens": width * height // 256, "total_tokens": width * height // 256}
    picture = {"url": job.urls[0], "size": f"{width}x{height}"}
    said = {"model": body["model"], "created": int(call.now), "data": [picture]}
    return Answer(200, {**said, "usage": {**({"input_images": len(sent)} if sent else {}), **usage}})


def _sides(call: Call, size: str) -> tuple[int, int]:
    if size in EDGES:
        return EDGES[size], EDGES[size]
    width, _, height = size.partition("x")
    if not (width.isdigit() and height.isdigit()):
        call.refuse("invalid", f"size {size}")
    return int(width), int(height)


def _hook(job: Job, _url: str, _world: World) -> HookDelivery:
    return HookDelivery({}, json.dumps(_task(job)).encode())


SERVICE.hook = _hook
