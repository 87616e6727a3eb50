"""Piper's HTTP server as it answers: WAV that it calls a page, and for every mistake a page with HTTP 500.

PyPI piper-tts 1.8.0, which was run; read 2026-11-21. There is no bill.
"""

import json

from aggregator.testing.emulator.service import Answer, Call, Service, order

PAGE = {"content-type": "text/html; charset=utf-8"}
BROKEN = Answer(500, "<!doctype html>\n<title>500 Internal Server Error</title>\n<h1>Internal Server Error</h1>", PAGE)
VOICES = {"en_US-lessac-medium": {"num_speakers": 1, "audio": {"sample_rate": 22050}}}
RATE_HZ = 22_050

SERVICE = Service("piper", key=None, faults={"invalid": BROKEN, "server_error": BROKEN})


@SERVICE.post("/synthesize")
def synthesize(call: Call) -> Answer:
    """A voice that it does not have is read by the first it has."""
    try:
        asked = json.loads(call.raw)
    except ValueError:
        return BROKEN
    text = str(asked.get("text", "")).strip()
    if not text:
        return BROKEN
    seconds = max(0.2, len(text) / 15 * float(asked.get("length_scale", 1)))
    job = call.take(order("audio", duration_s=seconds, text=text, usd="0", rate_hz=RATE_HZ))
    job.finish()
    return Answer(200, job.contents[0], PAGE) if job.state == "succeeded" else BROKEN


@SERVICE.get("/voices")
def voices(_call: Call) -> Answer:
    return Answer(200, VOICES)
