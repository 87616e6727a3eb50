"""XTTS behind its two servers as they answer: `xtts-api-server`, and the demo server of Coqui's TTS at `/api/tts`.

daswer123/xtts-api-server@5e8bc93, coqui-ai/TTS@dbf1a08; read 2026-11-21. There is no bill.
"""

from typing import Any

from aggregator.testing.emulator.service import Answer, Call, Service, order

LANGUAGES = ["en", "es", "fr", "de", "it", "pt", "pl", "tr", "ru", "nl", "cs", "ar", "zh-cn", "ja", "hu", "ko", "hi"]
SPEAKERS = ["female", "male", "calm_female"]

SERVICE = Service(
    "xtts",
    key=None,
    faults={
        "invalid": lambda text: Answer(422, {"detail": [{"loc": ["body", text], "msg": "Field required"}]}),
        # What is refused inside is caught by its own handler, and comes out as its own failure.
        "language": Answer(500, {"detail": "Error: Language code sent is either unsupported or misspelled."}),
        "server_error": Answer(500, {"detail": "Error: CUDA out of memory"}),
    },
)


def spoken(call: Call, asked: dict[str, Any]) -> Answer:
    seconds = max(0.2, len(asked["text"]) / 15)
    job = call.take(order("audio", duration_s=seconds, text=asked["text"], usd="0"))
    job.finish()
    if job.state != "succeeded":
        call.refuse("server_error")
    return Answer(200, job.contents[0], {"content-type": "audio/wav"})


@SERVICE.post("/tts_to_audio/")
def tts_to_audio(call: Call) -> Answer:
    asked = call.json("text", "speaker_wav", "language")
    if str(asked["language"]).lower() not in LANGUAGES:
        call.refuse("language")
    return spoken(call, asked)


@SERVICE.get("/api/tts")
def tts(call: Call) -> Answer:
    if not call.query.get("text"):
        call.refuse("server_error")
    return spoken(call, call.query)


@SERVICE.get("/speakers_list")
def speakers(_call: Call) -> Answer:
    return Answer(200, SPEAKERS)


@SERVICE.get("/languages")
def languages(_call: Call) -> Answer:
    return Answer(200, {"languages": {name: name for name in LANGUAGES}})
