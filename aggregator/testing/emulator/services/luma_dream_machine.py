"""Luma's Dream Machine API as it answers (lumaai 1.21.0 types). Its error bodies and how it words a moderation are not
documented: `detail`, and a reason that says so. Prices are those of a reseller's list (Comfy-Org docs, 2026-08-18).
"""

import json
from datetime import UTC, datetime
from typing import Any

from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, order, uuid

USD = {
    "ray-2": {"540p": "0.40", "720p": "0.71", "1080p": "1.59", "4k": "6.37"},
    "ray-flash-2": {"540p": "0.14", "720p": "0.24", "1080p": "0.55", "4k": "2.19"},
}
HEIGHTS = {"540p": 540, "720p": 720, "1080p": 1080, "4k": 2160}
RATIOS = ("1:1", "16:9", "9:16", "4:3", "3:4", "21:9", "9:21")
MODES = {f"{word}_{step}" for word in ("adhere", "flex", "reimagine") for step in (1, 2, 3)}
STILLS = ("photon-1", "photon-flash-1")


def error(status: int, text: str) -> Answer:
    return Answer(status, {"detail": text})


SERVICE = Service(
    "luma_dream_machine",
    ids=uuid,
    make_key=lambda rng: f"luma-{rng.getrandbits(128):032x}",
    faults={
        "bad_key": error(401, "Not authenticated"),
        "no_credit": error(402, "Insufficient credits"),
        "invalid": lambda detail: error(400, detail or "Invalid request"),
        "not_found": error(404, "Generation not found"),
        "rate_limited": Answer(429, {"detail": "Too many concurrent generations"}, {"retry-after": "1"}),
        "server_error": error(500, "Internal error"),
        "unavailable": error(503, "Service unavailable"),
    },
)


def size(ratio: str, height: int) -> tuple[int, int]:
    """Pixels with `height` as the shorter edge."""
    wide, high = (int(part) for part in ratio.split(":"))
    return (
        (round(height * wide / high / 2) * 2, height) if wide >= high else (height, round(height * high / wide / 2) * 2)
    )


def address(call: Call, url: Any) -> None:
    if not str(url).startswith(("https://", "http://")):
        call.refuse("invalid", "an address is wanted")


def made(call: Call, body: dict[str, Any], kind: str, model: str, seconds: float = 5) -> Answer:
    word, ratio = body.get("resolution", "720p"), body.get("aspect_ratio", "16:9")
    if ratio not in RATIOS or (kind == "video" and (model not in USD or word not in HEIGHTS)):
        call.refuse("invalid", "model, resolution or aspect_ratio")
    hook = {"hook": body["callback_url"]} if body.get("callback_url") else {}
    asked = {name: value for name, value in body.items() if name != "callback_url"}
    if kind == "image":
        if model not in STILLS:
            call.refuse("invalid", "model")
        width, height = size(ratio, 1024)
        mime = "image/png" if body.get("format") == "png" else "image/jpeg"
        wanted = order("image", width=width, height=height, mime=mime)
    else:
        width, height = size(ratio, HEIGHTS[word])
        wanted = order("video", width=width, height=height, duration_s=seconds, usd=USD[model][word])
    return Answer(201, said(call.take(wanted, kind=kind, model=model, asked=asked, **hook)))


@SERVICE.post("/dream-machine/v1/generations/video")
def video(call: Call) -> Answer:
    body = call.json("model")
    frames = body.get("keyframes") or {}
    if not body.get("prompt") and not frames:
        call.refuse("invalid", "prompt or keyframes")
    for frame in frames.values():
        if frame.get("type") == "generation":
            whole(call, frame.get("id"))
        else:
            address(call, frame.get("url"))
    if body.get("duration", "5s") not in ("5s", "9s"):
        call.refuse("invalid", "duration")
    return made(call, body, "video", body["model"], float(body.get("duration", "5s")[0]))


@SERVICE.post("/dream-machine/v1/generations/video/modify")
def modify(call: Call) -> Answer:
    body = call.json("generation_type", "media", "mode", "model")
    address(call, body["media"].get("url"))
    if body["mode"] not in MODES or body["generation_type"] != "modify_video":
        call.refuse("invalid", "mode or generation_type")
    return made(call, body, "video", body["model"])


@SERVICE.post("/dream-machine/v1/generations/image")
def image(call: Call) -> Answer:
    body = call.json("model", "prompt")
    return made(call, body, "image", body["model"])


@SERVICE.post("/dream-machine/v1/generations/{id}/upscale")
def upscale(call: Call) -> Answer:
    source = whole(call, call.path["id"])
    return made(call, call.json(), "video", source.extra["model"])


def whole(call: Call, name: Any) -> Job:
    """A finished generation of one's own."""
    job = call.job(str(name))
    if job is None or job.state != "succeeded":
        call.refuse("not_found")
    return job


def said(job: Job) -> dict[str, Any]:
    """The generation as the API shows it."""
    states = {"queued": "queued", "running": "dreaming", "succeeded": "completed"}
    failed = job.state in ("failed", "canceled")
    reason = job.detail or ("Content moderated" if job.moderated else "Generation failed")
    kind = job.extra["kind"]
    return {
        "id": job.id,
        "generation_type": kind,
        "state": states.get(job.state, "failed"),
        "failure_reason": reason if failed else None,
        "created_at": datetime.fromtimestamp(job.created, UTC).isoformat(),
        "assets": {kind: job.urls[0]} if job.state == "succeeded" else None,
        "model": job.extra["model"],
        "request": job.extra["asked"],
    }


@SERVICE.get("/dream-machine/v1/generations")
def generations(call: Call) -> Answer:
    """The newest first: that order is not documented."""
    jobs = [job for job in reversed(call.desk.jobs.values()) if not job.extra.get("deleted")]
    limit, offset = int(call.query.get("limit", 10)), int(call.query.get("offset", 0))
    page = [said(job) for job in jobs[offset : offset + limit]]
    more = len(jobs) > offset + limit
    return Answer(200, {"generations": page, "count": len(page), "has_more": more, "limit": limit, "offset": offset})


@SERVICE.get("/dream-machine/v1/generations/{id}")
def generation(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None or job.extra.get("deleted"):
        call.refuse("not_found")
    return Answer(200, said(job))


@SERVICE.delete("/dream-machine/v1/generations/{id}")
def delete(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None:
        call.refuse("not_found")
    job.extra["deleted"] = True
    return Answer(204)


@SERVICE.get("/dream-machine/v1/credits")
def credits_left(_call: Call) -> Answer:
    return Answer(200, {"credit_balance": 10_000.0})


@SERVICE.get("/dream-machine/v1/ping")
def ping(_call: Call) -> Answer:
    return Answer(200, {"message": "pong"})


def deliver(job: Job, _url: str, _world: World) -> HookDelivery:
    """The generation itself, not signed."""
    return HookDelivery({"content-type": "application/json"}, json.dumps(said(job)).encode())


SERVICE.hook = deliver
