"""Deepgram: speech in two generations, Aura at `/v1/speak` and Flux at `/v2/speak`; the answer is the sound itself.

The body is the text alone, everything else is in the query. The model's name is made of family, voice and language, so
each language is an offer with voices of its own. Errors have three shapes: JSON with `err_code`, JSON with `category`,
and plain text. No key makes a request idempotent; costs are not in the answers. Bare samples (`pcm`) are not asked for:
no program can tell what they are.
"""

from aggregator import contract as c

_MODEL = "model={family}-{voice}-{language}"
_ENCODINGS = {"mp3": "mp3", "wav": "linear16", "flac": "flac", "opus": "opus", "aac": "aac"}
"""The container is the usual one unless an option says otherwise: `wav` for bare samples, `ogg` for Opus."""

PROVIDER = c.Provider(
    name="deepgram",
    docs="https://developers.deepgram.com/reference/text-to-speech-api",
    checked="2026-11-21",
    base_url="https://api.deepgram.com",
    auth=c.Auth(env=("DEEPGRAM_API_KEY",), template="Token {key}"),
    submit=c.Call("POST", f"/v1/speak?{_MODEL}"),
    dialects={"flux": {"submit": c.Call("POST", f"/v2/speak?{_MODEL}")}},
    probe=c.Call("GET", "/v1/projects"),
    free={"models": c.Call("GET", "/v1/models")},
    codes=c.Codes(
        ("err_code", "category"),
        {
            **c.kinds(
                authentication="INVALID_AUTH INSUFFICIENT_PERMISSIONS",
                quota="ASR_PAYMENT_REQUIRED",
                invalid_request="INVALID_JSON EXPRESSIVITY_OUT_OF_RANGE PAUSE_SPEED_CAP_EXCEEDED SPEED_* "
                "CONTROL_COMBINATION_INVALID",
            ),
            "Bad Request": "invalid_request",
        },
    ),
    error_message=("err_msg", "details", "message"),
    request_id_header="dg-request-id",
    concurrency=15,  # developers.deepgram.com/reference/api-rate-limits, read 2026-11-21
    tasks={
        "text-to-speech": c.Endpoint(
            {"text": "text", "voice": "@path.voice", "language": "@path.language", "speed": "@query.speed"}
            | {"format": c.To("@query.encoding", values=_ENCODINGS)},
            files=c.Files(form="body", mime_type="audio/mpeg"),
            meters=(c.Meter("kilo_character", "request.kilo_characters"),),
        )
    },
)
