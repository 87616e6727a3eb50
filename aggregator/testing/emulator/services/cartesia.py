"""Cartesia as it answers: sound at once, for requests that name the version of the API (cartesia 4.2.0;
docs.cartesia.ai/use-the-api/api-errors, read 2026-11-21).
"""

from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Order, Service, order, uuid

VERSIONS = ("2024-06-10", "2024-11-13", "2025-04-16", "2026-03-01", "2026-08-14")
MODELS = ("sonic-3.6", "sonic-3.5", "sonic-3", "sonic-latest", "sonic-3.5-2026-05-04", "sonic-3-2026-01-12")
TYPES = {"wav": "audio/wav", "mp3": "audio/mpeg", "raw": "audio/pcm"}
ENCODINGS = ("pcm_f32le", "pcm_s16le", "pcm_mulaw", "pcm_alaw")
RATES_HZ = (8000, 16000, 22050, 24000, 44100, 48000)
BIT_RATES = (32000, 64000, 96000, 128000, 192000)
VOICES = ("e07c00bc-4134-4eae-9ea4-1a55fb45746b", "6ccbfb76-1fc6-48f7-b71d-91ac6298247b")
REQUEST_ID = "550e8400-e29b-41d4-a716-446655440000"
CHARACTERS_A_SECOND = 15
USD_A_CHARACTER = 0.00005


def _said(status: int, title: str, message: str, code: str | None = None) -> Answer:
    body = {"error_code": code, "title": title, "message": message, "request_id": REQUEST_ID}
    return Answer(status, body, {"retry-after": "1"} if code else {})


SERVICE = Service(
    "cartesia",
    make_key=lambda rng: f"sk_car_{rng.getrandbits(128):032x}",
    ids=uuid,
    faults={
        "bad_key": _said(401, "Unauthorized", "The API key is not valid."),
        "forbidden": _said(403, "Forbidden", "This key may not do this."),
        "no_credit": _said(402, "Payment required", "You have no credits left."),  # the status is unconfirmed
        "rate_limited": _said(
            429, "Too many concurrent requests", "You have exceeded your plan's limit.", "concurrency_limited"
        ),
        "plain": Answer(429, "Too many concurrent requests: slow down"),  # before 2026-03-01
        "invalid": lambda detail: _said(400, "Invalid request", detail or "The request is not valid."),
        "not_found": _said(404, "Voice not found", "There is no voice with this id."),
        "unavailable": _said(503, "Service unavailable", "Try again later."),
        "server_error": _said(500, "Internal server error", "Something went wrong."),
    },
)


def _versioned(call: Call) -> None:
    if call.headers.get("cartesia-version") not in VERSIONS:
        call.refuse("invalid", "Cartesia-Version is required")


def _sound(call: Call, form: Any, seconds: float, text: str = "") -> Order:
    """What `output_format` asks for; each container has keys of its own."""
    wanted = dict(form) if isinstance(form, dict) else call.refuse("invalid", "output_format is required")
    container, rate_hz = wanted.pop("container", None), wanted.pop("sample_rate", None)
    own = ("bit_rate", BIT_RATES) if container == "mp3" else ("encoding", ENCODINGS)
    if container not in TYPES or rate_hz not in RATES_HZ or wanted.pop(own[0], None) not in own[1] or wanted:
        call.refuse("invalid", "output_format is not valid")
    usd = f"{len(text) * USD_A_CHARACTER:.6f}" if text else None
    return order("audio", duration_s=seconds, text=text, usd=usd, mime=TYPES[container], rate_hz=rate_hz)


def _made(call: Call, wanted: Order) -> Answer:
    job = call.take(wanted)
    job.finish()
    if job.state != "succeeded":
        return _said(500, "Internal server error", "The sound could not be made.")
    return Answer(200, job.contents[0], {"content-type": job.mime})


@SERVICE.post("/tts/bytes")
def tts(call: Call) -> Answer:
    _versioned(call)
    body = call.json("model_id", "transcript", "voice", "output_format")
    voice = body["voice"]["id"] if isinstance(body["voice"], dict) and "id" in body["voice"] else body["voice"]
    if body["model_id"] not in MODELS or not isinstance(voice, str):
        call.refuse("invalid", "model_id or voice is not valid")
    if voice not in VOICES:
        call.refuse("not_found")
    if "language" in body and "locale" in body:
        call.refuse("invalid", "language and locale cannot both be set")
    speed = body.get("generation_config", {}).get("speed", 1)
    if not 0.6 <= speed <= 1.5:
        call.refuse("invalid", "speed must be from 0.6 to 1.5")
    text = body["transcript"]
    return _made(call, _sound(call, body["output_format"], max(0.5, len(text) / CHARACTERS_A_SECOND / speed), text))


@SERVICE.post("/voice-changer/bytes")
def voice_changer(call: Call) -> Answer:
    _versioned(call)
    form = call.form("clip", "voice[id]", "output_format[container]")
    if not form["clip"][0].content:
        call.refuse("invalid", "clip is empty")
    if form["voice[id]"][0].text not in VOICES:
        call.refuse("not_found")
    inner = {name[14:-1]: parts[0].text for name, parts in form.items() if name.startswith("output_format[")}
    asked = {name: int(text) if text.isdigit() else text for name, text in inner.items()}
    return _made(call, _sound(call, asked, 2.0))


@SERVICE.get("/voices")
def voices(call: Call) -> Answer:
    """Pages go on until one is empty."""
    after = call.query.get("starting_after")
    rest = VOICES[VOICES.index(after) + 1 :] if after in VOICES else VOICES
    page = rest[: int(call.query.get("limit", "10"))]
    made = {"is_owner": False, "is_public": True, "description": "", "created_at": "2026-01-01T00:00:00Z"}
    data = [{"id": one, "name": one[:8], "language": "en", **made} for one in page]
    return Answer(200, {"data": data, "has_more": len(page) < len(rest)})


@SERVICE.get("/", public=True)
def status(_call: Call) -> Answer:
    return Answer(200, {"ok": True, "version": VERSIONS[-1]})
