"""Runway as it answers: one task object for all models (runwayml 5.24.0 types; docs.dev.runwayml.com task failures,
read 2026-11-20). Prices are those of the pricing guide where one is known.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Job, Order, Service, order, uuid

CREDITS_A_SECOND = {
    "gen4_turbo": 5,
    "gen4.5": 12,
    "aleph2": 28,
    "seedance2": 36,
    "seedance2_fast": 29,
    "seedance2_mini": 16,
    "seedance2_5": 30,
    "hailuo3": 10,
    "gemini_omni_flash": 10,
    "veo3.1": 40,
    "veo3.1_fast": 15,
}
CREDITS_EACH = {"gen4_image": 5, "gen4_image_turbo": 2}
LONGEST_PROMPT = {"gen4.5": 1000, "gen4_turbo": 1000, "veo3.1": 1000, "veo3.1_fast": 1000, "gen4_image": 1000}
LENGTHS: dict[str, tuple[int, ...]] = {"veo3.1": (4, 6, 8), "veo3.1_fast": (4, 6, 8), "kling2.5_turbo_pro": (5, 10)}
SIZES = {"480p": (854, 480), "720p": (1280, 720), "768p": (1366, 768), "1080p": (1920, 1080), "2k": (2560, 1440)}
SOUND_TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg", "flac": "audio/flac", "ogg_opus": "audio/ogg"}
MODELS: dict[str, tuple[str, ...]] = {
    "image_upscale": ("magnific_precision_upscaler_v2",),
    "speech_to_speech": ("eleven_multilingual_sts_v2",),
    "video_to_audio": ("mirelo_sfx_2_0",),
    "video_upscale": ("magnific_video_upscaler_creative", "enhance_frame_rate"),
}
MAX_URI_CHARACTERS = 2048
MAX_DATA_BYTES = 5 * 2**20


def error(status: int, text: str, **more: Any) -> Answer:
    return Answer(status, {"error": text, **more})


SERVICE = Service(
    "runway",
    ids=uuid,
    faults={
        "bad_key": error(401, "Your API key is invalid."),
        "no_credit": error(400, "You do not have enough credits to run this task."),
        "rate_limited": Answer(429, {"error": "You have exceeded the daily task limit."}, {"retry-after": "1"}),
        "invalid": lambda detail: error(400, "Validation of body failed", issues=[{"message": detail}]),
        "not_found": error(404, "An task with that ID was not found."),
        "bad_method": error(405, "Method not allowed"),
        "server_error": error(502, "Bad gateway"),
        "unavailable": error(503, "Service unavailable"),
        "timeout": error(504, "Gateway timeout"),
    },
    bills_failures=lambda job: failure_code(job).startswith("SAFETY.INPUT"),
)


def failure_code(job: Job) -> str:
    """What the task says of its failure."""
    return job.detail or ("SAFETY.OUTPUT.VIDEO" if job.moderated else "INTERNAL.BAD_OUTPUT.CODE01")


def check(call: Call, body: dict[str, Any]) -> None:
    """What is refused before a task is made."""
    if call.headers.get("x-runway-version") != "2024-11-06":
        call.refuse("invalid", "X-Runway-Version is missing or not supported")
    model, text = str(body["model"]), str(body.get("promptText", ""))
    if len(text.encode("utf-16-le")) // 2 > LONGEST_PROMPT.get(model, 100_000):
        call.refuse("invalid", "promptText is too long")
    if (allowed := LENGTHS.get(model)) and body.get("duration", allowed[0]) not in allowed:
        call.refuse("invalid", f"duration: one of {allowed}")
    for uri in uris(body):
        fetch(call, uri)


def uris(value: Any) -> list[str]:
    """Every input that a body names."""
    if isinstance(value, dict):
        named = {"videoUri", "imageUri", "promptVideo", "uri", "audioUri"}
        own = [item for name, item in value.items() if name in named and isinstance(item, str)]
        return own + [uri for name, item in value.items() if name not in named for uri in uris(item)]
    return [uri for item in value for uri in uris(item)] if isinstance(value, list) else []


def fetch(call: Call, uri: str) -> None:
    """An input is an upload of its own, a small data URI, or an address with a scheme that is encrypted."""
    if uri.startswith("runway://"):
        if uri not in call.world:
            call.refuse("invalid", f"{uri} is not an upload of yours")
        if not call.world[uri]:
            call.refuse("invalid", f"nothing was uploaded for {uri}")
    elif uri.startswith("data:"):
        if len(uri) > MAX_DATA_BYTES:
            call.refuse("invalid", "the data URI is too large")
    elif not uri.startswith("https://") or len(uri) > MAX_URI_CHARACTERS:
        call.refuse("invalid", f"{uri[:80]!r} is no https URL")


def shape(body: dict[str, Any]) -> tuple[int, int]:
    """The pixels that a ratio or a resolution asks for."""
    if found := re.fullmatch(r"(\d{3,}):(\d{3,})", str(body.get("ratio", ""))):
        return int(found[1]), int(found[2])
    word = str(body.get("resolution") or body.get("ratio", "")).removeprefix("auto_")
    return SIZES.get(word, (1280, 720))


def ordered(path: str, body: dict[str, Any]) -> Order:
    """What a request makes, and what it costs."""
    model, (width, height) = str(body["model"]), shape(body)
    seconds = body.get("duration")
    length = float(seconds) if isinstance(seconds, int | float) else 5.0
    if "image" in path and path != "image_to_video":
        scale = int(body.get("scaleFactor", 1))
        credit = CREDITS_EACH.get(model, 10)
        return order("image", width=width * scale, height=height * scale, usd=Decimal(credit) / 100)
    if path in ("text_to_speech", "sound_effect", "speech_to_speech", "video_to_audio"):
        word = str(body.get("format") or body.get("outputFormat") or "mp3")
        count = int(body.get("numVariants", 1))
        return order("audio", duration_s=min(length, 3.0), count=count, usd="0.02", mime=SOUND_TYPES[word])
    rate = CREDITS_A_SECOND.get(model, 20)
    if model.startswith("veo") and body.get("audio") is False:
        rate = {"veo3.1": 20, "veo3.1_fast": 10}[model]
    fps = float(str(body.get("targetFramerate", 24)).replace("_", "."))
    sound = body.get("audio") is not False and model.startswith(("veo", "kling", "seedance", "wan"))
    return order(
        "video",
        width=width,
        height=height,
        duration_s=length,
        fps=fps,
        audio=sound,
        usd=Decimal(rate) * Decimal(str(length)) / 100,
    )


def make(call: Call, path: str, *required: str) -> Answer:
    body = call.json("model", *required)
    if (known := MODELS.get(path)) and body["model"] not in known:
        call.refuse("invalid", f"model: one of {known}")
    check(call, body)
    job = call.take(ordered(path, body), model=body["model"])
    return Answer(200, {"id": job.id, "estimatedCost": {"credits": credits_of(job)}})


def credits_of(job: Job) -> int:
    return int((job.usd or Decimal(0)) * 100)


@SERVICE.post("/v1/text_to_video")
def text_to_video(call: Call) -> Answer:
    return make(call, "text_to_video", "promptText")


@SERVICE.post("/v1/image_to_video")
def image_to_video(call: Call) -> Answer:
    return make(call, "image_to_video", "promptImage")


@SERVICE.post("/v1/video_to_video")
def video_to_video(call: Call) -> Answer:
    body = call.json("model")
    own = "promptVideo" if str(body["model"]).startswith(("klingO3", "hailuo3", "seedance")) else "videoUri"
    return make(call, "video_to_video", own)


@SERVICE.post("/v1/video_upscale")
def video_upscale(call: Call) -> Answer:
    return make(call, "video_upscale", "videoUri")


@SERVICE.post("/v1/text_to_image")
def text_to_image(call: Call) -> Answer:
    return make(call, "text_to_image", "promptText", "ratio")


@SERVICE.post("/v1/image_upscale")
def image_upscale(call: Call) -> Answer:
    return make(call, "image_upscale", "imageUri")


@SERVICE.post("/v1/text_to_speech")
def text_to_speech(call: Call) -> Answer:
    return make(call, "text_to_speech", "promptText", "voice")


@SERVICE.post("/v1/speech_to_speech")
def speech_to_speech(call: Call) -> Answer:
    return make(call, "speech_to_speech", "media", "voice")


@SERVICE.post("/v1/sound_effect")
def sound_effect(call: Call) -> Answer:
    return make(call, "sound_effect", "promptText")


@SERVICE.post("/v1/video_to_audio")
def video_to_audio(call: Call) -> Answer:
    return make(call, "video_to_audio", "videoUri", "duration")


@SERVICE.get("/v1/tasks/{id}")
def task(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None or job.extra.get("deleted"):
        call.refuse("not_found")
    said: dict[str, Any] = {"id": job.id, "createdAt": moment(job.created)}
    charged = {"cost": {"credits": credits_of(job)}}
    if job.state == "queued":
        word = "THROTTLED" if job.position else "PENDING"  # others of the account's come first
        return Answer(200, said | {"status": word, "estimatedCost": charged["cost"]})
    if job.state == "running":
        return Answer(200, said | {"status": "RUNNING", "progress": job.fraction, "estimatedCost": charged["cost"]})
    if job.state == "succeeded":
        return Answer(200, said | {"status": "SUCCEEDED", "output": job.urls} | charged)
    if job.state == "canceled":
        return Answer(200, said | {"status": "CANCELLED", "cost": {"credits": 0}})
    code = failure_code(job)
    cost = charged if code.startswith("SAFETY.INPUT") else {"cost": {"credits": 0}}
    why = (
        "The task was stopped by content moderation." if code.startswith("SAFETY") else "An unexpected error occurred."
    )
    return Answer(200, said | {"status": "FAILED", "failure": why, "failureCode": code} | cost)


@SERVICE.delete("/v1/tasks/{id}")
def delete(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None:
        call.refuse("not_found")
    if not call.cancel(job):
        job.extra["deleted"] = True
    return Answer(204)


@SERVICE.post("/v1/uploads")
def upload(call: Call) -> Answer:
    body = call.json("filename", "type")
    if body["type"] != "ephemeral":
        call.refuse("invalid", "type: only ephemeral")
    name = f"{call.rng.getrandbits(64):016x}"
    call.world[f"runway://{name}"] = b""
    fields = {"key": name, "policy": "cG9saWN5", "x-amz-signature": f"{call.rng.getrandbits(64):016x}"}
    call.world[f"slot {name}"] = fields
    return Answer(200, {"uploadUrl": f"{call.base}/uploads", "fields": fields, "runwayUri": f"runway://{name}"})


@SERVICE.post("/uploads", public=True)
def receive(call: Call) -> Answer:
    parts = call.form("key", "file")
    given = {name: several[0].text for name, several in parts.items() if name != "file"}
    slot = call.world.get(f"slot {given['key']}")
    if "authorization" in call.headers or slot is None or {name: given.get(name) for name in slot} != slot:
        return Answer(403, "<Error><Code>AccessDenied</Code></Error>", {"content-type": "application/xml"})
    call.world[f"runway://{given['key']}"] = parts["file"][0].content
    return Answer(204)


@SERVICE.get("/v1/organization")
def organization(_call: Call) -> Answer:
    limits = {"maxConcurrentGenerations": 3, "maxDailyGenerations": 500}
    tier = {"maxMonthlyCreditSpend": 10_000, "models": {"gen4.5": limits}}
    return Answer(200, {"creditBalance": 1_000, "tier": tier, "usage": {"models": {"gen4.5": {"dailyGenerations": 0}}}})


def moment(seconds: float) -> str:
    """A time as ISO 8601."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
