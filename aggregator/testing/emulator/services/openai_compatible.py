"""A server that speaks OpenAI's dialect: pictures and speech at once, clips as jobs at `/videos`.

openai 3.52.0 (whose methods for clips still exist), openai/openai-openapi@f85dbe2; the seed and the negative prompt are
those of vllm-omni 0.30.0 and sglang 0.5.23; read 2026-11-20. There is no bill.
"""

import base64
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Job, Service, order
from aggregator.testing.emulator.services.openai import FAULTS, PICTURE_TYPES, VOICES, model, outcome, spoken

STATES = {"queued": "queued", "running": "in_progress", "succeeded": "completed", "failed": "failed"}
VARIANTS = {"video": "video/mp4", "thumbnail": "image/webp", "spritesheet": "image/jpeg"}
LIFE_S = 3600

SERVICE = Service(
    "openai_compatible",
    # A server without a key takes any, and none.
    key=lambda call: (
        call.world.get("key_wanted") is None or call.headers.get("authorization") == f"Bearer {call.world.key}"
    ),
    prefix="video_",
    faults=FAULTS,
)


# ------------------------------------------------------------------------------------------------------------ pictures


def pictures(call: Call, asked: dict[str, Any]) -> Answer:
    sides = str(asked.get("size") or "1024x1024").split("x")
    if len(sides) != 2 or not all(side.isdigit() for side in sides):
        call.refuse("invalid", "size: two numbers with an x between them")
    kind = PICTURE_TYPES.get(asked.get("output_format") or "png")
    if kind is None:
        call.refuse("invalid", "output_format")
    job = call.take(
        order("image", width=int(sides[0]), height=int(sides[1]), count=int(asked.get("n") or 1), mime=kind, usd="0")
    )
    job.finish()
    outcome(call, job)
    if asked.get("response_format") == "url":
        return Answer(200, {"created": int(call.now), "data": [{"url": url} for url in job.urls]})
    data = [{"b64_json": base64.b64encode(content).decode()} for content in job.contents]
    return Answer(200, {"created": int(call.now), "data": data})


@SERVICE.post("/images/generations")
def generations(call: Call) -> Answer:
    return pictures(call, call.json("prompt"))


@SERVICE.post("/images/edits")
def edits(call: Call) -> Answer:
    form = call.form("prompt")
    if "image" not in form and "image[]" not in form:
        call.refuse("invalid", "image is required")
    return pictures(call, {name: parts[0].text for name, parts in form.items() if parts[0].filename is None})


@SERVICE.post("/audio/speech")
def speech(call: Call) -> Answer:
    asked = call.json("model", "input", "voice")
    known = asked["voice"] in VOICES or str(asked["voice"]).startswith(("af_", "am_"))
    if not known:
        call.refuse("invalid", f"Voice '{asked['voice']}' not found.")
    return spoken(call, asked)


# --------------------------------------------------------------------------------------------------------------- clips


def video(job: Job) -> dict[str, Any]:
    """The job as every route shows it. A canceled one is not known: what is deleted is gone."""
    ended = job.state in ("succeeded", "failed")
    code = "moderation_blocked" if job.moderated else job.detail or "server_error"
    said = "Blocked by the moderation system." if job.moderated else "The generation failed."
    return {
        "id": job.id,
        "object": "video",
        "model": job.extra["model"],
        "status": STATES[job.state],
        "progress": round(job.fraction * 100),
        "created_at": int(job.created),
        "completed_at": int(job.ended) if ended else None,
        "expires_at": int(job.ended) + LIFE_S if job.state == "succeeded" else None,
        "prompt": job.extra["prompt"],
        "size": f"{job.order.width}x{job.order.height}",
        "seconds": f"{job.order.duration_s:g}",
        "remixed_from_video_id": job.extra.get("remixed"),
        "error": {"code": code, "message": said} if job.state == "failed" else None,
    }


def ask(call: Call) -> tuple[dict[str, Any], dict[str, Any]]:
    """A form or JSON: its texts, and its files."""
    if call.headers.get("content-type", "").startswith("application/json"):
        return call.json("prompt"), {}
    form = call.form("prompt")
    texts = {name: parts[0].text for name, parts in form.items() if parts[0].filename is None}
    return texts, {name: parts[0] for name, parts in form.items() if parts[0].filename is not None}


def film(call: Call, texts: dict[str, Any], **known: Any) -> Answer:
    sides = str(texts.get("size") or "720x1280").split("x")
    if len(sides) != 2 or not all(side.isdigit() for side in sides):
        call.refuse("invalid", f"Invalid value: '{texts['size']}'.")
    made = order(
        "video", width=int(sides[0]), height=int(sides[1]), duration_s=float(texts.get("seconds") or 4), usd="0"
    )
    job = call.take(made, model=texts.get("model") or "sora-2", prompt=texts["prompt"], **known)
    return Answer(200, video(job))


@SERVICE.post("/videos")
def create(call: Call) -> Answer:
    texts, files = ask(call)
    reference = files.get("input_reference")
    if reference is not None and not (reference.mime_type or "").startswith("image/"):
        call.refuse("bad_image")
    return film(call, texts, reference=reference is not None)


@SERVICE.post("/videos/edits")
def edit(call: Call) -> Answer:
    texts, files = ask(call)
    if "video" not in files and "video" not in texts:
        call.refuse("invalid", "video is required")
    return film(call, texts)


@SERVICE.post("/videos/extensions")
def extend(call: Call) -> Answer:
    texts, files = ask(call)
    if "seconds" not in texts or ("video" not in files and "video" not in texts):
        call.refuse("invalid", "video and seconds are required")
    return film(call, texts)


@SERVICE.post("/videos/{id}/remix")
def remix(call: Call) -> Answer:
    job = known(call)
    asked = call.json("prompt")
    seconds, size = f"{job.order.duration_s:g}", f"{job.order.width}x{job.order.height}"
    return film(call, {**asked, "model": job.extra["model"], "seconds": seconds, "size": size}, remixed=job.id)


def known(call: Call) -> Job:
    job = call.job(call.path["id"])
    if job is None or job.state == "canceled" or call.world.get(f"deleted {job.id}"):
        call.refuse("not_found")
    return job


@SERVICE.get("/videos")
def videos(call: Call) -> Answer:
    """The newest first, unless the oldest are asked for."""
    found = [video(job) for job in call.desk.jobs.values() if job.order.kind == "video" and job.state != "canceled"]
    ordered = found if call.query.get("order") == "asc" else found[::-1]
    jobs = ordered[: int(call.query.get("limit", 20))]
    ids = [job["id"] for job in jobs]
    return Answer(
        200,
        {
            "object": "list",
            "data": jobs,
            "first_id": ids[0] if ids else None,
            "last_id": ids[-1] if ids else None,
            "has_more": len(jobs) < len(ordered),
        },
    )


@SERVICE.get("/videos/{id}")
def retrieve(call: Call) -> Answer:
    """vLLM-Omni answers for a job that failed with an HTTP error, and the job as its body."""
    job = known(call)
    status = 500 if job.state == "failed" and job.extra["model"].startswith("vllm-omni/") else 200
    return Answer(status, video(job))


@SERVICE.get("/videos/{id}/content")
def content(call: Call) -> Answer:
    job = known(call)
    if job.state != "succeeded" or job.expired:
        call.refuse("not_found")
    kind = VARIANTS.get(call.query.get("variant", "video"), "video/mp4")
    return Answer(200, job.contents[0], {"content-type": kind})


@SERVICE.delete("/videos/{id}")
def delete(call: Call) -> Answer:
    """The work is stopped where it is not over (vLLM-Omni); the record goes in any case."""
    job = known(call)
    job.cancel()
    call.world[f"deleted {job.id}"] = True
    return Answer(200, {"id": job.id, "deleted": True, "object": "video.deleted"})


@SERVICE.get("/models")
def models(_call: Call) -> Answer:
    return Answer(200, {"object": "list", "data": [model("wan-2.2"), model("kokoro")]})
