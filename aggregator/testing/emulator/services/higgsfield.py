"""Higgsfield as it answers: one queue in front of many models (higgsfield-client 0.2.0; docs.higgsfield.ai, read
2026-11-21).
"""

import json
from typing import Any

from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.marketplace import kind_of, ordered
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, uuid


def _invalid(detail: str) -> Answer:
    entry = {"loc": ["body"], "msg": detail or "this is not valid", "type": "value_error"}
    return Answer(422, {"detail": [entry]})


SERVICE = Service(
    "higgsfield",
    key=lambda call: call.headers.get("authorization", "").removeprefix("Key "),
    make_key=lambda rng: f"{uuid(rng)}:{rng.getrandbits(256):064x}",
    ids=uuid,
    faults={
        "bad_key": Answer(401, {"detail": "Invalid credentials"}),
        "no_credit": Answer(403, {"detail": "Not enough credits"}),
        "rate_limited": Answer(400, {"detail": "Maximum number of concurrent requests (4) has been reached"}),
        "throttled": Answer(429, {"message": "Too many requests"}),
        "invalid": _invalid,
        "not_found": Answer(404, {"detail": "Not found"}),
        "locked": Answer(423, {"detail": "This model is not available to the account"}),
        "unavailable": Answer(503, {"error": "Service unavailable"}),
        "server_error": Answer(500, {"details": "Internal server error"}),
    },
    concurrency=4,
)


@SERVICE.get("/models")
def models(_call: Call) -> Answer:
    return Answer(200, [{"slug": "higgsfield-ai/soul/standard"}, {"slug": "higgsfield-ai/dop/standard"}])


@SERVICE.post("/files/generate-upload-url")
def upload_url(call: Call) -> Answer:
    mime = call.json("content_type")["content_type"]
    name = f"{uuid(call.rng)}.{mime.partition('/')[2]}"
    headers = {"Content-Type": mime, "x-amz-tagging": "retention=temporary"}
    call.world.setdefault("files", {})[name] = {"mime": mime, "content": None}
    url = f"{call.base}/uploaded/{name}"
    return Answer(
        200, {"public_url": url, "upload_url": f"{url}?signed=yes", "content_type": mime, "upload_headers": headers}
    )


@SERVICE.put("/uploaded/{name}", public=True)
def put(call: Call) -> Answer:
    kept = call.world.get("files", {}).get(call.path["name"])
    asked = {"signed": call.query.get("signed"), "tag": call.headers.get("x-amz-tagging")}
    if kept is None or asked != {"signed": "yes", "tag": "retention=temporary"} or "authorization" in call.headers:
        return Answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", {"content-type": "application/xml"})
    kept["content"] = call.raw
    return Answer(200)


@SERVICE.get("/uploaded/{name}", public=True)
def uploaded(call: Call) -> Answer:
    kept = call.world.get("files", {}).get(call.path["name"]) or call.refuse("not_found")
    return Answer(200, kept["content"], {"content-type": kept["mime"]})


@SERVICE.get("/requests/{id}/status")
def status(call: Call) -> Answer:
    return Answer(200, _status(call.base, _job(call)))


@SERVICE.post("/requests/{id}/cancel")
def cancel(call: Call) -> Answer:
    job = _job(call)
    if job.state != "queued":
        return Answer(400, {"detail": "The request has already started and can no longer be canceled"})
    call.cancel(job)
    return Answer(202)


@SERVICE.post("/{application:path}")
def submit(call: Call) -> Answer:
    application = call.path["application"]
    body = call.json("prompt")
    if "image-to-video" in application and "sora" not in application and "image_url" not in body:
        call.refuse("invalid", "image_url: field required")
    kind = kind_of(f"/{application}")
    given = {name: value for name, value in body.items() if value is not None}
    if kind == "video":
        given["resolution"] = str(given.get("resolution", "720"))
    else:
        given["resolution"] = "1k"  # "2K" and "4K" name the long side
    given.setdefault("num_images", body.get("batch_size") or 1)
    job = call.take(ordered(f"/{application}", given), hook=call.query.get("hf_webhook"))
    return Answer(200, _status(call.base, job))


def _job(call: Call) -> Job:
    return call.job(call.path["id"]) or call.refuse("not_found")


def _status(base: str, job: Job) -> dict[str, Any]:
    url = f"{base}/requests/{job.id}"
    words = {"running": "in_progress", "succeeded": "completed", "failed": "nsfw" if job.moderated else "failed"}
    said: dict[str, Any] = {"status": words.get(job.state, job.state), "request_id": job.id}
    said |= {"status_url": f"{url}/status", "cancel_url": f"{url}/cancel"}
    if job.state == "failed" and not job.moderated:
        said["error"] = job.detail or "Generation failed"
    if job.state == "succeeded" and job.order.kind == "video":
        said["video"] = {"url": job.urls[0]}
    elif job.state == "succeeded":
        said["images"] = [{"url": one} for one in job.urls]
    return said


def hook(job: Job, _url: str, world: World) -> HookDelivery:
    """The status object; it is not signed."""
    return HookDelivery({}, json.dumps(_status(world.base, job)).encode())


SERVICE.hook = hook
