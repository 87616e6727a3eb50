"""Black Forest Labs as it answers (BFL OpenAPI 0.0.1 of 2026-05-01; errors, webhooks and prices of the vendor's skills
d0793c8, 2026-02-03).
"""

import json
from base64 import b64decode
from decimal import Decimal
from typing import Any

from aggregator.signing import hmac_sha256
from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, order, uuid

BY_PIXELS = {
    "flux-2-klein-4b": ("0.014", "0.001"),
    "flux-2-klein-9b": ("0.015", "0.002"),
    "flux-2-pro": ("0.03", "0.015"),
    "flux-2-max": ("0.07", "0.03"),
    "flux-2-flex": ("0.05", "0.05"),
}
BY_PICTURE = {
    "flux-kontext-pro": "0.04",
    "flux-kontext-max": "0.08",
    "flux-pro-1.1": "0.04",
    "flux-pro-1.1-ultra": "0.06",
    "flux-pro-1.0-fill": "0.05",
    "flux-pro-1.0-expand": "0.05",
    "flux-dev": "0.025",
}
BYTES_ONLY = ("flux-pro-1.0-fill", "flux-pro-1.0-expand")
SMALLEST, LARGEST, STEP = 64, 4_000_000, 16
SMALLEST_1, LARGEST_1, STEP_1 = 256, 1440, 32
MEGA = 2**20


def invalid(detail: str) -> Answer:
    return Answer(422, {"detail": [{"loc": ["body"], "msg": detail or "Value error", "type": "value_error"}]})


SERVICE = Service(
    "bfl",
    key=lambda call: call.headers.get("x-key", ""),
    ids=uuid,
    concurrency=24,
    expired=403,
    make_key=lambda rng: f"bfl_{rng.getrandbits(128):032x}",
    faults={
        "bad_key": Answer(403, {"detail": "Not authenticated"}),
        "no_credit": Answer(402, {"detail": "Insufficient credits. Please add credits to your account."}),
        "rate_limited": Answer(429, {"detail": "Rate limit exceeded: 24 active tasks"}),
        "invalid": invalid,
        "bad_request": Answer(400, {"error": "bad_request", "message": "Malformed request", "details": {}}),
        "not_found": Answer(404, {"detail": "Not Found"}),
        "server_error": Answer(500, {"error": "internal_error", "message": "Internal error", "details": {}}),
        "unavailable": Answer(503, {"detail": "Service unavailable"}),
    },
)


def pictures(call: Call, model: str, body: dict[str, Any]) -> list[str]:
    """Everything that is sent in: an address, or bare base64 that can be read."""
    names = ("image", "mask", "input_image", *(f"input_image_{at}" for at in range(2, 9)), "image_prompt")
    found = [str(body[name]) for name in names if body.get(name)]
    for item in found:
        if item.startswith("http") and model not in BYTES_ONLY:
            continue
        try:
            assert b64decode(item, validate=True)
        except (ValueError, AssertionError):
            call.refuse("invalid", "an image is neither a URL nor base64")
    return found


def size(call: Call, model: str, body: dict[str, Any]) -> tuple[int, int]:
    width, height = int(body.get("width") or 1024), int(body.get("height") or (768 if "1.1" in model else 1024))
    if model in BY_PIXELS:
        fits = min(width, height) >= SMALLEST and width * height <= LARGEST and not (width % STEP or height % STEP)
    else:
        fits = all(SMALLEST_1 <= edge <= LARGEST_1 and not edge % STEP_1 for edge in (width, height))
    if not fits:
        call.refuse("invalid", "width and height")
    return width, height


@SERVICE.get("/v1/credits")
def credits(_call: Call) -> Answer:  # noqa: A001 - as the vendor names it
    return Answer(200, {"credits": 1000.0})


@SERVICE.get("/v1/get_result")
def get_result(call: Call) -> Answer:
    name = call.query.get("id")
    if name is None:
        call.refuse("invalid", "id is required")
    job = call.job(name)
    if job is None:
        return Answer(404, {"id": name, "status": "Task not found", "result": None, "progress": None, "details": None})
    return Answer(200, said(job))


@SERVICE.post("/v1/{model}")
def create(call: Call) -> Answer:
    model = call.path["model"]
    if model not in BY_PIXELS and model not in BY_PICTURE:
        call.refuse("not_found")
    body = call.json(*(["image"] if model in BYTES_ONLY else ["prompt"]))
    given = pictures(call, model, body)
    if body.get("output_format", "jpeg") not in ("jpeg", "png", "webp"):
        call.refuse("invalid", "output_format")
    width, height = size(call, model, body)
    pixels = Decimal(width * height) / MEGA
    if model in BY_PIXELS:
        each, more = (Decimal(amount) for amount in BY_PIXELS[model])
        usd = each + more * max(Decimal(0), pixels - 1) + more * len(given)
    else:
        usd = Decimal(BY_PICTURE[model])
    mime = f"image/{body.get('output_format') or 'jpeg'}"
    made = order("image", width=width, height=height, usd=usd, mime=mime)
    asked = {name: body[name] for name in ("prompt", "seed") if name in body}
    hook = {"hook": body["webhook_url"]} if body.get("webhook_url") else {}
    job = call.take(made, asked=asked, secret=body.get("webhook_secret"), **hook)
    answer = {
        "id": job.id,
        "cost": float(usd * 100),
        "input_mp": float(len(given)),
        "output_mp": round(float(pixels), 2),
    }
    if hook:
        return Answer(200, answer | {"status": "Pending", "webhook_url": body["webhook_url"]})
    return Answer(200, answer | {"polling_url": f"{call.base}/v1/get_result?id={job.id}"})


def said(job: Job) -> dict[str, Any]:
    """The result as it is asked for."""
    empty = {"id": job.id, "result": None, "progress": None, "details": None, "preview": None}
    if job.state in ("queued", "running"):
        return empty | {"status": "Pending", "progress": job.fraction}
    if job.state == "succeeded":
        asked = {"prompt": "", "seed": job.seed, **job.extra["asked"]}
        times = {"start_time": job.started, "end_time": job.ended, "duration": job.ended - job.started}
        return empty | {"status": "Ready", "progress": 1.0, "result": {"sample": job.urls[0], **asked, **times}}
    if job.moderated:
        reasons = {"Moderation Reasons": ["Content"]}
        return empty | {"status": job.detail or "Content Moderated", "details": reasons}
    return empty | {"status": "Error", "details": {"error": job.detail or "internal_error"}}


def deliver(job: Job, _url: str, world: World) -> HookDelivery:
    """A result is posted as it would be asked for, signed with the secret that came with the order."""
    body = json.dumps({**said(job), "timestamp": world.now}).encode()
    headers = {"content-type": "application/json"}
    secret = job.extra.get("secret") or world.secret
    return HookDelivery(headers | {"X-BFL-Signature": f"sha256={hmac_sha256(secret.encode(), body).hex()}"}, body)


SERVICE.hook = deliver
