"""Vidu as it answers: a path per kind of work, credits, the store in three steps, signed callbacks (copies of the pages
get-generation, error-code, callback-signature, quick-start; shengshu-ai/vidu-mcp@3dac293; read 2026-11-20).
"""

import base64
import hashlib
import json
from decimal import Decimal
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

from aggregator.signing import hmac_sha256
from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.frames import frame
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, order

PICTURES = {"text2video": (0, 0), "img2video": (1, 1), "start-end2video": (2, 2), "reference2video": (1, 7)}
MODELS = {
    *("viduq3-pro", "viduq3-pro-fast", "viduq3-turbo", "viduq2", "viduq2-pro", "viduq2-pro-fast", "viduq2-turbo"),
    *("viduq1", "viduq1-classic", "vidu2.0"),
}
CREDITS = {"540p": 14, "720p": 30, "1080p": 32}
"""Of Q3 Pro, a second. One is taken to be 0.005 USD."""
STATES = {"queued": "queueing", "running": "processing", "succeeded": "success"}
REASONS = {
    400: (
        *("BadRequest", "FieldLacking", "FieldUnwanted", "FieldInvalid", "FieldItemCountOutOfRange"),
        *("PageSizeOutOfRange", "ImageDownloadFailure", "ImageFormatInvalid", "OperationInProcess", "ModelUnavailable"),
        *("UserCancelled", "AuditSubmitIllegal", "TaskPromptPolicyViolation", "CreationPolicyViolation"),
        *("CreditInsufficient", "ImageCheckFailed", "ImageObjectsUndetected"),
    ),
    401: ("Unauthorized",),
    403: ("Forbidden",),
    404: ("TaskNotFound", "CreationNotFound", "NotFound"),
    409: ("Conflict",),
    429: ("QuotaExceeded", "TooManyRequests", "SystemThrottling"),
    499: ("Canceled",),
    500: ("InternalServiceFailure",),
}


def error(status: int, reason: str, message: str = "") -> Answer:
    return Answer(status, {"code": status, "reason": reason, "message": message or reason, "metadata": {}})


SERVICE = Service(
    "vidu",
    key=lambda call: call.headers.get("authorization", "").removeprefix("Token "),
    ids=lambda rng: str(rng.randrange(10**17, 10**18)),
    faults={
        **{reason: error(status, reason) for status, reasons in REASONS.items() for reason in reasons},
        "bad_key": error(401, "Unauthorized", "the token is not valid"),
        "no_credit": error(400, "CreditInsufficient", "credit insufficient"),
        "rate_limited": error(429, "TooManyRequests"),
        "invalid": lambda detail: error(400, "FieldInvalid", detail),
        "not_found": error(404, "TaskNotFound"),
        "moderated_input": error(400, "AuditSubmitIllegal"),
        "unavailable": error(500, "InternalServiceFailure"),
    },
)


@SERVICE.post("/ent/v2/{kind}")
def create(call: Call) -> Answer:
    kind = call.path["kind"]
    maker = {"extend": _extended, "lip-sync": _spoken}.get(kind, _shot)
    body = call.json()
    made, credits_ = maker(call, kind, body)
    job = call.take(made, body=body, credits=credits_, hook=body.get("callback_url"))
    told = {"task_id": job.id, "state": "created", "credits": credits_, "created_at": _time(job.created)}
    return Answer(200, {**{name: value for name, value in body.items() if name != "callback_url"}, **told})


def _shot(call: Call, kind: str, body: dict[str, Any]) -> tuple[Any, int]:
    if kind not in PICTURES:
        call.refuse("NotFound")
    if body.get("model") not in MODELS:
        call.refuse("invalid" if body.get("model") else "FieldLacking", "model")
    if kind in ("text2video", "reference2video") and not body.get("prompt"):
        call.refuse("FieldLacking")
    images = body.get("images", [])
    low, high = PICTURES[kind]
    if not low <= len(images) <= high:
        call.refuse("FieldItemCountOutOfRange")
    for text in images:
        _check_picture(call, text)
    if kind in ("img2video", "start-end2video") and "aspect_ratio" in body:
        call.refuse("FieldUnwanted")
    return _priced(call, body, "viduq3-pro")


def _check_picture(call: Call, text: str) -> None:
    """An address, a data URI, or what the store named."""
    if text.startswith("ssupload:"):
        if f"done {text}" not in call.world:
            call.refuse("ImageDownloadFailure")
    elif text.startswith("data:"):
        if not call.file(text):
            call.refuse("ImageFormatInvalid")
    elif not text.startswith(("http://", "https://")):
        call.refuse("ImageDownloadFailure")


def _priced(call: Call, body: dict[str, Any], priced: str) -> tuple[Any, int]:
    resolution, seconds = body.get("resolution", "720p"), body.get("duration", 5)
    if resolution not in CREDITS or not isinstance(seconds, int):
        call.refuse("invalid", "resolution or duration")
    credits_ = CREDITS[resolution] * seconds
    width, height = frame(resolution, body.get("aspect_ratio", "16:9"))
    usd = Decimal(credits_) * Decimal("0.005")
    loud = body.get("audio", body.get("model") == priced)
    return order("video", width=width, height=height, duration_s=seconds, audio=loud, usd=usd), credits_


def _extended(call: Call, _kind: str, body: dict[str, Any]) -> tuple[Any, int]:
    own, url = body.get("video_creation_id"), body.get("video_url")
    if bool(own) == bool(url):
        call.refuse("FieldLacking")
    if own and call.job(own.removeprefix("c")) is None:
        call.refuse("CreationNotFound")
    if body.get("model") not in ("viduq2-pro", "viduq2-turbo") or not 1 <= body.get("duration", 5) <= 7:
        call.refuse("invalid", "model or duration")
    return _priced(call, body, "")


def _spoken(call: Call, _kind: str, body: dict[str, Any]) -> tuple[Any, int]:
    if not body.get("video_url") or not (body.get("audio_url") or body.get("text")):
        call.refuse("FieldLacking")
    return order("video", duration_s=3, audio=True), 20


def _time(seconds: float) -> str:
    return f"{int(seconds)}"


def _state(job: Job) -> dict[str, Any]:
    said: dict[str, Any] = {
        "id": job.id,
        "state": STATES.get(job.state, "failed"),
        "err_code": "",
        "credits": 0 if job.state in ("failed", "canceled") else job.extra["credits"],
        "payload": job.extra["body"].get("payload", ""),
        "bgm": False,
        "off_peak": job.extra["body"].get("off_peak", False),
        "creations": [],
    }
    if job.state == "failed":
        said["err_code"] = job.detail or ("CreationPolicyViolation" if job.moderated else "InternalServiceFailure")
    if job.state == "canceled":
        said["err_code"] = "UserCancelled"
    if job.state == "succeeded":
        said["creations"] = [{"id": f"c{job.id}", "url": job.urls[0], "cover_url": job.urls[0]}]
    return said


@SERVICE.get("/ent/v2/tasks/{id}/creations")
def creations(call: Call) -> Answer:
    job = call.job(call.path["id"]) or call.refuse("not_found")
    return Answer(200, _state(job))


@SERVICE.get("/ent/v2/tasks")
def listed(call: Call) -> Answer:
    names = call.query.get("task_ids", "").split(",")
    return Answer(200, {"tasks": [_state(job) for name in names if (job := call.job(name)) is not None]})


@SERVICE.post("/ent/v2/tasks/{id}/cancel")
def cancel(call: Call) -> Answer:
    job = call.job(call.path["id"]) or call.refuse("not_found")
    return Answer(200, {}) if call.cancel(job) else call.refuse("OperationInProcess")


@SERVICE.get("/ent/v2/credits")
def credits_left(_call: Call) -> Answer:
    return Answer(200, {"remains": [{"type": "test", "credit_remain": 1000, "concurrency_limit": 5, "queue_count": 0}]})


# -------------------------------------------------------------------------------------------- the store, in three steps


@SERVICE.post("/tools/v2/files/uploads")
def place(call: Call) -> Answer:
    call.json("scene")
    name = str(call.rng.randrange(10**17, 10**18))
    call.world[f"place {name}"] = None
    return Answer(200, {"id": name, "put_url": f"{call.base}/store/{name}", "expires_at": _time(call.now + 3600)})


@SERVICE.put("/store/{id}", public=True)
def put(call: Call) -> Answer:
    name = f"place {call.path['id']}"
    if name not in call.world or "authorization" in call.headers:
        return Answer(403, "<Error><Code>AccessDenied</Code></Error>", {"content-type": "application/xml"})
    call.store(call.raw, call.headers.get("content-type", ""))
    call.world[name] = hashlib.md5(call.raw, usedforsecurity=False).hexdigest()
    return Answer(200, headers={"etag": f'"{call.world[name]}"'})


@SERVICE.put("/tools/v2/files/uploads/{id}/finish")
def finish(call: Call) -> Answer:
    name = call.path["id"]
    if call.json("etag")["etag"] != call.world.get(f"place {name}"):
        call.refuse("invalid", "etag")
    uri = f"ssupload:?id={name}"
    call.world[f"done {uri}"] = True
    return Answer(200, {"uri": uri})


def _hook(job: Job, url: str, world: World) -> HookDelivery:
    """Signed with the API key: the request's line, its date, and two headers; not the body."""
    parts = urlsplit(url)
    date, nonce = formatdate(world.now, usegmt=True), f"{world.rng.getrandbits(64):016x}"
    lines = ["POST", parts.path or "/", parts.query, "vidu", date, f"x-request-nonce:{nonce}"]
    signature = hmac_sha256(world.key.encode(), "".join(f"{line}\n" for line in lines).encode())
    headers = {
        "Date": date,
        "x-request-nonce": nonce,
        "X-HMAC-ALGORITHM": "hmac-sha256",
        "X-HMAC-ACCESS-KEY": "vidu",
        "X-HMAC-SIGNED-HEADERS": "x-request-nonce",
        "X-HMAC-SIGNATURE": base64.b64encode(signature).decode(),
    }
    return HookDelivery(headers, json.dumps(_state(job)).encode())


SERVICE.hook = _hook
