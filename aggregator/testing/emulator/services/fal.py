"""fal as it answers: queue, sync route, storage and CDN, webhooks, platform API (fal-client 1.0.3; fal.ai/docs, read
2026-11-21).

The hosts of fal lie beside each other here: `queue.fal.run`, `rest.fal.ai`, `v3.fal.media` and `api.fal.ai` at the top,
`fal.run` below `/run`.
"""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from aggregator.signing import ed25519_jwks, ed25519_public, ed25519_sign
from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.marketplace import ordered
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, uuid

EVENTS_S = 0.25
"""How often a stream says the same again, besides at each change. How often fal does is not documented."""
MODEL_ERRORS = {
    500: ("internal_server_error", "downstream_service_unavailable"),
    504: ("generation_timeout",),
    400: ("downstream_service_error",),
    422: (
        *("content_policy_violation", "no_media_generated", "image_too_small", "image_too_large", "image_load_error"),
        *("file_download_error", "face_detection_error", "file_too_large", "greater_than", "greater_than_equal"),
        *("less_than", "less_than_equal", "multiple_of", "sequence_too_short", "sequence_too_long", "one_of"),
        *("feature_not_supported", "invalid_archive", "archive_file_count_below_minimum"),
        *("archive_file_count_exceeds_maximum", "audio_duration_too_long", "audio_duration_too_short"),
        *("video_duration_too_long", "video_duration_too_short", "unsupported_audio_format"),
        *("unsupported_image_format", "unsupported_video_format", "missing", "value_error"),
    ),
}
REQUEST_ERRORS = {
    504: ("request_timeout", "startup_timeout"),
    503: (
        *("runner_scheduling_failure", "runner_connection_timeout", "runner_disconnected"),
        *("runner_connection_refused", "runner_connection_error"),
    ),
    502: ("runner_incomplete_response",),
    500: ("runner_server_error", "internal_error"),
    499: ("client_disconnected", "client_cancelled"),
    400: ("bad_request",),
}
PRICES = {
    "fal-ai/flux/schnell": ("0.003", "megapixels"),
    "fal-ai/flux/dev": ("0.025", "megapixels"),
    "fal-ai/flux-pro/v1.1": ("0.04", "image"),
    "fal-ai/nano-banana": ("0.0398", "image"),
    "fal-ai/clarity-upscaler": ("0.03", "megapixels"),
    "fal-ai/kling-video/v2.5-turbo/pro/text-to-video": ("0.07", "seconds"),
    "fal-ai/kling-video/v2.5-turbo/pro/image-to-video": ("0.07", "seconds"),
}
ONE_IMAGE = ("upscale", "esrgan", "aura-sr", "remove", "crystal", "seedvr/upscale/image")


def _model_error(kind: str, status: int, detail: str = "") -> Answer:
    entry = {"loc": ["body", "prompt"], "msg": detail or kind.replace("_", " "), "type": kind, "input": None}
    return Answer(status, {"detail": [{**entry, "url": f"https://docs.fal.ai/errors#{kind}", "ctx": {}}]})


def _request_error(kind: str, status: int) -> Answer:
    return Answer(status, {"detail": kind.replace("_", " "), "error_type": kind}, {"x-fal-error-type": kind})


ERRORS = {
    **{kind: _model_error(kind, status) for status, kinds in MODEL_ERRORS.items() for kind in kinds},
    **{kind: _request_error(kind, status) for status, kinds in REQUEST_ERRORS.items() for kind in kinds},
}

SERVICE = Service(
    "fal",
    key=lambda call: call.headers.get("authorization", "").removeprefix("Key "),
    make_key=lambda rng: f"{uuid(rng)}:{rng.getrandbits(128):032x}",
    ids=uuid,
    faults={
        **ERRORS,
        "bad_key": Answer(401, {"detail": "Cannot access application: invalid credentials"}),
        "no_credit": Answer(403, {"detail": "User is locked. Reason: Exhausted balance"}),
        "rate_limited": Answer(429, {"detail": "Too many concurrent requests"}, {"retry-after": "1"}),
        "invalid": lambda detail: _model_error("value_error", 422, detail),
        "moderated_input": ERRORS["content_policy_violation"],
        "unavailable": Answer(503, {"detail": "Service unavailable"}),
        "not_found": Answer(404, {"detail": "Request not found"}),
    },
    headers=lambda call: {"x-fal-request-id": uuid(call.rng)},
)


# ------------------------------------------------------------------------------------------------------------ storage


@SERVICE.get("/.well-known/jwks.json", public=True)
def keys(call: Call) -> Answer:
    document = ed25519_jwks({"emulator": ed25519_public(_private(call.world))})
    return Answer(200, json.loads(document))


@SERVICE.post("/storage/auth/token")
def token(call: Call) -> Answer:
    given = f"{call.rng.getrandbits(128):032x}"
    call.world.setdefault("cdn_tokens", set()).add(f"Bearer {given}")
    ends = "2099-01-01T00:00:00+00:00"
    return Answer(200, {"token": given, "token_type": "Bearer", "base_url": call.base, "expires_at": ends})


@SERVICE.post("/storage/upload/initiate")
def initiate(call: Call) -> Answer:
    asked = call.json("file_name", "content_type")
    url = _new_file(call, asked["file_name"], asked["content_type"])
    return Answer(200, {"upload_url": f"{url}?signed=yes", "file_url": url})


@SERVICE.post("/files/upload", public=True)
def upload(call: Call) -> Answer:
    _check_cdn_token(call)
    url = _new_file(call, call.headers.get("x-fal-file-name", "file"), call.headers.get("content-type", ""))
    _file(call, url)["content"] = call.raw
    return Answer(200, {"access_url": url})


@SERVICE.post("/files/upload/multipart", public=True)
def begin(call: Call) -> Answer:
    _check_cdn_token(call)
    url = _new_file(call, call.headers.get("x-fal-file-name", "file"), call.headers.get("content-type", ""))
    _file(call, url)["upload"] = upload_id = uuid(call.rng)
    return Answer(200, {"access_url": url, "uploadId": upload_id})


@SERVICE.put("/files/{name}/multipart/{upload}/{number}", public=True)
def part(call: Call) -> Answer:
    _check_cdn_token(call)
    kept = _file(call, call.path["name"])
    if kept.get("upload") != call.path["upload"]:
        return Answer(404, {"detail": "no such upload"})
    etag = hashlib.md5(call.raw, usedforsecurity=False).hexdigest()
    kept["parts"][int(call.path["number"])] = (etag, call.raw)
    return Answer(200, None, {"etag": f'"{etag}"'})


@SERVICE.post("/files/{name}/multipart/{upload}/complete", public=True)
def complete(call: Call) -> Answer:
    _check_cdn_token(call)
    kept = _file(call, call.path["name"])
    named = {one["partNumber"]: one["etag"].strip('"') for one in call.json("parts")["parts"]}
    if kept.get("upload") != call.path["upload"] or named != {n: etag for n, (etag, _) in kept["parts"].items()}:
        return Answer(400, {"detail": "these are not the parts of this upload"})
    kept["content"] = b"".join(content for _, (_, content) in sorted(kept["parts"].items()))
    return Answer(200, {})


@SERVICE.put("/files/{name}", public=True)
def put(call: Call) -> Answer:
    _file(call, call.path["name"])["content"] = call.raw
    return Answer(200)


@SERVICE.get("/files/{name}", public=True)
def uploaded(call: Call) -> Answer:
    kept = _file(call, call.path["name"])
    return Answer(200, kept["content"], {"content-type": kept["mime"]})


def _new_file(call: Call, name: str, mime: str) -> str:
    at = f"{call.rng.getrandbits(64):016x}_{name}"
    call.world.setdefault("files", {})[at] = {"mime": mime, "content": b"", "parts": {}}
    return f"{call.base}/files/{at}"


def _file(call: Call, url: str) -> dict[str, Any]:
    kept: dict[str, Any] | None = call.world.get("files", {}).get(url.rpartition("/")[2])
    return kept if kept is not None else call.refuse("not_found")


def _check_cdn_token(call: Call) -> None:
    if call.headers.get("authorization") not in call.world.get("cdn_tokens", ()):
        call.refuse("bad_key")


# ------------------------------------------------------------------------------------------------------- platform API


@SERVICE.get("/v1/models")
def models(call: Call) -> Answer:
    asked = [name for name in call.query.get("endpoint_id", "").split(",") if name] or list(PRICES)
    about = {"status": "active", "kind": "inference", "tags": []}
    return Answer(
        200,
        {
            "models": [{"endpoint_id": name, "metadata": {"display_name": name, **about}} for name in asked],
            "next_cursor": None,
            "has_more": False,
        },
    )


@SERVICE.get("/v1/models/pricing")
def pricing(call: Call) -> Answer:
    asked = [name for name in call.query.get("endpoint_id", "").split(",") if name in PRICES]
    rows = [{"endpoint_id": name, "unit_price": float(PRICES[name][0]), "unit": PRICES[name][1]} for name in asked]
    return Answer(200, {"prices": [{**row, "currency": "USD"} for row in rows], "next_cursor": None, "has_more": False})


@SERVICE.get("/v1/models/requests/by-endpoint")
def requests(call: Call) -> Answer:
    """Those that have ended, the last first; what was sent stands there for whoever asks for payloads."""
    names = call.query.get("endpoint_id", "").split(",")
    over = [job for job in call.desk.jobs.values() if job.is_over and job.extra["endpoint"] in names]
    jobs = sorted(over, key=lambda job: job.ended, reverse=True)[: int(call.query.get("limit", 50))]
    shown = call.query.get("expand") == "payloads"
    items = [{**_request(job), **({"json_input": job.extra["given"]} if shown else {})} for job in jobs]
    return Answer(200, {"items": items, "next_cursor": None, "has_more": len(jobs) < len(over)})


def _request(job: Job) -> dict[str, Any]:
    failure = _failure(job)
    times = {"sent_at": job.created, "started_at": job.started, "ended_at": job.ended}
    return {
        "request_id": job.id,
        "endpoint_id": job.extra["endpoint"],
        **{name: datetime.fromtimestamp(at, UTC).isoformat() for name, at in times.items()},
        "status_code": 200 if failure is None else failure.status,
        "duration": job.ended - job.started,
    }


# -------------------------------------------------------------------------------------------------------------- queue


@SERVICE.get("/{app:path}/requests/{id}/status")
def status(call: Call) -> Answer:
    job = _job(call)
    return Answer(200 if job.is_over else 202, _status(call, job))


@SERVICE.get("/{app:path}/requests/{id}/status/stream")
def stream(call: Call) -> Answer:
    job = _job(call)

    def events() -> Any:
        while not job.is_over:
            yield _event(_status(call, job))
            yield min(EVENTS_S, job.change_s)
        yield _event(_status(call, job))

    return Answer(200, events(), {"content-type": "text/event-stream"})


@SERVICE.get("/{app:path}/requests/{id}/response")
@SERVICE.get("/{app:path}/requests/{id}")
def result(call: Call) -> Answer:
    job = _job(call)
    if not job.is_over:
        return Answer(400, {"detail": "Request is still in progress"})
    return _failure(job) or Answer(200, _output(job))


@SERVICE.put("/{app:path}/requests/{id}/cancel")
def cancel(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None:
        return Answer(404, {"status": "NOT_FOUND"})
    if not call.cancel(job):
        return Answer(400, {"status": "ALREADY_COMPLETED"})
    return Answer(202, {"status": "CANCELLATION_REQUESTED"})


@SERVICE.post("/run/{endpoint:path}")
def run(call: Call) -> Answer:
    job = _taken(call)
    job.finish()
    return _failure(job) or Answer(200, _output(job))


@SERVICE.post("/{endpoint:path}")
def submit(call: Call) -> Answer:
    job = _taken(call)
    body = {"request_id": job.id, **_urls(call, job), "queue_position": job.position}
    return Answer(200, {**body, "status": "IN_QUEUE", "gateway_request_id": job.id})


def _taken(call: Call) -> Job:
    endpoint = call.path["endpoint"]
    body = call.json()
    given = {name: value for name, value in body.items() if value is not None}
    of = ordered(endpoint, given)
    price, unit = PRICES.get(endpoint, (None, ""))
    count = {"megapixels": of.width * of.height * of.count / 1e6, "image": of.count, "seconds": of.duration_s}
    usd = None if price is None else f"{float(price) * count[unit]:.6f}"
    made, hook = ordered(endpoint, given, usd=usd), call.query.get("fal_webhook")
    return call.take(made, endpoint=endpoint, given=body, hook=hook)


def _job(call: Call) -> Job:
    return call.job(call.path["id"]) or call.refuse("not_found")


def _urls(call: Call, job: Job) -> dict[str, str]:
    parts = job.extra["endpoint"].split("/")
    app = "/".join(parts[: 3 if parts[0] in ("workflows", "comfy") else 2])
    base = f"{call.base}/{app}/requests/{job.id}"
    return {"response_url": base, "status_url": f"{base}/status", "cancel_url": f"{base}/cancel"}


def _status(call: Call, job: Job) -> dict[str, Any]:
    body = {"request_id": job.id, "logs": None, **_urls(call, job)}
    if job.state == "queued":
        return {**body, "status": "IN_QUEUE", "queue_position": job.position}
    if job.state == "running":
        return {**body, "status": "IN_PROGRESS"}
    return {**body, "status": "COMPLETED", "metrics": {"inference_time": job.ended - job.started}, **_said(job)}


def _said(job: Job) -> dict[str, str]:
    """What the status says of a failure: of the runner's, not of the model's."""
    failure = _failure(job)
    kind = failure.body.get("error_type") if failure is not None else None
    return {"error": failure.body["detail"], "error_type": kind} if failure is not None and kind else {}


def _failure(job: Job) -> Answer | None:
    if job.state == "canceled":
        return ERRORS["client_cancelled"]
    if job.state == "failed":
        return ERRORS[job.detail or ("content_policy_violation" if job.moderated else "internal_server_error")]
    return None


def _output(job: Job) -> dict[str, Any]:
    files = [{"url": url, "content_type": job.mime, "file_name": url.rpartition("/")[2]} for url in job.urls]
    if job.order.kind != "image":
        return {job.order.kind: files[0], "seed": job.seed}
    sized = [{**file, "width": job.order.width, "height": job.order.height} for file in files]
    if any(word in job.extra["endpoint"] for word in ONE_IMAGE):
        return {"image": sized[0], "seed": job.seed}
    flags = [job.detail == "nsfw"] * len(sized)
    return {"images": sized, "seed": job.seed, "has_nsfw_concepts": flags, "prompt": job.order.text}


def _event(body: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()


# ----------------------------------------------------------------------------------------------------------- webhooks


def _private(world: World) -> bytes:
    return bytes.fromhex(hashlib.sha256(world.secret.encode()).hexdigest())


def hook(job: Job, _url: str, world: World) -> HookDelivery:
    """Signed with Ed25519 over request, user, time and the body's digest, a line each."""
    failure = _failure(job)
    said: dict[str, Any] = {"request_id": job.id, "gateway_request_id": job.id, "status": "OK"}
    said["payload"] = _output(job) if failure is None else failure.body
    if failure is not None:
        said |= {"status": "ERROR", "error": f"Invalid status code: {failure.status}"}
    body = json.dumps(said).encode()
    lines = (job.id, "emulator-user", str(int(world.now)))
    message = "\n".join([*lines, hashlib.sha256(body).hexdigest()]).encode()
    names = ("request-id", "user-id", "timestamp")
    headers = {f"x-fal-webhook-{name}": line for name, line in zip(names, lines, strict=True)}
    return HookDelivery({**headers, "x-fal-webhook-signature": ed25519_sign(_private(world), message).hex()}, body)


SERVICE.hook = hook
