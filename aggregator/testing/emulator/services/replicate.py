"""Replicate as it answers: predictions, files, models, webhooks (replicate 1.0.7; replicate.com, read 2026-11-21)."""

import base64
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from aggregator.signing import hmac_sha256, whsec
from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.marketplace import ordered
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, RateLimit, Service

LISTED = (
    "flux-schnell",
    "flux-dev",
    "clarity-upscaler",
    "ideogram-v2",
    "stable-diffusion",
    "qwen-image",
    "real-esrgan-x",
)
"""Models whose output is a list of addresses; every other one's is a single address."""
PAGE = 100
LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"


def _problem(status: int, title: str, detail: str, **more: Any) -> Answer:
    return Answer(status, {"title": title, "detail": detail, "status": status, **more})


def _invalid(detail: str) -> Answer:
    said = detail or "- input: this is not valid\n"
    return _problem(422, "Input validation failed", said, invalid_fields=[{"type": "required", "field": "input"}])


SERVICE = Service(
    "replicate",
    make_key=lambda rng: f"r8_{rng.getrandbits(148):037x}",
    make_secret=lambda rng: f"whsec_{base64.b64encode(rng.randbytes(24)).decode()}",
    ids=lambda rng: "".join(rng.choice(LETTERS) for _ in range(26)),
    faults={
        "bad_key": _problem(401, "Unauthenticated", "You did not pass a valid authentication token"),
        "no_credit": _problem(402, "Insufficient credit", "You have insufficient credit to run this model."),
        "not_found": _problem(404, "Not found", "The requested resource could not be found."),
        "invalid": _invalid,
        "rate_limited": Answer(
            429,
            {"detail": "Request was throttled. Your rate limit resets in ~1s.", "status": 429, "retry_after": 1},
            {"retry-after": "1"},
        ),
        "unavailable": _problem(503, "Service unavailable", "Try again later."),
    },
    limit=RateLimit(10),
    bills_canceled=True,
)


@SERVICE.get("/v1/account")
def account(_call: Call) -> Answer:
    return Answer(200, {"type": "user", "username": "emulator", "name": "Emulator", "github_url": None})


@SERVICE.get("/v1/hardware")
def hardware(_call: Call) -> Answer:
    return Answer(200, [{"name": "CPU", "sku": "cpu"}, {"name": "Nvidia T4 GPU", "sku": "gpu-t4"}])


@SERVICE.get("/v1/webhooks/default/secret")
def secret(call: Call) -> Answer:
    return Answer(200, {"key": call.world.secret})


@SERVICE.get("/v1/models/{owner}/{name}")
def model(call: Call) -> Answer:
    owner, name = call.path["owner"], call.path["name"]
    return Answer(
        200,
        {
            "url": f"https://replicate.com/{owner}/{name}",
            "owner": owner,
            "name": name,
            "description": None,
            "visibility": "public",
            "github_url": None,
            "paper_url": None,
            "license_url": None,
            "run_count": 1,
            "cover_image_url": None,
            "default_example": None,
            "latest_version": None,
        },
    )


# -------------------------------------------------------------------------------------------------------------- files


@SERVICE.post("/v1/files")
def create_file(call: Call) -> Answer:
    part = call.form("content")["content"][0]
    name = "".join(call.rng.choice(LETTERS) for _ in range(26))
    digest = hashlib.sha256(part.content).hexdigest()
    about = {
        "id": name,
        "name": part.filename or "content",
        "content_type": part.mime_type or "application/octet-stream",
        "size": len(part.content),
        "etag": digest[:32],
        "checksums": {"sha256": digest},
        "metadata": json.loads(call.form()["metadata"][0].text) if "metadata" in call.form() else {},
        "created_at": _time(call.now),
        "expires_at": _time(call.now + 86_400),
        "urls": {"get": f"{call.base}/v1/files/{name}"},
    }
    call.world.setdefault("files", {})[name] = about
    return Answer(201, about)


@SERVICE.get("/v1/files")
def files(call: Call) -> Answer:
    return Answer(200, {"next": None, "previous": None, "results": list(call.world.get("files", {}).values())})


@SERVICE.get("/v1/files/{id}")
def file(call: Call) -> Answer:
    about = call.world.get("files", {}).get(call.path["id"])
    return Answer(200, about) if about else call.refuse("not_found")


@SERVICE.delete("/v1/files/{id}")
def delete_file(call: Call) -> Answer:
    return Answer(204) if call.world.get("files", {}).pop(call.path["id"], None) else call.refuse("not_found")


# -------------------------------------------------------------------------------------------------------- predictions


@SERVICE.post("/v1/models/{owner}/{name}/predictions")
def of_model(call: Call) -> Answer:
    return _create(call, f"{call.path['owner']}/{call.path['name']}", "hidden")


@SERVICE.post("/v1/deployments/{owner}/{name}/predictions")
def of_deployment(call: Call) -> Answer:
    return _create(call, f"{call.path['owner']}/{call.path['name']}", "hidden")


@SERVICE.post("/v1/predictions")
def of_version(call: Call) -> Answer:
    name, _, version = call.json("version", "input")["version"].rpartition(":")
    return _create(call, name or "emulator/model", version)


@SERVICE.get("/v1/predictions")
def predictions(call: Call) -> Answer:
    found = [_prediction(call.base, job) for job in [*call.desk.jobs.values()][: -1 - PAGE : -1]]
    return Answer(200, {"next": None, "previous": None, "results": found})


@SERVICE.get("/v1/predictions/{id}")
def prediction(call: Call) -> Answer:
    return Answer(200, _prediction(call.base, _job(call)))


@SERVICE.post("/v1/predictions/{id}/cancel")
def cancel(call: Call) -> Answer:
    job = _job(call)
    call.cancel(job)
    return Answer(200, _prediction(call.base, job))


def _create(call: Call, name: str, version: str) -> Answer:
    body = call.json("input")
    if not isinstance(body["input"], dict):
        call.refuse("invalid", "- input: Expected an object\n")
    given = body["input"]
    job = call.take(ordered(name, given), model=name, version=version, input=given, hook=body.get("webhook"))
    waits = call.headers.get("prefer", "").startswith("wait")
    if waits:
        job.finish()
    return Answer(201, _prediction(call.base, job))


def _job(call: Call) -> Job:
    return call.job(call.path["id"]) or call.refuse("not_found")


def _prediction(base: str, job: Job) -> dict[str, Any]:
    url = f"{base}/v1/predictions/{job.id}"
    canceled = "aborted" if job.detail == "aborted" else "canceled"
    words = {"queued": "starting", "running": "processing", "canceled": canceled}
    return {
        "id": job.id,
        "model": job.extra["model"],
        "version": job.extra["version"],
        "status": words.get(job.state, job.state),
        "input": job.extra["input"],
        "output": _output(job),
        "logs": "" if job.state == "queued" else _progress(job.fraction),
        "error": _error(job),
        "data_removed": False,
        "source": "api",
        "created_at": _time(job.created),
        "started_at": None if job.state == "queued" else _time(job.started),
        "completed_at": _time(job.ended) if job.is_over else None,
        "metrics": {"predict_time": job.ended - job.started, "total_time": job.ended - job.created}
        if job.is_over
        else {},
        "urls": {"get": url, "cancel": f"{url}/cancel", "web": f"https://replicate.com/p/{job.id}"},
    }


def _output(job: Job) -> Any:
    if job.state != "succeeded":
        return None
    listed = any(name in job.extra["model"] for name in LISTED) or len(job.urls) > 1
    return job.urls if listed else job.urls[0]


def _error(job: Job) -> str | None:
    if job.state != "failed":
        return None
    flagged = "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
    return job.detail or (flagged if job.moderated else "Prediction failed: the model raised an error")


def _progress(done: float) -> str:
    steps = round(done * 20)
    return f"{steps * 5:3}%|{'█' * (steps // 2) or '▏'}| {steps}/20 [00:01<00:01, 10.0it/s]\n"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat().replace("+00:00", "Z")


def hook(job: Job, _url: str, world: World) -> HookDelivery:
    """The prediction as it has completed, signed as Standard Webhooks are."""
    body = json.dumps(_prediction(world.base, job)).encode()
    stamp = (f"msg_{job.id}", str(int(world.now)))
    signed = hmac_sha256(whsec(world.secret), ".".join(stamp).encode() + b"." + body)
    signature = f"v1,{base64.b64encode(signed).decode()}"
    return HookDelivery({"webhook-id": stamp[0], "webhook-timestamp": stamp[1], "webhook-signature": signature}, body)


SERVICE.hook = hook
