"""Ideogram as it answers, version 2: a path per tool and model, sync or async, signed webhooks (vendor OpenAPI of
2026-10-07 in qmediat/ideogram-mcp@02f27bf; developer.ideogram.ai/api-reference, fetched 2026-10-05).

An output that fails the safety check comes without an address, on HTTP 200. `dry_run` prices and makes nothing.
"""

import hashlib
import json
from decimal import Decimal
from typing import Any

from aggregator.signing import ed25519_jwks, ed25519_public, ed25519_sign
from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, order

USD = {
    "generate/auto": "0.03",
    "generate/ideogram-4-5": "0.10",
    "generate/ideogram-4-6": None,
    "generate/ideogram-4": "0.06",
    "generate/ideogram-4-transparent": "0.06",
    "generate/ideogram-3": "0.06",
    "generate/ideogram-3-character": "0.15",
    "generate/ideogram-2a": "0.04",
    "generate/ideogram-2": "0.08",
    "generate/p-image-ideogram": "0.01",
    "precise-edit/ideogram-4-5": "0.06",
    "inpaint/ideogram-3": None,
    "remix/ideogram-4": None,
    "remix/ideogram-3": None,
    "upscale/topaz-standard-2": "0.126",
    "upscale/topaz-bloom-2": "0.377",
    "upscale/topaz-wonder-3-5": "0.252",
}
MICRO = Decimal(1_000_000)
KINDS = ("generate/ideogram-4-5", "generate/ideogram-4-6", "precise-edit/ideogram-4-5")
"""Models whose answer says of which kind it is."""
EDITS = ("precise-edit", "inpaint", "remix", "reframe", "upscale")
REASONS = ("insufficient_funds", "subscription_required", "daily_limit", "priority_credit_required", "feature_limit")


def _rejected(reason: str, status: int = 402) -> Answer:
    return Answer(status, {"error": "Your request was rejected.", "reject_reason": reason})


_FLIGHT = {"reject_reason": "inflight_limit", "max_inflight_requests": 10, "task_completion_speed": "fast"}
_CROWDED = {"error": "Too many requests in flight.", **_FLIGHT}

SERVICE = Service(
    "ideogram",
    key=lambda call: call.headers.get("api-key", ""),
    ids=lambda rng: f"{rng.getrandbits(126):022x}"[:22],
    faults={
        "bad_key": Answer(401, {"error": "Unauthorized"}),
        "no_credit": _rejected("insufficient_funds"),
        **{reason: _rejected(reason) for reason in REASONS},
        "rate_limited": Answer(429, _CROWDED, {"retry-after": "1"}),
        "invalid": lambda detail: Answer(400, {"error": detail or "Invalid input provided."}),
        "moderated_input": Answer(422, {"error": "The prompt did not pass safety checks."}),
        "not_found": Answer(404, {"error": "Not found"}),
        "server_error": Answer(500, {"error": "Internal server error"}),
        "unavailable": Answer(503, {"error": "The endpoint is temporarily unavailable."}),
    },
    concurrency=10,
)


def _asked(call: Call) -> dict[str, Any]:
    if not call.headers.get("content-type", "").startswith("multipart/form-data"):
        return call.json()
    parts = call.form()
    return {name: "file" if values[0].filename else values[0].text for name, values in parts.items()}


@SERVICE.post("/v2/image/{tool}/{model}")
def make(call: Call) -> Answer:
    path = f"{call.path['tool']}/{call.path['model']}"
    if path not in USD:
        call.refuse("not_found")
    asked = _asked(call)
    needed = [
        *(["image"] if call.path["tool"] in EDITS else []),
        *([] if call.path["tool"] == "upscale" else ["prompt"]),
    ]
    if missing := [name for name in needed if not asked.get(name)]:
        call.refuse("invalid", f"{missing[0]} is required")
    if len(str(asked.get("prompt", ""))) > 10_000:
        call.refuse("invalid", "prompt is too long")
    count, usd = int(asked.get("num_images", 1)), USD[path]
    price = None if usd is None else Decimal(usd) * count
    if call.query.get("dry_run") == "true":
        micros = int((price or Decimal(0)) * MICRO)
        quote = {"billing_identifier": path, "quantity": count, "usd_micros": micros, "credit_millis": 0}
        return Answer(200, {"object": "price_quote", "qualifier": "exact", **quote})
    width, height = _size(call, asked)
    hook = asked.get("webhook_url")
    seed = int(asked.get("seed") or call.rng.randrange(2**31))
    made = order("image", width=width, height=height, count=count, usd=price)
    job = call.take(made, hook=hook, seed=seed, prompt=str(asked.get("prompt", "")))
    said: dict[str, Any] = {"generation_id": job.id, "seed": seed}
    if path in KINDS:
        said["generation_kind"] = "sampling"
    if call.path["tool"] == "upscale":
        said |= {"width": width, "height": height}
    if hook or str(asked.get("async", "false")).lower() == "true":
        return Answer(200, said)
    job.finish()
    if job.state != "succeeded" and not job.moderated:
        call.refuse("server_error")
    return Answer(200, {**said, "data": _images(job)})


def _size(call: Call, asked: dict[str, Any]) -> tuple[int, int]:
    text = str(asked.get("size") or asked.get("resolution") or "auto")
    if "custom_width" in asked:
        return int(asked["custom_width"]), int(asked["custom_height"])
    across, cross, down = text.partition("x")
    if text != "auto" and not (cross and across.isdigit() and down.isdigit()):
        call.refuse("invalid", "size is not supported")
    return (1024, 1024) if text == "auto" else (int(across), int(down))


def _images(job: Job) -> list[dict[str, Any]]:
    told = {"prompt": job.extra["prompt"], "resolution": f"{job.order.width}x{job.order.height}"}
    urls = [None] * job.order.count if job.moderated else job.urls
    return [{"url": url, **told, "seed": job.extra["seed"], "is_image_safe": url is not None} for url in urls]


@SERVICE.get("/v2/generations/{id}")
def generation(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None:
        call.refuse("not_found")
    said: dict[str, Any] = {"generation_id": job.id, "created": "2026-11-21T00:00:00Z", "response_type": "url"}
    if not job.is_over:
        return Answer(200, {**said, "status": "pending"})
    if job.state != "succeeded" and not job.moderated:
        return Answer(200, {**said, "status": "failed", "failure_reason": job.detail or "generation failed"})
    data = [{"object_type": "image.generation", **image} for image in _images(job)]
    charged = {} if job.usd is None else {"usage_cost_usd_micros": 0 if job.moderated else int(job.usd * MICRO)}
    return Answer(200, {**said, "status": "completed", "data": data, **charged})


@SERVICE.get("/v2/account/usage")
def usage(_call: Call) -> Answer:
    return Answer(200, {"buckets": []})


@SERVICE.get("/v2/account/api-keys")
def api_keys(_call: Call) -> Answer:
    key = {"api_key_id": "key-1", "creation_time": "2026-11-21T00:00:00Z", "redacted_api_key": "…", "status": "active"}
    return Answer(200, {"api_keys": [key]})


@SERVICE.get("/v1/.well-known/jwks.json", public=True)
def keys(call: Call) -> Answer:
    return Answer(200, json.loads(ed25519_jwks({"emulator": ed25519_public(_private(call.world))})))


def _private(world: World) -> bytes:
    return hashlib.sha256(world.secret.encode()).digest()


def _hook(job: Job, _url: str, world: World) -> HookDelivery:
    data = _images(job) if job.state == "succeeded" or job.moderated else []
    body = json.dumps({"request_id": job.id, "created": "2026-11-21T00:00:00Z", "data": data}).encode()
    lines = [job.id, "user-1", str(int(world.now)), hashlib.sha256(body).hexdigest()]
    signature = ed25519_sign(_private(world), "\n".join(lines).encode()).hex()
    names = ("generation-id", "user-id", "timestamp", "key-id", "signature")
    told = dict(zip(names, (*lines[:3], "emulator", signature), strict=True))
    headers = {f"x-ideogram-webhook-{name}": value for name, value in told.items()}
    return HookDelivery({**headers, "content-type": "application/json"}, body)


SERVICE.hook = _hook
