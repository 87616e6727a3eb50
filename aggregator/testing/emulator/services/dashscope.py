"""DashScope as it answers: video synthesis, tasks, and the store for inputs with its policy (dashscope 2.0.2, litellm
1.109.1, read 2026-11-20). Prices are Singapore's.
"""

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aggregator.signing import hmac_sha256
from aggregator.testing.emulator.frames import frame
from aggregator.testing.emulator.service import Answer, Call, Job, Service, order, uuid

USD = {
    "wan3.0-video-prime": {"480P": "0.068", "720P": "0.14", "1080P": "0.28"},
    "wan3.0-video": {"480P": "0.05", "720P": "0.10", "1080P": "0.20"},
    "wan2.7": {"720P": "0.10", "1080P": "0.15"},
    "wan2.6": {"720P": "0.10", "1080P": "0.15"},
    "wan2.5": {"480P": "0.05", "720P": "0.10", "1080P": "0.15"},
    "happyhorse-1.1": {"480P": "0.07", "720P": "0.14", "1080P": "0.18"},
    "happyhorse-1.0": {"720P": "0.14", "1080P": "0.24"},
    "wan2.2-kf2v-flash": {},
    "wanx2.1": {},
}
LISTED = ("wan3.0", "wan2.7", "happyhorse")
MEDIA = {"first_frame", "last_frame", "reference_image", "reference_video", "reference_audio", "video", "first_clip"}
FIELDS = {"img_url", "audio_url", "first_frame_url", "last_frame_url", "template"}
LINKS = ("oss://", "https://", "http://")
STATES = {
    "queued": "PENDING",
    "running": "RUNNING",
    "succeeded": "SUCCEEDED",
    "failed": "FAILED",
    "canceled": "CANCELED",
}
ERRORS = {
    "InvalidParameter": 400,
    "DataInspectionFailed": 400,
    "IPInfringementSuspect": 400,
    "BadRequest.TooLarge": 400,
    "Arrearage": 400,
    "InvalidApiKey": 401,
    "AccessDenied": 403,
    "Model.AccessDenied": 403,
    "Workspace.AccessDenied": 403,
    "AllocationQuota.FreeTierOnly": 403,
    "ModelNotFound": 404,
    "Throttling": 429,
    "Throttling.RateQuota": 429,
    "Throttling.BurstRate": 429,
    "Throttling.AllocationQuota": 429,
    "InternalError": 500,
    "InternalError.Algo": 500,
    "InternalError.Timeout": 500,
}


def error(status: int, code: str, message: str = "") -> Answer:
    return Answer(status, {"code": code, "message": message or f"{code}.", "request_id": "5f7e0a00-0000"})


SERVICE = Service(
    "dashscope",
    ids=uuid,
    faults={
        **{code: error(status, code) for code, status in ERRORS.items()},
        "bad_key": error(401, "InvalidApiKey", "Invalid API-key provided."),
        "no_credit": error(400, "Arrearage", "Access denied, your account is not in good standing."),
        "rate_limited": error(429, "Throttling.RateQuota", "Requests rate limit exceeded, please try again later."),
        "invalid": lambda detail: error(400, "InvalidParameter", detail or "Required parameter is missing."),
        "not_found": error(404, "NotFound", "Not found."),
        "moderated_input": error(400, "DataInspectionFailed", "Input data may contain inappropriate content."),
        "unavailable": error(503, "ServiceUnavailable", "The service is busy."),
        "not_pending": error(400, "UnsupportedOperation", "Only a pending task can be canceled."),
    },
)


def _request_id(call: Call) -> str:
    return uuid(call.rng)


@SERVICE.post("/api/v1/services/aigc/{group}/video-synthesis")
def create(call: Call) -> Answer:
    if call.path["group"] not in ("video-generation", "image2video"):
        call.refuse("not_found")
    if call.headers.get("x-dashscope-async") != "enable":
        return error(403, "AccessDenied", "current user api does not support synchronous calls.")
    body = call.json("model", "input")
    model, given = body["model"], body["input"]
    if ("kf2v" in model) != (call.path["group"] == "image2video"):
        call.refuse("invalid", "url error, please check url")
    rates = next((rates for name, rates in USD.items() if model.startswith(name)), None)
    if rates is None:
        call.refuse("ModelNotFound")
    _check_inputs(call, model, given)
    settings = body.get("parameters") or {}
    resolution, (width, height) = _size(call, model, settings)
    seconds = settings.get("duration", 5)
    if not isinstance(seconds, int):
        call.refuse("invalid", "duration must be an integer")
    usd = Decimal(rates[resolution]) * seconds if resolution in rates else None
    made = order("video", width=width, height=height, duration_s=max(seconds, 2), usd=usd)
    job = call.take(made, prompt=given.get("prompt"), resolution=resolution)
    said = {"task_id": job.id, "task_status": "PENDING"}
    return Answer(200, {"request_id": _request_id(call), "output": said})


DRAWN = {"qwen-image-2.0-pro": "0.075", "qwen-image-2.0": "0.035"}
SPOKEN = {"qwen3-tts-flash": "0.01"}
SPEECH_CHARACTERS, CHARACTERS_A_SECOND = 600, 15
LEAST_PX, MOST_PX = 512 * 512, 2048 * 2048


@SERVICE.post("/api/v1/services/aigc/multimodal-generation/generation")
def generate(call: Call) -> Answer:
    """A picture or speech, at once."""
    body = call.json("model", "input")
    model, given, settings = body["model"], body["input"], body.get("parameters") or {}
    if model in DRAWN:
        said, usage = _picture(call, model, given, settings)
    elif model in SPOKEN:
        said, usage = _speech(call, model, given)
    else:
        call.refuse("ModelNotFound")
    return Answer(200, {"request_id": _request_id(call), "output": said, "usage": usage})


def _finished(call: Call, made: Any) -> Job:
    job = call.take(made)
    job.finish()
    if job.state != "succeeded":
        call.refuse("moderated_input" if job.moderated else "InternalError.Algo")
    return job


def _picture(call: Call, model: str, given: Any, settings: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    try:
        [message] = given["messages"]
        texts = [item["text"] for item in message["content"] if "text" in item]
    except (KeyError, TypeError, ValueError):
        call.refuse("invalid", "messages: one, of the user, with a text")
    width, _, height = str(settings.get("size", "2048*2048")).partition("*")
    if not texts or not (width.isdigit() and height.isdigit() and LEAST_PX <= int(width) * int(height) <= MOST_PX):
        call.refuse("invalid", "a text, and a size from 512*512 to 2048*2048")
    job = _finished(call, order("image", width=int(width), height=int(height), usd=DRAWN[model]))
    message = {"role": "assistant", "content": [{"image": job.urls[0]}]}
    usage = {"image_count": 1, "width": int(width), "height": int(height)}
    return {"choices": [{"finish_reason": "stop", "message": message}]}, usage


def _speech(call: Call, model: str, given: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    text = given.get("text") or ""
    if not text or not given.get("voice") or len(text) > SPEECH_CHARACTERS:
        call.refuse("invalid", "a text of 600 characters at most, and a voice")
    count = len(text) + sum("\u3400" <= one <= "\u9fff" for one in text)
    seconds = max(0.5, len(text) / CHARACTERS_A_SECOND)
    usd = Decimal(SPOKEN[model]) * count / 1000
    job = _finished(call, order("audio", duration_s=seconds, text=text, usd=usd, mime="audio/wav"))
    audio = {"data": "", "url": job.urls[0], "id": f"audio_{job.id}", "expires_at": int(call.now) + 86_400}
    return {"finish_reason": "stop", "audio": audio}, {"characters": count}


def _check_inputs(call: Call, model: str, given: dict[str, Any]) -> None:
    listed = model.startswith(LISTED)
    media = given.get("media") or []
    if given.keys() & FIELDS if listed else media:
        call.refuse("invalid", "the inputs are not those of this model")
    texts = [given[name] for name in FIELDS & given.keys()] + list(given.get("reference_urls") or ())
    types = set()
    for item in media:
        if item.get("type") not in MEDIA:
            call.refuse("invalid", f"media: unknown type {item.get('type')!r}")
        types.add(item["type"])
        texts.append(item.get("url", ""))
    if types & {"first_frame", "last_frame"} and any(kind.startswith("reference") for kind in types):
        call.refuse("invalid", "media: frames and references exclude each other")
    needed = {"-i2v": {"first_frame", "first_clip"}, "-r2v": {"reference_image", "reference_video"}}
    if any(end in model and listed and not types & kinds for end, kinds in needed.items()):
        call.refuse("invalid", "media: the inputs of this model are missing")
    for text in texts:
        if not text.startswith(LINKS):
            call.refuse("invalid", f"an input is no address: {text[:40]}")
        if text.startswith("oss://"):
            _check_stored(call, text, model)


def _check_stored(call: Call, text: str, model: str) -> None:
    """A stored file counts only with the header, and for the model that its policy was for."""
    if call.headers.get("x-dashscope-ossresourceresolve") != "enable":
        call.refuse("invalid", "the url is not supported: oss://")
    if call.world.get(text) != model:
        call.refuse("InvalidParameter")


def _size(call: Call, model: str, settings: dict[str, Any]) -> tuple[str, tuple[int, int]]:
    if "size" in settings:
        width, _, height = settings["size"].partition("*")
        short = min(int(width), int(height))
        return f"{short}P" if short in (480, 720, 1080) else "", (int(width), int(height))
    usual = "1080P" if model.startswith(LISTED) else "720P"
    resolution = settings.get("resolution", usual)
    if resolution not in ("480P", "720P", "1080P"):
        call.refuse("invalid", f"resolution {resolution}")
    return resolution, frame(resolution, settings.get("ratio", "16:9"))


def _time(seconds: float) -> str:
    """In China's time, to the millisecond."""
    return (datetime.fromtimestamp(seconds, UTC) + timedelta(hours=8)).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def _output(job: Job) -> dict[str, Any]:
    said = {"task_id": job.id, "task_status": STATES[job.state], "submit_time": _time(job.created)}
    if job.state != "queued":
        said["scheduled_time"] = _time(job.started)
    if job.is_over:
        said["end_time"] = _time(job.ended)
    if job.state == "succeeded":
        said |= {"video_url": job.urls[0], "orig_prompt": job.extra["prompt"] or ""}
    if job.state == "failed":
        code = job.detail or ("DataInspectionFailed" if job.moderated else "InternalError.Algo")
        said |= {"code": code, "message": f"The task failed: {code}"}
    return said


@SERVICE.get("/api/v1/tasks/{id}")
@SERVICE.get("/api/v1/tasks/{id}/")  # as the asynchronous client asks
def get(call: Call) -> Answer:
    """A task of another region, or one that is older than a day, is unknown: on HTTP 200."""
    job = call.job(call.path["id"])
    if job is None:
        said = {"task_id": call.path["id"], "task_status": "UNKNOWN"}
        return Answer(200, {"request_id": _request_id(call), "output": said})
    told: dict[str, Any] = {"request_id": _request_id(call), "output": _output(job)}
    if job.state == "succeeded":
        seconds = int(job.order.duration_s)
        told["usage"] = {
            "duration": seconds,
            "input_video_duration": 0,
            "output_video_duration": seconds,
            "video_count": 1,
            "SR": job.extra["resolution"].removesuffix("P"),
        }
    return Answer(200, told)


@SERVICE.get("/api/v1/tasks")
def listed(call: Call) -> Answer:
    jobs = [_output(job) for job in call.desk.jobs.values()]
    said = {"request_id": _request_id(call), "data": jobs, "total": len(jobs), "total_page": 1, "page_no": 1}
    return Answer(200, {**said, "page_size": int(call.query.get("page_size", "10"))})


@SERVICE.post("/api/v1/tasks/{id}/cancel")
def cancel(call: Call) -> Answer:
    job = call.job(call.path["id"]) or call.refuse("not_found")
    if job.state != "queued":
        call.refuse("not_pending")
    call.cancel(job)
    return Answer(200, {"request_id": _request_id(call)})


# ------------------------------------------------------------------------------------------------- the store for inputs


def _signature(policy: str, model: str) -> str:
    return hmac_sha256(b"the store's own secret", f"{policy}/{model}".encode()).hex()


@SERVICE.get("/api/v1/uploads")
def policy(call: Call) -> Answer:
    model = call.query.get("model") or call.refuse("invalid", "model is required")
    if call.query.get("action") != "getPolicy":
        call.refuse("invalid", "action")
    own = uuid(call.rng)
    text = hashlib.sha256(model.encode()).hexdigest()[:32]
    said = {
        "policy": text,
        "signature": _signature(text, model),
        "upload_dir": f"dashscope-instant/{model}/{own}",
        "upload_host": f"{call.base}/oss",
        "expire_in_seconds": 300,
        "oss_access_key_id": "LTAI-emulator",
        "x_oss_object_acl": "private",
        "x_oss_forbid_overwrite": "true",
    }
    return Answer(200, {"request_id": own, "data": said})


@SERVICE.post("/oss", public=True)
def store(call: Call) -> Answer:
    """The store knows no key: the policy's signature lets a file in, and the file comes last."""
    parts = call.form()
    texts = {name: several[0] for name, several in parts.items()}
    needed = {"OSSAccessKeyId", "Signature", "policy", "key", "x-oss-object-acl", "x-oss-forbid-overwrite", "file"}
    if needed - texts.keys() or list(parts)[-1] != "file":
        return Answer(400, "<Error><Code>InvalidArgument</Code></Error>", {"content-type": "application/xml"})
    key = texts["key"].text
    model = key.split("/")[1] if key.count("/") > 2 else ""  # directory, model, id, name
    if "authorization" in call.headers or texts["Signature"].text != _signature(texts["policy"].text, model):
        return Answer(403, "<Error><Code>SignatureDoesNotMatch</Code></Error>", {"content-type": "application/xml"})
    call.store(texts["file"].content, texts["file"].mime_type or "application/octet-stream")
    call.world[f"oss://{key}"] = model
    return Answer(200 if texts.get("success_action_status") else 204)
