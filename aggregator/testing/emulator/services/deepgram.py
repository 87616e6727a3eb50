"""Deepgram as it answers: speech at once, options in the query, errors in three shapes (deepgram-sdk 7.17.0;
developers.deepgram.com/reference/errors, read 2026-11-21).
"""

import re

from aggregator.testing.emulator.desk import World
from aggregator.testing.emulator.service import Answer, Call, HookDelivery, Job, Service, order, uuid

TYPES = {"mp3": "audio/mpeg", "flac": "audio/flac", "aac": "audio/aac", "opus": "audio/ogg"}
AURA = re.compile(r"aura-(2-)?[a-z]+-(en|es|de|nl|fr|it|ja)")
FLUX = re.compile(r"flux-[a-z]+-en")
RATES_HZ = {"8000", "16000", "24000", "32000", "48000"}
USD = {"aura-2": "0.030", "aura": "0.015"}
"""For a thousand characters."""
MAX_CHARACTERS = 2000
"""Of Aura; unconfirmed."""
CHARACTERS_A_SECOND = 15
REQUEST_ID = "9a1c2b3d-0000-4000-8000-1234567890ab"


def _said(status: int, code: str, message: str, **headers: str) -> Answer:
    return Answer(status, {"err_code": code, "err_msg": message, "request_id": REQUEST_ID}, headers)


def _sorted(status: int, category: str, message: str, details: str = "") -> Answer:
    body = {"category": category, "message": message, "details": details, "request_id": REQUEST_ID}
    return Answer(status, body)


SERVICE = Service(
    "deepgram",
    key=lambda call: call.headers.get("authorization", "").removeprefix("Token "),
    make_key=lambda rng: f"{rng.getrandbits(160):040x}",
    ids=uuid,
    headers=lambda call: {"dg-request-id": f"{call.rng.getrandbits(128):032x}"},
    concurrency=15,
    faults={
        "bad_key": _said(401, "INVALID_AUTH", "Invalid credentials."),
        "no_permission": _said(403, "INSUFFICIENT_PERMISSIONS", "The project has no access to the requested model."),
        "no_credit": _said(402, "ASR_PAYMENT_REQUIRED", "The project does not have enough credits."),
        "rate_limited": _said(429, "TOO_MANY_REQUESTS", "Too many requests.", **{"retry-after": "1"}),  # unconfirmed
        "invalid": lambda detail: _sorted(400, "INVALID_JSON", "Invalid JSON submitted.", detail or "missing field"),
        "bad_request": _said(400, "Bad Request", "The request could not be processed."),
        "too_long": Answer(413, "Payload Too Large"),  # the body is unconfirmed
        "expressivity": _said(400, "EXPRESSIVITY_OUT_OF_RANGE", "expressivity must be from -2 to 2"),
        "pause": _said(400, "PAUSE_SPEED_CAP_EXCEEDED", "speed is capped at 1.15 with a pause"),
        "controls": _said(400, "CONTROL_COMBINATION_INVALID", "pronunciation cannot be combined with this"),
        "speed": _said(400, "SPEED_OUT_OF_RANGE", "speed is out of range"),
        "increment": _said(400, "SPEED_INCREMENT_INVALID", "speed is in steps of 0.05"),
        "unavailable": Answer(503, "Service Unavailable"),
        "server_error": _sorted(500, "INTERNAL_SERVER_ERROR", "Something went wrong."),
    },
)


def _form(call: Call) -> tuple[str, int]:
    """The type and the rate that the query asks for."""
    encoding = call.query.get("encoding", "mp3")
    container = call.query.get("container", "wav")
    if encoding in TYPES:
        return TYPES[encoding], 48_000 if encoding == "opus" else 22_050
    rate_hz = call.query.get("sample_rate", "24000")
    if encoding != "linear16" or rate_hz not in RATES_HZ:
        call.refuse("bad_request")
    return "audio/wav" if container == "wav" else "audio/pcm", int(rate_hz)


def _spoken(call: Call, model: str, speed: float) -> Answer:
    body = call.json("text")
    if set(body) != {"text"} or not isinstance(body["text"], str):
        call.refuse("invalid", "only `text` is known")
    text = body["text"]
    if len(text) > MAX_CHARACTERS and model.startswith("aura"):
        call.refuse("too_long")
    mime, rate_hz = _form(call)
    rate = USD.get(model.rpartition("-")[0].rpartition("-")[0])
    usd = f"{len(text) * float(rate) / 1000:.6f}" if rate else None
    seconds = max(0.5, len(text) / CHARACTERS_A_SECOND / speed)
    wanted = order("audio", duration_s=seconds, text=text, usd=usd, mime=mime, rate_hz=rate_hz)
    callback = call.query.get("callback")
    job = call.take(wanted, **({"hook": callback} if callback else {}))
    if callback:
        return Answer(200, {"request_id": job.id})
    job.finish()
    if job.state != "succeeded":
        return _sorted(500, "INTERNAL_SERVER_ERROR", "The speech could not be made.")
    return Answer(200, job.contents[0], {"content-type": mime, "dg-char-count": str(len(text)), "dg-model-name": model})


@SERVICE.post("/v1/speak")
def aura(call: Call) -> Answer:
    model = call.query.get("model", "aura-asteria-en")
    speed = float(call.query.get("speed", "1"))
    if not AURA.fullmatch(model):
        call.refuse("bad_request")
    if not 0.7 <= speed <= 1.5:
        call.refuse("speed")
    return _spoken(call, model, speed)


@SERVICE.post("/v2/speak")
def flux(call: Call) -> Answer:
    model = call.query.get("model", "")
    speed = float(call.query.get("speed", "1"))
    if not FLUX.fullmatch(model):
        call.refuse("bad_request")
    if call.query.get("expressivity", "0") not in {"-2", "-1", "0", "1", "2"}:
        call.refuse("expressivity")
    if not 0.5 <= speed <= 1.5:
        call.refuse("speed")
    if abs(speed * 20 - round(speed * 20)) > 1e-6:
        call.refuse("increment")
    if r"\{pause:" in call.raw.decode(errors="replace").replace("\\\\", "\\") and speed > 1.15:
        call.refuse("pause")
    return _spoken(call, model, speed)


def _hook(job: Job, _url: str, _world: World) -> HookDelivery:
    return HookDelivery({"content-type": job.mime, "dg-request-id": job.id}, job.contents[0])


SERVICE.hook = _hook


@SERVICE.get("/v1/projects")
def projects(_call: Call) -> Answer:
    return Answer(200, {"projects": [{"project_id": REQUEST_ID, "name": "emulator"}]})


@SERVICE.get("/v1/models")
def models(_call: Call) -> Answer:
    return Answer(200, {"stt": [], "tts": [{"name": "thalia", "canonical_name": "aura-2-thalia-en"}]})
