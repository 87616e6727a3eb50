"""ElevenLabs: speech, voice changing, sound effects and music; every answer is the sound itself.

Options of the sound's form are in the query, the voice is in the path. Errors have three shapes: an object with `code`,
an older one with `status` only, and a list of what is wrong with the fields. No key makes a request idempotent; the
answer does not say in dollars what was charged. Models take a text in no voice of their own: without one, that of the
vendor's first example speaks. Bare samples (`pcm`) are not asked for: no program can tell what they are.
"""

from pydantic import JsonValue

from aggregator.contract import Auth, Call, Codes, Endpoint, Files, Input, Meter, Provider, To

_SPOKEN = To(
    "@query.output_format",
    values={"mp3": "mp3_44100_128", "wav": "wav_24000", "opus": "opus_48000_128"},
)
_COMPOSED = To("@query.output_format", values={"mp3": "mp3_44100_128", "opus": "opus_48000_128"})
_FIXED: dict[str, JsonValue] = {"model_id": "{endpoint}", "@query.output_format": "mp3_44100_128"}
_VOICE: dict[str, JsonValue] = {"@path.voice": "JBFqnCBsd6RMkjVDRZzb"}
_SOUND = Files(form="body", mime_type="audio/mpeg")
_READ_S = 600.0  # a song of ten minutes is one answer


def _language(value: JsonValue) -> JsonValue:
    """`pt-BR` as `pt`: two letters are taken, the accent is the voice's."""
    return str(value).replace("_", "-").partition("-")[0].lower()


def _milliseconds(value: JsonValue) -> JsonValue:
    return round(float(str(value)) * 1000)


PROVIDER = Provider(
    name="elevenlabs",
    docs="https://elevenlabs.io/docs/api-reference",
    checked="2026-11-21",
    base_url="https://api.elevenlabs.io",
    auth=Auth(env=("ELEVENLABS_API_KEY",), header="xi-api-key", template="{key}"),
    submit=Call("POST", "/v1/text-to-speech/{voice}", read_s=_READ_S),
    probe=Call("GET", "/v1/models"),
    free={
        "models": Call("GET", "/v1/models"),
        "voices": Call("GET", "/v2/voices?page_size=100"),
        "balance": Call("GET", "/v1/user/subscription"),
    },
    codes=Codes(
        ("detail.code", "detail.status"),
        {
            "invalid_api_key": "authentication",
            "missing_permissions": "authentication",
            "only_for_creator+": "authentication",
            "quota_exceeded": "quota",
            "rate_limit_exceeded": "rate_limit",
            "concurrent_limit_exceeded": "rate_limit",
            "too_many_concurrent_requests": "rate_limit",
            "system_busy": "rate_limit",
            "max_character_limit_exceeded": "invalid_request",
            "invalid_parameters": "invalid_request",
            "voice_not_found": "invalid_request",
            "bad_prompt": "content_policy",
            "bad_composition_plan": "content_policy",
        },
    ),
    error_message=("detail.message", "detail[].msg", "detail"),
    request_id_header="request-id",
    inputs={"": Input(accepts=("part",), max_bytes=None)},
    concurrency=2,  # the free plan's; the others have 3 to 15
    tasks={
        "text-to-speech": Endpoint(
            fields={
                "text": "text",
                "voice": "@path.voice",
                "language": To("language_code", _language),
                "speed": "voice_settings.speed",
                "seed": "seed",
                "format": _SPOKEN,
            },
            fixed={**_FIXED, **_VOICE},
            files=_SOUND,
            meters=(Meter("kilo_character", "request.kilo_characters"),),
        ),
        "speech-to-speech": Endpoint(
            submit=Call("POST", "/v1/voice-changer/{voice}", read_s=_READ_S),
            encoding="multipart",
            fields={"audio": "audio", "voice": "@path.voice", "format": _SPOKEN},
            fixed=_FIXED,
            files=_SOUND,
            meters=(Meter("input_audio_second", "request.input_audio_seconds"),),
        ),
        "text-to-sound": Endpoint(
            submit=Call("POST", "/v1/sound-generation", read_s=_READ_S),
            fields={"prompt": "text", "duration_s": "duration_seconds", "format": _SPOKEN},
            fixed=_FIXED,
            files=_SOUND,
            meters=(Meter("request", "1"),),
        ),
        "text-to-music": Endpoint(
            submit=Call("POST", "/v1/music", read_s=_READ_S),
            fields={"prompt": "prompt", "duration_s": To("music_length_ms", _milliseconds), "format": _COMPOSED},
            fixed=_FIXED,
            files=_SOUND,
            meters=(Meter("audio_second", "request.duration_s"),),
        ),
        "video-to-audio": Endpoint(
            submit=Call("POST", "/v1/music/video-to-music", read_s=_READ_S),
            encoding="multipart",
            fields={"video": "videos", "prompt": "description"},
            fixed=_FIXED,
            files=_SOUND,
            meters=(Meter("audio_second", "request.input_video_seconds"),),
        ),
    },
)
