"""Luma's Agents API as it answers (luma-agents 0.5.0 types; docs.agents.lumalabs.ai price page, read 2026-09-19). The
form of its error bodies is not documented: `detail`, as the client reads nothing in particular.
"""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Job, Service, order, uuid

USD = {
    "video": {"360p": ("0.06", "0.18"), "540p": ("0.15", "0.45"), "720p": ("0.30", "0.90"), "1080p": ("1.20", "3.60")},
    "video_edit": {
        "360p": ("0.72", "1.44"),
        "540p": ("0.72", "1.44"),
        "720p": ("1.08", "2.16"),
        "1080p": ("2.16", "4.32"),
    },
    "video_reframe": {
        "360p": ("0.30", "0.60"),
        "540p": ("0.30", "0.60"),
        "720p": ("0.60", "1.20"),
        "1080p": ("1.80", "3.60"),
    },
}
USD_A_PICTURE = {"uni-1": "0.0404", "uni-1-max": "0.10"}
HEIGHTS = {"360p": 360, "540p": 540, "720p": 720, "1080p": 1080}
CLIPS = ("video", "video_edit", "video_reframe")
RATIOS = ("9:16", "3:4", "1:1", "4:3", "16:9", "21:9")
STRENGTHS = {f"{word}_{step}" for word in ("adhere", "flex", "reimagine") for step in (1, 2, 3)}
LONGEST_PROMPT = 6000


def error(status: int, text: str, **headers: str) -> Answer:
    return Answer(status, {"detail": text}, headers)


SERVICE = Service(
    "luma",
    ids=uuid,
    headers=lambda _call: {"x-request-id": "req-emulated", "x-api-version": "1"},
    faults={
        "bad_key": error(401, "Invalid API key"),
        "no_credit": error(402, "Insufficient credits"),
        "rate_limited": Answer(
            429,
            {"detail": "Rate limit exceeded"},
            {"retry-after": "1", "x-ratelimit-limit": "10", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"},
        ),
        "invalid": lambda detail: error(400, detail or "Invalid request"),
        "forbidden": error(403, "Not allowed"),
        "moderated_input": error(422, "The prompt was stopped by content moderation"),
        "not_found": error(404, "Not found"),
        "server_error": error(500, "Internal error"),
        "unavailable": error(503, "Service unavailable"),
    },
)


def seen(call: Call, ref: Any, where: str, kind: str) -> None:
    """A picture or clip is named in exactly one way, and what is named exists."""
    ways = [way for way in ("url", "data", "generation_id", "file_id") if isinstance(ref, dict) and ref.get(way)]
    if len(ways) != 1:
        call.refuse("invalid", f"{where}: exactly one of url, data, generation_id, file_id")
    if ways[0] == "file_id":
        file = call.world.get(f"file {ref['file_id']}")
        if file is None or file["state"] != "ready":
            call.refuse("invalid", f"{where}: the file is not ready")
    if ways[0] == "generation_id":
        job = call.job(ref["generation_id"])
        if job is None or job.state != "succeeded":
            call.refuse("invalid", f"{where}: no finished generation of yours")
    needs_type = ways[0] == "data" or (ways[0] == "url" and kind == "video")
    if needs_type and not ref.get("media_type"):
        call.refuse("invalid", f"{where}: media_type is required")


def size(ratio: str, height: int) -> tuple[int, int]:
    """Pixels with `height` as the shorter edge."""
    wide, high = (int(part) for part in ratio.split(":"))
    short = max(2, height)
    return (round(short * wide / high / 2) * 2, short) if wide >= high else (short, round(short * high / wide / 2) * 2)


@SERVICE.post("/v1/generations")
def create(call: Call) -> Answer:
    body = call.json("prompt")
    kind, model = body.get("type", "image"), body.get("model", "uni-1")
    if not 1 <= len(body["prompt"]) <= LONGEST_PROMPT:
        call.refuse("invalid", "prompt: 1 to 6000 characters")
    if (model == "ray-3.2") != (kind in CLIPS) or model not in ("ray-3.2", *USD_A_PICTURE):
        call.refuse("invalid", f"{model} does not do {kind}")
    if kind in ("image_edit", "video_edit", "video_reframe"):
        seen(call, body.get("source"), "source", "video" if kind in CLIPS else "image")
    refs = body.get("image_ref", [])
    if len(refs) > (8 if kind == "image_edit" else 9):
        call.refuse("invalid", "image_ref: too many")
    for ref in refs:
        seen(call, ref, "image_ref", "image")
    job = clip(call, body, kind) if kind in CLIPS else picture(call, body, kind, model, len(refs))
    return Answer(201, said(job))


def picture(call: Call, body: dict[str, Any], kind: str, model: str, refs: int) -> Job:
    width, height = size(body.get("aspect_ratio") or "1:1", 1024)
    usd = Decimal(USD_A_PICTURE[model]) + Decimal("0.003") * (refs + (kind == "image_edit"))
    mime = f"image/{body.get('output_format') or 'png'}"
    return call.take(order("image", width=width, height=height, usd=usd, mime=mime), kind=kind, model=model)


def clip(call: Call, body: dict[str, Any], kind: str) -> Job:
    video = body.get("video") or {}
    word, ratio = video.get("resolution") or "720p", body.get("aspect_ratio") or "16:9"
    if word not in HEIGHTS or ratio not in RATIOS or video.get("duration", "5s") not in ("5s", "10s"):
        call.refuse("invalid", "video: resolution, duration or aspect_ratio")
    for name in ("start_frame", "end_frame"):
        if name in video:
            seen(call, video[name], name, "image")
            if video.get("duration") == "10s":
                call.refuse("invalid", "10s is not for frames")
    strength = (video.get("edit") or {}).get("strength")
    if strength is not None and strength not in STRENGTHS:
        call.refuse("invalid", "video.edit.strength")
    seconds = 10 if video.get("duration") == "10s" else 5
    width, height = size(ratio, HEIGHTS[word])
    usd = USD[kind][word][seconds == 10]
    return call.take(
        order("video", width=width, height=height, duration_s=seconds, usd=usd), kind=kind, model="ray-3.2"
    )


def said(job: Job) -> dict[str, Any]:
    """The generation as the API shows it."""
    states = {"queued": "queued", "running": "processing", "succeeded": "completed"}
    made = [{"type": "video" if job.extra["kind"] in CLIPS else "image", "url": url} for url in job.urls]
    failed = job.state in ("failed", "canceled")
    code = (job.detail or ("content_moderated" if job.moderated else "generation_failed")) if failed else None
    return {
        "id": job.id,
        "created_at": datetime.fromtimestamp(job.created, UTC).isoformat(),
        "model": job.extra["model"],
        "type": job.extra["kind"],
        "state": states.get(job.state, "failed"),
        "output": made if job.state == "succeeded" else None,
        "failure_code": code,
        "failure_reason": f"It ended with {code}" if code else None,
    }


@SERVICE.get("/v1/generations/{id}")
def generation(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None:
        call.refuse("not_found")
    return Answer(200, said(job))


@SERVICE.post("/v1/files")
def create_file(call: Call) -> Answer:
    body = call.json("mime_type", "size_bytes")
    name = uuid(call.rng)
    now = datetime.fromtimestamp(call.now, UTC).isoformat()
    file = {
        "id": name,
        "created_at": now,
        "mime_type": body["mime_type"],
        "size_bytes": body["size_bytes"],
        "purpose": body.get("purpose", "input"),
        "state": "pending",
    }
    call.world[f"file {name}"] = file
    slot = {
        "method": "PUT",
        "url": f"{call.base}/bucket/{name}",
        "expires_at": now,
        "headers": {"content-type": body["mime_type"]},
    }
    return Answer(201, {"id": name, "state": "pending", "file": file, "upload": slot})


@SERVICE.put("/bucket/{id}", public=True)
def receive(call: Call) -> Answer:
    file = call.world.get(f"file {call.path['id']}")
    signed = file is not None and call.headers.get("content-type") == file["mime_type"]
    if file is None or not signed or len(call.raw) != file["size_bytes"] or "authorization" in call.headers:
        return Answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>")
    call.world[f"bytes {call.path['id']}"] = call.raw
    return Answer(200)


@SERVICE.post("/v1/files/{id}/complete")
def complete(call: Call) -> Answer:
    file = call.world.get(f"file {call.path['id']}")
    if file is None:
        call.refuse("not_found")
    if f"bytes {call.path['id']}" not in call.world:
        call.refuse("invalid", "the bytes are not there yet")
    return Answer(200, dict(file))


@SERVICE.get("/v1/files/{id}")
def show_file(call: Call) -> Answer:
    file = call.world.get(f"file {call.path['id']}")
    if file is None:
        call.refuse("not_found")
    if f"bytes {call.path['id']}" in call.world:  # it is taken in while it is waited for
        file["state"] = "ready"
    return Answer(200, dict(file))


@SERVICE.get("/v1/files")
def list_files(call: Call) -> Answer:
    files = [file for name, file in call.world.items() if name.startswith("file ")]
    return Answer(200, {"files": files[: int(call.query.get("limit", 20))], "has_more": False})
