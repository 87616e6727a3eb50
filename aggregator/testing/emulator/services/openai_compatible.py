"""A server that speaks OpenAI's dialect: pictures and speech at once, clips as jobs at `/videos`.

openai 3.52.0 (whose methods for clips still exist), openai/openai-openapi@f85dbe2, read 2026-11-20. Which server it
plays instead is the first part of the model's name (`sglang/wan-2.2`), of those in `emulator.dialects`. It has no bill.
"""

import base64
from collections.abc import Mapping
from typing import Any

from aggregator.testing.emulator.dialects import OPENAI, SERVERS, SOUND_TYPES, Server, refuse, server_of
from aggregator.testing.emulator.service import Answer, Call, FormPart, Job, Order, Service, order
from aggregator.testing.emulator.services.openai import FAULTS, PICTURE_TYPES, VOICES, model, outcome

STATES = {
    "queued": "queued",
    "running": "in_progress",
    "succeeded": "completed",
    "failed": "failed",
    "canceled": "canceled",
}
VARIANTS = {"video": "video/mp4", "thumbnail": "image/webp", "spritesheet": "image/jpeg"}
LIFE_S = 3600
KEY_LIFE_S = 86_400.0
FPS = 24


SERVICE = Service(
    "openai_compatible",
    # A server without a key takes any, and none.
    key=lambda call: (
        call.world.get("key_wanted") is None or call.headers.get("authorization") == f"Bearer {call.world.key}"
    ),
    prefix="video_",
    faults={
        **FAULTS,
        # In the words of servers that are not OpenAI: a plain text, FastAPI's list, an empty answer while it warms up.
        "crashed": Answer(500, "Internal Server Error"),
        "schema": Answer(422, {"detail": [{"loc": ["body", "size"], "msg": "field required", "type": "missing"}]}),
        "warming": Answer(503),
        "unauthorized": Answer(401, {"error": "Unauthorized"}),
    },
)


def counted(server: Server, asked: Mapping[str, Any]) -> None:
    """Refuse steps that are no number."""
    steps = str(asked.get("num_inference_steps") or asked.get("step") or 1)
    if not steps.isdigit():
        refuse(server, f"num_inference_steps: {steps!r} is not a valid integer")


def sides_of(server: Server, asked: Mapping[str, Any], usual: str) -> tuple[int, int]:
    text = str(asked.get("size") or usual)
    width, _, height = text.partition("x")
    if not (width.isdigit() and height.isdigit() and int(width) and int(height)):
        refuse(server, f"Invalid size: {text!r}")
    return int(width), int(height)


def ask(call: Call) -> tuple[dict[str, Any], dict[str, FormPart]]:
    """A form or JSON: its texts, and its files."""
    if call.headers.get("content-type", "").startswith("application/json"):
        texts, files = call.json(), {}
    else:
        form = call.form()
        texts = {name: parts[0].text for name, parts in form.items() if parts[0].filename is None}
        files = {name: parts[0] for name, parts in form.items() if parts[0].filename is not None}
    if texts.get("prompt") is None:
        refuse(server_of(texts.get("model")), "prompt is required")
    return texts, files


def taken(call: Call, server: Server, made: Order, **known: Any) -> Job:
    """The order, once: where the server knows keys, one that comes again within a day is the job it ordered."""
    key = call.headers.get("idempotency-key", "") if server.keeps else ""
    if not key:
        return call.take(made, **known)
    job, before, at = call.world.get(f"key {key}", (None, None, 0.0))
    said = (call.url, made, known)
    assert job is None or isinstance(job, Job)
    if job is None or call.now >= at + KEY_LIFE_S:
        job = call.take(made, **known)
        call.world[f"key {key}"] = (job, said, call.now)
    elif before != said:
        refuse(server, "this Idempotency-Key has already been used for another order", 422)
    return job


# ------------------------------------------------------------------------------------------------------------ pictures


def drawn(call: Call, server: Server, job: Job, asked: Mapping[str, Any]) -> Answer:
    """What was made, inside the answer or at an address."""
    job.finish()
    outcome(call, job)
    wanted = asked.get("response_format")
    if wanted == "url" and server.forms_only:
        refuse(server, "Only 'b64_json' or 'file' response format is supported")
    data = [{"b64_json": base64.b64encode(content).decode()} for content in job.contents]
    if wanted == "url":
        data = [{"url": url} for url in job.urls]
    own: dict[str, Any] = {"created": int(call.now), "data": data}
    if server.forms_only:
        own |= {"output_format": job.mime.partition("/")[2], "size": f"{job.order.width}x{job.order.height}"}
    elif server is not OPENAI:
        own["id"] = job.id
    return Answer(200, own)


def pictures(call: Call, asked: dict[str, Any]) -> Answer:
    server = server_of(asked.get("model"))
    counted(server, asked)
    width, height = sides_of(server, asked, "512x512" if asked.get("step") else "1024x1024")
    kind = PICTURE_TYPES.get(asked.get("output_format") or server.picture)
    if kind is None:
        refuse(server, "output_format")
    count = int(asked.get("n") or 1)
    positive, _, negative = str(asked["prompt"]).partition("|")
    made = order("image", width=width, height=height, count=count, mime=kind, usd="0")
    job = taken(call, server, made, prompt=positive, negative=negative)
    return drawn(call, server, job, asked)


@SERVICE.post("/images/generations")
def generations(call: Call) -> Answer:
    return pictures(call, call.json("prompt"))


@SERVICE.post("/images")
def images(call: Call) -> Answer:
    """Where FastVideo makes them."""
    return pictures(call, call.json("prompt"))


@SERVICE.post("/images/edits")
def edits(call: Call) -> Answer:
    form = call.form("prompt")
    if "image" not in form and "image[]" not in form:
        call.refuse("invalid", "image is required")
    return pictures(call, {name: parts[0].text for name, parts in form.items() if parts[0].filename is None})


# --------------------------------------------------------------------------------------------------------------- sound


@SERVICE.post("/audio/speech")
def speech(call: Call) -> Answer:
    asked = call.json("model", "input")
    server, voice = server_of(asked["model"]), str(asked.get("voice") or "")
    if voice and not (voice.endswith(server.voice) if server.voice else voice in VOICES or voice[:3] in ("af_", "am_")):
        refuse(server, f"Voice '{voice}' not found.", 404 if server.voice else 400)
    if not voice and not server.forms_only and server is not SERVERS["localai"]:
        refuse(server, "voice is required", 422)
    if not asked["input"] or len(asked["input"]) > server.characters:
        refuse(server, "Invalid value for input.")
    return sounded(call, server, asked, len(asked["input"]) / 15 / float(asked.get("speed") or 1))


@SERVICE.post("/audio/generate")
def noise(call: Call) -> Answer:
    """For what is no speech: vLLM-Omni's, and that of `serve-diffusers`."""
    asked = call.json("input")
    return sounded(call, server_of(asked.get("model")), asked, float(asked.get("audio_length") or 1))


@SERVICE.post("/v1/sound-generation")
def sound_generation(call: Call) -> Answer:
    """LocalAI's, in the words of ElevenLabs."""
    asked = call.json("text", "model_id")
    return sounded(call, SERVERS["localai"], asked, float(asked.get("duration_seconds") or 1))


def sounded(call: Call, server: Server, asked: Mapping[str, Any], seconds: float) -> Answer:
    wanted = server.only or asked.get("response_format") or next(iter(server.sounds))
    if wanted not in server.sounds:
        refuse(server, f"Unsupported response_format: {wanted}")
    text = str(asked.get("input") or asked.get("text"))
    made = order("audio", duration_s=max(0.2, seconds), text=text, usd="0", mime=SOUND_TYPES[wanted])
    job = taken(call, server, made)
    job.finish()
    head = {"content-type": server.sounds[wanted]}
    if server.keeps:
        head |= {"x-seed": str(asked.get("seed", 7)), "x-inference-time-s": "1.5"}
    if server.streams and asked.get("stream", True):
        whole = job.contents[0]
        return Answer(200, iter([whole if job.state == "succeeded" else whole[: len(whole) // 2]]), head)
    outcome(call, job)
    return Answer(200, job.contents[0], head)


# --------------------------------------------------------------------------------------------------------------- clips


def video(job: Job) -> dict[str, Any]:
    """The job as every route shows it. A canceled one is not known, but to the server that keeps it: what is deleted is
    gone, and only the answer to its order is still to come.
    """
    server, of = server_of(job.extra["model"]), job.order
    state = "queued" if job.state == "canceled" and not server.keeps else job.state
    ended = job.state in ("succeeded", "failed")
    code = "moderation_blocked" if job.moderated else job.detail or "server_error"
    said = "Blocked by the moderation system." if job.moderated else "The generation failed."
    shown: dict[str, Any] = {
        "id": job.id,
        "object": "video",
        "model": job.extra["model"],
        "status": server.running if state == "running" else STATES.get(state, "queued"),
        "progress": round(job.fraction * 100) if server is OPENAI else 100 * (job.state == "succeeded"),
        "created_at": int(job.created),
        "completed_at": int(job.ended) if ended else None,
        "size": f"{of.width}x{of.height}",
        "seconds": job.extra["seconds"],
        "error": {"code": code, "message": said} if job.state == "failed" else None,
    }
    if server.expires:
        shown["expires_at"] = int(job.ended) + LIFE_S if job.state == "succeeded" else None
    if server.names_prompt:
        shown |= {"prompt": job.extra["prompt"], "remixed_from_video_id": job.extra.get("remixed")}
    if server.keeps:
        shown |= {"seed": job.extra["seed"], "inference_time_s": 1.5}
    if (server.forms_only or server.keeps) and job.state == "succeeded":
        shown |= {"fps": of.fps, "num_frames": round(of.duration_s * of.fps), "duration_s": of.duration_s}
        shown |= {"media_type": "video/mp4", "file_name": f"{job.id}.mp4", "inference_time_s": 1.5}
    if server.forgets:
        shown |= {"quality": "standard", "file_path": f"/srv/outputs/{job.id}.mp4", "inference_time_s": 1.5}
    return shown


def made_of(server: Server, texts: Mapping[str, Any]) -> tuple[float, float]:
    """How long a clip becomes, and its frames a second: a model of frames makes 4 k + 1 of them."""
    seconds, fps = float(texts.get("seconds") or 4), float(texts.get("fps") or FPS)
    if server is OPENAI:
        return seconds, fps
    frames = int(texts.get("num_frames") or seconds * fps)
    return (4 * (frames // 4) + 1) / fps, fps


def film(call: Call, texts: dict[str, Any], **known: Any) -> Answer:
    server = server_of(texts.get("model"))
    counted(server, texts)
    width, height = sides_of(server, texts, "720x1280")
    seconds = str(texts.get("seconds") or "4")
    if server.forms_only and not (seconds.isdigit() and int(seconds)):
        refuse(server, "seconds: String should match pattern '^[1-9]\\d*$'")
    if server.forgets and not seconds.isdigit():
        refuse(server, "Invalid request body")
    duration_s, fps = made_of(server, texts)
    made = order("video", width=width, height=height, duration_s=duration_s, fps=fps, usd="0")
    name = texts.get("model") or "sora-2"
    known |= {"model": name, "prompt": texts["prompt"], "seconds": seconds, "seed": int(texts.get("seed") or 0)}
    return Answer(200, video(taken(call, server, made, **known)))


@SERVICE.post("/videos")
def create(call: Call) -> Answer:
    texts, files = ask(call)
    if server_of(texts.get("model")).forms_only and call.headers["content-type"].startswith("application/json"):
        refuse(SERVERS["vllm-omni"], "prompt: Field required")
    reference = files.get("input_reference")
    if reference is not None and not (reference.mime_type or "").startswith("image/"):
        call.refuse("bad_image")
    return film(call, texts, reference=reference is not None)


@SERVICE.post("/video")
def at_once(call: Call) -> Answer:
    """LocalAI's: whoever orders a clip waits for it."""
    asked = call.json("prompt")
    width, height = int(asked.get("width") or 512), int(asked.get("height") or 512)
    seconds, fps = made_of(SERVERS["localai"], asked)
    made = order("video", width=width, height=height, duration_s=seconds, fps=fps, usd="0")
    return drawn(call, SERVERS["localai"], call.take(made), asked)


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
    size = f"{job.order.width}x{job.order.height}"
    again = {"model": job.extra["model"], "seconds": job.extra["seconds"], "size": size}
    return film(call, {**call.json("prompt"), **again}, remixed=job.id)


def known(call: Call) -> Job:
    job = call.job(call.path["id"])
    if job is None or call.world.get(f"deleted {job.id}"):
        call.refuse("not_found")
    if job.state == "canceled" and not server_of(job.extra["model"]).keeps:
        call.refuse("not_found")
    return job


@SERVICE.get("/videos")
def videos(call: Call) -> Answer:
    """The newest first, unless the oldest are asked for."""
    kept = [job for job in call.desk.jobs.values() if not call.world.get(f"deleted {job.id}")]
    found = [video(job) for job in kept if job.order.kind == "video" and "model" in job.extra]
    ordered = found if call.query.get("order") == "asc" else found[::-1]
    jobs = ordered[: int(call.query.get("limit", 20))]
    ids = [job["id"] for job in jobs]
    ends = {"first_id": ids[0] if ids else None, "last_id": ids[-1] if ids else None}
    return Answer(200, {"object": "list", "data": jobs, **ends, "has_more": len(jobs) < len(ordered)})


@SERVICE.get("/videos/{id}")
def retrieve(call: Call) -> Answer:
    job = known(call)
    return Answer(server_of(job.extra["model"]).failed if job.state == "failed" else 200, video(job))


@SERVICE.get("/videos/{id}/content")
def content(call: Call) -> Answer:
    job = known(call)
    if job.state != "succeeded" or job.expired:
        call.refuse("not_found")
    kind = VARIANTS.get(call.query.get("variant", "video"), "video/mp4")
    return Answer(200, job.contents[0], {"content-type": kind})


@SERVICE.post("/videos/{id}/cancel")
def cancel(call: Call) -> Answer:
    """The work is stopped, and nothing is ever deleted (`serve-diffusers`)."""
    job = known(call)
    server = server_of(job.extra["model"])
    if not server.keeps:
        call.refuse("not_found")
    if not job.cancel() and job.state != "canceled":
        refuse(server, f"the job has already ended: {job.state}", 409)
    return Answer(200, video(job))


@SERVICE.delete("/videos/{id}")
def delete(call: Call) -> Answer:
    """The record goes; the work is stopped where it is not over, unless the server only forgets it."""
    job = known(call)
    shown = video(job)
    call.world[f"deleted {job.id}"] = True
    if server_of(job.extra["model"]).forgets:
        return Answer(200, {**shown, "status": "deleted"})
    job.cancel()
    return Answer(200, {"id": job.id, "deleted": True, "object": "video.deleted"})


@SERVICE.get("/models")
def models(_call: Call) -> Answer:
    return Answer(200, {"object": "list", "data": [model("wan-2.2"), model("kokoro")]})
