"""Comfy Router as it answers: a queue with three states and keys that are replayed; results are the makers' own.

comfy-sdk 0.5.0 (routes, headers, error buckets), docs.comfy.org router and model pages (read 2026-11-21). The names of
the three addresses in the answer to a submit are unconfirmed.
"""

from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Job, Order, Service, order, uuid

CREDITS_PER_USD = 211
STATES = {"queued": "IN_QUEUE", "running": "IN_PROGRESS"}
SECOND_USD = {
    "xai/grok-imagine-video": {"480p": "0.05", "720p": "0.07"},
    "xai/grok-imagine-video-1.5": {"480p": "0.1144", "720p": "0.2002", "1080p": "0.3575"},
}
CHARACTER_USD = Decimal("0.00024")
MODELS = {
    "bfl": ("flux-3-image", "flux-2-pro", "flux-2-max"),
    "xai": ("grok-imagine-video", "grok-imagine-video-1.5", "grok-imagine-video-1.5-lite"),
    "elevenlabs": ("eleven_v3", "eleven_v4", "eleven_v4_turbo"),
}


KEY_LIFE_S = 86_400.0


def error(status: int, bucket: str, detail: str, **headers: str) -> Answer:
    """The bucket is said twice: in the body, and in a header."""
    head = {"x-comfy-error-type": bucket, **{name.replace("_", "-"): value for name, value in headers.items()}}
    return Answer(status, {"detail": detail, "error_type": bucket}, head)


def invalid(detail: str) -> Answer:
    said = [{"loc": ["body"], "msg": detail or "invalid input", "type": "value_error"}]
    return Answer(422, {"detail": said, "error_type": "invalid_input"}, {"x-comfy-error-type": "invalid_input"})


SERVICE = Service(
    "comfy",
    key=lambda call: call.headers.get("x-api-key") or call.headers.get("authorization", "").removeprefix("Bearer "),
    ids=uuid,
    faults={
        "bad_key": error(401, "unauthorized", "The key is not valid."),
        "no_credit": error(402, "insufficient_credits", "The workspace has no credits."),
        "forbidden": error(403, "forbidden", "The key may not do this."),
        "not_enabled": error(403, "not_enabled", "Queued delivery is not enabled for this workspace."),
        "no_model": error(404, "model_not_found", "There is no such model."),
        "not_found": error(404, "request_not_found", "There is no such request."),
        "in_flight": error(409, "concurrency_limit_exceeded", "This key is in use.", retry_after="1"),
        "other_request": error(409, "invalid_input", "This key belongs to another request."),
        "invalid": invalid,
        "moderated_input": error(422, "content_policy_violation", "The maker refused the prompt."),
        "rate_limited": error(429, "rate_limited", "Too many requests.", retry_after="1"),
        "too_many": error(429, "concurrency_limit_exceeded", "Too many runs at once.", retry_after="1"),
        "backlog_full": error(429, "queue_backlog_full", "The queue is full.", retry_after="1"),
        "server_error": error(500, "internal_error", "Something went wrong."),
        "unavailable": error(503, "service_unavailable", "The router is not available.", retry_after="1"),
        "deadline": error(504, "deadline_exceeded", "Collect it with the same key.", retry_after="1"),
    },
    headers=lambda call: {"x-comfy-request-id": f"req-{call.rng.getrandbits(64):016x}"},
    make_key=lambda rng: f"comfyui-{rng.getrandbits(128):032x}",
)


# ------------------------------------------------------------------------------------------------ what a maker is asked


def _bfl(call: Call, model: str, asked: dict[str, Any]) -> Order:
    given = asked.get("images") or asked.get("input_image") or []
    for text in given if isinstance(given, list) else [given]:
        if text.startswith("data:"):
            call.refuse("invalid", "images: an address, or base64 without a prefix")
    kind = f"image/{asked.get('output_format') or 'jpeg'}"
    if model == "flux-3-image":
        if "width" in asked or asked.get("resolution", "1k") not in ("768sq", "1k", "1.5k", "2k", "4k"):
            call.refuse("invalid", "resolution: 768sq, 1k, 1.5k, 2k or 4k; there is no width")
        return order("image", mime=kind)
    return order("image", width=asked.get("width") or 1024, height=asked.get("height") or 1024, mime=kind)


def _xai(call: Call, model: str, asked: dict[str, Any]) -> Order:
    seconds, resolution = asked.get("duration") or 8, asked.get("resolution") or "480p"
    if not isinstance(seconds, int) or not 1 <= seconds <= 15:
        call.refuse("invalid", "duration: 1 to 15")
    if "image" in asked and "url" not in asked["image"]:
        call.refuse("invalid", "image.url is required")
    rate = SECOND_USD.get(f"xai/{model}", {}).get(resolution)
    usd = None if rate is None else Decimal(rate) * seconds + (Decimal("0.0143") if "image" in asked else 0)
    short = int(resolution.removesuffix("p"))
    return order("video", width=round(short * 8 / 9) * 2, height=short, duration_s=seconds, audio=True, usd=usd)


def _elevenlabs(call: Call, _model: str, asked: dict[str, Any]) -> Order:
    turns = asked.get("inputs")
    if not isinstance(turns, list) or not all("text" in turn and "voice_id" in turn for turn in turns):
        call.refuse("invalid", "inputs: text and voice_id are required")
    text = " ".join(turn["text"] for turn in turns)
    usd = CHARACTER_USD * len(text)
    return order("audio", duration_s=max(0.2, len(text) / 15), text=text, usd=usd, mime="audio/mpeg")


MAKERS = {"bfl": _bfl, "xai": _xai, "elevenlabs": _elevenlabs}


def _take(call: Call) -> Job:
    maker, model = call.path["maker"], call.path["model"]
    if model not in MODELS.get(maker, ()):
        call.refuse("no_model")
    asked = call.json()
    if maker != "elevenlabs" and not asked.get("prompt"):
        call.refuse("invalid", "prompt is required")
    return call.take(MAKERS[maker](call, model, asked), maker=maker, model=model)


def _result(job: Job) -> Answer:
    """The maker's own answer; what was charged is in a header."""
    charged = {} if job.usd is None else {"x-comfy-credits-used": f"{job.usd * CREDITS_PER_USD:.4f}"}
    if job.extra["maker"] == "elevenlabs":
        return Answer(200, job.contents[0], {"content-type": job.mime, **charged})
    if job.extra["maker"] == "bfl":
        native = {"id": job.id, "status": "Ready", "result": {"sample": job.urls[0], "seed": job.seed, "duration": 3.1}}
        return Answer(200, native, charged)
    clip = {"url": job.urls[0], "duration": round(job.order.duration_s), "respect_moderation": True}
    return Answer(200, {"model": job.extra["model"], "status": "done", "video": clip}, charged)


def _bucket(job: Job) -> str | None:
    if job.state == "canceled":
        return "cancelled"
    if job.state == "failed":
        return "content_policy_violation" if job.moderated else job.detail or "provider_error"
    return None


# ----------------------------------------------------------------------------------------------------------- the queue


def _once(call: Call) -> tuple[Job, dict[str, str]]:
    """One key is one purchase for a day: sent again, it is answered as before; with another request, it is refused."""
    key, said = call.headers.get("idempotency-key", ""), (call.url, call.raw)
    job, before, at = call.world.get(f"key {key}", (None, said, 0.0))
    if not key or job is None or call.now >= at + KEY_LIFE_S:
        job = _take(call)
        call.world[f"key {key}"] = (job, said, call.now)
        return job, {}
    if before != said:
        call.refuse("other_request")
    return job, {"idempotent-replayed": "true"}


@SERVICE.post("/v2/models/{maker}/{model}/requests")
def submit(call: Call) -> Answer:
    job, again = _once(call)
    url = f"{call.base}/v2/models/{call.path['maker']}/{call.path['model']}/requests/{job.id}"
    said = {"request_id": job.id, "status_url": f"{url}/status", "response_url": url, "cancel_url": f"{url}/cancel"}
    return Answer(201, said, again)


def _known(call: Call) -> Job:
    job = call.job(call.path["id"])
    if job is None:
        call.refuse("not_found")
    return job


@SERVICE.get("/v2/models/{maker}/{model}/requests/{id}/status")
def status(call: Call) -> Answer:
    job = _known(call)
    said: dict[str, Any] = {"request_id": job.id, "status": STATES.get(job.state, "COMPLETED")}
    if job.state == "queued":
        said["queue_position"] = job.position
    if (bucket := _bucket(job)) is not None:
        said["error_type"] = bucket
    return Answer(200, said)


@SERVICE.get("/v2/models/{maker}/{model}/requests/{id}")
def collect(call: Call) -> Answer:
    job = _known(call)
    bucket = _bucket(job)
    if bucket is not None:
        return error(422 if bucket == "content_policy_violation" else 502, bucket, "The run did not succeed.")
    if not job.is_over:
        return Answer(202, {"request_id": job.id, "status": STATES[job.state]})
    return _result(job)


@SERVICE.put("/v2/models/{maker}/{model}/requests/{id}/cancel")
def cancel(call: Call) -> Answer:
    job = _known(call)
    if not call.cancel(job):
        return Answer(409, {"status": "ALREADY_COMPLETED"})
    return Answer(202, {"request_id": job.id, "status": "COMPLETED", "error_type": "cancelled"})


@SERVICE.post("/v2/models/{maker}/{model}")
def run(call: Call) -> Answer:
    """The same at once: the line is held until there is a result."""
    job, again = _once(call)
    job.finish()
    bucket = _bucket(job)
    if bucket is not None:
        return error(422 if bucket == "content_policy_violation" else 502, bucket, "The run did not succeed.")
    made = _result(job)
    return Answer(made.status, made.body, {**made.headers, **again})


# --------------------------------------------------------------------------------------------------------- the catalog


@SERVICE.get("/v2/models")
def models(call: Call) -> Answer:
    rows = [
        {
            "id": f"{maker}/{model}",
            "provider": maker,
            "model": model,
            "billing": {"charges_on_policy_rejection": maker == "xai"},
        }
        for maker, several in MODELS.items()
        for model in several
    ]
    limit = int(call.query.get("limit", "20"))
    return Answer(200, {"data": rows[:limit], "has_more": len(rows) > limit, "next_cursor": None, "limit": limit})


@SERVICE.get("/v2/models/{maker}/{model}/openapi.json")
def schema(call: Call) -> Answer:
    if call.path["model"] not in MODELS.get(call.path["maker"], ()):
        call.refuse("no_model")
    return Answer(200, {"openapi": "3.0.2", "info": {"title": call.path["model"], "version": "1"}, "paths": {}})
