"""MiniMax as it answers: both generations of video with their files, speech, music and pictures (MiniMax OpenAPI copy
tryAGI/MiniMax@9f37255, MiniMax-AI/cli@9f2eab0, vercel/ai@ed857f5 packages/minimax, read 2026-11-20).
"""

import json
from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.frames import frame
from aggregator.testing.emulator.service import Answer, Call, FormPart, HookDelivery, Job, Service, order

MESSAGES = {
    1000: "unknown error",
    1001: "timeout",
    1002: "rate limit",
    1004: "login fail: please carry the API secret key",
    1008: "insufficient balance",
    1024: "internal error",
    1026: "input new_sensitive",
    1027: "output new_sensitive",
    1028: "quota exceeded",
    1030: "quota exceeded",
    1033: "system error",
    1039: "token limit",
    1041: "connection limit",
    1042: "invisible character ratio limit",
    1043: "asr similarity check failed",
    1044: "clone prompt similarity check failed",
    2013: "invalid params",
    2037: "voice duration too short or too long",
    20132: "invalid voice id",
    2045: "rate growth limit",
    2049: "invalid api key",
    2056: "usage limit reached for this window",
    2061: "your plan does not support this model",
}
HTTP = {1004: 401, 2049: 401, 1008: 402, 1002: 429, 1041: 429, 2045: 429, 2061: 403, 1000: 404, 1033: 500, 1024: 500}
USD = {"MiniMax-H3": {"768P": "0.08", "2K": "0.13"}, "MiniMax-H3-Max": {"480P": "0.05", "768P": "0.08"}}
IMAGES = {"MiniMax-H3": (5, "0.04"), "MiniMax-H3-Max": (2, "0.074")}
CLIPS = {
    ("MiniMax-Hailuo-02", "768P", 6): "0.28",
    ("MiniMax-Hailuo-02", "768P", 10): "0.56",
    ("MiniMax-Hailuo-02", "1080P", 6): "0.49",
    ("MiniMax-Hailuo-2.3", "768P", 6): "0.28",
    ("MiniMax-Hailuo-2.3-Fast", "768P", 6): "0.19",
}
CLIP_MODELS = ("MiniMax-Hailuo-", "T2V-01", "I2V-01", "S2V-01")
ROLES = {
    "image_url": {"first_frame", "last_frame", "reference_image"},
    "video_url": {"reference_video"},
    "audio_url": {"reference_audio"},
}
STATES = {"canceled": "cancelled"}
STAGES = {"queued": "Queueing", "running": "Processing", "succeeded": "Success"}
MIME_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "flac": "audio/flac", "pcm": "audio/pcm"}


def _base(code: int = 0, message: str = "") -> dict[str, Any]:
    return {"base_resp": {"status_code": code, "status_msg": message or MESSAGES.get(code, "success")}}


def old_error(code: int, message: str = "") -> Answer:
    """As all of the older API words it: on HTTP 200."""
    return Answer(200, _base(code, message))


def new_error(code: int, kind: str = "", message: str = "") -> Answer:
    """As the newer generation words it: an HTTP error with the code in the text."""
    status = HTTP.get(code, 400)
    said = {"type": kind or "invalid_request_error", "message": f"{message or MESSAGES[code]} ({code})"}
    return Answer(status, {"type": "error", "error": {**said, "http_code": str(status)}, "request_id": f"{code:016x}"})


SERVICE = Service(
    "minimax",
    ids=lambda rng: str(rng.randrange(10**14, 10**15)),
    faults={
        **{f"code_{code}": old_error(code) for code in MESSAGES},
        **{f"http_{code}": new_error(code) for code in MESSAGES},
        "bad_key": Answer(401, {**_base(1004), **new_error(1004, "authorized_error").body}),
        "no_credit": new_error(1008, "insufficient_balance_error"),
        "rate_limited": new_error(1002, "rate_limit_error"),
        "invalid": lambda detail: new_error(2013, message=detail),
        "not_found": new_error(1000, "not_found_error", "record not found"),
        "moderated_input": new_error(1026, "unsafe_content_error"),
        "unavailable": new_error(1033, "server_error"),
    },
)


# ------------------------------------------------------------------------------------------------------- video, V2


@SERVICE.post("/v2/video_generation")
def scene(call: Call) -> Answer:
    body = call.json("model", "content")
    model, resolution, seconds = body["model"], body.get("resolution", "768P"), body.get("duration", 5)
    rates = USD.get(model) or call.refuse("invalid", f"model {model}")
    if resolution not in rates:
        call.refuse("invalid", f"resolution {resolution}")
    if not isinstance(seconds, int) or not 4 <= seconds <= 15:
        call.refuse("invalid", "duration")
    roles = [_role(call, item) for item in body["content"]]
    frames = {"first_frame", "last_frame"} & set(roles)
    if frames and any(role.startswith("reference") for role in roles):
        call.refuse("invalid", "frames and references exclude each other")
    images = sum(role in ("first_frame", "last_frame", "reference_image") for role in roles)
    free, each = IMAGES[model]
    usd = Decimal(rates[resolution]) * seconds + Decimal(each) * max(0, images - free)
    width, height = frame(resolution, body.get("ratio", "16:9"))
    made = order("video", width=width, height=height, duration_s=seconds, audio=True, usd=usd)
    job = call.take(made, body=body, images=images, hook=body.get("callback_url"))
    return Answer(200, {"task_id": job.id})


def _role(call: Call, item: dict[str, Any]) -> str:
    kind = item.get("type", "")
    if kind == "text":
        return "text" if item.get("text") else call.refuse("invalid", "text")
    role = item.get("role")
    if kind not in ROLES or role not in ROLES[kind]:
        call.refuse("invalid", f"content: {kind} cannot be {role}")
    if not item[kind]["url"].startswith(("https://", "http://", "data:")):
        call.refuse("invalid", f"content: {kind} is no address")
    return str(role)


def _task(job: Job) -> dict[str, Any]:
    body, seconds = job.extra["body"], int(job.order.duration_s)
    said: dict[str, Any] = {
        "id": job.id,
        "model": body["model"],
        "status": "expired" if job.detail == "expired" and job.state == "failed" else STATES.get(job.state, job.state),
        "created_at": int(job.created),
        "updated_at": int(job.ended if job.is_over else job.now()),
        "resolution": body.get("resolution", "768P"),
        "duration": seconds,
        "ratio": body.get("ratio", "16:9"),
    }
    if job.state == "failed" and job.detail != "expired":
        code = job.detail or ("1027" if job.moderated else "1033")
        said["error"] = {"code": code, "message": MESSAGES.get(int(code), code)}
    if job.state == "succeeded":
        usage = {"total_seconds": seconds, "input_seconds": 0, "output_seconds": seconds, "input_audio_seconds": 0}
        said |= {"content": {"url": job.urls[0]}, "usage": {**usage, "input_image_count": job.extra["images"]}}
    return {"task": said}


@SERVICE.get("/v2/query/video_generation/{id}")
def scene_state(call: Call) -> Answer:
    job = call.job(call.path["id"]) or call.refuse("not_found")
    return Answer(200, _task(job))


@SERVICE.get("/v2/query/video_generation")
def scenes(call: Call) -> Answer:
    found = [_task(job)["task"] for job in call.desk.jobs.values() if "images" in job.extra]
    return Answer(200, {"items": found[: int(call.query.get("page_size", "10"))], "total": len(found)})


@SERVICE.delete("/v2/video_generation/{id}")
def scene_end(call: Call) -> Answer:
    job = call.job(call.path["id"]) or call.refuse("not_found")
    call.cancel(job)
    return Answer(200, {"task_id": job.id, "status": STATES.get(job.state, job.state)})


# ------------------------------------------------------------------------------------------------------- video, V1


@SERVICE.post("/v1/video_generation")
def clip(call: Call) -> Answer:
    body = _old_json(call, "model")
    if not body["model"].startswith(CLIP_MODELS):
        return old_error(2013, "model")
    first, last, person = (body.get(n) for n in ("first_frame_image", "last_frame_image", "subject_reference"))
    if not (body.get("prompt") or first or person) or (last and not first):
        return old_error(2013, "prompt")
    resolution, seconds = body.get("resolution", "768P"), body.get("duration", 6)
    if seconds not in (6, 10) or resolution not in ("512P", "720P", "768P", "1080P"):
        return old_error(2013, "duration or resolution")
    if resolution == "1080P" and seconds != 6:
        return old_error(2013, "1080P is made for 6 seconds")
    width, height = frame(resolution)
    usd = CLIPS.get((body["model"], resolution, seconds))
    made = order("video", width=width, height=height, duration_s=seconds, usd=usd)
    job = call.take(made, body=body, hook=body.get("callback_url"))
    return Answer(200, {"task_id": job.id, **_base()})


def _old_json(call: Call, *required: str) -> dict[str, Any]:
    """The body; what is wrong with it is said as the older API says it."""
    body = call.json()
    missing = [name for name in required if body.get(name) is None]
    return body if not missing else call.refuse("code_2013")


@SERVICE.get("/v1/query/video_generation")
def clip_state(call: Call) -> Answer:
    job = call.job(call.query.get("task_id", ""))
    if job is None:
        return old_error(1000, "record not found")
    said: dict[str, Any] = {"task_id": job.id, "status": STAGES.get(job.state, "Fail"), **_base()}
    if said["status"] == "Fail":
        code = int(job.detail or 1027) if job.moderated or job.detail else 0
        return Answer(200, {**said, "file_id": "", **_base(code)})
    if job.state == "succeeded":
        call.world[f"file {job.id}9"] = job.urls[0]
        said |= {"file_id": f"{job.id}9", "video_width": job.order.width, "video_height": job.order.height}
    return Answer(200, said)


@SERVICE.get("/v1/files/retrieve")
def file(call: Call) -> Answer:
    name = call.query.get("file_id", "")
    url = call.world.get(f"file {name}")
    if url is None:
        return old_error(1000, "file not found")
    said = {"file_id": int(name), "bytes": 0, "created_at": int(call.now), "filename": "output.mp4"}
    return Answer(200, {"file": {**said, "purpose": "video_generation", "download_url": url}, **_base()})


@SERVICE.post("/v1/files/upload")
def upload(call: Call) -> Answer:
    parts: dict[str, list[FormPart]] = call.form()
    if "purpose" not in parts or "file" not in parts:
        return old_error(2013)
    part = parts["file"][0]
    name = str(call.rng.randrange(10**14, 10**15))
    call.world[f"file {name}"] = call.store(part.content, part.mime_type or "application/octet-stream")
    said = {"file_id": int(name), "bytes": len(part.content), "created_at": int(call.now), "filename": part.filename}
    return Answer(200, {"file": {**said, "purpose": parts["purpose"][0].text}, **_base()})


@SERVICE.get("/v1/files/list")
def files(call: Call) -> Answer:
    names = [name.removeprefix("file ") for name in call.world if name.startswith("file ")]
    return Answer(200, {"files": [{"file_id": int(name)} for name in names], **_base()})


# --------------------------------------------------------------------------------------- speech, music and pictures


def _sound(call: Call, body: dict[str, Any], made: Any) -> tuple[Job, dict[str, Any]]:
    """Do it at once. The sound is hexadecimal text, or an address where that was asked for."""
    job = call.take(made)
    job.finish()
    sound = job.urls[0] if body.get("output_format") == "url" else job.content(0).hex()
    return job, {"data": {"audio": sound, "status": 2}, "trace_id": f"{job.seed:016x}", **_base()}


def _refused(job: Job) -> Answer:
    return old_error(int(job.detail or (1027 if job.moderated else 1033)))


@SERVICE.post("/v1/t2a_v2")
def speech(call: Call) -> Answer:
    body = _old_json(call, "model", "text", "voice_setting")
    setting, text = body.get("audio_setting") or {}, body["text"]
    kind = setting.get("format", "mp3")
    if not body["model"].startswith("speech-") or kind not in MIME_TYPES or len(text) > 10_000:
        return old_error(2013)
    if not body["voice_setting"].get("voice_id"):
        return old_error(20132)
    each = Decimal("0.0001") if body["model"].endswith("-hd") else Decimal("0.00006")
    made = order("audio", duration_s=max(0.3, len(text) / 15), text=text, mime=MIME_TYPES[kind], usd=each * len(text))
    job, said = _sound(call, body, made)
    if job.state != "succeeded":
        return _refused(job)
    info = {"audio_length": int(job.order.duration_s * 1000), "audio_format": kind, "usage_characters": len(text)}
    return Answer(200, {**said, "extra_info": {**info, "audio_sample_rate": 32_000, "word_count": len(text.split())}})


@SERVICE.post("/v1/music_generation")
def music(call: Call) -> Answer:
    body = _old_json(call, "model")
    words = body.get("lyrics") or body.get("is_instrumental") or body.get("lyrics_optimizer")
    if not words or not (body.get("prompt") or body.get("lyrics")):
        return old_error(2013, "lyrics is required")
    kind = (body.get("audio_setting") or {}).get("format", "mp3")
    if kind not in ("mp3", "wav", "pcm"):
        return old_error(2013, "format")
    job, said = _sound(call, body, order("audio", duration_s=3, mime=MIME_TYPES[kind], rate_hz=44_100, channels=2))
    if job.state != "succeeded":
        return _refused(job)
    return Answer(
        200, {**said, "extra_info": {"music_duration": 3000, "music_sample_rate": 44_100, "music_channel": 2}}
    )


@SERVICE.post("/v1/image_generation")
def image(call: Call) -> Answer:
    body = _old_json(call, "model", "prompt")
    wide, _, high = body.get("aspect_ratio", "1:1").partition(":")
    width, height = body.get("width", 1024), body.get("height", round(1024 * int(high) / int(wide) / 8) * 8)
    count = body.get("n", 1)
    job = call.take(order("image", width=width, height=height, count=count, mime="image/jpeg"))
    job.finish()
    if job.state != "succeeded":
        return _refused(job)
    told = {"success_count": str(count), "failed_count": "0"}
    return Answer(200, {"id": job.id, "data": {"image_urls": job.urls}, "metadata": told, **_base()})


@SERVICE.post("/v1/get_voice")
def voices(call: Call) -> Answer:
    call.json("voice_type")
    return Answer(200, {"system_voice": [{"voice_id": "male-qn-qingse", "voice_name": "Qingse"}], **_base()})


def _hook(job: Job, _url: str, _world: World) -> HookDelivery:
    """Not signed. (The question that comes first, `challenge`, is asked when an address is new.)"""
    word = {"succeeded": "success", "queued": "processing", "running": "processing"}.get(job.state, "failed")
    said = {"task_id": job.id, "status": word, "file_id": f"{job.id}9" if word == "success" else "", **_base()}
    return HookDelivery({}, json.dumps(said).encode())


SERVICE.hook = _hook
