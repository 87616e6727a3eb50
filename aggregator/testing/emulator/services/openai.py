"""OpenAI as it answers: pictures with the tokens they cost, speech as bytes, both as events where asked for.

openai 3.52.0, openai/openai-openapi@f85dbe2, read 2026-11-20. What the tokens of a picture come to at which quality is
fal's list for gpt-image-2.5; a size that it does not have is reckoned by its pixels, which is the emulator's own idea.
"""

import base64
import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Job, RateLimit, Service, order

QUALITIES = {"low": 196, "medium": 439, "high": 1756, "xhigh": 3122, "max": 7024}
PICTURE_TYPES = {"png": "image/png", "webp": "image/webp", "jpeg": "image/jpeg"}
SOUND_TYPES = {
    "mp3": "audio/mpeg",
    "opus": "audio/opus",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
VOICES = [
    "alloy",
    "ash",
    "ballad",
    "coral",
    "echo",
    "fable",
    "onyx",
    "nova",
    "sage",
    "shimmer",
    "verse",
    "marin",
    "cedar",
]
IMAGE_MODELS = ("gpt-image-2", "gpt-image-2.5", "gpt-image-2.6", "gpt-image-1.5", "gpt-image-1-mini", "chatgpt-image")
SPEECH_USD = {"tts-1": "0.000015", "tts-1-hd": "0.00003"}
TOKEN_USD = {"output": Decimal("0.00003"), "text": Decimal("0.000005"), "image": Decimal("0.000008")}
PICTURE_TOKENS = 1000
SHORTEST, LONGEST_PX, LEAST_PX, MOST_PX = 16, 3840, 655_360, 8_294_400
PROMPT_CHARACTERS, SPEECH_CHARACTERS, MOST_PICTURES = 32_000, 4_096, 16
MOST_PICTURE_BYTES, MOST_MASK_BYTES = 50 * 2**20, 4 * 2**20
SLOWEST, FASTEST = 0.25, 4.0


def error(status: int, code: str | None, message: str, kind: str, param: str | None = None, **headers: str) -> Answer:
    """Every error has the same four keys."""
    head = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": {"message": message, "type": kind, "param": param, "code": code}}, head)


def invalid(detail: str, code: str | None = None) -> Answer:
    return error(400, code, detail or "Invalid request.", "invalid_request_error")


FAULTS: dict[str, Answer | Callable[[str], Answer]] = {
    "bad_key": error(401, "invalid_api_key", "Incorrect API key provided.", "invalid_request_error"),
    "forbidden": error(403, None, "Your organization must be verified to use this model.", "invalid_request_error"),
    "no_credit": error(429, "insufficient_quota", "You exceeded your current quota.", "insufficient_quota"),
    "hard_limit": error(400, "billing_hard_limit_reached", "Billing hard limit has been reached.", "billing_limit"),
    "rate_limited": error(429, "rate_limit_exceeded", "Rate limit reached.", "requests", retry_after="1"),
    "moderated_input": error(
        400, "moderation_blocked", "Your request was rejected by the safety system.", "image_generation_user_error"
    ),
    "bad_image": error(400, "invalid_image", "The image could not be read.", "image_generation_user_error", "image"),
    "no_model": error(404, "model_not_found", "The model does not exist or was shut down.", "invalid_request_error"),
    "not_found": error(404, None, "Not found.", "invalid_request_error"),
    "invalid": invalid,
    "server_error": error(500, None, "The server had an error while processing your request.", "server_error"),
    "unavailable": error(503, None, "The engine is currently overloaded.", "server_error"),
}


def remaining(left: int, reset_s: float) -> dict[str, str]:
    return {
        "x-ratelimit-limit-requests": "5",
        "x-ratelimit-remaining-requests": str(left),
        "x-ratelimit-reset-requests": f"{reset_s:.3f}s",
    }


SERVICE = Service(
    "openai",
    faults=FAULTS,
    limit=RateLimit(5, remaining),
    headers=lambda call: {"x-request-id": f"req_{call.rng.getrandbits(96):024x}"},
    make_key=lambda rng: f"sk-emulator-{rng.getrandbits(64):016x}",
)


# ------------------------------------------------------------------------------------------------------------ pictures


def size_of(call: Call, text: str) -> tuple[int, int]:
    """`auto` is square here; a free size must be one that the models take."""
    if text in ("", "auto"):
        return 1024, 1024
    sides = text.split("x")
    if len(sides) != 2 or not all(side.isdigit() for side in sides):
        call.refuse("invalid", f"Invalid value: '{text}'.")
    width, height = int(sides[0]), int(sides[1])
    longest, least = max(width, height), min(width, height)
    fits = width % SHORTEST == height % SHORTEST == 0 and 0 < longest <= LONGEST_PX
    if not fits or longest > 3 * least or not LEAST_PX <= width * height <= MOST_PX:
        call.refuse("invalid", f"Invalid value: '{text}'.")
    return width, height


def bought(call: Call, asked: dict[str, Any], pictures: int = 0) -> tuple[Job, dict[str, int]]:
    """Take an order of pictures, with what it costs in tokens."""
    if not str(asked.get("model", "")).startswith(IMAGE_MODELS):
        call.refuse("no_model")
    if len(asked["prompt"]) > PROMPT_CHARACTERS:
        call.refuse("invalid", "The prompt is too long.")
    if asked.get("response_format"):
        call.refuse("invalid", "Unknown parameter: 'response_format'.")
    kind = PICTURE_TYPES.get(asked.get("output_format") or "png")
    quality = "medium" if asked.get("quality") in (None, "auto") else str(asked["quality"])
    if kind is None or quality not in QUALITIES:
        call.refuse("invalid", "Invalid value for output_format or quality.")
    width, height = size_of(call, str(asked.get("size") or "auto"))
    count = int(asked.get("n") or 1)
    tokens = {
        "output": count * max(1, QUALITIES[quality] * width * height // 1024**2),
        "text": len(asked["prompt"]) // 4 + 1,
        "image": pictures * PICTURE_TOKENS,
    }
    usd = sum((TOKEN_USD[name] * number for name, number in tokens.items()), Decimal(0))
    job = call.take(order("image", width=width, height=height, count=count, mime=kind, usd=usd))
    job.finish()
    return job, tokens


def outcome(call: Call, job: Job) -> None:
    """A picture that may not be shown is refused as a prompt is; one that failed is an error of theirs."""
    if job.moderated:
        call.refuse("moderated_input")
    if job.state != "succeeded":
        call.refuse("server_error")


def made(call: Call, job: Job, tokens: dict[str, int], asked: dict[str, Any]) -> dict[str, Any]:
    given, spent = tokens["text"] + tokens["image"], tokens["output"]
    return {
        "created": int(call.now),
        "data": [{"b64_json": base64.b64encode(content).decode()} for content in job.contents],
        "background": asked.get("background") or "opaque",
        "output_format": job.mime.partition("/")[2],
        "quality": asked.get("quality") or "medium",
        "size": f"{job.order.width}x{job.order.height}",
        "usage": {
            "input_tokens": given,
            "input_tokens_details": {"image_tokens": tokens["image"], "text_tokens": tokens["text"]},
            "output_tokens": spent,
            "output_tokens_details": {"image_tokens": spent, "text_tokens": 0},
            "total_tokens": given + spent,
        },
    }


def frames(events: list[dict[str, Any]]) -> Iterator[bytes]:
    """Server-sent events, without a last one that says so."""
    for event in events:
        yield f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


def pictures(call: Call, asked: dict[str, Any], sent: int, name: str) -> Answer:
    job, tokens = bought(call, asked, sent)
    outcome(call, job)
    whole = made(call, job, tokens, asked)
    if str(asked.get("stream")).lower() != "true":
        return Answer(200, whole)
    shared = {key: whole[key] for key in ("background", "output_format", "quality", "size")}
    common = {"b64_json": whole["data"][0]["b64_json"], "created_at": whole["created"], **shared}
    partial = [
        {"type": f"{name}.partial_image", "partial_image_index": index, **common}
        for index in range(int(asked.get("partial_images") or 0))
    ]
    events = [*partial, {"type": f"{name}.completed", "usage": whole["usage"], **common}]
    return Answer(200, frames(events), {"content-type": "text/event-stream"})


@SERVICE.post("/v1/images/generations")
def generations(call: Call) -> Answer:
    return pictures(call, call.json("model", "prompt"), 0, "image_generation")


@SERVICE.post("/v1/images/edits")
def edits(call: Call) -> Answer:
    """A form with files, or JSON with addresses."""
    if call.headers.get("content-type", "").startswith("application/json"):
        asked = call.json("model", "prompt", "images")
        return pictures(call, asked, len(asked["images"]), "image_edit")
    form = call.form("model", "prompt")
    files = [*form.get("image", []), *form.get("image[]", [])]
    if not files or len(files) > MOST_PICTURES or not all(part.filename for part in files):
        call.refuse("invalid", "image: between 1 and 16 files are required")
    if any(len(part.content) > MOST_PICTURE_BYTES or part.mime_type not in PICTURE_TYPES.values() for part in files):
        call.refuse("bad_image")
    masks = form.get("mask", [])
    if any(part.mime_type != "image/png" or len(part.content) > MOST_MASK_BYTES for part in masks):
        call.refuse("bad_image")
    asked = {name: parts[0].text for name, parts in form.items() if parts[0].filename is None}
    return pictures(call, asked, len(files) + len(masks), "image_edit")


# -------------------------------------------------------------------------------------------------------------- speech


@SERVICE.post("/v1/audio/speech")
def speech(call: Call) -> Answer:
    asked = call.json("model", "input", "voice")
    voice = asked["voice"]
    if isinstance(voice, str) and voice not in VOICES:
        call.refuse("invalid", f"Invalid value: '{voice}'.")
    return spoken(call, asked)


def spoken(call: Call, asked: dict[str, Any]) -> Answer:
    """Sound of about the length that the text takes to say."""
    kind = SOUND_TYPES.get(asked.get("response_format") or "mp3")
    speed = float(asked.get("speed") or 1)
    if kind is None or len(asked["input"]) > SPEECH_CHARACTERS or not SLOWEST <= speed <= FASTEST:
        call.refuse("invalid", "Invalid value for response_format, input or speed.")
    rate = SPEECH_USD.get(asked["model"])
    usd = None if rate is None else Decimal(rate) * len(asked["input"])
    seconds = max(0.2, len(asked["input"]) / 15 / speed)
    job = call.take(order("audio", duration_s=seconds, text=asked["input"], usd=usd, mime=kind))
    job.finish()
    outcome(call, job)
    if asked.get("stream_format") == "sse":
        usage = {"input_tokens": len(asked["input"]) // 4, "output_tokens": round(seconds * 20)}
        events: list[dict[str, Any]] = [
            {"type": "speech.audio.delta", "audio": base64.b64encode(job.contents[0]).decode()},
            {"type": "speech.audio.done", "usage": {**usage, "total_tokens": sum(usage.values())}},
        ]
        return Answer(200, frames(events), {"content-type": "text/event-stream"})
    return Answer(200, job.contents[0], {"content-type": kind})


# -------------------------------------------------------------------------------------------------------------- models


def model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1_776_729_600, "owned_by": "openai", "shutdown_date": None}


@SERVICE.get("/v1/models")
def models(_call: Call) -> Answer:
    return Answer(200, {"object": "list", "data": [model("gpt-image-2.6-flare"), model("tts-1")]})


@SERVICE.get("/v1/models/{id}")
def one_model(call: Call) -> Answer:
    return Answer(200, model(call.path["id"]))
