"""Deepgram: speech in two generations, Aura at `/v1/speak` and Flux at `/v2/speak`; the answer is the sound itself.

The body is the text alone, everything else is in the query. The model's name is made of family, voice and language, so
each language is an offer with voices of its own. Errors have three shapes: JSON with `err_code`, JSON with `category`,
and plain text. No key makes a request idempotent; costs are not in the answers. Bare samples (`pcm`) are not
asked for: no program can tell what they are.
"""

from aggregator.contract import Auth, Call, Codes, Endpoint, Files, Meter, Provider, To

_MODEL = "model={family}-{voice}-{language}"
_FORMAT = To(
    "@query.encoding",
    values={"mp3": "mp3", "wav": "linear16", "flac": "flac", "opus": "opus", "aac": "aac"},
)
"""The container is the usual one unless an option says otherwise: `wav` for bare samples, `ogg` for Opus."""

PROVIDER = Provider(
    name="deepgram",
    docs="https://developers.deepgram.com/reference/text-to-speech-api",
    checked="2026-11-21",
    base_url="https://api.deepgram.com",
    auth=Auth(env=("DEEPGRAM_API_KEY",), template="Token {key}"),
    submit=Call("POST", f"/v1/speak?{_MODEL}"),
    dialects={"flux": {"submit": Call("POST", f"/v2/speak?{_MODEL}")}},
    probe=Call("GET", "/v1/projects"),
    free={"models": Call("GET", "/v1/models")},
    codes=Codes(
        ("err_code", "category"),
        {
            "INVALID_AUTH": "authentication",
            "INSUFFICIENT_PERMISSIONS": "authentication",
            "ASR_PAYMENT_REQUIRED": "quota",
            "Bad Request": "invalid_request",
            "INVALID_JSON": "invalid_request",
            "EXPRESSIVITY_OUT_OF_RANGE": "invalid_request",
            "PAUSE_SPEED_CAP_EXCEEDED": "invalid_request",
            "CONTROL_COMBINATION_INVALID": "invalid_request",
            "SPEED_*": "invalid_request",
        },
    ),
    error_message=("err_msg", "details", "message"),
    request_id_header="dg-request-id",
    concurrency=15,  # developers.deepgram.com/reference/api-rate-limits, read 2026-11-21
    tasks={
        "text-to-speech": Endpoint(
            fields={
                "text": "text",
                "voice": "@path.voice",
                "language": "@path.language",
                "speed": "@query.speed",
                "format": _FORMAT,
            },
            files=Files(form="body", mime_type="audio/mpeg"),
            meters=(Meter("kilo_character", "request.kilo_characters"),),
        ),
    },
)
