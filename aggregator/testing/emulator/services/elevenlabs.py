"""ElevenLabs as it answers: sound at once, errors in three shapes (elevenlabs 2.78.0; help.elevenlabs.io, read
2026-11-21).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aggregator.testing.emulator.service import Answer, Call, FormPart, Order, Service, order, uuid

TYPES = {
    "mp3": "audio/mpeg",
    "wav": "audio/wav",
    "opus": "audio/opus",
    "pcm": "audio/pcm",
    "ulaw": "audio/basic",
    "alaw": "audio/x-alaw",
}
FORMATS = {
    *("ulaw_8000", "alaw_8000"),
    *(f"mp3_{rest}" for rest in ("22050_32", "24000_48", "44100_32", "44100_64", "44100_96", "44100_128", "44100_192")),
    *(f"opus_48000_{rate}" for rate in (32, 64, 96, 128, 192)),
    *(f"{form}_{rate}" for form in ("pcm", "wav") for rate in (8000, 16000, 22050, 24000, 32000, 44100, 48000)),
}
MODELS = {  # the longest text, and dollars for a thousand characters
    "eleven_v4": (10_000, "0.08"),
    "eleven_v4_turbo": (10_000, "0.04"),
    "eleven_v3": (5_000, "0.08"),
    "eleven_v3_conversational": (5_000, "0.04"),
    "eleven_multilingual_v2": (10_000, "0.08"),
    "eleven_flash_v2_5": (40_000, "0.04"),
    "eleven_flash_v2": (30_000, "0.04"),
    "eleven_turbo_v2_5": (40_000, "0.04"),
    "eleven_turbo_v2": (30_000, "0.04"),
}
CHANGERS = ("eleven_multilingual_sts_v2", "eleven_english_sts_v2")
SOUNDS = ("eleven_text_to_sound_v2", "eleven_text_to_sound_v3")
MUSIC = ("music_v1", "music_v2", "music_v2_5")
CHARACTERS_A_SECOND = 15


def _said(status: int, kind: str, code: str, message: str, **headers: str) -> Answer:
    """The present shape."""
    detail = {"type": kind, "code": code, "message": message, "status": code, "request_id": "req", "param": None}
    return Answer(status, {"detail": detail}, headers)


def _once(status: int, code: str, message: str, **more: Any) -> Answer:
    """The older shape."""
    return Answer(status, {"detail": {"status": code, "message": message, **more}})


def _fields(detail: str) -> Answer:
    """What is wrong with the fields of a request."""
    name, _, text = detail.partition(" ")
    return Answer(422, {"detail": [{"loc": ["body", name], "msg": text or "Field required", "type": "value_error"}]})


BAD_PROMPT = "Your prompt may have violated the terms of service."
SERVICE = Service(
    "elevenlabs",
    key=lambda call: call.headers.get("xi-api-key", ""),
    make_key=lambda rng: f"sk_{rng.getrandbits(192):048x}",
    ids=uuid,
    headers=lambda call: {"request-id": f"{call.rng.getrandbits(64):016x}"},
    concurrency=2,
    faults={
        "bad_key": _said(401, "authentication_error", "invalid_api_key", "The API key is not valid."),
        "old_bad_key": _once(401, "invalid_api_key", "Invalid API key"),
        "missing_permissions": _once(401, "missing_permissions", "The API key lacks the permission text_to_speech."),
        "no_credit": _once(401, "quota_exceeded", "This request exceeds your quota. You have 3 credits remaining."),
        "plan": _once(403, "only_for_creator+", "This output format needs the Creator tier or above."),
        "rate_limited": _said(
            429, "rate_limit_error", "rate_limit_exceeded", "Too many requests.", **{"retry-after": "1"}
        ),
        "concurrent": _said(429, "rate_limit_error", "concurrent_limit_exceeded", "Too many requests at once."),
        "old_concurrent": _once(429, "too_many_concurrent_requests", "Too many concurrent requests."),
        "busy": _once(429, "system_busy", "The system is busy. Please try again."),
        "invalid": _fields,
        "parameters": _said(400, "validation_error", "invalid_parameters", "The parameters are not valid."),
        "too_long": _once(400, "max_character_limit_exceeded", "This request exceeds the character limit."),
        "not_found": _said(404, "not_found", "voice_not_found", "A voice with this id was not found."),
        "conflict": Answer(409, {"detail": {"status": "conflict", "message": "Already exists."}}),
        "moderated_input": _once(400, "bad_prompt", BAD_PROMPT, data={"prompt_suggestion": "a tune of its own"}),
        "bad_plan": _once(400, "bad_composition_plan", BAD_PROMPT, data={"composition_plan_suggestion": {}}),
        "unavailable": Answer(503, "Service Unavailable"),
        "server_error": Answer(500, {"detail": {"status": "internal_server_error", "message": "Try again."}}),
    },
)


def _format(call: Call) -> tuple[str, int]:
    """The type and the rate that the query asks for."""
    name = call.query.get("output_format", "mp3_44100_128")
    if name not in FORMATS:
        call.refuse("invalid", f"output_format is not one of {len(FORMATS)} known ones")
    form, rate, *_ = name.split("_")
    return TYPES[form], int(rate)


def _number(call: Call, name: str, value: Any, low: float, high: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        call.refuse("invalid", f"{name} must be from {low} to {high}")
    return float(value)


def _sound(call: Call, seconds: float, text: str = "", usd: str | None = None) -> Order:
    mime, rate_hz = _format(call)
    return order("audio", duration_s=seconds, text=text, usd=usd, mime=mime, rate_hz=rate_hz)


def _made(call: Call, wanted: Order) -> Answer:
    """The sound, as soon as it is ordered."""
    job = call.take(wanted)
    job.finish()
    if job.moderated:
        return _once(400, "bad_prompt", BAD_PROMPT)
    if job.state != "succeeded":
        return _once(500, "internal_server_error", "Something went wrong.")
    return Answer(200, job.contents[0], {"content-type": job.mime, "character-cost": str(len(wanted.text))})


def _voice(call: Call) -> None:
    if not call.path["voice"].isalnum():
        call.refuse("not_found")


def _known(call: Call, form: Mapping[str, Sequence[FormPart]], models: Sequence[str]) -> None:
    if "model_id" in form and form["model_id"][0].text not in models:
        call.refuse("parameters")


def _usd(characters: int, rate: str) -> str:
    return f"{characters * float(rate) / 1000:.6f}"


@SERVICE.post("/v1/text-to-speech/{voice}")
def text_to_speech(call: Call) -> Answer:
    body = call.json("text")
    _voice(call)
    longest, rate = MODELS.get(body.get("model_id", "eleven_multilingual_v2")) or call.refuse("parameters")
    if len(body["text"]) > longest:
        call.refuse("too_long")
    if "seed" in body:
        _number(call, "seed", body["seed"], 0, 2**32 - 1)
    speed = body.get("voice_settings", {}).get("speed", 1)
    seconds = max(0.5, len(body["text"]) / CHARACTERS_A_SECOND / speed)
    return _made(call, _sound(call, seconds, body["text"], _usd(len(body["text"]), rate)))


@SERVICE.post("/v1/voice-changer/{voice}")
def voice_changer(call: Call) -> Answer:
    form = call.form("audio")
    _voice(call)
    _known(call, form, CHANGERS)
    if not form["audio"][0].content:
        call.refuse("invalid", "audio is empty")
    return _made(call, _sound(call, 2.0))


@SERVICE.post("/v1/dubbing")
def dub(call: Call) -> Answer:
    form = call.form("target_lang")
    if "file" not in form and "source_url" not in form:
        call.refuse("invalid", "file or source_url, one of them")
    job = call.take(order("audio", duration_s=2.0, mime="audio/mpeg"), language=form["target_lang"][0].text)
    return Answer(200, {"dubbing_id": job.id, "expected_duration_sec": 2.0})


DUBBED = {"queued": "queued", "running": "dubbing", "succeeded": "dubbed"}
NO_DUB = _once(404, "dubbing_not_found", "A dubbing with this id was not found.")


@SERVICE.get("/v1/dubbing/{id}")
def dubbing(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None:
        return NO_DUB
    status = DUBBED.get(job.state, "failed")
    error = "The dubbing violates the terms of service." if job.moderated else "The dubbing failed."
    return Answer(
        200,
        {
            "dubbing_id": job.id,
            "name": "a dubbing",
            "status": status,
            "source_language": "en",
            "target_languages": [job.extra["language"]],
            "created_at": "2026-11-21T00:00:00Z",
            "editable": False,
            "error": error if status == "failed" else None,
        },
    )


@SERVICE.get("/v1/dubbing/{id}/audio/{language}")
def dubbed(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None or call.path["language"] != job.extra["language"]:
        return NO_DUB
    if job.state != "succeeded":
        return _once(425, "dubbing_not_ready", "The dubbing is not ready yet.")
    return Answer(200, job.contents[0], {"content-type": job.mime})


@SERVICE.delete("/v1/dubbing/{id}")
def forget(call: Call) -> Answer:
    job = call.job(call.path["id"])
    if job is None:
        return NO_DUB
    call.cancel(job)
    return Answer(200, {"status": "ok"})


@SERVICE.post("/v1/sound-generation")
def sound_generation(call: Call) -> Answer:
    body = call.json("text")
    if body.get("model_id", SOUNDS[0]) not in SOUNDS:
        call.refuse("parameters")
    seconds = body.get("duration_seconds")
    return _made(call, _sound(call, 3.0 if seconds is None else _number(call, "duration_seconds", seconds, 0.5, 30)))


@SERVICE.post("/v1/music")
def music(call: Call) -> Answer:
    body = call.json()
    if (body.get("prompt") is None) == (body.get("composition_plan") is None):
        call.refuse("invalid", "prompt or composition_plan, one of them")
    if body.get("model_id", MUSIC[0]) not in MUSIC:
        call.refuse("parameters")
    if body.get("prompt") is not None and "seed" in body:
        call.refuse("invalid", "seed cannot be used with a prompt")
    length = body.get("music_length_ms")
    seconds = 10.0 if length is None else _number(call, "music_length_ms", length, 3000, 600_000) / 1000
    return _made(call, _sound(call, seconds))


@SERVICE.post("/v1/music/video-to-music")
def video_to_music(call: Call) -> Answer:
    form = call.form("videos")
    _known(call, form, MUSIC)
    if "description" in form and len(form["description"][0].text) > 4100:
        call.refuse("invalid", "description has more than 4100 characters")
    return _made(call, _sound(call, 4.0))


@SERVICE.get("/v1/models")
def models(_call: Call) -> Answer:
    known = [(name, True, False) for name in MODELS] + [(name, False, True) for name in CHANGERS]
    return Answer(
        200,
        [
            {"model_id": name, "name": name, "can_do_text_to_speech": speaks, "can_do_voice_conversion": changes}
            for name, speaks, changes in known
        ],
    )


@SERVICE.get("/v2/voices")
def voices(_call: Call) -> Answer:
    voice = {"voice_id": "JBFqnCBsd6RMkjVDRZzb", "name": "George", "category": "premade"}
    return Answer(200, {"voices": [voice], "has_more": False, "total_count": 1, "next_page_token": None})


@SERVICE.get("/v1/user/subscription")
def subscription(_call: Call) -> Answer:
    return Answer(200, {"tier": "free", "character_count": 0, "character_limit": 10_000, "status": "active"})
