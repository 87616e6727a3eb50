"""Stability as it answers: forms in, files or base64 out, results of slow calls by an id (vendor OpenAPI of v2beta in
tryAGI/StabilityAI@016c91b, read 2026-11-20).

A call that takes no file is a form as well. A filtered picture comes with HTTP 200 and the header `finish-reason`;
who asks for JSON finds it and the seed in there, and not in the headers. The schema knows of no filtered sound; here it
is told in the same way.
"""

import base64
from decimal import Decimal
from math import sqrt
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, FormPart, Job, RateLimit, Service, order

RATIOS = ("16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21")
CREDIT_USD = Decimal("0.01")
SD3 = {"sd3.5-large": "6.5", "sd3.5-large-turbo": "4", "sd3.5-medium": "3.5", "sd3.5-flash": "2.5"}
PICTURES = {
    "generate/ultra": ("8", ("prompt",)),
    "generate/core": ("3", ("prompt",)),
    "upscale/fast": ("2", ("image",)),
    "upscale/conservative": ("40", ("image", "prompt")),
    "edit/inpaint": ("5", ("image", "prompt")),
    "edit/search-and-replace": ("5", ("image", "prompt", "search_prompt")),
    "edit/remove-background": ("5", ("image",)),
    "control/sketch": ("5", ("image", "prompt")),
    "control/structure": ("5", ("image", "prompt")),
}
AUDIO = {"stable-audio-2": 190, "stable-audio-2.5": 190, "stable-audio-3": 380}
MIMES = {"png": "image/png", "jpeg": "image/jpeg", "webp": "image/webp", "mp3": "audio/mpeg", "wav": "audio/wav"}
MAX_SEED = 4294967294


def _error(status: int, name: str, *errors: str) -> Answer:
    return Answer(status, {"id": "4212a4b66fbe1cedca4bf2133d35dca5", "name": name, "errors": list(errors)})


SERVICE = Service(
    "stability",
    ids=lambda rng: f"{rng.getrandbits(256):064x}",
    make_key=lambda rng: f"sk-{rng.getrandbits(192):048x}",
    faults={
        "bad_key": _error(401, "unauthorized", "missing or invalid authorization header"),
        "no_credit": _error(402, "payment_required", "You lack sufficient credits to make this request."),
        "rate_limited": _error(429, "rate_limit_exceeded", "You have exceeded 150 requests in 10 seconds."),
        "invalid": lambda detail: _error(400, "bad_request", detail or "some-field: is required"),
        "invalid_language": _error(422, "language_not_supported", "English is the only supported language."),
        "moderated_input": _error(
            403,
            "content_moderation",
            "Your request was flagged by our content moderation system. You were not charged.",
        ),
        "not_found": _error(404, "not_found", "The requested resource could not be found."),
        "too_large": _error(413, "payload_too_large", "body: payloads cannot be larger than 10MiB in size"),
        "server_error": _error(500, "internal_error", "An unexpected server error has occurred."),
        "unavailable": _error(500, "internal_error", "An unexpected server error has occurred."),
    },
    limit=RateLimit(15.0, per_s=10.0),
)


def _form(call: Call, *required: str) -> dict[str, FormPart]:
    if not call.headers.get("content-type", "").startswith("multipart/form-data"):
        call.refuse("invalid", "content-type: must be multipart/form-data")
    parts = {name: values[0] for name, values in call.form(*required).items()}
    seed = parts["seed"].text if "seed" in parts else "0"
    if not seed.isdigit() or int(seed) > MAX_SEED:
        call.refuse("invalid", f"seed: must be between 0 and {MAX_SEED}")
    return parts


def _text(parts: dict[str, FormPart], name: str, usual: str) -> str:
    return parts[name].text if name in parts else usual


def _picture(call: Call, parts: dict[str, FormPart], credits_: str, scale: float = 1.0) -> Job:
    ratio = _text(parts, "aspect_ratio", "1:1")
    kind = _text(parts, "output_format", "png")
    if ratio not in RATIOS or kind not in ("png", "jpeg", "webp"):
        call.refuse("invalid", "aspect_ratio or output_format: is not supported")
    across, _, down = ratio.partition(":")
    side = sqrt(int(across) / int(down))
    width, height = round(1024 * scale * side), round(1024 * scale / side)
    seed = int(_text(parts, "seed", "0")) or call.rng.randrange(1, MAX_SEED)
    made = order("image", width=width, height=height, usd=Decimal(credits_) * CREDIT_USD, mime=MIMES[kind])
    return call.take(made, seed=seed)


def _result(call: Call, job: Job, name: str) -> Answer:
    """The file itself, or JSON for those who ask for that."""
    if job.state != "succeeded" and not job.moderated:
        call.refuse("server_error")
    reason = "CONTENT_FILTERED" if job.moderated else "SUCCESS"
    head, seed = {"x-request-id": job.id[:32]}, job.extra["seed"]
    if call.headers.get("accept", "").startswith("application/json"):
        told = {name: base64.b64encode(job.content(0)).decode(), "finish_reason": reason, "seed": seed}
        return Answer(200, told, {**head, "content-type": f"application/json; type={job.mime}"})
    head |= {"finish-reason": reason, "seed": str(seed), "content-type": job.mime}
    return Answer(200, job.content(0), head)


def _at_once(call: Call, job: Job, name: str) -> Answer:
    job.finish()
    return _result(call, job, name)


@SERVICE.post("/v2beta/stable-image/generate/sd3")
def sd3(call: Call) -> Answer:
    parts = _form(call, "prompt")
    model, mode = _text(parts, "model", "sd3.5-large"), _text(parts, "mode", "text-to-image")
    if model not in SD3:
        call.refuse("invalid", "model: is not supported")
    wanted = ("image", "strength") if mode == "image-to-image" else ()
    if missing := [name for name in wanted if name not in parts]:
        call.refuse("invalid", f"{missing[0]}: is required for mode image-to-image")
    if mode == "image-to-image" and "aspect_ratio" in parts:
        call.refuse("invalid", "aspect_ratio: is not allowed for mode image-to-image")
    return _at_once(call, _picture(call, parts, SD3[model]), "image")


@SERVICE.post("/v2beta/stable-image/upscale/creative")
def creative(call: Call) -> Answer:
    job = _picture(call, _form(call, "image", "prompt"), "60", 2.0)
    return Answer(200, {"id": job.id})


@SERVICE.post("/v2beta/stable-image/{family}/{tool}")
def picture(call: Call) -> Answer:
    known = PICTURES.get(f"{call.path['family']}/{call.path['tool']}")
    if known is None:
        call.refuse("not_found")
    credits_, required = known
    parts = _form(call, *required)
    if "strength" in parts and "image" not in parts:
        call.refuse("invalid", "strength: is only allowed with an image")
    return _at_once(call, _picture(call, parts, credits_, 4.0 if call.path["tool"] == "fast" else 1.0), "image")


def _clip(call: Call, usual_model: str) -> Job:
    parts = _form(call, "prompt")
    model, kind = _text(parts, "model", usual_model), _text(parts, "output_format", "mp3")
    seconds = float(_text(parts, "duration", "190"))
    if kind not in ("mp3", "wav") or not 1 <= seconds <= AUDIO.get(model, 0):
        call.refuse("invalid", "model, duration or output_format: is not supported")
    steps = int(_text(parts, "steps", "50"))
    costs = {"stable-audio-2": 17 + Decimal("0.06") * steps, "stable-audio-2.5": Decimal(20)}
    made = order(
        "audio",
        duration_s=seconds,
        usd=costs.get(model, Decimal(26)) * CREDIT_USD,
        mime=MIMES[kind],
        rate_hz=44_100,
        channels=2,
    )
    return call.take(made, seed=int(_text(parts, "seed", "0")) or call.rng.randrange(1, MAX_SEED))


@SERVICE.post("/v2beta/audio/stable-audio-2/text-to-audio")
def audio(call: Call) -> Answer:
    return _at_once(call, _clip(call, "stable-audio-2"), "audio")


@SERVICE.post("/v2beta/audio/stable-audio/text-to-audio")
def audio_3(call: Call) -> Answer:
    return Answer(202, {"id": _clip(call, "stable-audio-3").id})


def _later(call: Call, kind: str) -> Answer:
    job = call.job(call.path["id"])
    if job is None or job.expired or job.order.kind != kind:
        return _error(404, "generation_not_found", "id: the generation either does not exist or has expired.")
    if not job.is_over:
        return Answer(202, {"id": job.id, "status": "in-progress"})
    return _result(call, job, kind)


@SERVICE.get("/v2beta/results/{id}")
def result(call: Call) -> Answer:
    return _later(call, "image")


@SERVICE.get("/v2beta/audio/results/{id}")
def audio_result(call: Call) -> Answer:
    return _later(call, "audio")


@SERVICE.get("/v1/user/balance")
def balance(_call: Call) -> Answer:
    told: dict[str, Any] = {"credits": 1000.0}
    return Answer(200, told)
